//! Bad days: what dies, and what must follow.

use std::fmt::Write as _;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};
use rustix::process::{Signal, kill_process};
use serde_json::json;

/// A file that takes long enough to load that a worker can be met in the middle of it.
fn many_people(rows: u32) -> String {
    let mut csv = String::from("id,name\n");
    for id in 0..rows {
        let _ = writeln!(csv, "{id},name of number {id}");
    }
    csv
}

async fn survives_a_killed_worker(backend: Backend) {
    const ROWS: u32 = 300_000;
    let stack = TestStack::start(backend).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", many_people(ROWS)).await;
    let sent = stack.describe("killed", &source, "people", json!({})).await;
    stack.import_when(&sent.import_id, "rows to be on their way", |row| row.rows_done > 0).await;
    for worker in stack.workers() {
        kill_process(worker, Signal::KILL).unwrap();
    }
    let execution = stack.ended(&sent.execution_arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:?}");
    assert_eq!(stack.count("people"), i64::from(ROWS));
    let row = stack.import(&sent.import_id).unwrap();
    assert_eq!((row.status.as_str(), row.attempt, row.rows_done), ("SUCCESS", 2, i64::from(ROWS)));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_replaced_and_every_row_is_there_once() {
    survives_a_killed_worker(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_replaced_and_every_row_is_there_once_in_postgresql() {
    survives_a_killed_worker(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_when_the_stack_is_started_again() {
    const ROWS: u32 = 300_000;
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", many_people(ROWS)).await;
    let sent = stack.describe("restarted", &source, "people", json!({})).await;
    stack.import_when(&sent.import_id, "rows to be on their way", |row| row.rows_done > 0).await;
    let stack = stack.restart().await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.count("people"), i64::from(ROWS));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_execution_stops_its_worker_and_leaves_the_table_as_it_was() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", many_people(300_000)).await;
    let sent = stack.describe("stopped", &source, "people", json!({})).await;
    stack.import_when(&sent.import_id, "rows to be on their way", |row| row.rows_done > 0).await;
    stack
        .sfn
        .stop_execution()
        .execution_arn(&sent.execution_arn)
        .error("Operator")
        .cause("enough")
        .send()
        .await
        .unwrap();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Aborted);
    wait::until("the worker to leave", async || stack.workers().len(), |count| *count == 0).await;
    assert_eq!(stack.count("people"), 0);
    let letter = stack.dead_letter().await;
    assert_eq!(letter.message_attributes.unwrap()["Error"].string_value.as_deref(), Some("Operator"));
    stack.audit().await;
}
