//! Which index an upsert goes by, and by which column rows are sorted.

use statemachine::{FailureName, ImportOptions, OnConflict};

use super::Way;
use super::facts::Facts;
use super::index::{Index, KeyColumn};
use crate::failure::Failure;
use crate::import::header::Plan;
use crate::import::load::conflict_key;
use crate::import::table::{Table, quoted, shown};
use crate::import::value::Kind;

/// The column of the plan that rows are sorted by: the first of the first index that the file fills. None where the order of
/// the rows means something to the table, or where a column's order is unknown here.
pub(super) fn sorting(
    indexes: &[Index],
    key: Option<&Index>,
    facts: &Facts,
    way: Way,
    plan: &Plan,
) -> Option<usize> {
    let place = |index: &Index| {
        let name = &index.columns.first()?.name;
        plan.columns.iter().position(|column| column.name == *name && has_order(&column.kind))
    };
    match way {
        // The server sorts; rows that come in order cost it less.
        Way::AtTheEnd => key.and_then(place),
        Way::Directly if !facts.is_counted && !facts.has_triggers => {
            indexes.iter().filter(|index| index.is_btree).find_map(place)
        }
        Way::Directly | Way::ByBatch => None,
    }
}

fn has_order(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Uuid
            | Kind::Integer(_)
            | Kind::Text { .. }
            | Kind::Date
            | Kind::Timestamp(_)
            | Kind::TimestampZone(_)
    )
}

/// The index that an upsert goes by; none where rows are only inserted.
pub(super) fn of_conflict<'i>(
    indexes: &'i [Index],
    facts: &Facts,
    table: &Table,
    plan: &Plan,
    options: &ImportOptions,
) -> Result<Option<&'i Index>, Failure> {
    if options.on_conflict != OnConflict::Error && facts.has_no_indexes {
        let cause = format!(
            "on_conflict goes by a unique index, and {} is a view or a foreign table, which has none; import into the table \
             behind it",
            shown(&table.name)
        );
        return Err(Failure::named(FailureName::OptionsInvalid, cause));
    }
    let key = conflict_key(table, plan, options)?;
    if options.on_conflict == OnConflict::Error {
        return Ok(None);
    }
    let is_on_key = |index: &&Index| {
        index.columns.len() == key.len() && index.columns.iter().all(|column| key.contains(&column.name))
    };
    let mut deciding = indexes.iter().filter(|index| index.decides() && is_on_key(index));
    if let Some(index) = deciding.next() {
        return match deciding.find(|other| !agrees(index, other)) {
            None => Ok(Some(index)),
            Some(other) => Err(disagreement(table, index, other)),
        };
    }
    let names: Vec<_> = key.iter().map(|name| quoted(name)).collect();
    let other = indexes.iter().filter(|index| index.is_unique).find(is_on_key);
    let why = other.map_or_else(
        || "the table has no unique index on just these columns".to_owned(),
        |index| format!("{} {}", quoted(&index.name), why_not(index)),
    );
    let names = names.join(", ");
    // Another index on the same columns does not help: PostgreSQL takes both for the key, and refuses the one.
    let mend = if other.is_some_and(|index| !index.is_immediate) {
        "or make it NOT DEFERRABLE: drop it, and add it again without DEFERRABLE".to_owned()
    } else {
        format!("or add one: CREATE UNIQUE INDEX ON {} ({names})", table.sql)
    };
    let cause = format!(
        "on_conflict goes by the key ({names}) of the table {}, but {why}; name another key, {mend}",
        shown(&table.name)
    );
    Err(Failure::named(FailureName::OptionsInvalid, cause))
}

/// Whether two indexes on the same columns find the same rows to be the same. PostgreSQL goes by both.
fn agrees(one: &Index, other: &Index) -> bool {
    let is_like = |a: &KeyColumn, b: &KeyColumn| {
        (a.is_exact && b.is_exact) || (a.equals == b.equals && a.collation == b.collation)
    };
    one.nulls_are_alike == other.nulls_are_alike
        && one.columns.iter().all(|a| other.columns.iter().any(|b| a.name == b.name && is_like(a, b)))
}

fn disagreement(table: &Table, one: &Index, other: &Index) -> Failure {
    let cause = format!(
        "on_conflict goes by the key ({}) of the table {}, but the unique indexes {} and {} on it differ in which values \
         are the same, and PostgreSQL goes by both; drop one of them, or name another key",
        one.labels().join(", "),
        shown(&table.name),
        quoted(&one.name),
        quoted(&other.name)
    );
    Failure::named(FailureName::OptionsInvalid, cause)
}

fn why_not(index: &Index) -> &'static str {
    if !index.is_immediate {
        "is a DEFERRABLE constraint, which PostgreSQL does not take for ON CONFLICT"
    } else if index.predicate.is_some() {
        "holds for some of the rows alone (it has a WHERE)"
    } else {
        "does not decide which rows are the same"
    }
}
