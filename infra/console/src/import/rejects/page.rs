//! A page of the rejects file, and which cell of each row is at fault.

use std::collections::HashMap;

use ops::rejects::file::{Row, Sink};
use statemachine::{Findings, RejectedRow};

/// The most cells that are kept of a row, and the most characters of a cell.
const MOST_CELLS: usize = 2000;
const MOST_CHARS: usize = 200;

/// Rows of the file from one on, and no more than a page of them.
pub(super) struct Page {
    skip: usize,
    size: usize,
    head: Vec<String>,
    rows: Vec<Raw>,
}

struct Raw {
    line: String,
    reason: String,
    cells: Vec<String>,
}

/// A row that was rejected.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub(super) line: String,
    pub(super) column: Option<String>,
    pub(super) value: Option<String>,
    pub(super) reason: String,
    /// The names and contents of its cells.
    pub(super) cells: Vec<(Option<String>, String)>,
    /// Which of them is at fault.
    pub(super) at_fault: Option<usize>,
}

impl Page {
    pub(super) fn new(skip: usize, size: usize) -> Self {
        Self { skip, size, head: Vec::new(), rows: Vec::new() }
    }

    /// The rows, with what the findings know better: the file has the reason and the row, they have column and value.
    pub(super) fn rows(self, found: &Findings) -> Vec<Kept> {
        let known: HashMap<_, _> =
            found.first_rejects.iter().map(|reject| (reject.line.to_string(), reject)).collect();
        let head = self.head;
        self.rows.into_iter().map(|raw| kept(raw, &head, &known)).collect()
    }
}

impl Sink for Page {
    fn head(&mut self, head: &Row<'_>) -> anyhow::Result<()> {
        self.head = head.original().take(MOST_CELLS).map(|name| name.into_owned()).collect();
        Ok(())
    }

    fn take(&mut self, row: &Row<'_>) -> anyhow::Result<bool> {
        if let Some(rest) = self.skip.checked_sub(1) {
            self.skip = rest;
            return Ok(true);
        }
        let cells = row.original().take(MOST_CELLS).map(|cell| cell.chars().take(MOST_CHARS).collect());
        self.rows.push(Raw {
            line: row.line().into_owned(),
            reason: row.reason().into_owned(),
            cells: cells.collect(),
        });
        Ok(self.rows.len() < self.size)
    }
}

fn kept(raw: Raw, head: &[String], known: &HashMap<String, &RejectedRow>) -> Kept {
    let mut kept = match known.get(&raw.line) {
        Some(reject) => Kept::of(reject),
        None => of_reason(&raw, head),
    };
    kept.at_fault = at_fault(&kept, &raw.cells, head);
    if kept.value.is_none() {
        kept.value = kept.at_fault.and_then(|place| raw.cells.get(place).cloned());
    }
    kept.cells =
        raw.cells.into_iter().enumerate().map(|(place, cell)| (head.get(place).cloned(), cell)).collect();
    kept
}

/// A reason as the file has it begins with its column, where it lies in one: `age: is no whole number (not_an_integer)`.
fn of_reason(raw: &Raw, head: &[String]) -> Kept {
    let split = |name: &&String| raw.reason.strip_prefix(&format!("{}: ", ops::text::visible(name)));
    // One name may be the beginning of another: the longest it is.
    let column = head.iter().filter(|name| split(name).is_some()).max_by_key(|name| name.len());
    let reason = column.and_then(|name| split(&name)).unwrap_or(&raw.reason);
    Kept { line: raw.line.clone(), column: column.cloned(), reason: reason.to_owned(), ..Kept::default() }
}

/// The cell at fault: that of the column's name or, where the table calls it otherwise than the file, the only one with the
/// value.
fn at_fault(kept: &Kept, cells: &[String], head: &[String]) -> Option<usize> {
    let column = kept.column.as_ref()?;
    let named = head.iter().position(|name| name == column);
    let alike = || head.iter().position(|name| name.trim().to_lowercase() == column.trim().to_lowercase());
    let by_name = named.or_else(alike).filter(|place| *place < cells.len());
    by_name.or_else(|| {
        let value = kept.value.as_deref()?;
        let mut places =
            cells.iter().enumerate().filter(|(_, cell)| cell.as_str() == value).map(|(place, _)| place);
        places.next().filter(|_| places.next().is_none())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use statemachine::ImportOptions;

    use super::*;
    use ops::rejects::file::{Format, read_rows};

    fn read(file: &str, skip: usize, size: usize, first: &[serde_json::Value]) -> Vec<Kept> {
        let found: Findings =
            serde_json::from_value(json!({"rows_read": 9, "first_rejects": first})).unwrap();
        let mut page = Page::new(skip, size);
        read_rows(file.as_bytes(), &Format::new(&found, &ImportOptions::default()), &mut page).unwrap();
        page.rows(&found)
    }

    const FILE: &str = "baton_line,baton_reason,id,年齢,年齢: x\n\
        3,年齢: is no whole number (not_an_integer),1,二十,a\n\
        5,年齢: x: is too long (too_long),2,20,bbb\n\
        9,has 2 fields (field_count),7\n";

    #[test]
    fn the_cell_at_fault_is_known_by_its_columns_name_in_the_reason() {
        let rows = read(FILE, 0, 100, &[]);
        let told: Vec<_> =
            rows.iter().map(|row| (row.column.as_deref(), row.value.as_deref(), row.at_fault)).collect();
        assert_eq!(
            told,
            [
                (Some("年齢"), Some("二十"), Some(1)),
                (Some("年齢: x"), Some("bbb"), Some(2)),
                (None, None, None)
            ]
        );
        assert_eq!(rows[0].reason, "is no whole number (not_an_integer)");
        assert_eq!(rows[0].cells[1], (Some("年齢".to_owned()), "二十".to_owned()));
        assert_eq!(rows[2].reason, "has 2 fields (field_count)");
    }

    #[test]
    fn what_the_findings_know_goes_before_what_the_file_says() {
        let first = json!({"record": 2, "line": 3, "byte": 9, "column": "age", "value": "二十", "reason": "not_an_integer",
            "says": "is no whole number"});
        let rows = read(FILE, 0, 1, &[first]);
        assert_eq!(
            (rows.len(), rows[0].column.as_deref(), rows[0].at_fault),
            (1, Some("age"), Some(1)),
            "{rows:?}"
        );
    }

    #[test]
    fn a_page_begins_where_the_one_before_ended() {
        let lines =
            |skip, size| read(FILE, skip, size, &[]).into_iter().map(|row| row.line).collect::<Vec<_>>();
        assert_eq!(
            (lines(0, 2), lines(2, 2), lines(3, 2)),
            (vec!["3".into(), "5".into()], vec!["9".into()], vec![])
        );
    }
}
