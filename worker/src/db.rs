//! The database that rows are loaded into and that holds the ledger: PostgreSQL, or SQLite where nothing is to
//! be installed. Owns connecting and migrating; what is asked of the database is elsewhere. No message of this module
//! repeats the URL, the user or the password.

pub(crate) mod at_work;
pub(crate) mod failure;
mod identity;
mod migrations;
mod multi;
pub(crate) mod postgres;
pub(crate) mod schema;
pub(crate) mod sqlite;
mod write_back;

use aws_config::SdkConfig;
use chrono::NaiveDateTime;
use diesel::RunQueryDsl;
use diesel::result::Error;
use statemachine::FailureName;
use tokio::runtime::Handle;

use crate::failure::Failure;
use failure::{described, for_log, meaning};
pub use multi::AnyConnection as Connection;
use postgres::error::code_of;
pub(crate) use postgres::escaped;
pub use postgres::iam::{Login, NotForIam};
use postgres::sqlstate::Meaning;
pub use postgres::{Session, Watch};
pub(crate) use write_back::LEAVE_IT;
pub use write_back::WriteBack;

/// Baton's own tables, which no import may write: it could make another look done, or claim it.
/// By their names in SQLite; in PostgreSQL they are in the schema `baton_ledger`, as `jobs` and so on.
pub(crate) const OWN_TABLES: [&str; 4] =
    ["baton_jobs", "baton_attempts", "baton_imported_files", "baton_migrations"];

/// Whether a name is one of theirs, in either database.
pub(crate) fn is_own(schema: &str, table: &str) -> bool {
    let of = |name: &str| OWN_TABLES.contains(&name);
    match schema {
        "baton_ledger" => of(&format!("baton_{table}")),
        "" | "main" => of(table),
        _ => false,
    }
}

/// Where the rows go. `Debug` and [`Database::display_name`] show where it is, and no secret.
#[derive(Clone)]
pub struct Database(Kind);

#[derive(Clone)]
enum Kind {
    Postgres(Box<postgres::Target>),
    Sqlite(sqlite::Target),
}

/// Why a text is no URL of a database. The text itself may hold a password and is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the URL of a database: {0}; expected postgres://user:password@host:port/dbname or sqlite:PATH")]
pub struct InvalidDatabaseUrl(&'static str);

impl Database {
    /// Reads a URL: `postgres://…`, `postgresql://…`, `sqlite:PATH` or `sqlite://PATH`.
    ///
    /// # Errors
    /// [`InvalidDatabaseUrl`] for anything else.
    pub fn parse(url: &str) -> Result<Self, InvalidDatabaseUrl> {
        if url.chars().any(char::is_control) {
            return Err(InvalidDatabaseUrl("it has a control character"));
        }
        if let Some(rest) = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://")) {
            postgres::Target::parse(rest).map(Self::of_postgres)
        } else if let Some(rest) = url.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            sqlite::Target::parse(path).map(|target| Self(Kind::Sqlite(target)))
        } else {
            Err(InvalidDatabaseUrl("it begins with neither postgres:// nor sqlite:"))
        }
    }

    /// The same database with IAM database authentication: the password is a token that is made for each connection, by
    /// the credentials that [`Database::with_credentials`] gives it.
    ///
    /// # Errors
    /// [`NotForIam`] where a token must not be sent there.
    pub fn by_iam(self) -> Result<Self, NotForIam> {
        match self.0 {
            Kind::Postgres(target) => target.by_iam().map(Self::of_postgres),
            Kind::Sqlite(_) => Err(NotForIam("it is a file")),
        }
    }

    fn of_postgres(target: postgres::Target) -> Self {
        Self(Kind::Postgres(Box::new(target)))
    }

    /// Whether it needs credentials of AWS to connect.
    #[must_use]
    pub fn needs_credentials(&self) -> bool {
        matches!(&self.0, Kind::Postgres(target) if target.is_by_iam())
    }

    /// The same database with credentials and region of `aws`, which are asked for by `runtime`. One that needs none stays as
    /// it is.
    #[must_use]
    pub fn with_credentials(self, aws: &SdkConfig, runtime: &Handle) -> Self {
        match self.0 {
            Kind::Postgres(target) => {
                Self::of_postgres(target.signed_by(postgres::iam::Signer::new(aws, runtime)))
            }
            file => Self(file),
        }
    }

    /// Opens a connection, ready for use. Blocks, for at most some ten seconds, and with credentials twice that: not to be
    /// called on a thread that drives a runtime.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, with what was tried.
    pub fn connect(&self) -> Result<Connection, Failure> {
        let connection = match &self.0 {
            Kind::Postgres(target) => target.connect().map(Connection::Postgres),
            Kind::Sqlite(target) => target.connect().map(Connection::Sqlite),
        };
        connection.map_err(|reason| self.unreachable(&reason))
    }

    /// The same for statements that may take long: on PostgreSQL each of them is watched. On SQLite they run on the caller's
    /// own thread, which is watched by others.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`, with what was tried.
    pub fn connect_watched(&self, watch: Watch) -> Result<Connection, Failure> {
        match &self.0 {
            Kind::Postgres(target) => {
                let session = target.connect_watched(watch).map_err(|reason| self.unreachable(&reason))?;
                Ok(Connection::Postgres(session))
            }
            Kind::Sqlite(_) => self.connect(),
        }
    }

    fn unreachable(&self, reason: &str) -> Failure {
        Failure::named(
            FailureName::DatabaseUnavailable,
            format!("cannot connect to {}: {reason}", self.display_name()),
        )
    }

    /// Where the database is: `postgres host:port/dbname` or `sqlite FILE`.
    #[must_use]
    pub fn display_name(&self) -> String {
        match &self.0 {
            Kind::Postgres(target) => target.display_name(),
            Kind::Sqlite(target) => target.display_name(),
        }
    }

    /// The same with the role and the options of its sessions, where the URL names them: what the rows are that a name of a table
    /// means, and who may write them, hangs on these as well. The first line is [`Database::display_name`]; no password.
    #[must_use]
    pub fn name_with_role(&self) -> String {
        match &self.0 {
            Kind::Postgres(target) => target.name_with_role(),
            Kind::Sqlite(target) => target.display_name(),
        }
    }

    /// Whether sessions of both have the same rights, as far as their URLs tell: one role, and the same options.
    #[must_use]
    pub fn has_role_of(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Postgres(one), Kind::Postgres(other)) => one.is_of_one_role(other),
            _ => true,
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Database({})", self.display_name())
    }
}

/// Whether the connection broke, or the server ended its session: nothing can be asked over it any more.
pub(crate) fn has_ended(connection: &Connection) -> bool {
    match connection {
        Connection::Postgres(session) => session.has_ended(),
        Connection::Sqlite(_) => false,
    }
}

/// The time by the database's clock, UTC: the workers' own clocks need not agree about a lease.
pub(crate) fn now(connection: &mut Connection) -> Result<NaiveDateTime, Error> {
    match connection {
        Connection::Postgres(connection) => diesel::select(diesel::dsl::sql::<diesel::sql_types::Timestamp>(
            "clock_timestamp() AT TIME ZONE 'UTC'",
        ))
        .get_result(connection),
        // All who open the file are on one machine.
        Connection::Sqlite(_) => Ok(chrono::Utc::now().naive_utc()),
    }
}

/// What mends a missing right to Baton's own tables. Whoever asks may have nothing yet that could be redriven.
const NO_RIGHT: &str = "; Baton's tables need, for the role that is ROLE here: GRANT USAGE ON SCHEMA baton_ledger TO ROLE; \
                        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA baton_ledger TO ROLE; then try again";

/// What it means that one of Baton's own statements failed. `doing` says what was tried.
pub(crate) fn unavailable(doing: &str, error: &Error) -> Failure {
    let said = described(error);
    if is_of_old_schema(error) {
        // A worker of a new version may come before its migration: another attempt may find it done.
        let cause = format!("failed to {doing}: {said}; run `worker migrate` against this database");
        return Failure::named(FailureName::DatabaseUnavailable, cause);
    }
    if is_unknown_character(error) {
        let cause = format!(
            "failed to {doing}: {said}; the database's encoding does not know a character of the job's id, input or \
             subject: name them otherwise, or use a database whose encoding is UTF8"
        );
        return Failure::named(FailureName::DatabaseMisconfigured, cause);
    }
    let (name, advice) = match meaning(error) {
        Meaning::SetUp if code_of(error).as_deref() == Some("42501") => {
            (FailureName::DatabaseMisconfigured, NO_RIGHT)
        }
        Meaning::SetUp => {
            (FailureName::DatabaseMisconfigured, failure::advice(code_of(error).as_deref(), None))
        }
        _ => (FailureName::DatabaseUnavailable, ""),
    };
    let cause = format!("failed to {doing}: {said}{advice}");
    match code_of(error) {
        Some(code) => Failure::of_database(name, cause, for_log(doing, Some(&code))),
        None => Failure::named(name, cause),
    }
}

/// The same in the transaction of an import, which was claimed in Baton's tables: that one of them is not found any more is no
/// migration that is still to come.
pub(crate) fn unavailable_after_claim(doing: &str, error: &Error) -> Failure {
    if !is_of_old_schema(error) {
        return unavailable(doing, error);
    }
    let cause = format!(
        "failed to {doing}: {}; the job was claimed in Baton's tables, and they are gone since, or a trigger has changed them: \
         look what changes them, or run `worker migrate`, then redrive the import",
        described(error)
    );
    Failure::of_database(FailureName::DatabaseMisconfigured, cause, for_log(doing, code_of(error).as_deref()))
}

/// Whether the database cannot store a text for a character in it.
fn is_unknown_character(error: &Error) -> bool {
    code_of(error).is_some_and(|code| matches!(code.as_str(), "22P05" | "22021"))
}

/// Whether one of Baton's own tables or columns is missing: the database is not migrated yet.
fn is_of_old_schema(error: &Error) -> bool {
    match code_of(error) {
        Some(code) => matches!(code.as_str(), "42P01" | "42703"),
        None => sqlite::is_of_old_schema(&error.to_string()),
    }
}
