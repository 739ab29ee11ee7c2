//! A table of PostgreSQL, from its catalogue. A domain is
//! followed to the type below it. A type that is not known here is text that only the server can check, so that every
//! column can be filled.

mod empty;
mod find;
mod kind;
#[cfg(test)]
mod tests;

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use super::{Column, Found, Table, quoted};
use crate::db::Session;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::value::{Kind, TruncatingType};

/// A column whose NULL a trigger BEFORE INSERT may fill, or whose row it may leave out, counts as one that takes NULL: the server
/// looks afterwards. A column of a view counts as computed where no value can be written to it.
const COLUMNS: &str = "\
WITH RECURSIVE prepared (may_fill) AS (SELECT EXISTS (
  SELECT FROM pg_catalog.pg_trigger g WHERE g.tgtype & 7 = 7 AND g.tgenabled IN ('O', 'A')
    AND (g.tgrelid = $1::oid OR g.tgrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass))))),
base (number, type, modifier, not_null, has_default) AS (
  SELECT a.attnum, a.atttypid, a.atttypmod, a.attnotnull AND NOT p.may_fill, a.atthasdef OR a.attidentity <> ''
  FROM pg_catalog.pg_attribute a, prepared p WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.number, t.typbasetype, t.typtypmod, b.not_null OR t.typnotnull, b.has_default OR t.typdefault IS NOT NULL
  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
       pg_catalog.format_type(b.type, b.modifier) AS base_type,
       t.typname::text AS base, tn.nspname = 'pg_catalog' AS is_builtin, b.modifier,
       (WITH RECURSIVE element (type) AS (
          SELECT t.typelem WHERE t.typcategory = 'A'
          UNION ALL SELECT d.typbasetype FROM element e JOIN pg_catalog.pg_type d ON d.oid = e.type WHERE d.typtype = 'd')
        SELECT d.typname::text FROM element e JOIN pg_catalog.pg_type d ON d.oid = e.type AND d.typtype <> 'd'
        WHERE d.typnamespace = 'pg_catalog'::regnamespace) AS element,
       (SELECT pg_catalog.pg_encoding_max_length(d.encoding) FROM pg_catalog.pg_database d
        WHERE d.datname = pg_catalog.current_database()) AS character_bytes,
       CASE WHEN t.typtype = 'e' THEN ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
                                            WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) END AS labels,
       b.not_null, b.has_default,
       a.attgenerated <> '' OR (c.relkind = 'v' AND NOT pg_catalog.pg_column_is_updatable(c.oid, a.attnum, false)
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND g.tgtype & 68 = 68)) AS generated,
       a.attidentity = 'a' AS identity_always
FROM base b JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.number
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
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

/// What stands around the table `$1`, one thing a row.
const SURROUNDINGS: &str = "\
SELECT s.name FROM (
  SELECT pg_catalog.format('trigger %s %s %s %s', g.oid, g.tgenabled, g.tgtype, g.tgfoid) AS name
  FROM pg_catalog.pg_trigger g WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal
  UNION ALL SELECT pg_catalog.format('rule %s %s %s %s', r.oid, r.ev_type, r.ev_enabled, r.is_instead)
  FROM pg_catalog.pg_rewrite r WHERE r.ev_class = $1::oid
  UNION ALL SELECT pg_catalog.format('row security %s %s', c.relrowsecurity, c.relforcerowsecurity)
  FROM pg_catalog.pg_class c WHERE c.oid = $1::oid
  UNION ALL SELECT pg_catalog.format('reference %s %s %s', f.oid, f.condeferrable, f.condeferred)
  FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.conrelid = $1::oid) s
ORDER BY 1";

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
    /// What an array is of.
    #[diesel(sql_type = Nullable<Text>)]
    element: Option<String>,
    /// The most bytes that a character has in the database's encoding.
    #[diesel(sql_type = Nullable<Integer>)]
    character_bytes: Option<i32>,
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

impl ColumnRow {
    /// What the type drops of a value, if it drops anything.
    fn truncating(&self, is_unicode: bool) -> Option<Kind> {
        if is_unicode && self.character_bytes == Some(1) && self.is_builtin {
            // SQL_ASCII counts bytes, and of those that are too many cuts the blanks.
            return TruncatingType::of_bytes(&self.base, self.modifier).map(Kind::Truncating);
        }
        let name = self.element.as_deref().or(self.is_builtin.then_some(self.base.as_str()))?;
        let bytes =
            self.character_bytes.filter(|_| !is_unicode).and_then(|bytes| usize::try_from(bytes).ok());
        TruncatingType::of(name, self.element.is_some(), bytes).map(Kind::Truncating)
    }
}

pub(super) fn surroundings(connection: &mut Session, table: &Table) -> Result<Vec<String>, Failure> {
    let rows = sql_query(SURROUNDINGS).bind::<BigInt, _>(i64::from(table.oid)).load::<NameRow>(connection);
    let rows = rows.map_err(|error| database_failure(&error, "read the table's triggers and rules"))?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

pub(super) fn read(connection: &mut Session, name: &str) -> Result<Found, Failure> {
    let failed = |error| database_failure(&error, "read the table's columns");
    let table = match find::find(connection, name)? {
        Ok(table) => table,
        Err(found) => return Ok(found),
    };
    let rows =
        sql_query(COLUMNS).bind::<BigInt, _>(table.oid).load::<ColumnRow>(connection).map_err(failed)?;
    let key =
        sql_query(PRIMARY_KEY).bind::<BigInt, _>(table.oid).load::<NameRow>(connection).map_err(failed)?;
    let is_unicode = connection.is_unicode();
    let mut columns: Vec<_> = rows
        .into_iter()
        .map(|row| Column {
            kind: Some(
                row.truncating(is_unicode)
                    .unwrap_or_else(|| kind::of(&row.base, row.is_builtin, row.modifier, row.labels)),
            ),
            name: row.name,
            type_name: row.type_name,
            base_type: row.base_type,
            nullable: !row.not_null,
            takes_null: !row.not_null,
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
