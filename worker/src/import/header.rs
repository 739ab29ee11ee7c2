//! The file's columns against the table's: which field fills which column. With a header, names may stand in any order;
//! without one, the table's own order counts. Everything that does not fit is told at once.

mod matching;
mod names;

use std::io::Read;

use statemachine::{FailureName, ImportOptions};

use super::csv::{MAX_FIELDS, RawRow, Reader, Record, TooLarge};
use super::decode::unreadable;
use super::reject::is_of_rejects_file;
use super::table::{Column, Table, shown};
use super::value::{FieldRules, Kind};
use crate::failure::Failure;
use crate::failure::words::{EMPTY_FILE, WITHOUT_HEADER};
use matching::Matching;
pub(crate) use names::{Names, REJECTS_COLUMNS, fold, is_of_rejects};

/// What is done with each row.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Fields that a row must have.
    pub(crate) fields: usize,
    /// The columns that the file fills, in the file's order.
    pub(crate) columns: Vec<Filled>,
    /// How the fields are read.
    pub(crate) rules: FieldRules,
    /// What says that.
    pub(crate) said_by: SaidBy,
    /// What a person should know of the columns: which of the file's are left out, and why.
    pub(crate) notes: Vec<String>,
}

/// What says how many fields a row must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaidBy {
    /// The header, and how many fields it has behind its last name.
    Header { nameless: usize },
    /// Of a file without a header, whose first row has as many as the table has columns.
    FirstRow,
    /// Of a file of rejects without a header: the table's columns, so many, behind what Baton has put before them.
    Rejects { columns: usize },
}

/// A column that the file fills.
#[derive(Debug)]
pub(crate) struct Filled {
    /// Which field of a row, from 0.
    pub(crate) field: usize,
    /// The column's name, to the letter.
    pub(crate) name: String,
    /// What it takes.
    pub(crate) kind: Kind,
    /// Whether the field may be empty.
    pub(crate) takes_null: bool,
    /// Of a type that only the database can read: whether the empty text is a value.
    pub(crate) takes_empty: bool,
}

/// The header's names, as text.
fn names(header: &Record) -> Result<Vec<String>, Failure> {
    header
        .iter()
        .enumerate()
        .map(|(index, name)| match std::str::from_utf8(name) {
            Ok(name) => Ok(name.to_owned()),
            Err(_) => Err(unreadable(format!(
                "the header is not UTF-8 (column {}); save the file as UTF-8",
                index + 1
            ))),
        })
        .collect()
}

/// Reads the header and matches it with the table. Where the file has none, its first row stays to be read.
pub(crate) fn read<R: Read>(
    reader: &mut Reader<R>,
    table: &Table,
    options: &ImportOptions,
) -> Result<Plan, Failure> {
    if options.no_header {
        return match reader.peek_row()? {
            Some(first) => plan_without_header(first.iter(), table, options),
            None => Err(unreadable(format!("{EMPTY_FILE}: it has not even a row"))),
        };
    }
    plan(&read_names(reader)?, table, options)
}

/// Reads the header's names.
pub(crate) fn read_names<R: Read>(reader: &mut Reader<R>) -> Result<Vec<String>, Failure> {
    match reader.next_row()? {
        Some(RawRow { too_large: Some(TooLarge { bytes, limit, .. }), .. }) => Err(unreadable(format!(
            "the header has {bytes} bytes, more than the {limit} that max_record_bytes allows; is there a quote that is never closed?"
        ))),
        Some(header) if header.fields.len() > MAX_FIELDS => {
            let fields = header.fields.len();
            Err(unreadable(format!(
                "the header has {fields} fields, and no table has more than {MAX_FIELDS} columns"
            )))
        }
        Some(header) => names(header.fields),
        None => Err(unreadable(format!("{EMPTY_FILE}: it has not even a header"))),
    }
}

/// The header up to its last name. Spreadsheets write columns that once had something: without a name at the end, and, as each
/// row is held to, empty.
pub(crate) fn without_surplus(header: &[String]) -> &[String] {
    let named = header.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
    header.get(..named).unwrap_or(header)
}

/// Matches the header with the table.
fn plan(header: &[String], table: &Table, options: &ImportOptions) -> Result<Plan, Failure> {
    let all = header.len();
    let header = without_surplus(header);
    let said_by = SaidBy::Header { nameless: all - header.len() };
    let rules = FieldRules::of(options)?.on(table.server);
    let matching = Matching::of(header, table, options);
    let notes = matching.left_out();
    let fields_of = matching.into_fields()?;
    let filled = fields_of.iter().enumerate().filter_map(|(index, field)| Some(((*field)?, index)));
    let mut columns = fill(filled, table)?;
    columns.sort_by_key(|column| column.field);
    Ok(Plan { fields: header.len(), columns, rules, said_by, notes })
}

/// The plan for a file without a header: its fields are the table's columns in the table's order, without those that the
/// database computes. `first` is the file's first row, which stays to be loaded.
fn plan_without_header<'f>(
    first: impl IntoIterator<Item = &'f [u8]>,
    table: &Table,
    options: &ImportOptions,
) -> Result<Plan, Failure> {
    if !options.map.is_empty() {
        let cause = "map says which names of the header mean which columns, and no_header that there is none";
        return Err(Failure::named(FailureName::OptionsInvalid, cause));
    }
    let rules = FieldRules::of(options)?.on(table.server);
    let expected: Vec<_> =
        table.columns.iter().enumerate().filter(|(_, column)| column.takes_values()).collect();
    let first: Vec<_> = first.into_iter().collect();
    let leading = leading_of_rejects(&first, expected.len());
    let fields = leading + expected.len();
    // A file of rejects may begin with a row that was rejected for its number of fields: it says nothing of the others.
    if leading == 0 && first.len().max(1) != fields {
        return Err(other_number(first.len().max(1), &expected, table));
    }
    let said_by = if leading == 0 { SaidBy::FirstRow } else { SaidBy::Rejects { columns: expected.len() } };
    let filled = expected.iter().enumerate().map(|(place, (index, _))| (leading + place, *index));
    Ok(Plan { fields, columns: fill(filled, table)?, rules, said_by, notes: Vec::new() })
}

/// How many fields of a first row are Baton's: a line and a reason, as they stand before each row of a file of rejects, or several
/// pairs of them, since the rejects of such a file have those of the first one, too. So many that the table's columns are left
/// behind them, where that can be. A row that begins so is never taken for data, whatever the number of its fields is: a table may
/// have got more columns meanwhile.
pub(crate) fn leading_of_rejects(first: &[&[u8]], columns: usize) -> usize {
    let (pairs, _) = first.as_chunks::<2>();
    let is_of_rejects = |[line, reason]: &&[&[u8]; 2]| {
        !line.is_empty() && line.iter().all(u8::is_ascii_digit) && is_of_rejects_file(reason)
    };
    let most = 2 * pairs.iter().take_while(is_of_rejects).count();
    let fitting = first.len().checked_sub(columns).filter(|leading| *leading > 0 && leading % 2 == 0);
    fitting.map_or(most, |leading| leading.min(most))
}

fn other_number(fields: usize, expected: &[(usize, &Column)], table: &Table) -> Failure {
    let names: Vec<_> = expected.iter().map(|(_, column)| shown(&column.name)).collect();
    let plural = if fields == 1 { "field" } else { "fields" };
    let cause = format!(
        "the file's first row has {fields} {plural}, {WITHOUT_HEADER} they must be the {} columns of the table {}: {}",
        names.len(),
        shown(&table.name),
        names.join(", ")
    );
    Failure::named(FailureName::HeaderMismatch, cause)
}

/// The columns with the fields that fill them; refuses those whose type cannot be imported.
fn fill(filled: impl Iterator<Item = (usize, usize)>, table: &Table) -> Result<Vec<Filled>, Failure> {
    let mut columns = Vec::new();
    let mut unsupported = Vec::new();
    for (field, index) in filled {
        let Some(column) = table.columns.get(index) else { continue };
        match &column.kind {
            Some(kind) => columns.push(Filled {
                field,
                name: column.name.clone(),
                kind: kind.clone(),
                takes_null: column.takes_null,
                takes_empty: column.takes_empty,
            }),
            None => unsupported.push(format!("{} of type {}", shown(&column.name), column.type_name)),
        }
    }
    if unsupported.is_empty() {
        return Ok(columns);
    }
    let cause = format!(
        "columns of a type that cannot be imported: {}; SQLite would keep a number there where a text looks like one \
         (7 for 007): leave them out of the file, or make the table anew with another type for them, such as TEXT",
        unsupported.join(", ")
    );
    Err(Failure::named(FailureName::ColumnUnsupported, cause))
}

#[cfg(test)]
mod tests;
