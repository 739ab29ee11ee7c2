//! Connecting to SQLite: one file, one machine.

pub(crate) mod messages;

use diesel::connection::SimpleConnection;
use diesel::result::DatabaseErrorKind;
use diesel::{Connection, ConnectionError, SqliteConnection};

use super::InvalidDatabaseUrl;
use super::postgres::sqlstate::Meaning;

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

    pub(super) fn display_name(&self) -> String {
        format!("sqlite {}", self.path)
    }
}

fn open(path: &str) -> Result<SqliteConnection, ConnectionError> {
    let mut connection = SqliteConnection::establish(path)?;
    // WAL lets readers go on while an import holds the write lock. A commit is on the disk before the message is
    // deleted: synchronous stays FULL.
    connection
        .batch_execute(
            "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; \
             PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// What an error of SQLite's means. Diesel passes no result code on, so that the kinds it has no name for are told by the
/// whole message, each of which SQLite has as a constant (`sqlite3_errstr`). A trigger may say the same; where a table has
/// one, the loader makes sure.
pub(super) fn meaning_of(kind: &DatabaseErrorKind, message: &str) -> Meaning {
    use DatabaseErrorKind as Kind;
    match kind {
        Kind::UniqueViolation
        | Kind::ForeignKeyViolation
        | Kind::NotNullViolation
        | Kind::CheckViolation
        | Kind::ExclusionViolation
        | Kind::RestrictViolation => Meaning::Row,
        _ if OUTAGES.contains(&message) => Meaning::Outage,
        _ => Meaning::Internal,
    }
}

/// `SQLITE_BUSY`, `LOCKED`, `NOMEM`, `READONLY`, `IOERR`, `FULL` and `CANTOPEN`.
const OUTAGES: [&str; 8] = [
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "out of memory",
    "attempt to write a readonly database",
    "disk I/O error",
    "database or disk is full",
    "unable to open database file",
];

/// Whether a table or column is missing. Baton's own statements quote no values, so that these words are SQLite's own.
pub(super) fn is_of_old_schema(message: &str) -> bool {
    ["no such table", "no such column", "has no column named"].iter().any(|part| message.contains(part))
}
