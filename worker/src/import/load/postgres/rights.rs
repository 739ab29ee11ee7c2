//! What the worker's role must be allowed to do, asked before a row is read: an import that cannot succeed fails at once, with
//! the statements that mend it. What only rows run into (a trigger's own permissions) the database says when they do.

use statemachine::{FailureName, OnConflict};
use tokio_postgres::types::Type;

use super::Upsert;
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::failure::Failure;
use crate::import::header::Plan;
use crate::import::table::{Table, shown};

/// What is missing, as statements. `$1` the table, `$2` the columns that the file fills, `$3` those that an upsert
/// reads, `$4` those that it changes. The second column says whether only rows that wait beside the table need it.
///
/// A default, a check or an index calls its functions, and draws from its sequences, as the role that inserts.
const MISSING: &str = "\
WITH RECURSIVE target AS (
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, n.oid AS schema_oid, quote_ident(n.nspname) AS schema
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid),
columns AS (
  SELECT a.attnum, a.attname, a.atttypid, a.attname::text = ANY ($2) AS is_filled
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped),
wanted (place, action, names) AS (VALUES (1, 'INSERT', $2), (2, 'SELECT', $3), (3, 'UPDATE', $4)),
domains (oid) AS (
  SELECT t.oid FROM columns c JOIN pg_catalog.pg_type t ON t.oid = c.atttypid WHERE t.typtype = 'd'
  UNION SELECT b.oid FROM domains d JOIN pg_catalog.pg_type t ON t.oid = d.oid
  JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype AND b.typtype = 'd'),
expressions (classid, objid) AS (
  SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid FROM pg_catalog.pg_attrdef d
  JOIN columns c ON c.attnum = d.adnum AND NOT c.is_filled WHERE d.adrelid = $1::oid
  UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, con.oid FROM pg_catalog.pg_constraint con
  WHERE con.contype = 'c' AND (con.conrelid = $1::oid OR con.contypid IN (SELECT oid FROM domains))
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = $1::oid),
used (classid, objid) AS (
  SELECT DISTINCT d.refclassid, d.refobjid FROM expressions e
  JOIN pg_catalog.pg_depend d ON d.classid = e.classid AND d.objid = e.objid),
missing (place, is_for_staging, what) AS (
  SELECT 0, false, 'USAGE ON SCHEMA ' || t.schema FROM target t
  WHERE NOT pg_catalog.has_schema_privilege(t.schema_oid, 'USAGE')
  UNION ALL
  SELECT w.place, false, w.action || CASE WHEN pg_catalog.has_any_column_privilege($1::oid, w.action)
    THEN ' (' || string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum) || ')' ELSE '' END || ' ON TABLE ' || t.name
  FROM wanted w CROSS JOIN target t JOIN columns c ON c.attname::text = ANY (w.names)
  WHERE NOT pg_catalog.has_column_privilege($1::oid, c.attnum, w.action) GROUP BY w.place, w.action, t.name
  UNION ALL
  SELECT 4, false, format('USAGE ON SEQUENCE %I.%I', n.nspname, s.relname)
  FROM used u JOIN pg_catalog.pg_class s ON s.oid = u.objid AND s.relkind = 'S'
  JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
  WHERE u.classid = 'pg_catalog.pg_class'::regclass 
    AND CASE WHEN s.relkind = 'S' THEN NOT pg_catalog.has_sequence_privilege(s.oid, 'USAGE, UPDATE') END
  UNION ALL
  SELECT 5, false, format('EXECUTE ON FUNCTION %I.%I(%s)', n.nspname, p.proname,
                          pg_catalog.pg_get_function_identity_arguments(p.oid))
  FROM used u JOIN pg_catalog.pg_proc p ON p.oid = u.objid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE u.classid = 'pg_catalog.pg_proc'::regclass AND NOT pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
  UNION ALL
  SELECT 6, true, 'TEMPORARY ON DATABASE ' || quote_ident(pg_catalog.current_database())
  WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')
  UNION ALL
  SELECT DISTINCT 7, true, 'USAGE ON TYPE ' || pg_catalog.format_type(c.atttypid, NULL) FROM columns c
  WHERE c.is_filled AND NOT pg_catalog.has_type_privilege(c.atttypid, 'USAGE')
  UNION ALL
  SELECT DISTINCT 8, true, 'USAGE ON SCHEMA ' || quote_ident(n.nspname) FROM columns c
  JOIN pg_catalog.pg_type y ON y.oid = c.atttypid JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace
  WHERE c.is_filled AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE'))
SELECT 'GRANT ' || what || ' TO ' || quote_ident(current_user) || ';', is_for_staging FROM missing ORDER BY place, what";

/// What the role may not do.
#[derive(Clone, Debug, Default)]
pub(super) struct Missing {
    /// Needed in any case.
    always: Vec<String>,
    /// Needed where rows wait in a temporary table.
    for_staging: Vec<String>,
}

impl Missing {
    /// Asks what is missing.
    pub(super) fn of(
        session: &mut Session,
        table: &Table,
        plan: &Plan,
        upsert: Option<&Upsert>,
    ) -> Result<Self, SqlError> {
        let filled: Vec<_> = plan.columns.iter().map(|column| column.name.as_str()).collect();
        let mut read = upsert.map(Upsert::key).unwrap_or_default();
        let changed = match upsert {
            Some(upsert) if upsert.on_conflict() == OnConflict::Update => upsert.changed(plan),
            _ => Vec::new(),
        };
        // Whose new value is read must be readable, as PostgreSQL has it.
        read.extend(changed.iter().copied());
        let rows = session.query(
            MISSING,
            &[
                (&i64::from(table.oid), Type::INT8),
                (&filled, Type::TEXT_ARRAY),
                (&read, Type::TEXT_ARRAY),
                (&changed, Type::TEXT_ARRAY),
            ],
        )?;
        let mut missing = Self::default();
        for row in &rows {
            let (grant, is_for_staging): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
            // What both need comes first as what is needed in any case.
            if is_for_staging && !missing.always.contains(&grant) {
                missing.for_staging.push(grant);
            } else if !is_for_staging {
                missing.always.push(grant);
            }
        }
        Ok(missing)
    }

    /// The failure where something is missing without which no row can be written. `is_staged`: all rows wait in a temporary
    /// table.
    pub(super) fn check(&self, table: &Table, is_staged: bool) -> Result<(), Failure> {
        let what = format!(
            "the worker's database user may not write into {} as this import asks",
            shown(&table.name)
        );
        let for_staging = if is_staged { self.for_staging.as_slice() } else { &[] };
        refuse(&what, self.always.iter().chain(for_staging))
    }

    /// The failure where rows are to wait in a temporary table, and may not.
    pub(super) fn check_staging(&self, table: &Table) -> Result<(), Failure> {
        let what = format!(
            "the database refuses rows of this file, and the worker's database user may make no temporary table like {} to \
             find out which",
            shown(&table.name)
        );
        refuse(&what, self.for_staging.iter())
    }
}

fn refuse<'g>(what: &str, grants: impl Iterator<Item = &'g String>) -> Result<(), Failure> {
    let grants: Vec<_> = grants.map(String::as_str).collect();
    if grants.is_empty() {
        return Ok(());
    }
    let cause = format!(
        "{what}; let the owner of the database run the following, then redrive the import:\n{}",
        grants.join("\n")
    );
    Err(Failure::named(FailureName::DatabaseMisconfigured, cause))
}
