//! Waiting for a lock on Baton's tables: briefly at a time, so that whoever waits can beat, and be asked to stop, in between.
//! In SQLite a job may have the one lock for writing from its first row to its commit; in PostgreSQL the row of a job is
//! locked for as long as its commit takes.

use diesel::QueryResult;
use diesel::connection::SimpleConnection as _;
use diesel::result::Error;

use crate::db::postgres::error::code_of;
use crate::db::sqlite::messages;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;

/// What a statement waits in SQLite, in milliseconds.
const SQLITE_MS: u32 = 500;

/// What a statement waits in PostgreSQL, in milliseconds: it wakes as soon as the lock is free, and tells the server's log
/// when it gives up.
const POSTGRES_MS: u32 = 2000;

/// Has every statement on this connection give up soon where another session has the lock that it needs.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn wait_briefly(connection: &mut Connection) -> Result<(), Failure> {
    let set = match connection {
        Connection::Sqlite(connection) => {
            connection.batch_execute(&format!("PRAGMA busy_timeout = {SQLITE_MS}"))
        }
        Connection::Postgres(connection) => {
            connection.batch_execute(&format!("SET lock_timeout = {POSTGRES_MS}"))
        }
    };
    set.map_err(|error| unavailable("say how long to wait for a lock", &error))
}

/// What came of a statement, `None` where another session has had the lock that it needs.
pub(super) fn unless_busy<T>(result: QueryResult<T>) -> QueryResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_busy(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// By PostgreSQL's `lock_not_available`, and by the whole message of SQLite's `SQLITE_BUSY`: Baton's own tables have no
/// trigger that could say the same.
fn is_busy(error: &Error) -> bool {
    match code_of(error) {
        Some(code) => code == "55P03",
        None => messages::is_busy(error),
    }
}
