//! Bringing a database up to date. Migrations only ever expand: a worker of the version before goes on working. Whoever asks
//! what is pending changes nothing, and needs no right to.

use std::time::Duration;

use diesel::Connection as _;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationConnection, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tokio_postgres::error::SqlState;

use statemachine::FailureName;

use super::failure::migration_failure;
use super::postgres::Session;
use super::schema::migrations;
use super::{Connection, Database, Kind, OWN_TABLES};
use crate::failure::Failure;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The table of the migrations that are applied.
const POSTGRES_TABLE: &str = "CREATE TABLE IF NOT EXISTS baton_ledger.migrations (version text PRIMARY KEY, applied_at timestamp NOT NULL \
                              DEFAULT (now() AT TIME ZONE 'UTC'))";
const SQLITE_TABLE: &str = "CREATE TABLE IF NOT EXISTS baton_migrations (version text NOT NULL PRIMARY KEY, \
                            applied_at timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')))";

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

/// A table that has the name of one of Baton's and is not Baton's.
#[derive(Debug, thiserror::Error)]
#[error("{0} is there already and is not Baton's, which makes a table of that name; rename it")]
struct Taken(String);

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

    /// The names of the migrations of this version that are not applied yet, in order, such as `0001_jobs`. Creates
    /// nothing, and needs SELECT on `baton_ledger.migrations` alone.
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
        if let Some(taken) = cause.downcast_ref::<Taken>() {
            return Failure::named(FailureName::DatabaseMisconfigured, format!("failed to {what}: {taken}"));
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

fn pending_of_postgres(connection: &mut Session) -> Result<Migrations<Pg>, Cause> {
    if !is_so(connection, "to_regclass('baton_ledger.migrations') IS NOT NULL")? {
        for name in OWN_TABLES.map(|name| name.replacen('_', "_ledger.", 1)) {
            if is_so(connection, &format!("to_regclass('{name}') IS NOT NULL"))? {
                return Err(Taken(name).into());
            }
        }
        return all(&POSTGRES);
    }
    without(&POSTGRES, &migrations::table.select(migrations::version).load(connection)?)
}

fn is_so(connection: &mut Session, question: &str) -> Result<bool, Cause> {
    Ok(diesel::select(sql::<Bool>(&format!("pg_catalog.{question}"))).get_result(connection)?)
}

fn pending_of_sqlite(connection: &mut SqliteConnection) -> Result<Migrations<Sqlite>, Cause> {
    let mut has = |name: &str| {
        let found = "(SELECT count(*) FROM sqlite_schema WHERE lower(name) = ";
        let count = diesel::select(sql::<BigInt>(found).bind::<Text, _>(name).sql(")"));
        count.get_result::<i64>(connection).map(|count| count > 0)
    };
    if !has("baton_migrations")? {
        for name in OWN_TABLES {
            if has(name)? {
                return Err(Taken(name.to_owned()).into());
            }
        }
        return all(&SQLITE);
    }
    without(&SQLITE, &migrations::table.select(migrations::version).load(connection)?)
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
    Ok(versions(&pending))
}

impl MigrationConnection for Session {
    fn setup(&mut self) -> QueryResult<usize> {
        self.batch_execute(POSTGRES_TABLE).map(|()| 0)
    }
}

/// Applies what is pending.
fn apply(connection: &mut Session) -> Result<(), Cause> {
    let pending = pending_of_postgres(connection)?;
    if pending.is_empty() {
        return Ok(());
    }
    // Even to make what is there needs the right to make it.
    if !is_so(connection, "to_regnamespace('baton_ledger') IS NOT NULL")? {
        connection.batch_execute("CREATE SCHEMA baton_ledger")?;
    }
    connection.setup()?;
    for migration in &pending {
        match migration.metadata().run_in_transaction() {
            true => connection.transaction(|connection| run(connection, migration.as_ref()))?,
            false => run(connection, migration.as_ref())?,
        }
    }
    Ok(())
}

fn run(connection: &mut Session, migration: &dyn Migration<Pg>) -> Result<(), Cause> {
    migration.run(connection)?;
    let version = migration.name().version().to_string();
    diesel::insert_into(migrations::table).values(migrations::version.eq(version)).execute(connection)?;
    Ok(())
}

/// Whether a migration waited for a lock in vain. Its error hides the SQLSTATE; the session knows it.
fn waited_in_vain(session: &Session) -> bool {
    session.last_code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

fn migrate_sqlite(connection: &mut SqliteConnection) -> Result<Vec<String>, Cause> {
    connection.immediate_transaction(|connection| {
        let pending = pending_of_sqlite(connection)?;
        connection.batch_execute(SQLITE_TABLE)?;
        for migration in &pending {
            migration.run(connection)?;
            let version = migration.name().version().to_string();
            diesel::insert_into(migrations::table)
                .values(migrations::version.eq(version))
                .execute(connection)?;
        }
        Ok(versions(&pending))
    })
}

fn versions<DB: Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().version().to_string()).collect()
}
