//! Refused rows found by a query: all staged rows that break a constraint, found and taken out by one. Only what can be told
//! of each row by itself is told here, so that the order of the rows decides nothing; which of several rows of the file keeps
//! a key is a question of its own. Where a query cannot tell (a constraint on columns that the file does not fill), nothing
//! is found.

use std::borrow::Cow;

use super::constraint::{Constraint, ForeignKey, Kind};
use super::index::Index;
use super::partition::Bounds;
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

/// Where the rows are to go.
#[derive(Clone, Copy)]
pub(super) struct Destination<'a> {
    pub(super) table: &'a Table,
    /// The rows that the table's keys are about, as SQL.
    pub(super) own_rows: &'a str,
    pub(super) plan: &'a Plan,
}

/// Whether a row `t` that is seen was written by this transaction or one within it: every other one that is still under way
/// is not seen. The age of a transaction counts back from this one.
pub(super) const WRITTEN_HERE: &str = "CASE WHEN pg_catalog.age(t.xmin) <= 0 THEN \
     pg_catalog.txid_status(pg_catalog.txid_current() - pg_catalog.age(t.xmin)) = 'in progress' END";

/// Takes out the staged rows that break the constraint whatever the other staged rows are: of those of which `which` is true,
/// as SQL for the row `s`.
pub(super) fn take(
    session: &mut Session,
    constraint: &Constraint,
    into: Destination<'_>,
    which: &str,
) -> Result<Vec<Culprits>, SqlError> {
    let mut culprits = Vec::new();
    let bounds = constraint.bounds.as_deref().unwrap_or("true");
    for Question { test, reason, says } in questions(session, constraint, into)? {
        let records = delete(session, &format!("({test}) AND ({bounds}) AND {which}"))?;
        if !records.is_empty() {
            culprits.push(Culprits { records, reason, says });
        }
    }
    Ok(culprits)
}

/// What is asked of each staged row `s`.
struct Question {
    /// Whether it breaks the constraint, as SQL.
    test: String,
    reason: Reason,
    says: Cow<'static, str>,
}

fn questions(
    session: &mut Session,
    constraint: &Constraint,
    Destination { table, own_rows, plan }: Destination<'_>,
) -> Result<Vec<Question>, SqlError> {
    let question = |test, reason, says| Question { test, reason, says };
    if !constraint.is_filled_by(plan) {
        return Ok(Vec::new());
    }
    Ok(match &constraint.kind {
        Kind::Unique(Some(index)) => {
            let says = |there| constraint.has_known_key(there);
            let there = |which| has_known_key(index, own_rows, which);
            vec![
                // An earlier batch of this file has brought them.
                question(there(WRITTEN_HERE), Reason::Unique, says("also in an earlier row of the file")),
                question(there("true"), Reason::Unique, says("in the table already")),
            ]
        }
        // Policies hide rows from a query that they do not hide from the constraint.
        Kind::ForeignKey(key) if key.is_hidden || key.is_of_periods => Vec::new(),
        Kind::ForeignKey(key) => {
            let columns = &constraint.columns;
            let (one, all) = (have_values(columns, " OR "), have_values(columns, " AND "));
            let is_orphan = format!("{all} AND {}", has_no_parent(key, columns, plan));
            let has_some_alone = format!("{} AND ({one}) AND NOT ({all})", key.is_full);
            vec![
                question(is_orphan, Reason::ForeignKey, constraint.is_orphan(&key.parent)),
                question(has_some_alone, Reason::ForeignKey, constraint.has_some_alone().into()),
            ]
        }
        Kind::Check(expression) => {
            let says = format!("breaks the check {expression}");
            vec![question(format!("NOT ({expression})"), Reason::Check, says.into())]
        }
        Kind::Partition => {
            let bounds = Bounds::read(session, table)?.into_iter();
            let outside =
                |Bounds { hold, says }| question(format!("({hold}) IS NOT TRUE"), Reason::Check, says.into());
            bounds.map(outside).collect()
        }
        Kind::Unique(None) | Kind::Other => Vec::new(),
    })
}

/// Whether the table has a row of the same key, of which `which` is true.
fn has_known_key(index: &Index, own_rows: &str, which: &str) -> String {
    let (staged, there) = (index.rows(STAGING, RECORD), index.rows(own_rows, "xmin"));
    let is_same = index.computed().is_same_key("t", "s");
    format!(
        "s.{RECORD} IN (SELECT s.{RECORD} FROM {staged} s WHERE EXISTS (SELECT FROM {there} t WHERE {is_same} AND {which}))"
    )
}

/// Whether there is no row that it could refer to by these columns.
fn has_no_parent(key: &ForeignKey, columns: &[String], plan: &Plan) -> String {
    let refers = key.refers("t", "s", columns);
    let mut test = format!("NOT EXISTS (SELECT FROM {} t WHERE {refers})", key.parent_rows);
    // Rows of one statement may refer to each other.
    let is_filled = |name: &String| plan.columns.iter().any(|column| column.name == *name);
    if key.is_own && key.parent_columns.iter().all(is_filled) {
        test.push_str(&format!(" AND NOT EXISTS (SELECT FROM {STAGING} t WHERE {refers})"));
    }
    test
}

/// Takes out the staged rows whose key an earlier staged row has. It keeps the key only if it is written in the end: that
/// has to be tried, and undone where it is not so.
pub(super) fn take_later_of_a_key(
    session: &mut Session,
    constraint: &Constraint,
    index: &Index,
) -> Result<Culprits, SqlError> {
    let (staged, computed) = (index.rows(STAGING, RECORD), index.computed());
    let (key, is_key) = (computed.key("s"), computed.is_key("s"));
    let test = format!(
        "{RECORD} IN (SELECT record FROM (SELECT {RECORD} AS record, row_number() OVER (PARTITION BY {key} ORDER BY {RECORD}) \
         AS number FROM {staged} s WHERE {is_key}) d WHERE number > 1)"
    );
    let says = constraint.has_known_key("also in an earlier row of the file");
    Ok(Culprits { records: delete(session, &test)?, reason: Reason::Unique, says })
}

fn have_values(columns: &[String], and_or: &str) -> String {
    let tests: Vec<_> = columns.iter().map(|column| format!("s.{} IS NOT NULL", quoted(column))).collect();
    tests.join(and_or)
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
