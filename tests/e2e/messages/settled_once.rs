//! The message of an import that failed: it comes to the dead-letter queue once, whatever becomes of the event.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, Gate, TestStack, wait};
use local_stack::Limits;
use serde_json::json;

use super::{PEOPLE, at_the_gate, is_empty};

/// Waits until there is one dead letter.
async fn one_letter(stack: &TestStack) {
    let look = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the dead letter", look, |count| *count == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_lost_leaves_the_message_to_the_queues_own_redrive_policy() {
    let limits = Limits { max_receive_count: 3, ..Limits::default() };
    let stack = TestStack::start_with(Backend::Sqlite, limits).await;
    stack.create_people();
    stack.lose_events().await;
    let source = "s3://baton/uploads/nothing.csv".parse().unwrap();
    let sent = stack.describe("unheard", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    let message = stack.message_of(&sent.execution_arn).await;
    // The hold is over, hours later.
    stack.set_visibility_timeout(1).await;
    stack.make_visible(&sent.execution_arn).await;
    one_letter(&stack).await;
    assert_eq!(stack.messages(&stack.resources.queue_url).await, 0);
    assert_eq!(stack.decisions(message["id"].as_str().unwrap()), ["started", "left", "left"]);
    let letter = stack.dead_letter().await;
    assert_eq!(letter.message_id.as_deref(), message["id"].as_str(), "SQS itself has moved it");
    assert_eq!(letter.body.as_deref(), message["body"].as_str());
    assert_eq!(letter.message_attributes, None);
    assert_eq!(stack.executions().await, 1);
    stack.audit().await;
}

/// The events that started executions of the dead-letter machine, as their inputs.
async fn events(stack: &TestStack) -> Vec<String> {
    let machine = &stack.resources.dead_letter_state_machine_arn;
    let listed = stack.sfn.list_executions().state_machine_arn(machine).send().await.unwrap();
    let mut events = Vec::new();
    for execution in listed.executions {
        let described = stack.ended(&execution.execution_arn).await;
        events.extend(described.input.filter(|input| input.contains("detail-type")));
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_twice_and_a_redrive_that_fails_again_make_no_second_copy() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = "s3://baton/uploads/nothing.csv".parse().unwrap();
    let sent = stack.describe("often", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    one_letter(&stack).await;

    // As EventBridge does when it delivers twice: another execution, of another name, with the same event.
    let event = events(&stack).await.pop().unwrap();
    for _ in 0..2 {
        let machine = &stack.resources.dead_letter_state_machine_arn;
        let again =
            stack.sfn.start_execution().state_machine_arn(machine).input(&event).send().await.unwrap();
        assert_eq!(stack.ended(&again.execution_arn).await.status, ExecutionStatus::Succeeded);
    }
    stack.sfn.redrive_execution().execution_arn(&sent.execution_arn).send().await.unwrap();
    let look = async || events(&stack).await.len();
    wait::until("the event of the second failure", look, |count| *count == 4).await;
    let described = stack.ended(&sent.execution_arn).await;
    assert_eq!((described.status, described.redrive_count), (ExecutionStatus::Failed, Some(1)));
    assert_eq!(stack.messages(&stack.resources.dead_letter_queue_url).await, 1);
    stack.dead_letter().await;
    stack.audit().await;
}

/// An import that failed, whose message was copied, and could not be deleted. It becomes visible within two seconds, and
/// nobody looks.
async fn copied_and_not_deleted(gate: &Gate) -> (TestStack, e2e::Sent, String) {
    let limits = Limits { hold: Duration::from_secs(10), ..Limits::default() };
    let (stack, sent) = at_the_gate(gate, limits, "id,nme\n1,a\n").await;
    let message_id = stack.message_of(&sent.execution_arn).await["id"].as_str().unwrap().to_owned();
    stack.feed_function(false).await;
    stack.make_visible(&sent.execution_arn).await;
    stack.receive_elsewhere(2).await;
    gate.let_pass(sent.import_id.as_str());
    let execution = stack.ended(&sent.execution_arn).await;
    assert_eq!(execution.error.as_deref(), Some("Import.HeaderMismatch"));
    one_letter(&stack).await;
    let settling = stack.ended(&stack.settling_arn(&sent.execution_arn)).await;
    assert_eq!(settling.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.messages(&stack.resources.queue_url).await, 1);
    (stack, sent, message_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_copied_and_could_not_be_deleted_is_acknowledged() {
    let (stack, _, message_id) = Box::pin(copied_and_not_deleted(&Gate::shut())).await;
    stack.feed_function(true).await;
    stack.decided(&message_id, &["started", "acknowledged"]).await;
    is_empty(&stack).await;
    assert_eq!(stack.messages(&stack.resources.dead_letter_queue_url).await, 1);
    stack.dead_letter().await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_back_while_its_execution_is_redriven_is_held() {
    let gate = Gate::shut();
    let (stack, sent, message_id) = Box::pin(copied_and_not_deleted(&gate)).await;
    stack.put("uploads/people.csv", PEOPLE).await;
    gate.hold_again(sent.import_id.as_str());
    stack.sfn.redrive_execution().execution_arn(&sent.execution_arn).send().await.unwrap();
    stack.feed_function(true).await;
    stack.decided(&message_id, &["started", "held"]).await;
    gate.open();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    stack.acknowledged(&message_id).await;
    is_empty(&stack).await;
    assert_eq!(stack.count("people"), 2);
    stack.dead_letter().await;
    stack.audit().await;
}
