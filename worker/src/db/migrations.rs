//! Bringing a database up to date. Migrations only ever expand: a worker of the version before goes on working.

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::Migration;
use diesel::{PgConnection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use statemachine::FailureName;

use super::{Connection, Database};
use crate::failure::Failure;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The advisory lock under which PostgreSQL is migrated: `baton` in ASCII.
const LOCK: i64 = 0x62_61_74_6f_6e;

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Database {
    /// Applies the migrations that are not applied yet, and returns their versions. Two at a time wait for each other.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, with what was tried.
    pub fn migrate(&self) -> Result<Vec<String>, Failure> {
        let applied = match &mut self.connect()? {
            Connection::Postgres(connection) => migrate_postgres(connection),
            Connection::Sqlite(connection) => migrate_sqlite(connection),
        };
        applied.map_err(|cause| self.cannot("migrate", &cause))
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
        pending.map_err(|cause| self.cannot("read the migrations of", &cause))
    }

    /// Whether every migration of this version is applied.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, with what was tried.
    pub fn is_up_to_date(&self) -> Result<bool, Failure> {
        self.pending_migrations().map(|pending| pending.is_empty())
    }

    fn cannot(&self, verb: &str, cause: &Cause) -> Failure {
        Failure::named(
            FailureName::DatabaseUnavailable,
            format!("failed to {verb} {}: {cause}", self.display_name()),
        )
    }
}

fn names<DB: Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_string()).collect()
}

fn migrate_postgres(connection: &mut PgConnection) -> Result<Vec<String>, Cause> {
    // Held by the session, not by a transaction: a later migration may have to run outside of one. It ends with the
    // connection.
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    let applied = connection.run_pending_migrations(POSTGRES)?;
    Ok(applied.iter().map(ToString::to_string).collect())
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
