//! Settings of a session that its later statements depend on, and that any function may change which a row calls: a trigger, a
//! default, a check. They are remembered before the first row, and set again behind each savepoint that rows were written in.

use super::error::SqlError;
use super::session::Session;

/// The settings, in the order in which they are set again: a session has a role only as the user that it is.
///
/// Who it is and where it looks for tables comes first: Baton's own tables are written by the last statements. Then how the
/// values of the rows that follow are read, whether triggers and keys are heeded for them, and how long a statement may take.
/// A setting that means something to a trigger alone stays as the trigger leaves it.
const KEPT: [&str; 17] = [
    "session_authorization",
    "role",
    "search_path",
    "client_encoding",
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "lc_monetary",
    "xmloption",
    "array_nulls",
    "standard_conforming_strings",
    "session_replication_role",
    "row_security",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
];

/// SQL for the rows of their names and values, as a list of `VALUES`. A version does not know them all.
fn values() -> String {
    let names = KEPT.map(|name| format!("'{name}'")).join(", ");
    format!(
        "SELECT pg_catalog.string_agg(pg_catalog.format('(%L, %L)', k.name, pg_catalog.current_setting(k.name, true)), ', ' \
           ORDER BY k.place) \
         FROM pg_catalog.unnest(ARRAY[{names}]) WITH ORDINALITY k(name, place) \
         WHERE pg_catalog.current_setting(k.name, true) IS NOT NULL"
    )
}

/// How a session comes back to what it was.
#[derive(Clone, Debug)]
pub(super) struct WayBack {
    /// What a `SELECT`, or a `PERFORM`, takes.
    settings: String,
    /// What has constraints checked, as SQL; empty where those that are deferred wait.
    pub(super) check: String,
}

/// A constraint that a trigger has deferred is checked, and is immediate again: at the commit nothing could be said of its rows.
pub(super) const IMMEDIATE: &str = "SET CONSTRAINTS ALL IMMEDIATE; ";

/// `$1` a table: the deferred constraints of it and of its partitions, as a list. One whose name another constraint of its schema
/// has, which is not deferred, cannot be named.
pub(super) const DEFERRED: &str = "\
SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, con.conname), ', ')
FROM pg_catalog.pg_constraint con JOIN pg_catalog.pg_namespace n ON n.oid = con.connamespace
WHERE con.condeferred
  AND (con.conrelid = $1::oid OR con.conrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) p))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint other WHERE other.connamespace = con.connamespace
                  AND other.conname = con.conname AND NOT other.condeferred)";

impl WayBack {
    /// The way back as statements.
    pub(super) fn sql(&self) -> String {
        format!("{}SELECT {}", self.check, self.settings)
    }

    /// The way back as statements of PL/pgSQL.
    pub(super) fn plpgsql(&self) -> String {
        format!("{}PERFORM {};", self.check, self.settings)
    }
}

/// The way back to what the session is now. Only what differs is set: the right to set the rest may be missing.
pub(super) fn way_back(session: &mut Session) -> Result<WayBack, SqlError> {
    let rows = session.query(&values(), &[])?;
    let values: String = rows.first().map_or(Ok(String::new()), |row| row.try_get(0))?;
    let settings = format!(
        "pg_catalog.set_config(k.name, k.value, false) FROM (VALUES {values}) k(name, value) \
         WHERE pg_catalog.current_setting(k.name) OPERATOR(pg_catalog.<>) k.value"
    );
    Ok(WayBack { settings, check: String::new() })
}
