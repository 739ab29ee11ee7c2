//! The statements of a load, through diesel's cache of prepared ones. Diesel finds a statement by its text, and to build that
//! text for each row takes as long as the row; so these go by a type each instead, which names one text for as long as a
//! load lasts.

use diesel::connection::{CacheSize, Connection as _, SimpleConnection as _};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Double, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

use crate::import::form::native::Native;
use crate::import::table::quoted;

/// Where the keys of the file are remembered.
const SEEN: &str = "temp.\"baton keys\"";

/// Statements that begin anew: whatever the connection had prepared is forgotten, so that no text of an earlier load stands
/// behind their types.
pub(super) struct Statements(());

/// A statement with values to be bound.
pub(super) struct Statement {
    /// Up to the values' parenthesis, and what stands behind it.
    sql: (String, String),
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Insert,
    Remember,
}

impl Statements {
    pub(super) fn fresh(connection: &mut SqliteConnection) -> Self {
        connection.set_prepared_statement_cache_size(CacheSize::Disabled);
        connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
        Self(())
    }

    /// `INSERT INTO table (columns)`, and what is done about a conflict.
    pub(super) fn insert(&self, insert: &str, conflict: &str) -> Statement {
        Statement { sql: (format!("{insert} VALUES ("), format!("){conflict}")), kind: Kind::Insert }
    }

    /// Remembers keys: it changes a row for each that is new. One with NULL in it is new each time.
    pub(super) fn remember(
        &self,
        connection: &mut SqliteConnection,
        key: &[String],
    ) -> QueryResult<Statement> {
        let names: Vec<_> = key.iter().map(|name| quoted(name)).collect();
        let names = names.join(", ");
        connection.batch_execute(&format!(
            "DROP TABLE IF EXISTS {SEEN}; CREATE TEMPORARY TABLE \"baton keys\" ({names}, UNIQUE ({names}))"
        ))?;
        let insert = format!("INSERT OR IGNORE INTO {SEEN} ({names}) VALUES (");
        Ok(Statement { sql: (insert, ")".to_owned()), kind: Kind::Remember })
    }
}

impl Statement {
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
        }
    }

    /// The statement with so many NULLs, to be read and not executed.
    pub(super) fn with_nulls(&self, columns: usize) -> String {
        format!("{}{}{}", self.sql.0, vec!["NULL"; columns].join(", "), self.sql.1)
    }

    /// Forgets the key that was new just now: its row was refused.
    pub(super) fn take_back(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        connection.batch_execute(&format!("DELETE FROM {SEEN} WHERE rowid = (SELECT max(rowid) FROM {SEEN})"))
    }

    /// Forgets the keys.
    pub(super) fn forget(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        connection.batch_execute(&format!("DROP TABLE IF EXISTS {SEEN}"))
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
statement_types!(Inserted, Remembered);
