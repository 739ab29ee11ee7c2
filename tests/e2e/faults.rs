//! Bad days: what dies, hangs or is away, and what must follow. One module for each that may fail.

mod database;
mod interrupted;
mod source;
mod stack;
mod step_functions;
mod worker_dies;
pub(crate) mod worker_hangs;

use std::fmt::Write as _;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::link::{Direction, Fault, has};
use e2e::stack::Sent;
use e2e::{TestStack, rows};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use statemachine::Report;
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

/// Rows of a file that has some pieces on its way: about half a megabyte.
pub(crate) const MANY: u32 = 20_000;
/// The key of the file.
pub(crate) const KEY: &str = "uploads/people.csv";

/// A file of so many rows.
pub(crate) fn people(rows: u32) -> String {
    let mut csv = String::from("id,name\n");
    for id in 0..rows {
        let _ = writeln!(csv, "{id},name of number {id}");
    }
    csv
}

/// Makes the table and the file, and asks for the import.
pub(crate) async fn submit(stack: &TestStack, import_id: &str, rows: u32) -> Sent {
    stack.create_people();
    let source = stack.put(KEY, people(rows)).await;
    stack.describe(import_id, &source, "people", json!({})).await
}

/// The same, into a table of SQLite that takes the first attempt about a millisecond for each row: it is met in the middle
/// of the load, however fast or busy the machine is. Any other attempt is as fast as ever.
pub(crate) async fn submit_to_slow_table(stack: &TestStack, import_id: &str) -> Sent {
    stack.create_people();
    let trigger = "CREATE TRIGGER slow BEFORE INSERT ON people WHEN (SELECT attempt FROM \"baton_jobs\") = 1 \
         BEGIN SELECT length(hex(randomblob(50000))); END";
    rows::execute(&stack.database, trigger);
    let source = stack.put(KEY, people(MANY)).await;
    let sent = stack.describe(import_id, &source, "people", json!({})).await;
    let on_their_way = |row: &ImportRow| row.status == JobStatus::Running && row.rows_done > 0;
    stack.import_when(&sent.import_id, "rows to be on their way", on_their_way).await;
    sent
}

/// The same into PostgreSQL behind a link, which stalls when the first rows are about to pass.
pub(crate) async fn submit_to_stalled_link(stack: &TestStack, import_id: &str) -> Sent {
    stack.link().once(Direction::ToServer, has("name of number"), Fault::Stall);
    let sent = submit(stack, import_id, MANY).await;
    stack.link().faults(1).await;
    sent
}

/// Sends a signal to all of them, and says to whom.
pub(crate) fn signal(stack: &TestStack, signal: Signal) -> Vec<Pid> {
    let workers = stack.workers();
    assert!(!workers.is_empty(), "there is a worker to be met");
    for worker in &workers {
        kill_process(*worker, signal).unwrap();
    }
    workers
}

/// Waits for the good end: all rows there once, the message deleted, nothing left over. `attempts` is how many claimed it.
pub(crate) async fn succeeds(stack: TestStack, sent: &Sent, rows: u32, attempts: i32) {
    let execution = stack.ended(&sent.execution_arn).await;
    let errors = stack.errors(&sent.execution_arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{errors:?} {execution:?}");
    assert_eq!(stack.count("people"), i64::from(rows));
    let row = stack.import(&sent.import_id).unwrap();
    assert_eq!(
        (row.status, row.attempt, row.rows_done),
        (JobStatus::Success, attempts, rows.into()),
        "{errors:?}"
    );
    let report: Report = serde_json::from_str(&execution.output.unwrap()).unwrap();
    assert_eq!((report.result, report.attempt), (stack.result(&sent.import_id), attempts));
    stack.audit().await;
}

/// Waits for the bad end: failed by this name at the first attempt, nothing in the table, the message dead-lettered.
async fn fails_at_once(stack: TestStack, sent: &Sent, error: &str) {
    let execution = stack.ended(&sent.execution_arn).await;
    assert_eq!(execution.status, ExecutionStatus::Failed, "{execution:?}");
    assert_eq!(execution.error.as_deref(), Some(error), "{:?}", execution.cause);
    assert_eq!(stack.errors(&sent.execution_arn).await, [error]);
    assert_eq!(stack.count("people"), 0);
    let letter = stack.dead_letter().await.message_attributes.unwrap();
    assert_eq!(letter["Error"].string_value.as_deref(), Some(error));
    stack.audit().await;
}
