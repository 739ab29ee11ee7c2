//! Connecting to SQLite: one file, one machine.

pub(crate) mod full_disk;
pub(crate) mod messages;

use std::os::unix::fs::MetadataExt as _;

use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError, QueryResult, RunQueryDsl as _, SqliteConnection};

use super::InvalidDatabaseUrl;

/// How long a statement waits for another one's lock.
const PATIENCE_MS: u32 = 30_000;

/// How long the log is waited for where nothing depends on it.
const CUT_PATIENCE_MS: u32 = 2_000;

/// What stays of a log once all of it is in the file.
const LOG_BYTES: u32 = 16 * 1024 * 1024;

/// A database file, by its absolute path.
#[derive(Clone)]
pub(super) struct Target {
    path: String,
}

impl Target {
    pub(super) fn parse(path: &str) -> Result<Self, InvalidDatabaseUrl> {
        if path.is_empty() {
            return Err(InvalidDatabaseUrl("it names no file"));
        }
        if path.starts_with(':') {
            return Err(InvalidDatabaseUrl("a database in memory would be another one for each connection"));
        }
        if path.contains('?') {
            return Err(InvalidDatabaseUrl(
                "parameters behind the path of a SQLite database are not supported",
            ));
        }
        // Absolute, so that SQLite cannot take a relative path for a URI, and messages name one certain file.
        let path = std::path::absolute(path).ok().and_then(|path| path.into_os_string().into_string().ok());
        path.map(|path| Self { path }).ok_or(InvalidDatabaseUrl("its path cannot be made absolute"))
    }

    pub(super) fn connect(&self) -> Result<SqliteConnection, String> {
        open(&self.path).map_err(|error| error.to_string())
    }

    /// Opens a connection that has read the file, without waiting for anybody.
    pub(super) fn look(&self) -> Result<SqliteConnection, ConnectionError> {
        let mut connection = SqliteConnection::establish(&self.path)?;
        connection
            .batch_execute("PRAGMA busy_timeout = 0; SELECT count(*) FROM sqlite_schema;")
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    }

    /// Opens a connection to look by, which waits for locks as usual. `None` where there is no file: opening would create one,
    /// and [`Target::connect`] would write into one that has no log yet.
    pub(super) fn read_only_if_there(&self) -> Result<Option<SqliteConnection>, ConnectionError> {
        if matches!(std::path::Path::new(&self.path).try_exists(), Ok(false)) {
            return Ok(None);
        }
        let mut connection = SqliteConnection::establish(&self.path)?;
        connection
            .batch_execute(&format!("PRAGMA busy_timeout = {PATIENCE_MS}; PRAGMA query_only = ON"))
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(Some(connection))
    }

    pub(super) fn path(&self) -> &std::path::Path {
        self.path.as_ref()
    }

    pub(super) fn display_name(&self) -> String {
        format!("sqlite {}", self.path)
    }
}

/// Cuts the log back to nothing. The rows of a transaction that was rolled back stay in it otherwise, and hold the disk that
/// they have filled. Does not wait long for those who still read from it: the next one who writes does it then.
pub(crate) fn cut_log(connection: &mut SqliteConnection) {
    let cut = connection.batch_execute(&format!(
        "PRAGMA busy_timeout = {CUT_PATIENCE_MS}; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout = {PATIENCE_MS}"
    ));
    if let Err(error) = cut {
        tracing::debug!(%error, "The log was not cut back");
    }
}

/// How much of the disk the log takes, in bytes.
pub(crate) fn log_bytes(connection: &mut SqliteConnection) -> u64 {
    let log = file(connection).and_then(|file| std::fs::metadata(format!("{file}-wal")).ok());
    log.map_or(0, |log| log.len())
}

/// The file that lies now where the connection's was opened: its device and number. `None` where there is none.
pub(crate) fn file_there(connection: &mut SqliteConnection) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(file(connection)?).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn file(connection: &mut SqliteConnection) -> Option<String> {
    let file = diesel::dsl::sql::<diesel::sql_types::Text>(
        "SELECT file FROM pragma_database_list WHERE name = 'main'",
    );
    file.get_result(connection).ok()
}

/// Has statements wait for another one's lock as long as on a new connection.
pub(crate) fn wait_as_usual(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute(&format!("PRAGMA busy_timeout = {PATIENCE_MS}"))
}

fn open(path: &str) -> Result<SqliteConnection, ConnectionError> {
    let mut connection = SqliteConnection::establish(path)?;
    set_up(&mut connection).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

fn set_up(connection: &mut SqliteConnection) -> QueryResult<()> {
    wait_as_usual(connection)?;
    use_log(connection)?;
    // A commit is on the disk before the message is deleted: synchronous stays FULL.
    connection.batch_execute(&format!(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = {LOG_BYTES};"
    ))
}

/// Has the file written by a write-ahead log: readers go on while an import holds the write lock. A file that has no log yet
/// is changed under the write lock, and SQLite does not wait for it there: to wait, it is taken.
pub(crate) fn use_log(connection: &mut SqliteConnection) -> QueryResult<()> {
    const TRIES: u32 = 10;
    for _ in 1..TRIES {
        match connection.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if messages::is_busy(&error) => {
                connection.batch_execute("BEGIN IMMEDIATE; ROLLBACK")?
            }
            done => return done,
        }
    }
    connection.batch_execute("PRAGMA journal_mode = WAL")
}

/// Whether a table or column is missing. Baton's own statements quote no values, so that these words are SQLite's own.
pub(super) fn is_of_old_schema(message: &str) -> bool {
    ["no such table", "no such column", "has no column named"].iter().any(|part| message.contains(part))
}
