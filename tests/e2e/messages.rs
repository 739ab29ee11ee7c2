//! Messages that come twice, that ask for what is not there, or that ask for nothing.

mod delivered_again;
mod fifo;
mod function;
mod settled_once;
mod uploaded;

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, Gate, Sent, TestStack, binaries, wait};
use local_stack::Limits;
use serde_json::json;
use statemachine::{Outcome, Report};
use tokio::process::Command;

const PEOPLE: &str = "id,name\n1,a\n2,b\n";

/// Limits with which a message that is left comes back soon, and often enough for any machine.
pub(crate) fn impatient() -> Limits {
    Limits { visibility_timeout: Duration::from_secs(3), max_receive_count: 50, ..Limits::default() }
}

/// A stack with one import, of this CSV, whose message is held and whose container waits at the gate.
async fn at_the_gate(gate: &Gate, limits: Limits, csv: &str) -> (TestStack, Sent) {
    let stack = TestStack::start_as(Backend::Sqlite, |config| {
        config.limits = limits;
        gate.before(config);
    })
    .await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", csv).await;
    let sent = stack.describe("held-back", &source, "people", json!({})).await;
    stack.entered(&sent.execution_arn, "RunImport").await;
    (stack, sent)
}

/// Waits until no message is left in the queue of imports.
async fn is_empty(stack: &TestStack) {
    let look = async || stack.messages(&stack.resources.queue_url).await;
    wait::until("the queue to be empty", look, |count| *count == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_messages_for_one_import_bring_its_rows_once() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n2,b\n").await;
    let first = stack.describe("twice", &source, "people", json!({})).await;
    let second = stack.describe("twice", &source, "people", json!({})).await;
    let mut outcomes = Vec::new();
    for sent in [&first, &second] {
        let execution = stack.ended(&sent.execution_arn).await;
        assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:?}");
        let report: Report = serde_json::from_str(&execution.output.unwrap()).unwrap();
        outcomes.push(report.outcome);
    }
    outcomes.sort_by_key(|outcome| *outcome == Outcome::Duplicate);
    assert_eq!(outcomes, [Outcome::Done, Outcome::Duplicate]);
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_file_is_missing_is_dead_lettered_with_the_reason() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = "s3://baton/uploads/nothing.csv".parse().unwrap();
    let sent = stack.describe("missing", &source, "people", json!({})).await;
    let execution = stack.ended(&sent.execution_arn).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    assert_eq!(execution.error.as_deref(), Some("Import.SourceMissing"));
    assert!(execution.cause.unwrap().contains("uploads/nothing.csv"));

    let message_is_settled = async || stack.messages(&stack.resources.queue_url).await;
    wait::until("the message to be settled", message_is_settled, |count| *count == 0).await;
    let show = Command::new(binaries::path("baton"))
        .args(["show", "missing", "--data-dir"])
        .arg(stack.data_dir())
        .env_remove("DATABASE_URL")
        .output()
        .await
        .unwrap();
    let shown = String::from_utf8(show.stdout).unwrap();
    for words in ["FAILURE", "Import.SourceMissing", "uploads/nothing.csv", "put into the dead-letter queue"]
    {
        assert!(shown.contains(words), "{words:?} is missing in {shown}");
    }

    let letter = stack.dead_letter().await;
    assert!(letter.body.unwrap().contains("uploads/nothing.csv"));
    let attributes = letter.message_attributes.unwrap();
    let attribute = |name: &str| attributes[name].string_value.clone().unwrap();
    assert_eq!(attribute("Error"), "Import.SourceMissing");
    assert!(attribute("Cause").contains("uploads/nothing.csv"));
    assert_eq!(attribute("ExecutionArn"), sent.execution_arn);
    assert_eq!(stack.import(&sent.import_id).unwrap().status.as_str(), "FAILURE");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_dead_lettered_at_its_first_delivery() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let message_id = stack.send("noise").await;
    let execution = stack.ended(&stack.execution_arn(&format!("invalid-{message_id}"))).await;
    assert_eq!(execution.error.as_deref(), Some("Message.Invalid"));
    let letter = stack.dead_letter().await;
    assert_eq!(letter.body.as_deref(), Some("noise"));
    let attributes = letter.message_attributes.unwrap();
    assert_eq!(attributes["Error"].string_value.as_deref(), Some("Message.Invalid"));
    assert_eq!(attributes["MessageId"].string_value.as_deref(), Some(message_id.as_str()));
    stack.audit().await;
}

/// What a dead letter has as its error and its cause.
async fn reason(stack: &TestStack) -> (String, String) {
    let attributes = stack.dead_letter().await.message_attributes.unwrap();
    let attribute = |name: &str| attributes[name].string_value.clone().unwrap();
    (attribute("Error"), attribute("Cause"))
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_that_sqs_refuses_keep_no_dead_letter_from_its_queue() {
    let gate = Gate::shut();
    let (stack, held) = at_the_gate(&gate, Limits::default(), PEOPLE).await;
    let body = r#"{"import_id":"c1","tab\u000bel":1,"source":"s3://b/k.csv","table":"people"}"#;
    stack.send(body).await;
    let (error, cause) = reason(&stack).await;
    assert!(error == "Message.Invalid" && cause.contains("`tab\u{fffd}el`"), "{cause}");
    // Somebody stops it, with a text of their own.
    let stop = stack.sfn.stop_execution().execution_arn(&held.execution_arn);
    stop.error("Not\u{1}Now").cause("by hand\u{b}\u{fffe} 東京").send().await.unwrap();
    let (error, cause) = reason(&stack).await;
    assert_eq!((error.as_str(), cause.as_str()), ("Not\u{fffd}Now", "by hand\u{fffd}\u{fffd} 東京"));
    gate.open();
    let source = stack.put("uploads/odd.csv", "id,na\u{fffe}me,\u{1}\n1,a,b\n").await;
    stack.describe("odd", &source, "people", json!({})).await;
    let (error, cause) = reason(&stack).await;
    assert_eq!(error, "Import.HeaderMismatch", "{cause}");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_do_not_hold_up_their_neighbours() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n").await;
    stack.send("[]").await;
    let sent = stack.describe("good", &source, "people", json!({})).await;
    stack.send(r#"{"import_id": "no such import"}"#).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    for _ in 0..2 {
        let letter = stack.dead_letter().await;
        assert_eq!(
            letter.message_attributes.unwrap()["Error"].string_value.as_deref(),
            Some("Message.Invalid")
        );
    }
    stack.audit().await;
}
