//! Rows into the table, and the import's own row to SUCCESS, in one transaction: either all of it is there, or nothing.

mod binary;
mod postgres;
mod sqlite;

use std::io::Read;

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};

use super::check::Row;
use super::header::Plan;
use super::rows::{Rows, interrupted};
use super::table::Table;
use crate::db::Connection;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::job::{Job, Summary};

type Transaction = <Connection as diesel::Connection>::TransactionManager;

/// Where rows go within the transaction: one for each database.
trait Load {
    /// Takes one row. It is in the table at the latest after [`Load::finish`].
    fn add(&mut self, connection: &mut Connection, row: &Row<'_>) -> Result<(), Failure>;

    /// Writes what is held back, and returns how many rows the database has taken in all.
    fn finish(self, connection: &mut Connection) -> Result<u64, Failure>;
}

/// Loads all rows and commits.
pub(crate) fn load<R: Read>(
    connection: &mut Connection,
    job: &Job,
    table: &Table,
    plan: &Plan,
    rows: Rows<'_, R>,
) -> Result<Summary, Failure> {
    begin(connection)?;
    let loaded = match &*connection {
        Connection::Postgres(_) => fill(connection, postgres::Copy::new(table, plan), job, rows),
        Connection::Sqlite(_) => fill(connection, sqlite::Insert::new(table, plan), job, rows),
    };
    let committed = loaded.and_then(|summary| {
        Transaction::commit_transaction(connection)
            .map_err(|error| database_failure(&error, "commit the import"))?;
        Ok(summary)
    });
    if committed.is_err() && is_open(connection) {
        // Nothing is lost if this fails too: a transaction ends with its connection, which is closed next.
        if let Err(error) = Transaction::rollback_transaction(connection) {
            tracing::warn!(import.id = %job.import_id, error = %error, "Failed to roll back, the connection is closed");
        }
    }
    committed
}

fn begin(connection: &mut Connection) -> Result<(), Failure> {
    match connection {
        Connection::Postgres(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")
        }
        // Takes the write lock at once: a transaction that begins by reading could lose its snapshot to another writer,
        // and would then fail without waiting.
        Connection::Sqlite(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
        }
    }
    .map_err(|error| database_failure(&error, "begin the transaction"))
}

fn is_open(connection: &mut Connection) -> bool {
    let status = Transaction::transaction_manager_status_mut(connection);
    status.transaction_depth().is_ok_and(|depth| depth.is_some())
}

fn fill<R: Read>(
    connection: &mut Connection,
    mut loader: impl Load,
    job: &Job,
    rows: Rows<'_, R>,
) -> Result<Summary, Failure> {
    let rejects = rows.for_each(|row| loader.add(connection, row))?;
    let rows = loader.finish(connection)?;
    if job.progress.stop_requested() {
        return Err(interrupted());
    }
    let summary = Summary { rows, rejects, bytes: job.progress.counters().bytes };
    job.commit(connection, &summary)?;
    Ok(summary)
}

/// A loader was given the other database's connection, which only a fault of our own can bring about.
fn wrong_database() -> Failure {
    Failure::named(statemachine::FailureName::Internal, "the rows were prepared for another database")
}
