//! The values: every row of an import against what its file says, and what its report counts against what became of its records.

use worker::db::Database;
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use crate::model::{self, Counts, Expected};
use crate::plan::{Import, Kind};
use crate::tables::{self, Row};

/// So many differences of one import are printed.
const SHOWN: usize = 3;

/// What is in the table and should not be, or is not and should be.
pub(super) fn findings(database: &Database, import: &Import, row: Option<&ImportRow>) -> Vec<String> {
    let status = row.map(|row| row.status);
    let is_imported = status == Some(JobStatus::Success) && import.is_good();
    let expected = model::expected(import, is_imported);
    let there = tables::rows_of(database, import);
    let mut findings = Vec::new();
    if there.len() != expected.rows.len() {
        let (there, wanted) = (there.len(), expected.rows.len());
        findings.push(format!("{there} rows are in the table, its status is {status:?}; {wanted} should be"));
    }
    let differences = differences(import, &expected.rows, &there);
    let more = differences.len().saturating_sub(SHOWN);
    findings.extend(differences.into_iter().take(SHOWN));
    if more > 0 {
        findings.push(format!("… and {more} differences more"));
    }
    if import.kind == Kind::Triggers {
        let loaded: Vec<_> = expected.rows.iter().filter(|_| is_imported).map(|(line, _)| *line).collect();
        if tables::logged(database, import) != loaded {
            findings.push("the trigger's log does not have each of its rows once".to_owned());
        }
    }
    findings.extend(row.filter(|_| is_imported).and_then(|row| miscounted(row, &expected)));
    findings
}

/// Rows that differ, in the order of their lines.
fn differences(import: &Import, expected: &[Row], there: &[Row]) -> Vec<String> {
    let mut found = Vec::new();
    let (mut expected, mut there) = (expected.iter().peekable(), there.iter().peekable());
    loop {
        match (expected.peek(), there.peek()) {
            (None, None) => return found,
            (Some((wanted, values)), Some((line, stored))) if wanted == line => {
                let columns = tables::names(import).zip(values.iter().zip(stored));
                found.extend(columns.filter(|(_, (value, stored))| value != stored).map(
                    |(name, (value, stored))| {
                        format!("line {line}: {name} is {stored:?}, and should be {value:?}")
                    },
                ));
                expected.next();
                there.next();
            }
            (Some((wanted, _)), line) if line.is_none_or(|(line, _)| wanted < line) => {
                found.push(format!("line {wanted} is missing"));
                expected.next();
            }
            (_, Some((line, _))) => {
                found.push(format!("line {line} is there, and should not be"));
                there.next();
            }
            (Some(_), None) => unreachable!("what is wanted and not there is missing"),
        }
    }
}

/// Where the report counts otherwise than the records are.
fn miscounted(row: &ImportRow, expected: &Expected) -> Option<String> {
    let findings = row.findings.as_deref().filter(|_| row.status == JobStatus::Success)?;
    let counted = |number: i64| u64::try_from(number).expect("no count is below none");
    let counts = Counts {
        read: findings.rows_read,
        rows: counted(row.rows_done),
        updated: findings.updated,
        skipped: findings.skipped,
        duplicates: findings.duplicates,
        dropped: findings.dropped,
        rejects: counted(row.rejects),
    };
    (counts != expected.counts)
        .then(|| format!("its report has {counts:?}, and should have {:?}", expected.counts))
}
