//! The worker is there and does not get on. It beats no more, is replaced, and can do no harm when it wakes.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use e2e::front::Answer;
use e2e::{Backend, TestStack};
use local_stack::Limits;
use rustix::process::{Signal, kill_process};
use worker::imports::ImportRow;

use super::{KEY, MANY, signal, submit, submit_to_stalled_link, succeeds};

/// Limits under which a worker that does not get on is missed soon.
pub(crate) fn impatient() -> Limits {
    Limits {
        heartbeat: Duration::from_secs(3),
        heartbeat_interval: Duration::from_millis(300),
        stall_limit: Duration::from_secs(1),
        ..Limits::default()
    }
}

fn second_attempt(row: &ImportRow) -> bool {
    row.attempt == 2
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_worker_is_replaced_and_cannot_commit_when_it_wakes() {
    // PostgreSQL, because in SQLite the hanging worker holds the one lock for writing until it is killed.
    let setup = TestStack::with(Backend::Postgres).limits(impatient()).database_behind_link();
    let stack = setup.start().await;
    let sent = submit_to_stalled_link(&stack, "hanging").await;
    let hanging = signal(&stack, Signal::STOP);
    stack.link().resume();
    stack.import_when(&sent.import_id, "a second attempt", second_attempt).await;
    for worker in hanging {
        kill_process(worker, Signal::CONT).unwrap();
    }
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["States.Timeout"]);
    assert_eq!(stack.exit_codes_when(2).await, [Some(3), Some(0)]);
    succeeds(stack, &sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_for_a_lock_of_an_idle_session_fails_and_names_it() {
    let stack = TestStack::start_with(Backend::Postgres, impatient()).await;
    stack.create_people();
    let mut other = stack.database.connect().unwrap();
    // A lock that lets workers look at the table, and write no row.
    other.batch_execute("BEGIN; LOCK TABLE people IN SHARE MODE").unwrap();
    let source = stack.put(KEY, super::people(3)).await;
    let sent = stack.describe("locked", &source, "people", serde_json::json!({})).await;
    stack.import_when(&sent.import_id, "a second attempt", second_attempt).await;
    other.batch_execute("COMMIT").unwrap();
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["Import.DatabaseUnavailable"]);
    let attempts =
        worker::imports::attempts(&mut stack.database.connect().unwrap(), &sent.import_id).unwrap();
    let cause = attempts[0].cause.as_deref().unwrap_or_default();
    assert!(cause.contains("a lock that another session has: process "), "{cause}");
    assert!(cause.contains("idle in its transaction"), "{cause}");
    succeeds(stack, &sent, 3, 2).await;
}

async fn survives_a_source_that_delivers_nothing(backend: Backend) {
    let stack = TestStack::with(backend).limits(impatient()).behind_front().start().await;
    stack.front().answer_times(1, |asked| asked.reads(KEY), Answer::StallBody { after: 100_000 });
    let sent = submit(&stack, "silent", MANY).await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["States.Timeout"]);
    assert_eq!(stack.exit_codes_when(2).await, [Some(3), Some(0)]);
    succeeds(stack, &sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_source_delivers_nothing_is_replaced() {
    survives_a_source_that_delivers_nothing(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_source_delivers_nothing_is_replaced_in_postgresql() {
    survives_a_source_that_delivers_nothing(Backend::Postgres).await;
}
