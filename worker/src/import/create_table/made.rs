//! A table that was made for an import, and goes when that import fails. Only if it still is that table, as it was made and
//! without rows, and nobody else is to import into it: what others made or filled is never dropped.

use std::fmt;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Bool, Nullable, Text};
use statemachine::{FailureName, JobId, Kind};

use super::{Dialect, Refusal, TableName};
use crate::db::failure::database_failure;
use crate::db::schema::jobs;
use crate::db::{Connection, Database, unavailable};
use crate::failure::Failure;
use crate::import::header::fold;
use crate::import::load::transaction;
use crate::imports;
use crate::ledger;

/// What a table is known by in PostgreSQL: its number, and its columns, of which somebody may have added some.
const POSTGRES_IDENTITY: &str = "SELECT CAST(c.oid AS text) || (SELECT string_agg(a.attname || ' ' || a.atttypid || ' ' || a.attnotnull, ',' \
     ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS line \
     FROM pg_class c WHERE c.oid = to_regclass($1)";

/// What a table is known by in SQLite, which numbers none.
const SQLITE_IDENTITY: &str =
    "SELECT sql AS line FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";

/// Whether somebody has given the table something of its own.
const POSTGRES_ADDED: &str = "SELECT relhasindex OR relhastriggers OR relhasrules OR relhassubclass AS is_so \
     FROM pg_class WHERE oid = to_regclass($1)";
const SQLITE_ADDED: &str = "SELECT count(*) > 0 AS is_so FROM sqlite_schema \
     WHERE type <> 'table' AND tbl_name = ? COLLATE NOCASE";

/// A table that this process has made for an import.
#[derive(Clone, Debug)]
pub struct Made {
    table: String,
    name: TableName,
    statement: String,
    identity: String,
}

/// Why a table stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is gone, or somebody has replaced it, or changed its columns.
    IsAnother,
    /// It has an index, a trigger or a rule.
    WasChanged,
    /// It has rows.
    HasRows,
    /// Another import into it has not ended.
    IsAwaited,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Nullable<Text>)]
    line: Option<String>,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    is_so: bool,
}

impl Made {
    pub(super) fn make(connection: &mut Connection, table: &str, statement: String) -> Result<Self, Refusal> {
        let name = TableName::read(table, Dialect::of(connection))?;
        let made = transaction::within(connection, |connection| {
            execute(connection, &statement, "create the table").map_err(before_an_import)?;
            let missing = || Failure::named(FailureName::Internal, "the table that was made is not there");
            let identity = identity(connection, &name)?.ok_or_else(missing)?;
            Ok::<_, Failure>(Self { table: table.to_owned(), name, statement, identity })
        });
        Ok(made?)
    }

    /// Its name, as the import gives it.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The statement that made it.
    #[must_use]
    pub fn statement(&self) -> &str {
        &self.statement
    }

    /// Drops the table after its import has failed; else says why it stays. `own` is the import that it was made for. Does
    /// not wait long for those who work with the table.
    ///
    /// # Errors
    /// A [`Failure`] where the database cannot be reached, or does not drop the table.
    pub fn undo(&self, database: &Database, own: &JobId) -> Result<Option<Kept>, Failure> {
        let mut connection = database.connect()?;
        // Before the wait for its lock, which that import may have.
        if self.is_awaited(&mut connection, own)? {
            return Ok(Some(Kept::IsAwaited));
        }
        ledger::wait_briefly(&mut connection)?;
        transaction::within(&mut connection, |connection| {
            if identity(connection, &self.name)?.as_ref() != Some(&self.identity) {
                return Ok(Some(Kept::IsAnother));
            }
            let name = self.name.in_sql();
            if matches!(connection, Connection::Postgres(_)) {
                let lock = format!("LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE");
                execute(connection, &lock, "lock the table that is to be dropped")?;
            }
            if let Some(kept) = self.reason_to_stay(connection, own)? {
                return Ok(Some(kept));
            }
            execute(connection, &format!("DROP TABLE {name}"), "drop the table")?;
            Ok(None)
        })
    }

    fn reason_to_stay(&self, connection: &mut Connection, own: &JobId) -> Result<Option<Kept>, Failure> {
        // It may have been replaced before it was locked.
        if identity(connection, &self.name)?.as_ref() != Some(&self.identity) {
            return Ok(Some(Kept::IsAnother));
        }
        let rows = format!("SELECT EXISTS (SELECT 1 FROM {}) AS is_so", self.name.in_sql());
        let has_rows = match connection {
            Connection::Postgres(connection) => sql_query(rows).load(connection),
            Connection::Sqlite(connection) => sql_query(rows).load(connection),
        };
        if is_so(has_rows)? {
            return Ok(Some(Kept::HasRows));
        }
        let was_changed = match connection {
            Connection::Postgres(connection) => {
                sql_query(POSTGRES_ADDED).bind::<Text, _>(self.name.in_sql()).load(connection)
            }
            Connection::Sqlite(connection) => {
                sql_query(SQLITE_ADDED).bind::<Text, _>(self.name.bare()).load(connection)
            }
        };
        if is_so(was_changed)? {
            return Ok(Some(Kept::WasChanged));
        }
        Ok(self.is_awaited(connection, own)?.then_some(Kept::IsAwaited))
    }

    /// Whether another import is to write into a table of this name, by whatever schema it calls it.
    fn is_awaited(&self, connection: &mut Connection, own: &JobId) -> Result<bool, Failure> {
        // Its own import counts where another execution goes on with it.
        let counts = jobs::id.ne(own.as_str()).or(jobs::status.eq("RUNNING"));
        let others: Vec<(String, String, Option<String>)> = jobs::table
            .filter(jobs::kind.eq(Kind::IMPORT.as_str()))
            .filter(counts.and(jobs::status.ne("SUCCESS")))
            .select((jobs::input, jobs::status, jobs::error))
            .load(connection)
            .map_err(|error| unavailable("look for other imports into the table", &error))?;
        // A failure that passes is tried again.
        let goes_on = |status: &str, error: Option<&str>| {
            let is_of = |name: &FailureName| Some(name.as_str()) == error;
            status != "FAILURE" || FailureName::ALL.iter().any(|name| is_of(name) && name.is_transient())
        };
        let name = fold(self.name.bare());
        let dialect = Dialect::of(connection);
        let is_of = |table: &str| match TableName::read(table, dialect) {
            Ok(other) => fold(other.bare()) == name,
            Err(_) => fold(table) == name,
        };
        let is_of = |input: &str| imports::table_in(input).is_some_and(|table| is_of(&table));
        Ok(others.iter().any(|(input, status, error)| is_of(input) && goes_on(status, error.as_deref())))
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IsAnother => "somebody has dropped, changed or replaced it",
            Self::WasChanged => "somebody has given it an index, a trigger or a rule",
            Self::HasRows => "it has rows of others",
            Self::IsAwaited => "another import into it has not ended",
        })
    }
}

fn identity(connection: &mut Connection, name: &TableName) -> Result<Option<String>, Failure> {
    let lines: QueryResult<Vec<Line>> = match connection {
        Connection::Postgres(connection) => {
            sql_query(POSTGRES_IDENTITY).bind::<Text, _>(name.in_sql()).load(connection)
        }
        Connection::Sqlite(connection) => {
            sql_query(SQLITE_IDENTITY).bind::<Text, _>(name.bare()).load(connection)
        }
    };
    let lines = lines.map_err(|error| database_failure(&error, "look for the table that was made"))?;
    Ok(lines.into_iter().find_map(|line| line.line))
}

fn is_so(answer: QueryResult<Vec<Answer>>) -> Result<bool, Failure> {
    let answers = answer.map_err(|error| database_failure(&error, "look at the table that was made"))?;
    Ok(answers.iter().any(|answer| answer.is_so))
}

/// The failure where there is no import yet that could be redriven.
fn before_an_import(failure: Failure) -> Failure {
    match failure {
        Failure::Named { name, cause, for_log } => Failure::Named {
            name,
            cause: cause.replace("then redrive the import", "then import again"),
            for_log,
        },
        other => other,
    }
}

fn execute(connection: &mut Connection, sql: &str, doing: &str) -> Result<(), Failure> {
    match connection {
        Connection::Postgres(connection) => connection.batch_execute(sql),
        Connection::Sqlite(connection) => connection.batch_execute(sql),
    }
    .map_err(|error| database_failure(&error, doing))
}
