//! The worker is asked to stop: Spot, a deployment, an operator.

use std::time::{Duration, Instant};

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};
use rustix::process::Signal;

use super::{MANY, in_the_load, signal, submit, succeeds};

/// What ECS leaves between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(30);

async fn goes_on_after_sigterm(backend: Backend) {
    let stack = TestStack::start(backend).await;
    let sent = submit(&stack, "interrupted", MANY).await;
    in_the_load(&stack, &sent).await;
    let asked = Instant::now();
    signal(&stack, Signal::TERM);
    let exits = stack.exit_codes_when(1).await;
    assert!(exits[0] == Some(1) && asked.elapsed() < GRACE, "{exits:?} after {:?}", asked.elapsed());
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["Import.Interrupted"]);
    succeeds(stack, &sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_gets_sigterm_rolls_back_reports_it_and_is_replaced() {
    goes_on_after_sigterm(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_gets_sigterm_rolls_back_reports_it_and_is_replaced_in_postgresql() {
    goes_on_after_sigterm(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_execution_stops_its_worker_and_leaves_the_table_as_it_was() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = submit(&stack, "stopped", MANY).await;
    in_the_load(&stack, &sent).await;
    let stopped = stack.sfn.stop_execution().execution_arn(&sent.execution_arn);
    stopped.error("Operator").cause("enough").send().await.unwrap();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Aborted);
    wait::until("the worker to leave", async || stack.workers().len(), |count| *count == 0).await;
    assert_eq!(stack.count("people"), 0);
    let letter = stack.dead_letter().await;
    assert_eq!(letter.message_attributes.unwrap()["Error"].string_value.as_deref(), Some("Operator"));
    stack.audit().await;
}
