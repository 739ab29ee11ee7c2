//! The statements of a load, through diesel's cache of prepared ones. Diesel finds a statement by its text, and to build that
//! text for each row takes as long as the row; so the usual ones go by a type each instead, which names one text for as long
//! as a load lasts.

use diesel::connection::{CacheSize, Connection as _};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::OptionalExtension as _;
use diesel::sql_types::{BigInt, Binary, Double, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

use crate::import::form::native::Native;

/// A statement with values to be bound, on one connection. At most one of each named kind.
pub(super) struct Statement {
    /// Up to the values, and what stands behind them.
    sql: (String, String),
    kind: Kind,
}

/// What diesel knows a statement by.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Writes a row.
    Insert,
    /// Remembers a row.
    Remember,
    /// Looks for a row.
    Look,
    /// Opens a row's savepoint.
    Open,
    /// Closes it.
    Close,
    /// Has no name: known by its text.
    Other,
}

/// Forgets whatever the connection had prepared, so that no text of an earlier load stands behind the kinds.
pub(super) fn forget_prepared(connection: &mut SqliteConnection) {
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
}

impl Statement {
    /// `before`, the values with commas between them, `after`.
    pub(super) fn new(kind: Kind, before: impl Into<String>, after: impl Into<String>) -> Self {
        Self { sql: (before.into(), after.into()), kind }
    }

    /// Executes it, and returns how many rows it changed.
    pub(super) fn execute(
        &self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
    ) -> QueryResult<usize> {
        let row = Row { sql: &self.sql, values };
        match self.kind {
            Kind::Insert => Inserted(row).execute(connection),
            Kind::Remember => Remembered(row).execute(connection),
            Kind::Open => Opened(row).execute(connection),
            Kind::Close => Closed(row).execute(connection),
            Kind::Look | Kind::Other => row.execute(connection),
        }
    }

    /// Whether it finds anything: for a query of one whole number.
    pub(super) fn finds(
        &self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
    ) -> QueryResult<bool> {
        let row = Row { sql: &self.sql, values };
        let found = match self.kind {
            Kind::Look => Looked(row).get_result::<i32>(connection),
            _ => row.get_result::<i32>(connection),
        };
        Ok(found.optional()?.is_some())
    }

    /// The statement with so many NULLs, to be read and not executed.
    pub(super) fn with_nulls(&self, columns: usize) -> String {
        format!("{}{}{}", self.sql.0, vec!["NULL"; columns].join(", "), self.sql.1)
    }
}

struct Row<'a> {
    sql: &'a (String, String),
    values: &'a [Native<'a>],
}

impl Row<'_> {
    fn walk<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql(&self.sql.0);
        for (index, value) in self.values.iter().enumerate() {
            if index > 0 {
                pass.push_sql(", ");
            }
            match value {
                Native::Null => pass.push_bind_param::<Nullable<Text>, Option<&str>>(&None)?,
                Native::Integer(value) => pass.push_bind_param::<BigInt, _>(value)?,
                Native::Real(value) => pass.push_bind_param::<Double, _>(value)?,
                Native::Text(value) => pass.push_bind_param::<Text, str>(value)?,
                Native::Blob(value) => pass.push_bind_param::<Binary, [u8]>(value)?,
            }
        }
        pass.push_sql(&self.sql.1);
        Ok(())
    }
}

impl QueryFragment<Sqlite> for Row<'_> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk(pass)
    }
}

impl QueryId for Row<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Row<'_> {
    type SqlType = Integer;
}

impl RunQueryDsl<SqliteConnection> for Row<'_> {}

macro_rules! statement_types {
    ($($name:ident),*) => {$(
        struct $name<'a>(Row<'a>);

        impl RunQueryDsl<SqliteConnection> for $name<'_> {}

        impl QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl QueryFragment<Sqlite> for $name<'_> {
            fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                self.0.walk(pass)
            }
        }
    )*};
}
statement_types!(Inserted, Remembered, Looked, Opened, Closed);

impl Query for Looked<'_> {
    type SqlType = Integer;
}
