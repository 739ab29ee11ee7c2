//! `baton dlq`: dead letters listed, shown, moved back and dropped.

use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName};
use e2e::{Backend, TestStack, wait};
use serde_json::{Value, json};

use crate::desk::baton_beside;

async fn letters(stack: &TestStack) -> u64 {
    stack.messages(&stack.resources.dead_letter_queue_url).await
}

async fn letters_are(stack: &TestStack, number: u64) {
    wait::until("the dead letters", async || letters(stack).await, |count| *count == number).await;
}

/// Sends an import whose file is missing; its message's id in the queue of imports.
async fn missing(stack: &TestStack, import_id: &str) -> String {
    let before = letters(stack).await;
    let source = format!("s3://baton/uploads/{import_id}.csv").parse().unwrap();
    let sent = stack.describe(import_id, &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    letters_are(stack, before + 1).await;
    sent.execution_arn.rsplit(&format!("{import_id}-")).next().unwrap().to_owned()
}

/// Brings a message to the dead-letter queue by its queue's own redrive policy, on a stack at rest; its id stays.
async fn received_too_often(stack: &TestStack, body: &str) -> String {
    let who = MessageAttributeValue::builder().data_type("String").string_value("a program").build().unwrap();
    let queue = &stack.resources.queue_url;
    let sent = stack.sqs.send_message().queue_url(queue).message_body(body).message_attributes("Who", who);
    let message_id = sent.send().await.unwrap().message_id.unwrap();
    let before = letters(stack).await;
    let receive = async || {
        stack.sqs.receive_message().queue_url(queue).visibility_timeout(0).send().await.unwrap();
        letters(stack).await
    };
    wait::until("it to be received too often", receive, |count| *count > before).await;
    message_id
}

async fn list(stack: &TestStack, arguments: &[&str]) -> Vec<Value> {
    let ended = baton_beside(stack, &[&["dlq", "list", "--json"], arguments].concat()).await;
    ended.expect(0, &[]).json().as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_with_import_error_execution_and_age_and_nobody_has_to_wait_for_them() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let empty = baton_beside(&stack, &["dlq", "list"]).await;
    assert_eq!((empty.code, empty.stdout.as_str()), (Some(0), ""), "{empty:#?}");
    assert!(empty.stderr.contains("the dead-letter queue is empty"), "{empty:#?}");
    let first = missing(&stack, "a").await;
    stack.send("noise").await;
    letters_are(&stack, 2).await;

    let listed = baton_beside(&stack, &["dlq", "list"]).await;
    listed.expect(
        0,
        &[
            "IMPORT  ERROR                 AGE",
            "RECEIVED  CAUSE",
            "  a       Import.SourceMissing",
            "  none    Message.Invalid",
        ],
    );
    assert_eq!(listed.stdout.lines().count(), 3, "{listed:#?}");
    let all = list(&stack, &[]).await;
    let arn = stack.execution_arn(&format!("a-{first}"));
    let expected = json!({
        "message_id": all[0]["message_id"], "import_id": "a", "error": "Import.SourceMissing",
        "cause": all[0]["cause"], "execution_arn": arn, "brought_by": "dead_letter_execution", "group_id": null,
        "sent_at": all[0]["sent_at"], "receives": 2,
    });
    assert_eq!(all[0], expected);
    assert!(all[0]["cause"].as_str().unwrap().contains("uploads/a.csv"));
    assert!(all[1]["execution_arn"].as_str().unwrap().contains(":execution:import:invalid-"));

    let ids = async |arguments: &[&str]| -> Vec<Value> {
        list(&stack, arguments).await.into_iter().map(|letter| letter["import_id"].clone()).collect()
    };
    assert_eq!(ids(&["--error", "Message.Invalid"]).await, [Value::Null]);
    assert_eq!(ids(&["--import", "a", "--since", "1h"]).await, ["a"]);
    assert_eq!(ids(&["--import", "a", "--error", "Message.Invalid"]).await, [] as [Value; 0]);
    assert_eq!(ids(&["--older-than", "1h"]).await, [] as [Value; 0]);

    let shown = baton_beside(&stack, &["dlq", "show", "a"]).await;
    shown.expect(
        0,
        &[
            "import    a\n  error     Import.SourceMissing\n  cause     ",
            &format!("execution {arn}\n"),
            "by        the execution of the dead-letter machine\n  body      {\"import_id\":\"a\"",
            "redrive a",
        ],
    );
    let id = all[1]["message_id"].as_str().unwrap();
    let shown = baton_beside(&stack, &["dlq", "show", id, "--json"]).await.json();
    assert_eq!((&shown[0]["body"], &shown[0]["message_id"]), (&json!("noise"), &json!(id)));
    let unknown = baton_beside(&stack, &["dlq", "show", "nobody"]).await;
    unknown.complains(2, &["there is no dead letter nobody; `baton dlq list` lists them"]);
    // Whoever comes next finds them visible.
    for _ in 0..2 {
        stack.dead_letter().await;
    }
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_queue_brought_itself_is_known_by_its_execution_and_deleted_when_that_succeeds() {
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    stack.create_people();
    let body =
        json!({"import_id": "lost", "source": "s3://baton/uploads/lost.csv", "table": "people"}).to_string();
    let message_id = received_too_often(&stack, &body).await;
    let large = received_too_often(&stack, &"x".repeat(300_000)).await;
    let all = list(&stack, &[]).await;
    assert_eq!(
        (&all[0]["message_id"], &all[0]["brought_by"]),
        (&json!(message_id), &json!("redrive_policy"))
    );
    assert_eq!((&all[0]["import_id"], &all[0]["error"]), (&json!("lost"), &Value::Null));
    assert!(all[0]["cause"].as_str().unwrap().contains("no execution was started"), "{all:#?}");
    assert!(all[1]["cause"].as_str().unwrap().contains("Step Functions takes 262144"), "{all:#?}");
    baton_beside(&stack, &["dlq", "drop", &large, "--yes"]).await.expect(0, &[&large, "dropped"]);

    // As if the Lambda had started it, and the event of its end had been lost.
    let stack = stack.restart().await;
    let message = json!({
        "id": message_id, "body": body, "receipt_handle": "gone", "queue_url": stack.resources.queue_url,
    });
    let import: Value = serde_json::from_str(&body).unwrap();
    let started = stack
        .sfn
        .start_execution()
        .state_machine_arn(&stack.resources.import_state_machine_arn)
        .name(format!("lost-{message_id}"))
        .input(json!({"import": import, "message": message}).to_string())
        .send()
        .await
        .unwrap();
    stack.ended(&started.execution_arn).await;
    letters_are(&stack, 2).await;
    let all = list(&stack, &["--error", "Import.SourceMissing"]).await;
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!(all[0]["execution_arn"], all[1]["execution_arn"]);
    assert!(
        all.iter().all(|letter| letter["cause"].as_str().unwrap().contains("uploads/lost.csv")),
        "{all:#?}"
    );
    stack.put("uploads/lost.csv", "id,name\n1,a\n").await;
    baton_beside(&stack, &["redrive", "lost"])
        .await
        .expect(0, &["lost: SUCCEEDED, 1 row, attempt 2; its dead letters are"]);
    assert_eq!(stack.count("people"), 1);
    stack.audit().await;
}

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
    moved.complains(1, &["moved 2 messages; `baton imports`", "there is no dead letter nobody"]);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_dropped_only_after_it_was_said_what_is_lost() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    missing(&stack, "a").await;
    missing(&stack, "b").await;
    stack.send("noise").await;
    letters_are(&stack, 3).await;
    let asked = baton_beside(&stack, &["dlq", "drop", "a"]).await;
    asked.complains(
        2,
        &[
            "would drop 1 message:",
            "  a       Import.SourceMissing",
            "The message is lost. The import",
            "--yes drops them",
        ],
    );
    let asked = baton_beside(&stack, &["dlq", "drop", "--all"]).await;
    asked.complains(2, &["would drop 3 messages:"]);
    assert_eq!(letters(&stack).await, 3);

    let dropped =
        baton_beside(&stack, &["dlq", "drop", "--error", "Message.Invalid", "--yes", "--json"]).await.json();
    assert_eq!((&dropped["dropped"], &dropped["messages"][0]["import_id"]), (&json!(1), &Value::Null));
    baton_beside(&stack, &["dlq", "drop", "a", "nobody", "--yes"]).await.expect(1, &["  a  dropped"]);
    assert_eq!(letters(&stack).await, 1);
    baton_beside(&stack, &["dlq", "drop", "nobody", "--yes"])
        .await
        .complains(2, &["there is no dead letter nobody"]);
    baton_beside(&stack, &["dlq", "drop", "--older-than", "1h", "--yes"])
        .await
        .complains(0, &["nothing was dropped"]);

    // The execution is still there, and takes up the import without the message.
    stack.put("uploads/a.csv", "id,name\n1,a\n").await;
    baton_beside(&stack, &["redrive", "a"]).await.expect(0, &["a: SUCCEEDED, 1 row, attempt 2\n"]);
    baton_beside(&stack, &["dlq", "drop", "b", "--yes"]).await.expect(0, &["  b  dropped"]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_somebody_is_looking_at_is_said_to_be_hidden() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    missing(&stack, "a").await;
    let queue = &stack.resources.dead_letter_queue_url;
    let received = stack.sqs.receive_message().queue_url(queue).visibility_timeout(600).send().await.unwrap();
    let listed = baton_beside(&stack, &["dlq", "list"]).await;
    listed.complains(0, &["hidden, because somebody is looking at them: 1 more"]);
    let moved = baton_beside(&stack, &["dlq", "redrive", "a"]).await;
    moved.complains(2, &["there is no dead letter a", "hidden at the moment: 1"]);
    let handle = received.messages.unwrap()[0].receipt_handle.clone().unwrap();
    stack.sqs.delete_message().queue_url(queue).receipt_handle(handle).send().await.unwrap();
    stack.audit().await;
}
