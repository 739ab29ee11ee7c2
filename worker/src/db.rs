//! Temporary: overwritten at the merge.

pub(crate) mod failure;
mod multi;

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;

use crate::failure::Failure;
pub use multi::AnyConnection as Connection;

/// Where the database is.
#[derive(Clone)]
pub struct Database(String);

impl Database {
    /// A database by its URL.
    ///
    /// # Errors
    /// None.
    pub fn parse(url: &str) -> Result<Self, String> {
        Ok(Self(url.strip_prefix("sqlite:").unwrap_or(url).to_owned()))
    }

    /// Connects.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`.
    pub fn connect(&self) -> Result<Connection, Failure> {
        let unavailable = |error: diesel::ConnectionError| {
            Failure::named(statemachine::FailureName::DatabaseUnavailable, error.to_string())
        };
        if self.0.starts_with("postgres:") {
            diesel::PgConnection::establish(&self.0).map(Connection::Postgres).map_err(unavailable)
        } else {
            let mut connection = diesel::SqliteConnection::establish(&self.0).map_err(unavailable)?;
            let _ = connection.batch_execute("PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL");
            Ok(Connection::Sqlite(connection))
        }
    }

    /// Makes the imports table.
    ///
    /// # Errors
    /// Any.
    pub fn migrate(&self) -> Result<Vec<String>, Failure> {
        let sql =
            "CREATE TABLE imports (id text PRIMARY KEY, status text NOT NULL, attempt integer NOT NULL)";
        match self.connect()? {
            Connection::Postgres(mut c) => c.batch_execute(sql),
            Connection::Sqlite(mut c) => c.batch_execute(sql),
        }
        .map_err(|error| failure::database_failure(&error, "migrate"))?;
        Ok(Vec::new())
    }
}
