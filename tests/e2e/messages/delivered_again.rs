//! The same message again: at once, during the run, after success.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, Gate, TestStack, rows, wait};
use local_stack::Limits;
use serde_json::{Value, json};
use worker::db::Database;

use super::{PEOPLE, at_the_gate, is_empty};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_delivered_twice_at_once_runs_once() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", PEOPLE).await;
    stack.feed_function(false).await;
    let sent = stack.describe("at-once", &source, "people", json!({})).await;
    let mut records = Vec::new();
    for _ in 0..2 {
        let message = stack.receive_elsewhere(0).await;
        records.push(json!({"messageId": message.message_id, "receiptHandle": message.receipt_handle,
            "body": message.body, "eventSourceARN": "arn:aws:sqs:ap-northeast-1:000000000000:imports",
            "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "ap-northeast-1"}));
    }
    let answer = stack.invoke_function(json!({"Records": records})).await;
    let kept = answer["batchItemFailures"].as_array().unwrap();
    assert_eq!(kept.len(), 2, "both are held: {answer}");
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    // Whichever of the two handles the execution has, the message may still be there. Then it is acknowledged.
    stack.feed_function(true).await;
    is_empty(&stack).await;
    assert_eq!(stack.executions().await, 1);
    assert_eq!((stack.count("people"), stack.import(&sent.import_id).unwrap().attempt), (2, 1));
    stack.audit().await;
}

/// For how long the one message of the queue is hidden from now on, in milliseconds.
fn hidden_for(stack: &TestStack) -> i64 {
    let file =
        Database::parse(&format!("sqlite:{}", stack.data_dir().join("stack/sqs.db").display())).unwrap();
    let until = rows::number(&file, "SELECT visible_at AS value FROM messages");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    until - i64::try_from(now.as_millis()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_back_while_its_import_runs_is_hidden_again_and_starts_nothing() {
    let gate = Gate::shut();
    // The visibility timeout of the queue is a minute: which of the two holds the message can be told apart.
    let limits = Limits { hold: Duration::from_secs(20), ..Limits::default() };
    let (stack, sent) = at_the_gate(&gate, limits, PEOPLE).await;
    let message_id = stack.message_of(&sent.execution_arn).await["id"].as_str().unwrap().to_owned();
    stack.make_visible(&sent.execution_arn).await;
    stack.decided(&message_id, &["started", "held"]).await;
    let hidden = hidden_for(&stack);
    assert!(
        hidden <= 20_000,
        "it is hidden for {hidden} ms: not as long as the execution would have hidden it"
    );
    gate.open();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    is_empty(&stack).await;
    // One receive for each delivery that there had to be.
    stack.decided(&message_id, &["started", "held", "acknowledged"]).await;
    assert_eq!((stack.executions().await, stack.count("people")), (1, 2));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_back_after_success_is_acknowledged() {
    let gate = Gate::shut();
    let (stack, sent) = at_the_gate(&gate, Limits::default(), PEOPLE).await;
    let message_id = stack.message_of(&sent.execution_arn).await["id"].as_str().unwrap().to_owned();
    stack.feed_function(false).await;
    stack.make_visible(&sent.execution_arn).await;
    // With the handle that the execution has, SQS now says yes to a deletion, and keeps the message.
    let other = stack.receive_elsewhere(2).await;
    assert_eq!(other.message_id.as_deref(), Some(message_id.as_str()));
    gate.open();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.messages(&stack.resources.queue_url).await, 1);
    stack.feed_function(true).await;
    stack.decided(&message_id, &["started", "acknowledged"]).await;
    is_empty(&stack).await;
    assert_eq!((stack.executions().await, stack.count("people")), (1, 2));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_large_for_an_execution_reaches_the_dead_letter_queue_whole() {
    let limits =
        Limits { visibility_timeout: Duration::from_secs(1), max_receive_count: 2, ..Limits::default() };
    let stack = TestStack::start_with(Backend::Sqlite, limits).await;
    let body = json!({"import_id": "large", "padding": "x".repeat(300_000)}).to_string();
    let message_id = stack.send(&body).await;
    let look = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the message to be moved", look, |count| *count == 1).await;
    let letter = stack.dead_letter().await;
    assert_eq!(letter.body.as_deref(), Some(body.as_str()));
    assert_eq!(letter.message_id.as_deref(), Some(message_id.as_str()), "SQS itself has moved it");
    assert_eq!(stack.decisions(&message_id), ["left", "left"]);
    let log = std::fs::read_to_string(stack.data_dir().join("stack/logs/start-import.log")).unwrap();
    let why = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let why: Vec<_> = why.filter(|line| line["decision"] == "left").collect();
    assert_eq!(why.len(), 2, "{log}");
    for line in why {
        assert!(line["message"].as_str().unwrap().contains("bytes, Step Functions takes 262144"), "{line}");
    }
    assert_eq!(stack.executions().await, 0);
    stack.audit().await;
}
