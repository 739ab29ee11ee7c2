//! A table of PostgreSQL, from its catalogue. A name without a schema is looked up along the search path; a domain is
//! followed to the type below it.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};

use super::{Column, Found, OWN_TABLES, Table, quoted};
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::value::{DecimalLimits, Kind, Width};

/// Digits behind a second's point where the type names none: microseconds.
const SECOND_DIGITS: u8 = 6;

/// `$1` and `$2`: schema, or NULL for the search path, and name.
const FIND: &str = "\
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       has_table_privilege(c.oid, 'INSERT') OR has_any_column_privilege(c.oid, 'INSERT') AS may_insert,
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
       t.typname::text AS base, tn.nspname = 'pg_catalog' AS is_builtin, b.modifier,
       b.not_null, b.has_default, a.attgenerated <> '' AS generated
FROM base b JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.number
JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
ORDER BY b.number";

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
    #[diesel(sql_type = Bool)]
    may_insert: bool,
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
    base: String,
    #[diesel(sql_type = Bool)]
    is_builtin: bool,
    #[diesel(sql_type = Integer)]
    modifier: i32,
    #[diesel(sql_type = Bool)]
    not_null: bool,
    #[diesel(sql_type = Bool)]
    has_default: bool,
    #[diesel(sql_type = Bool)]
    generated: bool,
}

pub(super) fn read(connection: &mut PgConnection, name: &str) -> Result<Found, Failure> {
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
    if !table.may_insert {
        return Ok(Found::NoPrivilege);
    }
    let rows =
        sql_query(COLUMNS).bind::<BigInt, _>(table.oid).load::<ColumnRow>(connection).map_err(failed)?;
    let columns = rows
        .into_iter()
        .map(|row| Column {
            kind: kind_of(&row.base, row.is_builtin, row.modifier),
            name: row.name,
            type_name: row.type_name,
            nullable: !row.not_null,
            has_default: row.has_default,
            generated: row.generated,
        })
        .collect();
    let sql = format!("{}.{}", quoted(&table.schema), quoted(&table.name));
    Ok(Found::Table(Table {
        name: name.to_owned(),
        sql,
        columns,
        oid: u32::try_from(table.oid).unwrap_or(0),
        primary_key: vec!["id".to_owned()],
    }))
}

/// What a column of this type takes. The modifier is the type's own encoding of lengths; -1 where there is none.
fn kind_of(base: &str, is_builtin: bool, modifier: i32) -> Option<Kind> {
    // A modifier counts the four bytes of the value's length header with it.
    let length = modifier.checked_sub(4).filter(|&length| length >= 0);
    let digits = u8::try_from(modifier).unwrap_or(SECOND_DIGITS);
    if !is_builtin {
        // Of an extension; its binary form is text's.
        return (base == "citext").then_some(Kind::Text { max_characters: None });
    }
    Some(match base {
        "bool" => Kind::Boolean,
        "int2" => Kind::Integer(Width::Two),
        "int4" => Kind::Integer(Width::Four),
        "int8" => Kind::Integer(Width::Eight),
        "float4" => Kind::Float { single: true, special: true },
        "float8" => Kind::Float { single: false, special: true },
        "numeric" => Kind::Decimal(DecimalLimits { declared: length.map(numeric_limits), significant: None }),
        "text" => Kind::Text { max_characters: None },
        "varchar" | "bpchar" => {
            Kind::Text { max_characters: length.and_then(|length| u32::try_from(length).ok()) }
        }
        "date" => Kind::Date,
        "time" => Kind::Time(digits),
        "timestamp" => Kind::Timestamp(digits),
        "timestamptz" => Kind::TimestampZone(digits),
        "uuid" => Kind::Uuid,
        "json" => Kind::Json,
        "jsonb" => Kind::Jsonb,
        "bytea" => Kind::Bytes,
        _ => return None,
    })
}

/// Precision in the upper half, scale in the lower eleven bits, with a sign since PostgreSQL 15.
fn numeric_limits(modifier: i32) -> (u16, i16) {
    let precision = (modifier >> 16) & 0xFFFF;
    let scale = ((modifier & 0x7FF) ^ 0x400) - 0x400;
    (u16::try_from(precision).unwrap_or(u16::MAX), i16::try_from(scale).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_read_as_the_server_writes_them() {
        let decimal = |base, modifier| match kind_of(base, true, modifier) {
            Some(Kind::Decimal(limits)) => limits.declared,
            other => panic!("{other:?}"),
        };
        assert_eq!(decimal("numeric", (10 << 16 | 2) + 4), Some((10, 2)));
        assert_eq!(decimal("numeric", (2 << 16 | (0x7FF & -2)) + 4), Some((2, -2)));
        assert_eq!(decimal("numeric", -1), None);
        assert_eq!(kind_of("varchar", true, 24), Some(Kind::Text { max_characters: Some(20) }));
        assert_eq!(kind_of("text", true, -1), Some(Kind::Text { max_characters: None }));
        assert_eq!(kind_of("timestamp", true, 0), Some(Kind::Timestamp(0)));
        assert_eq!(kind_of("timestamptz", true, -1), Some(Kind::TimestampZone(6)));
        assert_eq!(kind_of("int4range", true, -1), None);
    }
}
