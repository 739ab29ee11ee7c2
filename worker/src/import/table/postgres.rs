//! A table of PostgreSQL, from its catalogue. A name without a schema is looked up along the search path; a domain is
//! followed to the type below it. A type that is not known here is text that only the server can check, so that every
//! column can be filled.

mod empty;
mod kind;
#[cfg(test)]
mod tests;

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use super::{Column, Found, Table, quoted};
use crate::db::OWN_TABLES;
use crate::db::Session;
use crate::db::failure::database_failure;
use crate::failure::Failure;

/// `$1` and `$2`: schema, or NULL for the search path, and name.
const FIND: &str = "\
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       pg_catalog.current_setting('server_version_num')::int AS server,
       EXISTS (SELECT FROM unnest(string_to_array($3, ',')) AS own WHERE to_regclass(own) = c.oid) AS is_own
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname::text = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN $1 IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname::text = $1 END";

const OTHERS: &str = "\
SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname::text
            ELSE n.nspname::text || '.' || c.relname::text END AS name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1 LIMIT 10000";

const COLUMNS: &str = "\
WITH RECURSIVE base (number, type, modifier, not_null, has_default) AS (
  SELECT a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef OR a.attidentity <> ''
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.number, t.typbasetype, t.typtypmod, b.not_null OR t.typnotnull, b.has_default OR t.typdefault IS NOT NULL
  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
       pg_catalog.format_type(b.type, b.modifier) AS base_type,
       t.typname::text AS base, tn.nspname = 'pg_catalog' AS is_builtin, b.modifier,
       CASE WHEN t.typtype = 'e' THEN ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
                                            WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) END AS labels,
       b.not_null, b.has_default, a.attgenerated <> '' AS generated, a.attidentity = 'a' AS identity_always
FROM base b JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.number
JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
ORDER BY b.number";

/// An index may have columns that are no part of its key, behind those that are.
const PRIMARY_KEY: &str = "\
SELECT a.attname::text AS name
FROM pg_catalog.pg_index i, unnest(i.indkey) WITH ORDINALITY AS key (number, place), pg_catalog.pg_attribute a
WHERE i.indrelid = $1::oid AND i.indisprimary AND key.place <= i.indnkeyatts
  AND a.attrelid = i.indrelid AND a.attnum = key.number
ORDER BY key.place";

#[derive(QueryableByName)]
struct TableRow {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    schema: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    server: i32,
    #[diesel(sql_type = Bool)]
    is_own: bool,
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    type_name: String,
    #[diesel(sql_type = Text)]
    base_type: String,
    #[diesel(sql_type = Text)]
    base: String,
    #[diesel(sql_type = Bool)]
    is_builtin: bool,
    #[diesel(sql_type = Integer)]
    modifier: i32,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    labels: Option<Vec<String>>,
    #[diesel(sql_type = Bool)]
    not_null: bool,
    #[diesel(sql_type = Bool)]
    has_default: bool,
    #[diesel(sql_type = Bool)]
    generated: bool,
    #[diesel(sql_type = Bool)]
    identity_always: bool,
}

pub(super) fn read(connection: &mut Session, name: &str) -> Result<Found, Failure> {
    let failed = |error| database_failure(&error, "read the table's columns");
    let (schema, bare) = match name.split_once('.') {
        Some((schema, bare)) => (Some(schema), bare),
        None => (None, name),
    };
    let tables = sql_query(FIND)
        .bind::<Nullable<Text>, _>(schema)
        .bind::<Text, _>(bare)
        .bind::<Text, _>(OWN_TABLES.join(","))
        .load::<TableRow>(connection)
        .map_err(failed)?;
    let Some(table) = tables.into_iter().next() else {
        let others = sql_query(OTHERS).load::<NameRow>(connection).map_err(failed)?;
        return Ok(Found::Missing { others: others.into_iter().map(|row| row.name).collect() });
    };
    if table.is_own || table.schema.starts_with("pg_") || table.schema == "information_schema" {
        return Ok(Found::Reserved);
    }
    match table.kind.as_str() {
        "r" | "p" => {}
        "v" => return Ok(Found::NotATable { what: "a view" }),
        "m" => return Ok(Found::NotATable { what: "a materialized view" }),
        _ => return Ok(Found::NotATable { what: "a foreign table" }),
    }
    let rows =
        sql_query(COLUMNS).bind::<BigInt, _>(table.oid).load::<ColumnRow>(connection).map_err(failed)?;
    let key =
        sql_query(PRIMARY_KEY).bind::<BigInt, _>(table.oid).load::<NameRow>(connection).map_err(failed)?;
    let mut columns: Vec<_> = rows
        .into_iter()
        .map(|row| Column {
            kind: Some(kind::of(&row.base, row.is_builtin, row.modifier, row.labels)),
            name: row.name,
            type_name: row.type_name,
            base_type: row.base_type,
            nullable: !row.not_null,
            has_default: row.has_default,
            generated: row.generated,
            identity_always: row.identity_always,
            takes_empty: false,
        })
        .collect();
    empty::find(connection, &mut columns);
    Ok(Found::Table(Table {
        name: name.to_owned(),
        sql: format!("{}.{}", quoted(&table.schema), quoted(&table.name)),
        // An oid is a number of 32 bits, which SQL has no type of its own for.
        oid: u32::try_from(table.oid).unwrap_or(0),
        server: u32::try_from(table.server).ok(),
        primary_key: key.into_iter().map(|row| row.name).collect(),
        columns,
    }))
}
