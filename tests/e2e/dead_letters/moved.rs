//! Dead letters that are moved back to the queue of imports.

use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use e2e::{Backend, TestStack, wait};
use serde_json::{Value, json};

use super::{letters, list, missing, received_too_often};
use crate::desk::{Desk, baton_beside};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_moved_back_starts_a_new_execution() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    for id in ["a", "b", "c"] {
        missing(&stack, id).await;
    }
    let letter = list(&stack, &["--import", "b"]).await[0]["message_id"].as_str().unwrap().to_owned();
    for id in ["a", "b", "c"] {
        stack.put(&format!("uploads/{id}.csv"), "id,name\n").await;
    }
    stack.put("uploads/a.csv", "id,name\n1,a\n").await;
    stack.put("uploads/b.csv", "id,name\n2,b\n").await;

    // By the import's id and by its own; the one that is not there holds up nobody.
    let moved = baton_beside(&stack, &["dlq", "redrive", "a", &letter, "nobody"]).await;
    moved.expect(1, &["  a  moved as ", &format!("{letter}  b  moved as ")]);
    moved.complains(1, &["moved 2 messages; `", "imports --data-dir", "there is no dead letter nobody"]);
    for (id, rows) in [("a", 1), ("b", 2)] {
        let success = |row: &worker::imports::ImportRow| row.status.as_str() == "SUCCESS";
        let row = stack.import_when(&id.parse().unwrap(), "success", success).await;
        assert_eq!((row.attempt, stack.count("people") >= rows), (2, true));
    }
    baton_beside(&stack, &["dlq", "redrive", "nobody"])
        .await
        .complains(2, &["there is no dead letter nobody"]);
    baton_beside(&stack, &["dlq", "redrive"]).await.complains(2, &["--all"]);

    let bulk = ["dlq", "redrive", "--error", "Import.SourceMissing"];
    let planned = baton_beside(&stack, &bulk).await;
    planned.complains(
        2,
        &[
            "would move 1 message back to the queue of imports",
            "  c       Import.SourceMissing",
            "--yes moves them",
        ],
    );
    assert_eq!((letters(&stack).await, planned.stdout.as_str()), (1, ""));
    let moved = baton_beside(&stack, &[&bulk[..], &["--yes", "--json"]].concat()).await.json();
    assert_eq!((&moved["moved"], &moved["messages"][0]["import_id"]), (&json!(1), &json!("c")));
    let name = format!("c-{}", moved["messages"][0]["new_message_id"].as_str().unwrap());
    assert_eq!(stack.ended(&stack.execution_arn(&name)).await.status, ExecutionStatus::Succeeded);
    let none = baton_beside(&stack, &["dlq", "redrive", "--all", "--yes"]).await;
    none.complains(0, &["moved 0 messages"]);
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_dead_letters_are_moved_back_by_sqs_itself_once_that_was_confirmed() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let ids: Vec<String> = (0..12).map(|number| format!("all-{number}")).collect();
    for id in &ids {
        missing(&stack, id).await;
    }
    for (number, id) in ids.iter().enumerate() {
        stack.put(&format!("uploads/{id}.csv"), format!("id,name\n{number},a\n")).await;
    }
    let planned = baton_beside(&stack, &["dlq", "redrive", "--all"]).await;
    planned.complains(2, &["would move 12 messages", "--yes"]);
    assert_eq!(letters(&stack).await, 12);
    let moved = baton_beside(&stack, &["dlq", "redrive", "--all", "--yes", "--json"]).await;
    assert_eq!(moved.expect(0, &[]).json(), json!({"moved": 12, "messages": []}));
    let look = async || stack.count("people");
    wait::until("all to be imported", look, |count| *count == 12).await;
    let source = stack
        .sqs
        .list_message_move_tasks()
        .source_arn("arn:aws:sqs:ap-northeast-1:000000000000:imports-dead-letter");
    let tasks = source.send().await.unwrap().results.unwrap();
    assert!(tasks[0].destination_arn.as_ref().unwrap().ends_with(":imports"), "{tasks:?}");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_moved_keeps_what_its_sender_gave_it() {
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    let message_id = received_too_often(&stack, r#"{"import_id": "kept"}"#).await;
    let moved = baton_beside(&stack, &["dlq", "redrive", "kept"]).await;
    moved.expect(0, &[&format!("{message_id}  kept  moved as ")]);
    let received =
        stack.sqs.receive_message().queue_url(&stack.resources.queue_url).message_attribute_names("All");
    let message = received.send().await.unwrap().messages.unwrap().pop().unwrap();
    assert_eq!(message.body.as_deref(), Some(r#"{"import_id": "kept"}"#));
    assert_ne!(message.message_id, Some(message_id));
    let attributes = message.message_attributes.unwrap();
    assert_eq!(attributes.keys().collect::<Vec<_>>(), ["Who"]);
    assert_eq!(letters(&stack).await, 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_of_a_fifo_queue_goes_back_into_its_group() {
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    let create = async |name: &str, policy: Option<&str>| {
        let mut queue = stack.sqs.create_queue().queue_name(name).attributes("FifoQueue".into(), "true");
        if let Some(policy) = policy {
            queue = queue.attributes("RedrivePolicy".into(), policy);
        }
        queue.send().await.unwrap().queue_url.unwrap()
    };
    let dead = create("dead.fifo", None).await;
    let arn = "arn:aws:sqs:ap-northeast-1:000000000000:dead.fifo";
    let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": "1"}).to_string();
    let queue = create("imports.fifo", Some(&policy)).await;
    // `baton` knows a stack by what this file says.
    let path = stack.data_dir().join("stack.json");
    let mut session: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    session["resources"]["queue_url"] = json!(queue);
    session["resources"]["dead_letter_queue_url"] = json!(dead);
    std::fs::write(&path, session.to_string()).unwrap();

    for (id, group) in [("1", "g"), ("2", "g"), ("3", "h")] {
        let body = json!({"import_id": id}).to_string();
        let send = stack.sqs.send_message().queue_url(&queue).message_body(body);
        send.message_group_id(group).message_deduplication_id(id).send().await.unwrap();
    }
    let receive = async || {
        let receive =
            stack.sqs.receive_message().queue_url(&queue).visibility_timeout(0).max_number_of_messages(10);
        receive.send().await.unwrap();
        stack.messages(&dead).await
    };
    wait::until("all to be received too often", receive, |count| *count == 3).await;

    let all = list(&stack, &[]).await;
    let groups: Vec<_> = all.iter().map(|letter| (&letter["import_id"], &letter["group_id"])).collect();
    assert_eq!(groups, [(&json!("1"), &json!("g")), (&json!("2"), &json!("g")), (&json!("3"), &json!("h"))]);
    baton_beside(&stack, &["dlq", "redrive", "2", "1"])
        .await
        .expect(0, &["  1  moved as ", "  2  moved as "]);
    let received = stack
        .sqs
        .receive_message()
        .queue_url(&queue)
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
    let messages = received.send().await.unwrap().messages.unwrap();
    let moved: Vec<_> = messages
        .iter()
        .map(|message| {
            let group = &message.attributes.as_ref().unwrap()[&MessageSystemAttributeName::MessageGroupId];
            (message.body.as_deref().unwrap(), group.as_str())
        })
        .collect();
    // In the order in which they came first, whatever the order on the command line.
    assert_eq!(moved, [(r#"{"import_id":"1"}"#, "g"), (r#"{"import_id":"2"}"#, "g")]);
    assert_eq!(stack.messages(&dead).await, 1);
    stack.stop().await;
}

#[tokio::test]
async fn what_waits_in_the_queue_is_told_by_whoever_takes_it_along_and_by_who_cannot_cancel_it() {
    let desk = Desk::new();
    desk.run("late", "id,name\n1,a\n", &[]).await.expect(1, &["Import.TableMissing"]);
    desk.execute("CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)");
    desk.baton(&["dlq", "redrive", "late", "--yes"]).await.complains(0, &["moved 1 message"]);
    let cancelled = desk.baton(&["cancel", "late", "--yes"]).await;
    cancelled.expect(
        1,
        &["it has failed already", "messages that wait in the queue: 1, and one that asks for it"],
    );
    let other = desk.run("other", "id,name\n2,b\n", &[]).await;
    // Its stack may have taken the message by the time that it looks.
    let waits = "this command also takes what waits in the queue, messages: 1";
    let is_taken = "this command also goes on with the import late, which was sent here and is not finished";
    other.complains(0, &[]);
    assert!(other.stderr.contains(waits) || other.stderr.contains(is_taken), "{}", other.stderr);
}
