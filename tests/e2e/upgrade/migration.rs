//! The migration itself, with imports on both sides of it.

use std::sync::Arc;

use e2e::{Backend, Deployment, TestStack, Version, rows};

use super::under_way;
use crate::faults::{MANY, submit, succeeds};

/// In PostgreSQL, where the load holds no lock on Baton's tables. In SQLite one writes at a time, so that a migration waits
/// for the import.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_neither_waits_for_an_import_of_the_version_before_nor_holds_it_up() {
    let (_, stack, sent) = Box::pin(under_way(Backend::Postgres, Version::Previous, Version::Previous)).await;
    assert!(!stack.database.is_up_to_date().unwrap(), "there is a migration between the two versions");
    // Past the link, which holds the worker in the middle of its load until the migration is done.
    let url: Arc<str> = stack.database_url().into();
    tokio::task::spawn_blocking(move || Version::This.migrate(&url)).await.unwrap();
    assert!(stack.database.is_up_to_date().unwrap());
    assert_eq!(stack.workers_of(Version::Previous).len(), 1);
    stack.link().resume();
    succeeds(stack, &sent, MANY, 1).await;
}

async fn comes_before_the_migration(backend: Backend) {
    let deployment = Deployment::of(Version::This);
    let setup = TestStack::with(backend).schema_of(Version::Previous);
    let stack = setup.config(|config| deployment.runs_in(config)).start().await;
    let sent = submit(&stack, "early", 3).await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await[0], "Import.DatabaseUnavailable");
    let history = stack.sfn.get_execution_history().execution_arn(&sent.execution_arn).send().await.unwrap();
    let mut failed = history.events.iter().filter_map(|event| event.task_failed_event_details.as_ref());
    let cause = failed.next().and_then(|failed| failed.cause.as_deref()).unwrap();
    assert!(cause.contains("run `worker migrate`"), "{cause}");
    // It has claimed nothing: the row is as the message describes it.
    let rows = rows::texts(&stack.database, "SELECT status || ' ' || attempt AS value FROM \"baton_jobs\"");
    assert_eq!(rows, ["PENDING 0"]);
    stack.database.migrate().unwrap();
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_before_the_migration_says_so_and_imports_after_it() {
    comes_before_the_migration(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_before_the_migration_says_so_and_imports_after_it_in_postgresql() {
    comes_before_the_migration(Backend::Postgres).await;
}
