//! Bringing a database up to date. Migrations only ever expand: a worker of the version before goes on working.

use std::time::Duration;

use diesel::SqliteConnection;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::Migration;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use statemachine::FailureName;
use tokio_postgres::error::SqlState;

use super::postgres::Session;
use super::postgres::sqlstate::Meaning;
use super::{Connection, Database};
use crate::failure::Failure;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The advisory lock under which PostgreSQL is migrated: `baton` in ASCII.
const LOCK: i64 = 0x62_61_74_6f_6e;

/// How long a migration waits for a lock on one of Baton's tables at a time: beats and commits of imports queue up behind it
/// meanwhile.
const LOCK_TIMEOUT: &str = "2s";
/// How often it asks for the lock.
const LOCK_TRIES: u32 = 5;
/// How long it lets the others pass in between.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Database {
    /// Applies the migrations that are not applied yet, and returns their versions. Two at a time wait for each other. A lock
    /// that an import, or anybody, holds on Baton's tables is waited for some 15 seconds, in SQLite 30.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, or `Import.DatabaseMisconfigured` where the role may not make tables or has no schema to
    /// make them in, with what was tried. Migrations are applied whole or not at all; to call again goes on.
    pub fn migrate(&self) -> Result<Vec<String>, Failure> {
        match &mut self.connect()? {
            Connection::Postgres(connection) => migrate_postgres(connection)
                .map_err(|cause| self.cannot(name_of(connection.last_code()), "migrate", &cause)),
            Connection::Sqlite(connection) => migrate_sqlite(connection)
                .map_err(|cause| self.cannot(FailureName::DatabaseUnavailable, "migrate", &cause)),
        }
    }

    /// The names of the migrations of this version that are not applied yet, in order, such as `0001_imports`.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, with what was tried.
    pub fn pending_migrations(&self) -> Result<Vec<String>, Failure> {
        let pending = match &mut self.connect()? {
            Connection::Postgres(connection) => {
                connection.pending_migrations(POSTGRES).map(|all| names(&all))
            }
            Connection::Sqlite(connection) => connection.pending_migrations(SQLITE).map(|all| names(&all)),
        };
        let cannot = |cause| self.cannot(FailureName::DatabaseUnavailable, "read the migrations of", &cause);
        pending.map_err(cannot)
    }

    /// Whether every migration of this version is applied.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, with what was tried.
    pub fn is_up_to_date(&self) -> Result<bool, Failure> {
        self.pending_migrations().map(|pending| pending.is_empty())
    }

    fn cannot(&self, name: FailureName, verb: &str, cause: &Cause) -> Failure {
        Failure::named(name, format!("failed to {verb} {}: {cause}", self.display_name()))
    }
}

/// The failure that a code of PostgreSQL's means for a migration.
fn name_of(code: Option<&SqlState>) -> FailureName {
    match code.map(|code| Meaning::of(code.code(), None)) {
        Some(Meaning::SetUp) => FailureName::DatabaseMisconfigured,
        _ => FailureName::DatabaseUnavailable,
    }
}

fn names<DB: Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_string()).collect()
}

fn migrate_postgres(connection: &mut Session) -> Result<Vec<String>, Cause> {
    // Held by the session, not by a transaction: a later migration may have to run outside of one. It ends with the
    // connection.
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    connection.batch_execute(&format!("SET lock_timeout = '{LOCK_TIMEOUT}'"))?;
    let pending = connection.pending_migrations(POSTGRES)?;
    let mut tries = 1;
    while let Err(cause) = connection.run_pending_migrations(POSTGRES).map(drop) {
        if tries == LOCK_TRIES || !waited_in_vain(connection) {
            return Err(cause);
        }
        tries += 1;
        tracing::info!("The tables to be migrated are in use; trying again");
        #[expect(clippy::disallowed_methods, reason = "nothing tells when those that queued up have passed")]
        std::thread::sleep(LOCK_PAUSE);
    }
    // Nobody else has applied any of them: they would have waited for this.
    Ok(pending.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Whether a migration waited for a lock in vain. The harness's error hides the SQLSTATE; the session knows it.
fn waited_in_vain(session: &Session) -> bool {
    session.last_code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

fn migrate_sqlite(connection: &mut SqliteConnection) -> Result<Vec<String>, Cause> {
    // An import holds the one lock for writing until it commits: whoever only wants to look must not wait for it.
    if !connection.has_pending_migration(SQLITE)? {
        return Ok(Vec::new());
    }
    connection.immediate_transaction(|connection| {
        let applied = connection.run_pending_migrations(SQLITE)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
}
