//! Workers of both versions on the schema of this one.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use diesel::connection::SimpleConnection as _;
use e2e::{Backend, Deployment, TestStack, Version};
use local_stack::Limits;
use rustix::process::{Signal, kill_process};
use serde_json::json;
use statemachine::{Outcome, Report};
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use super::under_way;
use crate::faults::worker_hangs::impatient;
use crate::faults::{KEY, MANY, people, signal, submit, submit_to_stalled_link, succeeds};

async fn imports_into_the_new_schema(backend: Backend) {
    let deployment = Deployment::of(Version::Previous);
    let stack = TestStack::start_as(backend, |config| deployment.runs_in(config)).await;
    let sent = submit(&stack, "old", MANY).await;
    succeeds(stack, &sent, MANY, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_the_version_before_imports_into_the_new_schema() {
    imports_into_the_new_schema(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_the_version_before_imports_into_the_new_schema_in_postgresql() {
    imports_into_the_new_schema(Backend::Postgres).await;
}

async fn fails_and_is_redriven(backend: Backend) {
    let deployment = Deployment::of(Version::Previous);
    let stack = TestStack::start_as(backend, |config| deployment.runs_in(config)).await;
    stack.create_people();
    let source = stack.put(KEY, "id,nme\n1,a\n").await;
    let sent = stack.describe("failed", &source, "people", json!({})).await;
    let execution = stack.ended(&sent.execution_arn).await;
    assert_eq!(execution.error.as_deref(), Some("Import.HeaderMismatch"));
    let row = stack.import(&sent.import_id).unwrap();
    assert_eq!((row.status, row.error.as_deref()), (JobStatus::Failure, Some("Import.HeaderMismatch")));
    assert_eq!(row.cause, execution.cause);
    let letter = stack.dead_letter().await.message_attributes.unwrap();
    assert_eq!(letter["Error"].string_value.as_deref(), Some("Import.HeaderMismatch"));

    deployment.deploy(Version::This);
    stack.put(KEY, people(3)).await;
    stack.sfn.redrive_execution().execution_arn(&sent.execution_arn).send().await.unwrap();
    succeeds(stack, &sent, 3, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_under_the_version_before_is_redriven_under_this_one() {
    fails_and_is_redriven(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_under_the_version_before_is_redriven_under_this_one_in_postgresql() {
    fails_and_is_redriven(Backend::Postgres).await;
}

/// A worker of one version is killed, and one of the other takes its place.
async fn is_replaced(backend: Backend, first: Version, second: Version) {
    let (deployment, stack, sent) = under_way(backend, Version::This, first).await;
    deployment.deploy(second);
    signal(&stack, Signal::KILL);
    if backend != Backend::Sqlite {
        stack.link().resume();
    }
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["States.TaskFailed"]);
    stack.import_when(&sent.import_id, "the second attempt", |row: &ImportRow| row.attempt == 2).await;
    let attempts =
        worker::imports::attempts(&mut stack.database.connect().unwrap(), &sent.import_id).unwrap();
    // The version before writes none.
    let of_this = attempts.iter().map(|attempt| attempt.version.is_some());
    assert!(of_this.eq([first, second].map(|version| version == Version::This)), "{attempts:?}");
    succeeds(stack, &sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_of_the_version_before_is_replaced_by_one_of_its_own() {
    is_replaced(Backend::Sqlite, Version::Previous, Version::Previous).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_of_the_version_before_is_replaced_by_one_of_its_own_in_postgresql() {
    is_replaced(Backend::Postgres, Version::Previous, Version::Previous).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_version_before_began_this_one_finishes() {
    is_replaced(Backend::Sqlite, Version::Previous, Version::This).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_version_before_began_this_one_finishes_in_postgresql() {
    is_replaced(Backend::Postgres, Version::Previous, Version::This).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_version_began_the_one_before_finishes() {
    is_replaced(Backend::Sqlite, Version::This, Version::Previous).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_version_began_the_one_before_finishes_in_postgresql() {
    is_replaced(Backend::Postgres, Version::This, Version::Previous).await;
}

/// A worker of one version hangs, and wakes when one of the other has taken its import over.
async fn cannot_commit_when_it_wakes(first: Version, second: Version) {
    let deployment = Deployment::of(first);
    let setup = TestStack::with(Backend::Postgres).limits(impatient()).database_behind_link();
    let stack = setup.config(|config| deployment.runs_in(config)).start().await;
    let sent = submit_to_stalled_link(&stack, "hanging").await;
    deployment.deploy(second);
    let hanging = signal(&stack, Signal::STOP);
    stack.link().resume();
    stack.import_when(&sent.import_id, "a second attempt", |row: &ImportRow| row.attempt == 2).await;
    for worker in hanging {
        kill_process(worker, Signal::CONT).unwrap();
    }
    assert_eq!(stack.exit_codes_when(2).await, [Some(3), Some(0)]);
    succeeds(stack, &sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_the_version_before_cannot_commit_once_this_one_has_claimed_its_import() {
    cannot_commit_when_it_wakes(Version::Previous, Version::This).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_this_version_cannot_commit_once_the_one_before_has_claimed_its_import() {
    cannot_commit_when_it_wakes(Version::This, Version::Previous).await;
}

/// Two messages ask for one import. One version is at work on it when the other comes. In PostgreSQL, since SQLite lets
/// nobody else write meanwhile.
async fn finds_the_other_at_work(first: Version, second: Version) {
    let deployment = Deployment::of(first);
    let limits = Limits { heartbeat_interval: Duration::from_millis(300), ..Limits::default() };
    let setup = TestStack::with(Backend::Postgres).limits(limits);
    let stack = setup.config(|config| deployment.runs_in(config)).start().await;
    stack.create_people();
    let mut other = stack.database.connect().unwrap();
    // A lock that lets workers look at the table, and write no row.
    other.batch_execute("BEGIN; LOCK TABLE people IN SHARE MODE").unwrap();
    let source = stack.put(KEY, people(3)).await;
    let holder = stack.describe("twice", &source, "people", json!({})).await;
    let is_running = |row: &ImportRow| row.status == JobStatus::Running;
    stack.import_when(&holder.import_id, "the first to claim it", is_running).await;
    deployment.deploy(second);
    let comer = stack.describe("twice", &source, "people", json!({})).await;
    let execution = stack.ended(&comer.execution_arn).await;
    assert_eq!(execution.status, ExecutionStatus::Succeeded, "{execution:?}");
    let report: Report = serde_json::from_str(&execution.output.unwrap()).unwrap();
    assert_eq!((report.outcome, stack.workers_of(first).len()), (Outcome::Duplicate, 1));
    other.batch_execute("COMMIT").unwrap();
    succeeds(stack, &holder, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_version_leaves_an_import_to_a_worker_of_the_one_before_that_lives() {
    finds_the_other_at_work(Version::Previous, Version::This).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_before_leaves_an_import_to_a_worker_of_this_one_that_lives() {
    finds_the_other_at_work(Version::This, Version::Previous).await;
}
