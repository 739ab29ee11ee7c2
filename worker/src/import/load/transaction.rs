//! The transaction of an import: rows, and the import's own row to SUCCESS, in one. Either all of it is there, or nothing.

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};

use crate::db::failure::database_failure;
use crate::db::{Connection, sqlite};
use crate::failure::Failure;

type Manager = <Connection as diesel::Connection>::TransactionManager;

/// Does `work` within a transaction, and commits it if it ends well. Work that has failed may [`abandon`] it before its end.
pub(crate) fn within<T, E: From<Failure>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    begin(connection)?;
    let committed = work(connection).and_then(|done| {
        Manager::commit_transaction(connection)
            .map_err(|error| database_failure(&error, "commit the import"))?;
        Ok(done)
    });
    if committed.is_err() {
        abandon(connection);
        if let Connection::Sqlite(connection) = connection {
            sqlite::cut_log(connection);
        }
    }
    committed
}

/// Marks a place that [`go_back`] goes back to.
pub(crate) fn mark(connection: &mut Connection) -> Result<(), Failure> {
    Manager::begin_transaction(connection).map_err(|error| database_failure(&error, "set a savepoint"))
}

/// Undoes all that was done since [`mark`].
pub(crate) fn go_back(connection: &mut Connection) -> Result<(), Failure> {
    Manager::rollback_transaction(connection)
        .map_err(|error| database_failure(&error, "go back to the savepoint"))
}

/// Rolls everything back that was begun on this connection: what will not be committed holds no lock, and no snapshot,
/// while the rest of the file is read. A failure is none to tell of: the transaction then ends with its connection.
pub(crate) fn abandon(connection: &mut Connection) {
    while is_open(connection) {
        if let Err(error) = Manager::rollback_transaction(connection) {
            // Words of the database reach no log.
            let error = database_failure(&error, "roll back");
            tracing::warn!(error = error.for_log(), "Failed to roll back, the connection is closed");
            return;
        }
    }
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

/// Whether a transaction is under way.
pub(super) fn is_open(connection: &mut Connection) -> bool {
    let status = Manager::transaction_manager_status_mut(connection);
    status.transaction_depth().is_ok_and(|depth| depth.is_some())
}
