//! `baton dlq`: dead letters listed, shown, moved back and dropped.

mod moved;

use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::MessageAttributeValue;
use e2e::{Backend, TestStack, wait};
use serde_json::{Value, json};

use crate::desk::baton_beside;

async fn letters(stack: &TestStack) -> u64 {
    stack.messages(&stack.resources.dead_letter_queue_url).await
}

pub(crate) async fn letters_are(stack: &TestStack, number: u64) {
    wait::until("the dead letters", async || letters(stack).await, |count| *count == number).await;
}

/// Sends an import whose file is missing, and waits for its dead letter; the ARN of its execution.
pub(crate) async fn missing(stack: &TestStack, import_id: &str) -> String {
    let before = letters(stack).await;
    let source = format!("s3://baton/uploads/{import_id}.csv").parse().unwrap();
    let sent = stack.describe(import_id, &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    letters_are(stack, before + 1).await;
    sent.execution_arn
}

/// Brings a message to the dead-letter queue by a queue's own redrive policy; its id stays. The queue is not that of imports,
/// whose messages the Lambda takes.
async fn received_too_often(stack: &TestStack, body: &str) -> String {
    let dead = "arn:aws:sqs:ap-northeast-1:000000000000:imports-dead-letter";
    let policy = json!({"deadLetterTargetArn": dead, "maxReceiveCount": "1"}).to_string();
    let create = stack.sqs.create_queue().queue_name("not-taken").attributes("RedrivePolicy".into(), policy);
    let queue = create.send().await.unwrap().queue_url.unwrap();
    let who = MessageAttributeValue::builder().data_type("String").string_value("a program").build().unwrap();
    let sent = stack.sqs.send_message().queue_url(&queue).message_body(body).message_attributes("Who", who);
    let message_id = sent.send().await.unwrap().message_id.unwrap();
    let before = letters(stack).await;
    let receive = async || {
        stack.sqs.receive_message().queue_url(&queue).visibility_timeout(0).send().await.unwrap();
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
    let arn = missing(&stack, "a").await;
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
    assert!(listed.stdout.contains(arn.rsplit(':').next().unwrap()), "{listed:#?}");
    assert_eq!(listed.stdout.lines().count(), 3, "{listed:#?}");
    let all = list(&stack, &[]).await;
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
    unknown.complains(2, &["there is no dead letter nobody; `", "dlq list --data-dir"]);
    // Whoever comes next finds them visible.
    for _ in 0..2 {
        stack.dead_letter().await;
    }
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_is_found_by_the_import_that_it_names() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.send(r#"{"import_id": "m-1", "tabel": "people"}"#).await;
    letters_are(&stack, 1).await;
    let listed = list(&stack, &["--import", "m-1"]).await;
    assert_eq!((&listed[0]["import_id"], &listed[0]["error"]), (&json!("m-1"), &json!("Message.Invalid")));
    let shown = baton_beside(&stack, &["dlq", "show", "m-1"]).await;
    shown
        .expect(0, &["import    m-1, which the message names; it could not be read as a whole\n", "`tabel`"]);
    // A redrive would only fail again.
    assert!(!shown.stdout.contains("next "), "{shown:#?}");
    baton_beside(&stack, &["dlq", "drop", "m-1", "--yes"]).await.expect(0, &["  m-1  dropped"]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_queue_brought_itself_is_known_by_its_execution_and_deleted_when_that_succeeds() {
    let stack = TestStack::start(Backend::Sqlite).await;
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

    // As if the Lambda had started it, which has its name from import and message.
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
            "The message is lost. What there is of an import stays:",
            "--yes drops them",
        ],
    );
    let asked = baton_beside(&stack, &["dlq", "drop", "--all"]).await;
    let mixed = "The messages are lost. What there is of an import stays: its file, its row and its execution, which `";
    asked.complains(
        2,
        &[
            "would drop 3 messages:",
            mixed,
            "The execution of 1 of them would fail again: nothing else is left of it.",
        ],
    );
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

    let shown = baton_beside(&stack, &["show", "a"]).await;
    shown.expect(
        0,
        &["put into the dead-letter queue ", ", which has it until it is moved, dropped or expires"],
    );

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
