//! The types of the columns that a file fills, as the server needs them named: to make a table of the same types, and to call
//! a type's own input function, which is what COPY does with a value.

use std::collections::HashMap;

use tokio_postgres::types::Type;

use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::header::Plan;
use crate::import::table::{Table, shown};

/// `$1` the table. A domain is followed to the type below it.
const TYPES: &str = "\
WITH RECURSIVE below (number, type, modifier) AS (
  SELECT a.attnum, a.atttypid, a.atttypmod
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.number, t.typbasetype, t.typtypmod
  FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'),
inputs AS (
  SELECT t.oid, format('%I.%I', n.nspname, p.proname) AS input, p.pronargs::int8 AS arguments,
         format('%I.%I', n2.nspname, p2.proname) AS output,
         CASE WHEN t.typelem <> 0 THEN t.typelem ELSE t.oid END::int8 AS parameter
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_proc p ON p.oid = t.typinput JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_proc p2 ON p2.oid = t.typoutput JOIN pg_catalog.pg_namespace n2 ON n2.oid = p2.pronamespace)
SELECT a.attname::text, t.typtype = 'd',
       pg_catalog.format_type(a.atttypid, a.atttypmod), i.input, i.arguments, i.parameter, a.atttypmod, i.output,
       pg_catalog.format_type(b.type, b.modifier), bi.input, bi.arguments, bi.parameter, b.modifier, bi.output,
       CASE WHEN a.attcollation <> t.typcollation THEN
         (SELECT format(' COLLATE %I.%I', n.nspname, c.collname) FROM pg_catalog.pg_collation c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation)
       ELSE '' END,
       bn.nspname = 'pg_catalog' AND bt.typname !~ '^_?(reg|aclitem)'
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN inputs i ON i.oid = t.oid
JOIN below b ON b.number = a.attnum JOIN pg_catalog.pg_type bt ON bt.oid = b.type AND bt.typtype <> 'd'
JOIN inputs bi ON bi.oid = bt.oid JOIN pg_catalog.pg_namespace bn ON bn.oid = bt.typnamespace
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped";

/// A type, with its modifier.
#[derive(Clone, Debug)]
pub(super) struct SqlType {
    /// As SQL.
    pub(super) name: String,
    input: String,
    arguments: i64,
    parameter: i64,
    modifier: i32,
    output: String,
}

/// The type of a column.
#[derive(Clone, Debug)]
pub(super) struct ColumnType {
    /// The column's own type.
    pub(super) own: SqlType,
    /// The type below its domains; the same where it is no domain.
    pub(super) base: SqlType,
    pub(super) is_domain: bool,
    /// `COLLATE …` where the column has a collation of its own, else empty.
    pub(super) collation: String,
    /// Whether the base type's input has errors of values alone. That of `regclass` says that a table is missing, and an
    /// extension's may say anything.
    pub(super) has_plain_errors: bool,
}

impl SqlType {
    /// SQL that reads a value as COPY does. `text` is an expression of the type cstring.
    pub(super) fn read(&self, text: &str) -> String {
        let Self { input, parameter, modifier, .. } = self;
        match self.arguments {
            1 => format!("{input}({text})"),
            2 => format!("{input}({text}, {parameter}::pg_catalog.oid)"),
            _ => format!("{input}({text}, {parameter}::pg_catalog.oid, {modifier})"),
        }
    }

    /// SQL that writes a value of this type down, as cstring.
    pub(super) fn write(&self, value: &str) -> String {
        format!("{}({value})", self.output)
    }
}

/// The types of the plan's columns, in its order.
pub(super) fn read(session: &mut Session, table: &Table, plan: &Plan) -> Result<Vec<ColumnType>, SqlError> {
    let rows = session.query(TYPES, &[(&i64::from(table.oid), Type::INT8)])?;
    let mut by_name = HashMap::with_capacity(rows.len());
    for row in &rows {
        by_name.insert(row.try_get::<_, &str>(0)?, row);
    }
    let mut types = Vec::with_capacity(plan.columns.len());
    for column in &plan.columns {
        let Some(row) = by_name.get(column.name.as_str()) else {
            return Err(SqlError::Driver(format!("the column {} is gone", shown(&column.name))));
        };
        let type_at = |first: usize| {
            Ok::<_, SqlError>(SqlType {
                name: row.try_get(first)?,
                input: row.try_get(first + 1)?,
                arguments: row.try_get(first + 2)?,
                parameter: row.try_get(first + 3)?,
                modifier: row.try_get(first + 4)?,
                output: row.try_get(first + 5)?,
            })
        };
        types.push(ColumnType {
            own: type_at(2)?,
            base: type_at(8)?,
            is_domain: row.try_get(1)?,
            collation: row.try_get(14)?,
            has_plain_errors: row.try_get(15)?,
        });
    }
    Ok(types)
}
