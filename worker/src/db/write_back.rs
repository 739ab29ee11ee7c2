//! When SQLite's log is written back into the file. A commit is safe in the log; the writing back takes as long again as
//! the disk took for the rows, and nobody need wait for it: it is done when the import has been reported.

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;

use super::{Database, Kind};

/// Has a connection leave the log to a [`WriteBack`].
pub(crate) const LEAVE_IT: &str = "PRAGMA wal_autocheckpoint = 0";

/// Writes the log back when it is dropped. It holds a connection, because SQLite writes the log back when the last one is
/// closed. Should the process die before, the next writer does it.
pub struct WriteBack(Option<SqliteConnection>);

impl WriteBack {
    /// For as long as imports write into `database`. Nothing for a database that is a server, or that is away.
    #[must_use]
    pub fn of(database: &Database) -> Self {
        match &database.0 {
            Kind::Sqlite(target) => Self(target.look().ok()),
            Kind::Postgres(_) => Self(None),
        }
    }
}

impl Drop for WriteBack {
    fn drop(&mut self) {
        let Some(connection) = &mut self.0 else { return };
        // What readers still need stays in the log for the next time.
        if let Err(error) = connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE)") {
            tracing::debug!(%error, "The log was not written back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Connection;

    #[test]
    fn the_log_is_written_back_when_nobody_waits_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.db");
        let database = Database::parse(&format!("sqlite:{}", path.display())).unwrap();
        let size = || path.metadata().unwrap().len();
        let Connection::Sqlite(mut first) = database.connect().unwrap() else { unreachable!() };
        first.batch_execute("CREATE TABLE rows (value blob)").unwrap();
        let write_back = WriteBack::of(&database);
        first.batch_execute(&format!("{LEAVE_IT}; INSERT INTO rows VALUES (zeroblob(8000000))")).unwrap();
        drop(first);
        assert!(size() < 1_000_000, "the rows are still in the log");
        drop(write_back);
        assert!(size() > 8_000_000, "the rows are in the file");
    }
}
