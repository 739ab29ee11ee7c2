//! The worker is asked to stop: Spot, a deployment, an operator.

use std::time::{Duration, Instant};

use aws_sdk_sfn::types::ExecutionStatus;
use diesel::connection::SimpleConnection as _;
use e2e::stack::Sent;
use e2e::{Backend, TestStack, rows, wait};
use rustix::process::Signal;
use serde_json::json;

use super::{KEY, MANY, people, signal, submit_to_slow_table, succeeds};

/// What ECS leaves between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(30);

/// Sends SIGTERM, and waits until the worker has heard it.
async fn interrupt(stack: &TestStack) -> Instant {
    let asked = Instant::now();
    signal(stack, Signal::TERM);
    let logs = async || stack.logs();
    wait::until("the worker to hear SIGTERM", logs, |logs| logs.contains("Got SIGTERM")).await;
    asked
}

async fn is_replaced(stack: TestStack, sent: &Sent, asked: Instant) {
    let exits = stack.exit_codes_when(1).await;
    assert!(exits[0] == Some(1) && asked.elapsed() < GRACE, "{exits:?} after {:?}", asked.elapsed());
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["Import.Interrupted"]);
    succeeds(stack, sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_gets_sigterm_rolls_back_reports_it_and_is_replaced() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = submit_to_slow_table(&stack, "interrupted").await;
    let asked = interrupt(&stack).await;
    is_replaced(stack, &sent, asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_gets_sigterm_rolls_back_reports_it_and_is_replaced_in_postgresql() {
    let stack = TestStack::start(Backend::Postgres).await;
    stack.create_people();
    let mut other = stack.database.connect().unwrap();
    // A lock that lets the worker look at the table, and write no row.
    other.batch_execute("BEGIN; LOCK TABLE people IN SHARE MODE").unwrap();
    let source = stack.put(KEY, people(MANY)).await;
    let sent = stack.describe("interrupted", &source, "people", json!({})).await;
    let waiting = "SELECT count(*) AS value FROM pg_locks WHERE NOT granted \
         AND mode = 'RowExclusiveLock' AND relation = 'people'::regclass";
    let copies = async || rows::number(&stack.database, waiting);
    wait::until("the COPY to wait for the lock", copies, |count| *count == 1).await;
    let asked = interrupt(&stack).await;
    // The COPY begins, and is broken off.
    other.batch_execute("COMMIT").unwrap();
    is_replaced(stack, &sent, asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_execution_stops_its_worker_and_leaves_the_table_as_it_was() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = submit_to_slow_table(&stack, "stopped").await;
    let stopped = stack.sfn.stop_execution().execution_arn(&sent.execution_arn);
    stopped.error("Operator").cause("enough").send().await.unwrap();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Aborted);
    wait::until("the worker to leave", async || stack.workers().len(), |count| *count == 0).await;
    assert_eq!(stack.count("people"), 0);
    let letter = stack.dead_letter().await;
    assert_eq!(letter.message_attributes.unwrap()["Error"].string_value.as_deref(), Some("Operator"));
    stack.audit().await;
}
