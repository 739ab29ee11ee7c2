//! Bringing a database up to date. Migrations only ever expand: a worker of the version before goes on working. Whoever asks
//! what is pending changes nothing, and needs no right to.

mod place;

use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationConnection as _, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel::{RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio_postgres::error::SqlState;

use statemachine::FailureName;

use super::failure::migration_failure;
use super::postgres::Session;
use super::{Connection, Database, Kind};
use crate::failure::Failure;
use place::Misplaced;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Diesel's table of the migrations that are applied.
const TABLE: &str = "__diesel_schema_migrations";

/// The migration that makes Baton's first tables.
const FIRST: &str = "0001_imports";

/// The versions in it.
const APPLIED: &str = "SELECT version FROM __diesel_schema_migrations";

/// What a look at the migrations tries, as an infinitive that a database's name follows.
const READ: &str = "read the migrations of";

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

type Migrations<DB> = Vec<Box<dyn Migration<DB>>>;

impl Database {
    /// Applies the migrations that are not applied yet, and returns their versions. Two at a time wait for each other. A lock
    /// that an import, or anybody, holds on Baton's tables is waited for some 15 seconds, in SQLite 30. Where none is pending
    /// it only looks, as [`Database::pending_migrations`] does.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, or `Import.DatabaseMisconfigured` where the role may not make tables or has no schema to
    /// make them in, with what was tried. Migrations are applied whole or not at all; to call again goes on.
    pub fn migrate(&self) -> Result<Vec<String>, Failure> {
        // To connect to SQLite is to make a file, or to have it written by a log.
        if matches!(self.0, Kind::Sqlite(_)) && self.is_up_to_date()? {
            return Ok(Vec::new());
        }
        match &mut self.connect()? {
            Connection::Postgres(connection) => {
                let pending = pending_of_postgres(connection)
                    .map_err(|cause| self.cannot(READ, &cause, connection.last_code()))?;
                if pending.is_empty() {
                    return Ok(Vec::new());
                }
                migrate_postgres(connection)
                    .map_err(|cause| self.cannot("migrate", &cause, connection.last_code()))
            }
            Connection::Sqlite(connection) => {
                migrate_sqlite(connection).map_err(|cause| self.cannot("migrate", &cause, None))
            }
        }
    }

    /// The names of the migrations of this version that are not applied yet, in order, such as `0001_imports`. Creates
    /// nothing, and needs SELECT on diesel's table of migrations alone.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, or `Import.DatabaseMisconfigured` where that table may not be read, with what was tried.
    pub fn pending_migrations(&self) -> Result<Vec<String>, Failure> {
        match &self.0 {
            Kind::Postgres(_) => {
                let Connection::Postgres(mut connection) = self.connect()? else { return Ok(Vec::new()) };
                let pending = pending_of_postgres(&mut connection);
                let cannot = |cause| self.cannot(READ, &cause, connection.last_code());
                pending.map(|pending| names(&pending)).map_err(cannot)
            }
            Kind::Sqlite(target) => {
                let pending = match target.read_only_if_there() {
                    Ok(None) => all(&SQLITE),
                    Ok(Some(mut connection)) => pending_of_sqlite(&mut connection),
                    Err(error) => Err(error.into()),
                };
                pending.map(|pending| names(&pending)).map_err(|cause| self.cannot(READ, &cause, None))
            }
        }
    }

    /// Whether every migration of this version is applied.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, with what was tried.
    pub fn is_up_to_date(&self) -> Result<bool, Failure> {
        self.pending_migrations().map(|pending| pending.is_empty())
    }

    fn cannot(&self, verb: &str, cause: &Cause, code: Option<&SqlState>) -> Failure {
        let what = format!("{verb} {}", self.display_name());
        if let Some(misplaced) = cause.downcast_ref::<Misplaced>() {
            return Failure::named(
                FailureName::DatabaseMisconfigured,
                format!("failed to {what}: {misplaced}"),
            );
        }
        migration_failure(code.map(SqlState::code), &what, &cause.to_string())
    }
}

fn names<DB: Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_string()).collect()
}

fn all<DB: Backend>(migrations: &EmbeddedMigrations) -> Result<Migrations<DB>, Cause> {
    without(migrations, &[])
}

/// The migrations but for those of the versions that are applied, in order.
fn without<DB: Backend>(
    migrations: &EmbeddedMigrations,
    applied: &[String],
) -> Result<Migrations<DB>, Cause> {
    let mut migrations = MigrationSource::<DB>::migrations(migrations)?;
    migrations.retain(|migration| !applied.contains(&migration.name().version().to_string()));
    migrations.sort_by(|one, other| one.name().version().cmp(&other.name().version()));
    Ok(migrations)
}

/// The pending migrations. Diesel's own question for them creates its table first, which needs CREATE on the schema even where
/// the table is there.
fn pending_of_postgres(connection: &mut Session) -> Result<Migrations<Pg>, Cause> {
    if !has_table(connection)? {
        place::expect_nowhere(connection)?;
        place::expect_free_in_postgres(connection)?;
        return all(&POSTGRES);
    }
    let pending = without(&POSTGRES, &sql::<Text>(APPLIED).load(connection)?)?;
    match is_first_pending(&pending) {
        true => place::expect_free_in_postgres(connection)?,
        false => place::expect_first(connection)?,
    }
    Ok(pending)
}

/// Whether no table of Baton's has been made yet.
fn is_first_pending<DB: Backend>(pending: &Migrations<DB>) -> bool {
    pending.first().is_some_and(|migration| migration.name().to_string() == FIRST)
}

/// Whether diesel's table of migrations is there, where the session looks for it.
fn has_table(connection: &mut Session) -> Result<bool, Cause> {
    let found = format!("SELECT pg_catalog.to_regclass('{TABLE}') IS NOT NULL");
    Ok(sql::<Bool>(&found).get_result(connection)?)
}

fn pending_of_sqlite(connection: &mut SqliteConnection) -> Result<Migrations<Sqlite>, Cause> {
    let found = format!("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '{TABLE}'");
    if sql::<BigInt>(&found).get_result::<i64>(connection)? == 0 {
        place::expect_free_in_sqlite(connection)?;
        return all(&SQLITE);
    }
    let pending = without(&SQLITE, &sql::<Text>(APPLIED).load(connection)?)?;
    if is_first_pending(&pending) {
        place::expect_free_in_sqlite(connection)?;
    }
    Ok(pending)
}

fn migrate_postgres(connection: &mut Session) -> Result<Vec<String>, Cause> {
    // Held by the session, not by a transaction: a later migration may have to run outside of one. It ends with the
    // connection.
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    connection.batch_execute(&format!("SET lock_timeout = '{LOCK_TIMEOUT}'"))?;
    let pending = pending_of_postgres(connection)?;
    let mut tries = 1;
    while let Err(cause) = apply(connection) {
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

/// Applies what is pending.
fn apply(connection: &mut Session) -> Result<(), Cause> {
    let pending = pending_of_postgres(connection)?;
    if !pending.is_empty() && !has_table(connection)? {
        connection.setup()?;
    }
    pending.iter().try_for_each(|migration| connection.run_migration(migration).map(drop))
}

/// Whether a migration waited for a lock in vain. The harness's error hides the SQLSTATE; the session knows it.
fn waited_in_vain(session: &Session) -> bool {
    session.last_code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

fn migrate_sqlite(connection: &mut SqliteConnection) -> Result<Vec<String>, Cause> {
    connection.immediate_transaction(|connection| {
        pending_of_sqlite(connection)?;
        let applied = connection.run_pending_migrations(SQLITE)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
}
