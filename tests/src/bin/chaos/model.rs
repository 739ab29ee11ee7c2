//! What an import has to come to: its records applied one after the other, in the file's order, to the rows that were there.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::values;
use crate::plan::{Import, Kind};
use crate::tables::Row;

/// What became of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    pub(crate) rows: u64,
    pub(crate) updated: u64,
    pub(crate) skipped: u64,
    pub(crate) duplicates: u64,
    pub(crate) dropped: u64,
    pub(crate) rejects: u64,
}

/// What has to be in the table.
pub(crate) struct Expected {
    /// By their lines.
    pub(crate) rows: Vec<Row>,
    pub(crate) counts: Counts,
}

/// What an import has to come to, whether it is imported or leaves everything as it was.
pub(crate) fn expected(import: &Import, is_imported: bool) -> Expected {
    let before: BTreeMap<_, _> = import
        .rows_before()
        .into_iter()
        .map(|row| (row.line, row.cells(import).into_iter().map(|cell| cell.stored).collect::<Vec<_>>()))
        .collect();
    let mut rows = before.clone();
    let mut counts = Counts::default();
    let mut seen = BTreeSet::new();
    for record in import.records().into_iter().filter(|_| is_imported) {
        counts.read += 1;
        let mut cells: Vec<_> = record.cells(import).into_iter().map(|cell| cell.stored).collect();
        let line = record.line;
        if record.has_flaw {
            counts.rejects += 1;
            continue;
        }
        match import.kind {
            Kind::Skip if before.contains_key(&line) => {
                counts.skipped += 1;
                continue;
            }
            Kind::Triggers if is_left_out(import, &cells) => {
                counts.dropped += 1;
                continue;
            }
            Kind::Triggers => cells.push(Some(format!("{}/{line}", import.id))),
            _ => {}
        }
        if seen.insert(line) {
            counts.rows += 1;
            counts.updated += u64::from(before.contains_key(&line));
        } else {
            counts.duplicates += 1;
            if import.kind == Kind::Skip {
                continue;
            }
        }
        rows.insert(line, cells);
    }
    Expected { rows: rows.into_iter().collect(), counts }
}

/// What the trigger of [`crate::tables`] does to every seventh level.
fn is_left_out(import: &Import, cells: &[Option<String>]) -> bool {
    let level = values::columns(import.backend).position(|column| column.name == "level");
    let level = level.and_then(|number| cells[number].as_ref()).and_then(|level| level.parse::<u32>().ok());
    level.is_some_and(|level| level.is_multiple_of(7))
}
