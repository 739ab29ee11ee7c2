//! A FIFO queue: one import at a time for each message group, in order, whatever happens.

use std::time::Duration;

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, Gate, Sent, TestStack, wait};
use local_stack::{Config, Limits};
use serde_json::json;

use super::{PEOPLE, impatient, is_empty};

async fn start(change: impl FnOnce(&mut Config)) -> TestStack {
    let stack = TestStack::start_as(Backend::Sqlite, |config| {
        config.fifo = true;
        change(config);
    })
    .await;
    stack.create_people();
    stack.put("uploads/people.csv", PEOPLE).await;
    stack
}

/// Asks for an import of `uploads/<file>` in a message group.
async fn send(stack: &TestStack, group: &str, import_id: &str, file: &str) -> Sent {
    let options = json!({"on_conflict": "skip"});
    let source = format!("s3://baton/uploads/{file}");
    let body = json!({"import_id": import_id, "source": source, "table": "people", "options": options});
    let message =
        stack.sqs.send_message().queue_url(&stack.resources.queue_url).message_body(body.to_string());
    let sent = message.message_group_id(group).message_deduplication_id(import_id).send().await.unwrap();
    let execution_arn = stack.execution_arn(&format!("{import_id}-{}", sent.message_id.unwrap()));
    Sent { import_id: import_id.parse().unwrap(), execution_arn }
}

/// Fails the test unless each of these began when the one before had ended.
fn follow_one_another(executions: &[DescribeExecutionOutput]) {
    for pair in executions.windows(2) {
        let (ended, began) = (pair[0].stop_date.unwrap(), pair[1].start_date);
        assert!(began.as_nanos() >= ended.as_nanos(), "{:?} before {:?}", pair[1].name, pair[0].name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_group_is_imported_one_by_one_in_order_and_groups_side_by_side() {
    let gate = Gate::shut();
    let stack = start(|config| {
        gate.before(config);
        config.limits = impatient();
    })
    .await;
    // Fed only when all of them are there, so that one batch brings them.
    stack.feed_function(false).await;
    let mut of_a = Vec::new();
    for import_id in ["a-1", "a-2", "a-3"] {
        of_a.push(send(&stack, "a", import_id, "people.csv").await);
    }
    let b = send(&stack, "b", "b-1", "people.csv").await;
    stack.feed_function(true).await;
    stack.entered(&of_a[0].execution_arn, "RunImport").await;
    gate.let_pass("b-1");
    assert_eq!(stack.ended(&b.execution_arn).await.status, ExecutionStatus::Succeeded, "b waits for nobody");
    assert_eq!(stack.executions().await, 2, "the others of a wait for the first");
    let mut ended = Vec::new();
    for sent in &of_a {
        stack.entered(&sent.execution_arn, "RunImport").await;
        gate.let_pass(sent.import_id.as_str());
        ended.push(stack.ended(&sent.execution_arn).await);
        assert_eq!(ended.last().unwrap().status, ExecutionStatus::Succeeded);
    }
    follow_one_another(&ended);
    is_empty(&stack).await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_longer_than_the_receives_allowed_is_imported_to_its_end() {
    let stack =
        start(|config| config.limits = Limits { batch_size: 1, max_receive_count: 2, ..Limits::default() })
            .await;
    let mut sent = Vec::new();
    for n in 1..=6 {
        sent.push(send(&stack, "long", &format!("long-{n}"), "people.csv").await);
    }
    let mut ended = Vec::new();
    for sent in &sent {
        ended.push(stack.ended(&sent.execution_arn).await);
        assert_eq!(ended.last().unwrap().status, ExecutionStatus::Succeeded);
    }
    follow_one_another(&ended);
    is_empty(&stack).await;
    for sent in &sent {
        let message = stack.message_of(&sent.execution_arn).await;
        assert_eq!(stack.decisions(message["id"].as_str().unwrap()), ["started"], "received once");
    }
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_import_is_settled_before_the_next_of_its_group_begins() {
    for event_is_lost in [false, true] {
        let limits = Limits { batch_size: 1, max_receive_count: 3, ..Limits::default() };
        let stack = start(|config| config.limits = limits).await;
        if event_is_lost {
            stack.lose_events().await;
        }
        let first = send(&stack, "a", "fails", "nothing.csv").await;
        let second = send(&stack, "a", "follows", "people.csv").await;
        assert_eq!(stack.ended(&first.execution_arn).await.status, ExecutionStatus::Failed);
        if event_is_lost {
            // The hold is over, hours later.
            stack.set_visibility_timeout(3).await;
            stack.make_visible(&first.execution_arn).await;
        }
        let follower = stack.ended(&second.execution_arn).await;
        assert_eq!(follower.status, ExecutionStatus::Succeeded);
        let queue = &stack.resources.dead_letter_queue_url;
        assert_eq!(stack.messages(queue).await, 1, "the copy was there first");
        let received =
            stack.sqs.receive_message().queue_url(queue).message_system_attribute_names("All".into());
        let letter =
            received.message_attribute_names("All").send().await.unwrap().messages.unwrap().remove(0);
        let system = letter.attributes.unwrap();
        assert_eq!(system[&"MessageGroupId".into()], "a");
        if !event_is_lost {
            assert_eq!(
                letter.message_attributes.unwrap()["Error"].string_value(),
                Some("Import.SourceMissing")
            );
            let settling = stack.history(&stack.settling_arn(&first.execution_arn)).await;
            let sent = settling.iter().find(|event| {
                event
                    .task_succeeded_event_details
                    .as_ref()
                    .is_some_and(|details| details.resource_type == "sqs")
            });
            assert!(follower.start_date.as_nanos() >= sent.unwrap().timestamp.as_nanos());
        }
        let delete = stack.sqs.delete_message().queue_url(queue);
        delete.receipt_handle(letter.receipt_handle.unwrap()).send().await.unwrap();
        is_empty(&stack).await;
        stack.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_receipt_handle_has_expired_succeeds_and_its_message_is_acknowledged() {
    let gate = Gate::shut();
    let stack = start(|config| {
        gate.before(config);
        config.limits = Limits { hold: Duration::from_secs(3), ..impatient() };
    })
    .await;
    let sent = send(&stack, "a", "expired", "people.csv").await;
    let next = send(&stack, "a", "next", "people.csv").await;
    stack.entered(&sent.execution_arn, "RunImport").await;
    let message = stack.message_of(&sent.execution_arn).await;
    let message_id = message["id"].as_str().unwrap();
    // The hold lapses while the import runs; the message is received anew.
    let look = async || stack.decisions(message_id).len();
    wait::until("the message to come back", look, |count| *count >= 2).await;
    gate.open();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    let failures = stack.failures(&sent.execution_arn).await;
    let (error, cause) = failures.last().unwrap();
    assert_eq!(error, "Sqs.InvalidParameterValueException");
    assert!(cause.contains("The receipt handle has expired"), "{cause}");
    stack.acknowledged(message_id).await;
    assert_eq!(
        stack.ended(&next.execution_arn).await.status,
        ExecutionStatus::Succeeded,
        "the group goes on"
    );
    is_empty(&stack).await;
    stack.audit().await;
}
