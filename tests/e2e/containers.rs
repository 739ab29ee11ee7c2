//! Containers that never start: no room, no task definition, no program.

use std::time::Duration;

use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};
use e2e::{Backend, Gate, Sent, TestStack, wait};
use local_stack::Limits;
use serde_json::json;

const PEOPLE: &str = "id,name\n1,a\n2,b\n";

/// The long waits of the definition, which a test of the state machine holds, are cut to a second here.
fn limits() -> Limits {
    Limits { retry_interval: Some(Duration::from_secs(1)), ..Limits::default() }
}

async fn submit(stack: &TestStack, import_id: &str) -> Sent {
    let source = stack.put("uploads/people.csv", PEOPLE).await;
    stack.describe(import_id, &source, "people", json!({"on_conflict": "skip"})).await
}

/// Waits for the end: how often a container was asked for, and the cause in the dead letter.
async fn fails(stack: &TestStack, sent: &Sent, error: &str) -> (usize, String) {
    let execution = stack.ended(&sent.execution_arn).await;
    assert_eq!((&execution.status, execution.error.as_deref()), (&ExecutionStatus::Failed, Some(error)));
    let failures = stack.failures(&sent.execution_arn).await;
    assert!(failures.iter().all(|(name, _)| name == error), "{failures:?}");
    let letter = stack.dead_letter().await.message_attributes.unwrap();
    assert_eq!(letter["Error"].string_value(), Some(error));
    (failures.len(), letter["Cause"].string_value().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_for_which_there_is_no_room_is_asked_for_again_until_there_is() {
    let gate = Gate::shut();
    let stack = TestStack::start_as(Backend::Sqlite, |config| {
        config.limits = Limits { room: Some(1), ..limits() };
        gate.before(config);
    })
    .await;
    stack.create_people();
    let first = submit(&stack, "first").await;
    let submitted =
        async || stack.history(&first.execution_arn).await.into_iter().map(|event| event.r#type).collect();
    wait::until("the first container to be there", submitted, |seen: &Vec<_>| {
        seen.contains(&HistoryEventType::TaskSubmitted)
    })
    .await;
    let second = submit(&stack, "second").await;
    let refused = async || stack.failures(&second.execution_arn).await;
    let refused = wait::until("the second to be refused", refused, |seen| !seen.is_empty()).await;
    assert_eq!(refused[0].0, "AmazonECS.Unknown");
    gate.open();
    for sent in [first, second] {
        assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    }
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_never_gets_room_fails_with_the_reason_when_its_retries_are_used_up() {
    let limits = Limits { room: Some(0), ..limits() };
    let stack = TestStack::start_with(Backend::Sqlite, limits).await;
    let sent = submit(&stack, "no-room").await;
    let (attempts, cause) = fails(&stack, &sent, "AmazonECS.Unknown").await;
    assert_eq!(attempts, 11);
    assert!(cause.contains("RESOURCE:CPU"), "{cause}");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_definition_that_is_gone_fails_by_name_and_a_redrive_imports_when_it_is_back() {
    let stack = TestStack::start_with(Backend::Sqlite, limits()).await;
    stack.create_people();
    stack.deregister_worker().await;
    let sent = submit(&stack, "no-definition").await;
    let (attempts, cause) = fails(&stack, &sent, "ECS.ClientException").await;
    assert_eq!(attempts, 11);
    assert!(cause.contains("TaskDefinition not found"), "{cause}");
    // A stack registers the definition when it starts.
    let stack = Box::pin(stack.restart()).await;
    stack.sfn.redrive_execution().execution_arn(&sent.execution_arn).send().await.unwrap();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_whose_program_is_missing_fails_with_the_stop_reason() {
    let stack = TestStack::start_as(Backend::Sqlite, |config| {
        config.limits = limits();
        config.worker = config.data_dir.join("no-such-program");
    })
    .await;
    let sent = submit(&stack, "no-image").await;
    let (attempts, cause) = fails(&stack, &sent, "States.TaskFailed").await;
    assert_eq!(attempts, 4);
    assert!(cause.starts_with("the container stopped: CannotStartContainerError: "), "{cause}");
    assert!(cause.contains("no-such-program") && !cause.contains("exit code"), "{cause}");
    stack.audit().await;
}
