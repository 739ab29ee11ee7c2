//! The transaction of an import: rows, and the import's own row to SUCCESS, in one. Either all of it is there, or nothing.

use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use diesel::result::Error;
use statemachine::FailureName;

use crate::db::Connection;
use crate::db::failure::database_failure;
use crate::db::sqlite::{self, full_disk, messages};
use crate::failure::Failure;
use crate::import::progress::Progress;
use crate::import::reading::interrupted;
use crate::ledger;

type Manager = <Connection as diesel::Connection>::TransactionManager;

/// Does `work` within a transaction, and commits it if it ends well. Work that has failed may [`abandon`] it before its end.
pub(crate) fn within<T, E: From<Failure>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    begin(connection)?;
    end(connection, work)
}

/// The same for a load, which waits as long as another import, or somebody else, has SQLite's lock for writing: in short turns,
/// so that beats go on and a request to stop is heard in between, and a last time before the commit. Whoever waits to claim an
/// import waits as long.
pub(crate) fn within_turn<T, E: From<Failure>>(
    connection: &mut Connection,
    progress: &Progress,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    begin_in_turn(connection, progress)?;
    end(connection, |connection| {
        let done = work(connection)?;
        // Whoever has asked for the stop says that nothing is in the table.
        if progress.stop_requested() { Err(interrupted().into()) } else { Ok(done) }
    })
}

fn end<T, E: From<Failure>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    let file = file_there(connection);
    let committed = work(connection).and_then(|done| {
        // SQLite would commit into a file that nobody can open any more.
        if file.is_none() || file_there(connection) != file {
            return Err(E::from(replaced()));
        }
        match Manager::commit_transaction(connection) {
            Ok(()) => Ok(done),
            Err(error) => Err(E::from(not_committed(connection, &error))),
        }
    });
    if committed.is_err() {
        abandon(connection);
        if let Connection::Sqlite(connection) = connection {
            sqlite::cut_log(connection);
        }
    }
    committed
}

fn not_committed(connection: &mut Connection, error: &Error) -> Failure {
    const WHAT: &str = "commit the import";
    let filled = match connection {
        Connection::Sqlite(connection) => full_disk::filled(connection, error, WHAT),
        Connection::Postgres(_) => None,
    };
    filled.unwrap_or_else(|| database_failure(error, WHAT))
}

/// What lies where the database's file was opened, as device and number. A server has its own eye on its files.
fn file_there(connection: &mut Connection) -> Option<(u64, u64)> {
    match connection {
        Connection::Sqlite(connection) => sqlite::file_there(connection),
        Connection::Postgres(_) => Some((0, 0)),
    }
}

fn replaced() -> Failure {
    let cause = "the database's file was removed or replaced while the import ran; nothing was written";
    Failure::named(FailureName::DatabaseUnavailable, cause)
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
    try_to_begin(connection).map_err(|error| begin_failure(&error))
}

fn begin_in_turn(connection: &mut Connection, progress: &Progress) -> Result<(), Failure> {
    if matches!(connection, Connection::Postgres(_)) {
        return begin(connection);
    }
    ledger::wait_briefly(connection)?;
    let mut has_told = false;
    loop {
        match try_to_begin(connection) {
            Err(error) if messages::is_busy(&error) => {}
            Err(error) => return Err(begin_failure(&error)),
            Ok(()) => break,
        }
        if progress.stop_requested() {
            return Err(interrupted());
        }
        if !has_told {
            tracing::info!("Waiting for the database's lock, which another import has, or somebody else");
            has_told = true;
        }
        progress.next_phase();
    }
    match connection {
        Connection::Sqlite(connection) => sqlite::wait_as_usual(connection),
        Connection::Postgres(_) => Ok(()),
    }
    .map_err(|error| begin_failure(&error))
}

fn begin_failure(error: &Error) -> Failure {
    database_failure(error, "begin the transaction")
}

fn try_to_begin(connection: &mut Connection) -> QueryResult<()> {
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
}

/// Whether a transaction is under way.
pub(super) fn is_open(connection: &mut Connection) -> bool {
    let status = Manager::transaction_manager_status_mut(connection);
    status.transaction_depth().is_ok_and(|depth| depth.is_some())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use diesel::connection::SimpleConnection as _;

    use super::*;
    use crate::db::Database;
    use crate::job::Gauge as _;

    /// Another one's lock for writing, and an import that waits for it until `ended` ends the wait.
    fn behind_a_lock(ended: impl FnOnce(&mut Connection, &Progress)) -> Result<(), Failure> {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::parse(&format!("sqlite:{}", dir.path().join("a.db").display())).unwrap();
        let mut holder = database.connect().unwrap();
        execute(&mut holder, "CREATE TABLE t (a); BEGIN IMMEDIATE");
        let progress = Progress::default();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                within_turn(&mut database.connect()?, &progress, |connection| {
                    execute(connection, "INSERT INTO t VALUES (1)");
                    Ok(())
                })
            });
            let deadline = Instant::now() + Duration::from_secs(120);
            // It was refused the lock more than once, and got on each time.
            while progress.steps() < 2 {
                assert!(!waiter.is_finished() && Instant::now() < deadline, "it does not wait");
                std::thread::yield_now();
            }
            ended(&mut holder, &progress);
            waiter.join().unwrap()
        })
    }

    fn execute(connection: &mut Connection, sql: &str) {
        let Connection::Sqlite(connection) = connection else { unreachable!() };
        connection.batch_execute(sql).unwrap();
    }

    #[test]
    fn an_import_waits_for_anothers_lock_and_gets_on_meanwhile() {
        behind_a_lock(|holder, _| execute(holder, "COMMIT")).unwrap();
    }

    #[test]
    fn nothing_is_committed_into_a_file_that_was_replaced_or_removed() {
        for replace in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let (file, other) = (dir.path().join("a.db"), dir.path().join("b.db"));
            let of = |file: &std::path::Path| Database::parse(&format!("sqlite:{}", file.display())).unwrap();
            for database in [of(&file), of(&other)] {
                execute(&mut database.connect().unwrap(), "CREATE TABLE t (a)");
            }
            let mut connection = of(&file).connect().unwrap();
            let insert = |connection: &mut Connection| -> Result<(), Failure> {
                execute(connection, "INSERT INTO t VALUES (1)");
                Ok(())
            };
            within(&mut connection, insert).unwrap();
            let moved = within(&mut connection, |connection| {
                match replace {
                    true => std::fs::rename(&other, &file).unwrap(),
                    false => std::fs::remove_file(&file).unwrap(),
                }
                insert(connection)
            });
            for failure in
                [moved, within(&mut connection, insert)].into_iter().take(if replace { 1 } else { 2 })
            {
                let is_named = matches!(&failure, Err(Failure::Named { name: FailureName::DatabaseUnavailable, cause, .. })
                    if cause.starts_with("the database's file was removed or replaced"));
                assert!(is_named, "{failure:?}");
            }
        }
    }

    #[test]
    fn an_import_that_waits_for_a_lock_can_be_stopped() {
        let stopped = behind_a_lock(|_, progress| progress.request_stop()).unwrap_err();
        assert!(matches!(stopped, Failure::Named { name: FailureName::Interrupted, .. }), "{stopped:?}");
    }
}
