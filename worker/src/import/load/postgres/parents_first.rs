//! The order in which rows are tried that refer to rows of the same table: a row comes after the one that it refers to. PostgreSQL
//! holds each statement to a foreign key, so that a row which is tried before its parent would be refused. It is the file's
//! order, in which a row that refers to a later one moves to right behind that. The rows of one key stay in their order. Rows that
//! refer to each other in a circle stand together where the last of them is.

pub(super) mod circles;

use super::by_trying::block;
use super::constraint::{self, Constraint, Kind};
use super::refused_records::REFUSED;
use super::staging::{RECORD, STAGING};
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted};

/// How the staged rows are numbered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// As in the file.
    #[default]
    OfTheFile,
    /// A row behind those that it refers to.
    ParentsFirst,
    /// The same, and some refer to each other in a circle.
    WithCircles,
}

/// PL/pgSQL: each key is one step further than the keys that its rows refer to, and at the earliest where their last row is.
/// Who waits for no other key is freed.
const STEPS: &str = "\
DECLARE reached pg_catalog.int4 := 0;
BEGIN
  LOOP
    UPDATE pg_temp.\"baton steps\" s SET waits = s.waits - f.freed, place = greatest(s.place, f.place),
      step = CASE WHEN s.waits = f.freed THEN reached + 1 END
    FROM (SELECT r.child, pg_catalog.count(DISTINCT r.parent) AS freed, pg_catalog.max(p.place) AS place
          FROM pg_temp.\"baton steps\" p JOIN pg_temp.\"baton references\" r ON r.parent = p.leader
          WHERE p.step = reached GROUP BY r.child) f
    WHERE s.leader = f.child;
    EXIT WHEN NOT FOUND;
    reached := reached + 1;
  END LOOP;
END";

/// Numbers the staged rows anew, where that is called for. Returns how they are numbered then.
///
/// `key` is what rows have in common that are to stay in the file's order, and whether a row has it, as SQL for the row `s`.
pub(super) fn sort(
    session: &mut Session,
    table: &Table,
    plan: &Plan,
    key: Option<(String, String)>,
) -> Result<Order, SqlError> {
    let own = own_keys(session, table, plan)?;
    let Some(Kind::ForeignKey(first)) = own.first().map(|own| &own.kind) else {
        return Ok(Order::OfTheFile);
    };
    let (key, has_key) = key.unwrap_or_else(|| {
        let columns: Vec<_> = first.parent_columns.iter().map(|name| format!("s.{}", quoted(name))).collect();
        (columns.join(", "), format!("({}) IS NOT NULL", columns.join(", ")))
    });
    session.batch(&format!(
        "CREATE TEMPORARY TABLE \"baton leaders\" ON COMMIT DROP AS SELECT s.{RECORD} AS record, \
           CASE WHEN {has_key} THEN pg_catalog.first_value(s.{RECORD}) OVER same ELSE s.{RECORD} END AS leader, \
           CASE WHEN {has_key} THEN pg_catalog.row_number() OVER same ELSE 1 END AS turn, NULL::pg_catalog.int8 AS circle \
         FROM {STAGING} s WINDOW same AS (PARTITION BY {key} ORDER BY s.{RECORD})"
    ))?;
    let references: Vec<_> = own.iter().filter_map(references).collect();
    let references = references.join(" UNION ");
    take_steps(session, &references)?;
    let has_circles = circles::join(session, table)?;
    if has_circles {
        take_steps(session, &references)?;
    }
    number(session)?;
    if has_circles {
        circles::place(session)?;
    }
    Ok(if has_circles { Order::WithCircles } else { Order::ParentsFirst })
}

/// Finds out how many steps each key is behind those that its rows refer to. One that is in a circle, or behind one, has none.
fn take_steps(session: &mut Session, references: &str) -> Result<(), SqlError> {
    session.batch(&format!(
        "CREATE TEMPORARY TABLE \"baton references\" ON COMMIT DROP AS {references}; \
         CREATE INDEX ON pg_temp.\"baton references\" (parent); \
         CREATE TEMPORARY TABLE \"baton steps\" ON COMMIT DROP AS \
           SELECT l.leader, l.place, pg_catalog.count(DISTINCT r.parent) AS waits, \
             CASE WHEN pg_catalog.count(r.parent) = 0 THEN 0 END AS step \
           FROM (SELECT leader, pg_catalog.max(record) AS place FROM pg_temp.\"baton leaders\" GROUP BY leader) l \
           LEFT JOIN pg_temp.\"baton references\" r ON r.child = l.leader GROUP BY l.leader, l.place; \
         CREATE INDEX ON pg_temp.\"baton steps\" (leader); CREATE INDEX ON pg_temp.\"baton steps\" (step); \
         ANALYZE pg_temp.\"baton references\", pg_temp.\"baton steps\""
    ))?;
    session.batch(&block(STEPS))
}

/// Numbers the rows by their steps.
fn number(session: &mut Session) -> Result<(), SqlError> {
    session.batch(&format!(
        "CREATE TEMPORARY TABLE \"baton places\" ON COMMIT DROP AS SELECT b.record, b.circle, b.turn, \
           pg_catalog.row_number() OVER (ORDER BY b.place, b.step NULLS FIRST, b.circle NULLS FIRST, b.turn, b.record) AS place \
         FROM (SELECT l.record, s.step, l.circle, CASE WHEN l.circle IS NOT NULL THEN l.turn END AS turn, \
                 CASE WHEN l.circle IS NOT NULL THEN s.place ELSE pg_catalog.max(greatest(l.record, p.place)) OVER \
                   (PARTITION BY l.leader ORDER BY l.record) END AS place \
               FROM pg_temp.\"baton leaders\" l JOIN pg_temp.\"baton steps\" s ON s.leader = l.leader \
               LEFT JOIN (SELECT r.record, pg_catalog.max(q.place) AS place FROM pg_temp.\"baton references\" r \
                 JOIN pg_temp.\"baton steps\" q ON q.leader = r.parent WHERE q.step IS NOT NULL GROUP BY r.record) p \
               ON p.record = l.record) b; \
         UPDATE {STAGING} s SET {RECORD} = p.place FROM pg_temp.\"baton places\" p WHERE p.record = s.{RECORD}"
    ))
}

/// Gives the refused records their numbers of the file again.
pub(super) fn restore_refused(session: &mut Session) -> Result<(), SqlError> {
    session.batch(&format!(
        "UPDATE {REFUSED} r SET {RECORD} = p.record FROM pg_temp.\"baton places\" p WHERE p.place = r.{RECORD}"
    ))
}

/// The foreign keys that rows of the file may break among themselves.
fn own_keys(session: &mut Session, table: &Table, plan: &Plan) -> Result<Vec<Constraint>, SqlError> {
    let is_filled = |name: &String| plan.columns.iter().any(|column| column.name == *name);
    let mut own = constraint::of_table(session, table)?;
    own.retain(|constraint| match &constraint.kind {
        Kind::ForeignKey(key) => {
            key.is_own && constraint.is_filled_by(plan) && key.parent_columns.iter().all(is_filled)
        }
        _ => false,
    });
    Ok(own)
}

/// SQL: which rows of the file refer to which other keys by a constraint, unless the table has those already.
fn references(constraint: &Constraint) -> Option<String> {
    let Kind::ForeignKey(key) = &constraint.kind else { return None };
    let refers = |one| key.refers(one, "s", &constraint.columns);
    // A part of a time that the table has is not enough.
    let is_there = if key.is_of_periods {
        "false".to_owned()
    } else {
        format!("EXISTS (SELECT FROM {} k WHERE {})", key.parent, refers("k"))
    };
    Some(format!(
        "SELECT s.{RECORD} AS record, c.leader AS child, p.leader AS parent FROM {STAGING} s \
         JOIN {STAGING} t ON {} JOIN pg_temp.\"baton leaders\" c ON c.record = s.{RECORD} \
         JOIN pg_temp.\"baton leaders\" p ON p.record = t.{RECORD} \
         WHERE c.leader <> p.leader AND NOT {is_there}",
        refers("t"),
    ))
}
