//! All staged rows that break a constraint, found and taken out by one query. Only what can be told of each row by itself is
//! told here, so that the order of the rows decides nothing; which of several rows of the file keeps a key is a question of
//! its own. Where a query cannot tell (a constraint on columns that the file does not fill, an expression, a partial index),
//! nothing is found.

use std::borrow::Cow;

use super::constraint::{Constraint, Kind};
use super::index::Index;
use super::staging::{RECORD, STAGING};
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::header::Plan;
use crate::import::reject::Reason;
use crate::import::table::{Table, quoted};

/// Rows that break a constraint in one way.
pub(super) struct Culprits {
    /// In the file's order.
    pub(super) records: Vec<u64>,
    pub(super) reason: Reason,
    pub(super) says: Cow<'static, str>,
}

/// Whether a row `t` that is seen was written by this transaction or one within it: every other one that is still under way
/// is not seen. The age of a transaction counts back from this one.
pub(super) const WRITTEN_HERE: &str = "CASE WHEN pg_catalog.age(t.xmin) <= 0 THEN \
     pg_catalog.txid_status(pg_catalog.txid_current() - pg_catalog.age(t.xmin)) = 'in progress' END";

/// Takes out the staged rows that break the constraint whatever the other staged rows are.
pub(super) fn take(
    session: &mut Session,
    constraint: &Constraint,
    table: &Table,
    plan: &Plan,
) -> Result<Vec<Culprits>, SqlError> {
    if !constraint.is_filled_by(plan) {
        return Ok(Vec::new());
    }
    let is_filled = |name: &String| plan.columns.iter().any(|column| column.name == *name);
    let mut culprits = match &constraint.kind {
        Kind::Unique(Some(index)) => take_known_keys(session, constraint, index, table)?,
        Kind::ForeignKey { parent, is_own, parent_columns, .. } => {
            let Some(refers) = constraint.refers("t", "s") else { return Ok(Vec::new()) };
            let mut test = format!(
                "{} AND NOT EXISTS (SELECT FROM {parent} t WHERE {refers})",
                have_values(constraint.columns.iter().map(String::as_str))
            );
            // Rows of one statement may refer to each other.
            if *is_own && parent_columns.iter().all(is_filled) {
                test.push_str(&format!(" AND NOT EXISTS (SELECT FROM {STAGING} t WHERE {refers})"));
            }
            let says = constraint.is_orphan(parent);
            vec![Culprits { records: delete(session, &test)?, reason: Reason::ForeignKey, says }]
        }
        Kind::Check(expression) => {
            let records = delete(session, &format!("NOT ({expression})"))?;
            vec![Culprits {
                records,
                reason: Reason::Check,
                says: format!("breaks the check {expression}").into(),
            }]
        }
        Kind::Unique(None) | Kind::Other => Vec::new(),
    };
    culprits.retain(|culprits| !culprits.records.is_empty());
    Ok(culprits)
}

fn take_known_keys(
    session: &mut Session,
    constraint: &Constraint,
    index: &Index,
    table: &Table,
) -> Result<Vec<Culprits>, SqlError> {
    let is_same = index.is_same_key("t", "s");
    let there = |which: &str| format!("EXISTS (SELECT FROM {} t WHERE {is_same}{which})", table.sql);
    // An earlier batch of this file has brought them.
    let in_file = delete(session, &there(&format!(" AND {WRITTEN_HERE}")))?;
    let in_table = delete(session, &there(""))?;
    let culprits = |records, says: &str| Culprits {
        records,
        reason: Reason::Unique,
        says: constraint.has_known_key(says),
    };
    Ok(vec![
        culprits(in_table, "in the table already"),
        culprits(in_file, "also in an earlier row of the file"),
    ])
}

/// Takes out the staged rows whose key an earlier staged row has. It keeps the key only if it is written in the end: that
/// has to be tried, and undone where it is not so.
pub(super) fn take_later_of_a_key(
    session: &mut Session,
    constraint: &Constraint,
    index: &Index,
) -> Result<Culprits, SqlError> {
    let key = index.key("s");
    let have_values = index.is_key("s");
    let test = format!(
        "{RECORD} IN (SELECT record FROM (SELECT {RECORD} AS record, row_number() OVER (PARTITION BY {key} ORDER BY {RECORD}) \
         AS number FROM {STAGING} s WHERE {have_values}) d WHERE number > 1)"
    );
    let says = constraint.has_known_key("also in an earlier row of the file");
    Ok(Culprits { records: delete(session, &test)?, reason: Reason::Unique, says })
}

fn have_values<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let tests: Vec<_> = columns.map(|column| format!("s.{} IS NOT NULL", quoted(column))).collect();
    tests.join(" AND ")
}

/// Takes out the staged rows `s` of which `test` is true. Their records come in one value: a row for each would take many
/// times the memory.
fn delete(session: &mut Session, test: &str) -> Result<Vec<u64>, SqlError> {
    let rows = session.query(
        &format!(
            "WITH gone AS (DELETE FROM {STAGING} s WHERE {test} RETURNING {RECORD} AS record) \
             SELECT coalesce(pg_catalog.array_agg(record ORDER BY record), '{{}}') FROM gone"
        ),
        &[],
    )?;
    let records: Vec<i64> = rows.first().map_or(Ok(Vec::new()), |row| row.try_get(0))?;
    Ok(records.into_iter().map(i64::unsigned_abs).collect())
}
