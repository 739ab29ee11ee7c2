//! Bad days: what dies, and what must follow.

use std::fmt::Write as _;
use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};
use local_stack::Limits;
use rustix::process::{Signal, kill_process};
use serde_json::json;
use worker::imports::{ImportRow, ImportStatus};

/// A file that takes long enough to load that a worker can be met in the middle of it.
fn many_people(rows: u32) -> String {
    let mut csv = String::from("id,name\n");
    for id in 0..rows {
        let _ = writeln!(csv, "{id},name of number {id}");
    }
    csv
}

fn on_their_way(row: &ImportRow) -> bool {
    row.status == ImportStatus::Running && row.rows_done > 0
}

async fn survives_a_killed_worker(backend: Backend) {
    const ROWS: u32 = 600_000;
    let stack = TestStack::start(backend).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", many_people(ROWS)).await;
    let sent = stack.describe("killed", &source, "people", json!({})).await;
    stack.import_when(&sent.import_id, "rows to be on their way", on_their_way).await;
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
async fn a_hanging_worker_is_replaced_and_cannot_commit_when_it_wakes() {
    const ROWS: u32 = 600_000;
    let limits = Limits {
        heartbeat: Duration::from_secs(3),
        heartbeat_interval: Duration::from_millis(300),
        ..Limits::default()
    };
    // PostgreSQL, because in SQLite the hanging worker holds the one lock for writing until it is killed.
    let stack = TestStack::start_with(Backend::Postgres, limits).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", many_people(ROWS)).await;
    let sent = stack.describe("hanging", &source, "people", json!({})).await;
    stack.import_when(&sent.import_id, "rows to be on their way", on_their_way).await;
    let hanging = stack.workers();
    for worker in &hanging {
        kill_process(*worker, Signal::STOP).unwrap();
    }
    stack.import_when(&sent.import_id, "a second attempt", |row| row.attempt == 2).await;
    for worker in hanging {
        kill_process(worker, Signal::CONT).unwrap();
    }
    let execution = stack.ended(&sent.execution_arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:?}");
    assert_eq!(stack.count("people"), i64::from(ROWS));
    let row = stack.import(&sent.import_id).unwrap();
    assert_eq!((row.status.as_str(), row.attempt), ("SUCCESS", 2));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_when_the_stack_is_started_again() {
    const ROWS: u32 = 600_000;
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", many_people(ROWS)).await;
    let sent = stack.describe("restarted", &source, "people", json!({})).await;
    stack.import_when(&sent.import_id, "rows to be on their way", on_their_way).await;
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
    stack.import_when(&sent.import_id, "rows to be on their way", on_their_way).await;
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
