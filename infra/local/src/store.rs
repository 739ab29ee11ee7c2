//! One SQLite file per service, so that a restart loses nothing. Calls are short and hold the lock only for their own
//! transaction. WAL without a flush at each commit survives the death of the process, which is what can happen on a
//! laptop; after a power cut the last moments may be missing, never half a transaction.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _};

/// A service's database.
pub(crate) struct Store {
    connection: Mutex<SqliteConnection>,
}

impl Store {
    /// Opens the file, creates it where there is none, and brings its schema up to date.
    pub(crate) fn open(path: &Path, migrations: EmbeddedMigrations) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let opened = || -> anyhow::Result<SqliteConnection> {
            let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
            connection.batch_execute(
                // First the patience: whoever closes the file last holds it while its log is cleared away.
                "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
            )?;
            connection.run_pending_migrations(migrations).map_err(|error| anyhow::anyhow!("{error}"))?;
            Ok(connection)
        };
        let connection =
            opened().with_context(|| format!("failed to open the stack's file {}", path.display()))?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs `work` in one transaction.
    pub(crate) fn transaction<T, E: From<diesel::result::Error>>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        // A panic inside a transaction rolled it back: the connection behind a poisoned lock is sound.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.immediate_transaction(work)
    }
}
