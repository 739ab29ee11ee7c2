//! SQLite: one prepared statement, executed for each row. Batches of rows in one statement are slower here: the work is
//! the table's tree, not the statement.

use std::borrow::Cow;

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Double, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};

use super::Load;
use crate::db::Connection;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::check::Row;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted};
use crate::import::value::{Value, hex_bytes};

/// Rows on their way into a table.
pub(super) struct Insert {
    /// Up to the values' parenthesis.
    sql: String,
    rows: u64,
    table: String,
}

impl Insert {
    pub(super) fn new(table: &Table, plan: &Plan) -> Self {
        let columns: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        let sql = format!("INSERT INTO {} ({}) VALUES (", table.sql, columns.join(", "));
        Self { sql, rows: 0, table: table.name.clone() }
    }
}

impl Load for Insert {
    fn add(&mut self, connection: &mut Connection, row: &Row<'_>) -> Result<(), Failure> {
        let Connection::Sqlite(connection) = connection else { return Err(super::wrong_database()) };
        let values = row.values.iter().map(Bound::from).collect();
        let inserted = InsertRow { sql: &self.sql, values }
            .execute(connection)
            .map_err(|error| database_failure(&error, &format!("write rows into {:?}", self.table)))?;
        self.rows += inserted as u64;
        Ok(())
    }

    fn finish(self, _: &mut Connection) -> Result<u64, Failure> {
        Ok(self.rows)
    }
}

/// A value in one of SQLite's own types. What SQLite has no type for has the text that its date functions read.
enum Bound<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Blob(Vec<u8>),
}

impl<'a> From<&Value<'a>> for Bound<'a> {
    fn from(value: &Value<'a>) -> Self {
        let text = |text: String| Self::Text(Cow::Owned(text));
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Integer(i64::from(*value)),
            Value::Integer(value) => Self::Integer(*value),
            Value::Float(value) => Self::Real(*value),
            // The check has held every other number to the digits that a binary fraction keeps.
            Value::Decimal(decimal) => match decimal.as_i64() {
                Some(value) => Self::Integer(value),
                None => Self::Real(decimal.text.parse().unwrap_or_default()),
            },
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::Date(day) => text(day.format("%Y-%m-%d").to_string()),
            Value::Time(time) => text(time.format("%H:%M:%S%.f").to_string()),
            Value::Timestamp(timestamp) => text(timestamp.format("%Y-%m-%d %H:%M:%S%.f").to_string()),
            Value::TimestampZone(point) => text(point.format("%Y-%m-%d %H:%M:%S%.f+00:00").to_string()),
            Value::Uuid(uuid) => text(uuid.to_string()),
            Value::Hex(digits) => Self::Blob(hex_bytes(digits).collect()),
        }
    }
}

struct InsertRow<'a> {
    sql: &'a str,
    values: Vec<Bound<'a>>,
}

impl RunQueryDsl<diesel::SqliteConnection> for InsertRow<'_> {}

impl QueryId for InsertRow<'_> {
    // The statement is another for each table; diesel's cache finds it by its text.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Sqlite> for InsertRow<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql(self.sql);
        for (index, value) in self.values.iter().enumerate() {
            if index > 0 {
                pass.push_sql(", ");
            }
            match value {
                Bound::Null => pass.push_bind_param::<Nullable<Text>, Option<&str>>(&None)?,
                Bound::Integer(value) => pass.push_bind_param::<BigInt, _>(value)?,
                Bound::Real(value) => pass.push_bind_param::<Double, _>(value)?,
                Bound::Text(value) => pass.push_bind_param::<Text, str>(value)?,
                Bound::Blob(value) => pass.push_bind_param::<Binary, [u8]>(value)?,
            }
        }
        pass.push_sql(")");
        Ok(())
    }
}
