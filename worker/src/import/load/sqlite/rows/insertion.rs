//! The statement that writes a row, and what is known of it before the first one: what else it does, and whether the order of the
//! rows means anything to it.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use statemachine::{FailureName, OnConflict};

use super::super::facts::Facts;
use super::super::keys::Key;
use super::super::statement::{Kind, Statement};
use crate::db::failure::described;
use crate::failure::Failure;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted, shown};

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    opcode: String,
}

pub(super) fn insertion(
    table: &Table,
    plan: &Plan,
    facts: &Facts,
    key: Option<&Key>,
    on_conflict: OnConflict,
) -> Statement {
    let columns: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
    let conflict = key.map_or_else(String::new, |key| key.clause(plan, on_conflict));
    // Left to itself, a table that is made with ON CONFLICT REPLACE or IGNORE would lose rows without a word. What a trigger says of
    // conflicts does not count then.
    let or_abort = if facts.loses_rows() { " OR ABORT" } else { "" };
    let insert = format!("INSERT{or_abort} INTO {} ({}) VALUES (", table.sql, columns.join(", "));
    Statement::new(Kind::Insert, insert, format!("){conflict}"))
}

/// Whether rows with different keys have nothing to do with each other, so that only those of one key need the file's order.
pub(super) fn key_decides_alone(facts: &Facts, table: &Table, key: Option<&Key>) -> bool {
    // Of rows that are only inserted none is refused for its place: where one is, the batch is written once more.
    let Some(key) = key else { return true };
    let numbered = table.primary_key.len() == 1 && facts.key_on(&table.primary_key).is_none();
    // Were there another unique key, which of two rows it refuses would depend on their order.
    key.is_exact() && facts.unique_indexes + usize::from(numbered) == 1
}

/// Has SQLite read the statement, and tells whether more than the row is written by it.
pub(super) fn has_triggers(
    connection: &mut SqliteConnection,
    insert: &Statement,
    plan: &Plan,
    table: &Table,
) -> Result<bool, Failure> {
    let steps =
        sql_query(format!("EXPLAIN {}", insert.with_nulls(plan.columns.len()))).load::<Step>(connection);
    let steps = steps.map_err(|error| {
        let cause =
            format!("SQLite cannot write into the table {}: {}", shown(&table.name), described(&error));
        Failure::named(FailureName::DatabaseMisconfigured, cause)
    })?;
    Ok(steps.iter().any(|step| step.opcode == "Program"))
}
