//! The names of a header, the import's own mapping of them and the table's columns, brought together; and the sentences
//! about whatever does not come together. A header is hostile input: of each kind of problem only the first are told.

use std::collections::BTreeMap;

use statemachine::{FailureName, ImportOptions};

use super::names::{Names, REJECTS_COLUMNS, fold, is_of_rejects};
use crate::failure::Failure;
use crate::failure::words::OTHER_DELIMITER;
use crate::import::table::{Column, Table, near_names, shown};

/// How many problems of one kind are told.
const TOLD: usize = 50;

/// How many columns a note names.
const NOTED: usize = 20;

/// Signs that part the fields of files, most usual first.
const DELIMITERS: [char; 5] = [';', '\t', ',', '|', ':'];

/// A header and a table, matched as far as they match.
pub(super) struct Matching<'a> {
    header: &'a [String],
    table: &'a Table,
    options: &'a ImportOptions,
    /// For each column of the table, the fields of its name.
    fields_of: Vec<Vec<usize>>,
    /// Fields whose name is no column's.
    unknown: Vec<usize>,
    /// Fields that the import's own mapping names, with the column that it gives them.
    mapped: BTreeMap<usize, Option<usize>>,
    /// What is wrong with the mapping.
    mismapped: Vec<String>,
}

impl<'a> Matching<'a> {
    pub(super) fn of(header: &'a [String], table: &'a Table, options: &'a ImportOptions) -> Self {
        let columns = Names::of(table.columns.iter().map(|column| column.name.as_str()));
        let mut matching = Self {
            header,
            table,
            options,
            fields_of: vec![Vec::new(); table.columns.len()],
            unknown: Vec::new(),
            mapped: BTreeMap::new(),
            mismapped: Vec::new(),
        };
        matching.map(&columns);
        let leading = leading_of_rejects(header, &columns);
        for (field, name) in header.iter().enumerate() {
            if field < leading && !matching.mapped.contains_key(&field) {
                continue;
            }
            let column = match matching.mapped.get(&field) {
                Some(column) => *column,
                None => columns.find(name),
            };
            match column {
                Some(index) => matching.fields_of.get_mut(index).into_iter().for_each(|of| of.push(field)),
                None if matching.mapped.contains_key(&field) || is_of_rejects(name) => {}
                None => matching.unknown.push(field),
            }
        }
        matching.take_japanese(&columns);
        matching
    }

    /// Gives columns that have no field yet the unknown ones whose names differ from theirs by white space beside Japanese
    /// letters alone; where several would be one column's, they stay unknown.
    fn take_japanese(&mut self, columns: &Names<'_>) {
        let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &field in &self.unknown {
            if let Some(column) = columns.find_japanese(self.name_of(field)) {
                wanted.entry(column).or_default().push(field);
            }
        }
        for (column, fields) in wanted {
            let of = self.fields_of.get_mut(column).filter(|of| of.is_empty());
            if let (Some(of), [field]) = (of, fields.as_slice()) {
                of.push(*field);
                self.unknown.retain(|unknown| unknown != field);
            }
        }
    }

    /// Follows the import's own mapping.
    fn map(&mut self, columns: &Names<'_>) {
        if self.options.map.is_empty() {
            return;
        }
        let header = Names::of(self.header.iter().map(String::as_str));
        for (name, target) in &self.options.map {
            let column = columns.find(target);
            if column.is_none() {
                let near = near_names(target, self.table.columns.iter().map(|column| column.name.as_str()));
                let near = is_it("; in the table, is it ", &near);
                let (name, target) = (shown(name), shown(target));
                self.mismapped.push(format!("{name} means {target}, which the table does not have{near}"));
            }
            let fields = header.places(name);
            if fields.is_empty() {
                let near = near_names(name, self.header.iter().map(String::as_str));
                let near = is_it("; in the file, is it ", &near);
                self.mismapped.push(format!("{}, which the file does not have{near}", shown(name)));
            }
            for field in fields {
                let other = self.mapped.insert(*field, column);
                if other.is_some_and(|other| other != column) {
                    let name = shown(name);
                    self.mismapped
                        .push(format!("{name}, column {} of the file, has two meanings", field + 1));
                }
            }
        }
    }

    /// For each column of the table, the field that fills it; a failure that tells all that does not fit.
    pub(super) fn into_fields(self) -> Result<Vec<Option<usize>>, Failure> {
        let problems = self.problems();
        if !problems.is_empty() {
            let hint = match self.unknown.is_empty() || self.options.ignore_unknown {
                true => "",
                false => "\n(ignore_unknown leaves unknown columns out)",
            };
            let cause = format!(
                "the file's columns are not those of the table {}:\n{}{hint}",
                shown(&self.table.name),
                problems.join("\n")
            );
            return Err(Failure::named(FailureName::HeaderMismatch, cause));
        }
        let pairs = self.table.columns.iter().zip(&self.fields_of);
        Ok(pairs.map(|(column, of)| of.first().copied().filter(|_| column.takes_values())).collect())
    }

    /// The columns of the file that the import leaves out because it is asked to, and why: sentences.
    pub(super) fn left_out(&self) -> Vec<String> {
        if !self.options.ignore_unknown {
            return Vec::new();
        }
        let fields_of = |by: fn(&Column) -> bool| -> Vec<usize> {
            let columns = self.table.columns.iter().zip(&self.fields_of).filter(|(column, _)| by(column));
            columns.flat_map(|(_, of)| of.iter().copied()).collect()
        };
        [
            (self.unknown.clone(), "the table has no column of this name"),
            (fields_of(|column| column.generated), "the database computes it itself"),
            (fields_of(|column| column.identity_always), "the database always numbers it itself"),
        ]
        .into_iter()
        .filter(|(fields, _)| !fields.is_empty())
        .map(|(fields, why)| self.note(&fields, why))
        .collect()
    }

    fn note(&self, fields: &[usize], why: &str) -> String {
        let named = |&field: &usize| match self.name_of(field) {
            name if name.trim().is_empty() => format!("{} (no name)", field + 1),
            name => shown(name),
        };
        let names: Vec<_> = fields.iter().take(NOTED).map(named).collect();
        let more = match fields.len().saturating_sub(NOTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (columns, why) = match fields.len() {
            1 => ("column", why.to_owned()),
            _ => ("columns", why.replace("this name", "these names").replace(" it ", " them ")),
        };
        format!("left out {columns} {}{more}: {why}", names.join(", "))
    }

    /// That several fields fill one column, and what mends it.
    fn twice(&self, column: &Column, of: &[usize]) -> String {
        let places: Vec<_> = of.iter().take(TOLD).map(|field| (field + 1).to_string()).collect();
        let mend = match of.iter().find(|field| self.mapped.contains_key(field)) {
            Some(&field) => {
                let name = shown(self.name_of(field));
                format!("map {name} to another column, or rename the other one in the file")
            }
            None => "rename one of them in the file, or take it out".to_owned(),
        };
        format!("{}, columns {} of the file; {mend}", shown(&column.name), places.join(" and "))
    }

    fn name_of(&self, field: usize) -> &'a str {
        self.header.get(field).map_or("", String::as_str)
    }

    fn problems(&self) -> Vec<String> {
        let matched = || self.table.columns.iter().zip(&self.fields_of);
        // Where unknown columns are left out, no line of their own says what they seem to be.
        let sign = self.unknown.iter().find_map(|field| self.other_delimiter(*field));
        let suspicion =
            sign.filter(|_| self.options.ignore_unknown).map_or_else(String::new, by_other_delimiter);
        let mut problems = Vec::new();
        let missing = matched().filter(|(column, of)| of.is_empty() && column.is_required());
        tell(&mut problems, "missing", missing, |(column, _)| {
            let others = self.unknown.iter().filter(|field| self.other_delimiter(**field).is_none());
            let near = near_names(&column.name, others.map(|&field| self.name_of(field)));
            format!(
                "{}, which must have a value{suspicion}{}",
                shown(&column.name),
                is_it("; in the file, is it ", &near)
            )
        });
        tell(&mut problems, "mapped", self.mismapped.iter(), String::clone);
        if !self.options.ignore_unknown {
            tell(&mut problems, "unknown", self.unknown.iter(), |&field| {
                let name = self.name_of(field);
                let free = matched().filter(|(_, of)| of.is_empty()).map(|(column, _)| column.name.as_str());
                let near = match self.other_delimiter(field) {
                    Some(sign) => by_other_delimiter(sign),
                    None => is_it("; in the table, is it ", &near_names(name, free)),
                };
                let name = if name.trim().is_empty() { "(no name)".to_owned() } else { shown(name) };
                format!("{name}, column {} of the file{near}", field + 1)
            });
        }
        // Where unknown columns may be left out, these may too, unless the import says that they are meant.
        let is_meant = |of: &[usize]| {
            of.iter().any(|field| !self.options.ignore_unknown || self.mapped.contains_key(field))
        };
        let computed =
            |by: fn(&Column) -> bool| matched().filter(move |(column, of)| by(column) && is_meant(of));
        tell(&mut problems, "generated", computed(|column| column.generated), |(column, _)| {
            format!("{}, which the database computes itself", shown(&column.name))
        });
        tell(&mut problems, "identity", computed(|column| column.identity_always), |(column, _)| {
            format!("{}, which the database always numbers itself", shown(&column.name))
        });
        let twice = matched().filter(|(_, of)| of.len() > 1);
        tell(&mut problems, "twice", twice, |(column, of)| self.twice(column, of));
        let fills_nothing = matched().all(|(column, of)| of.is_empty() || !column.takes_values());
        if problems.is_empty() && fills_nothing {
            problems.push(format!("no column of the file is one of the table's{suspicion}"));
        }
        problems
    }
}

impl Matching<'_> {
    /// What seems to part the fields of the file, where this name of its header is several: the table has a column of one of
    /// them, or the header has no other name.
    fn other_delimiter(&self, field: usize) -> Option<&'static str> {
        let name = self.name_of(field);
        let is_column = |part: &str| {
            let part = fold(part.trim_matches('"'));
            self.table.columns.iter().any(|column| fold(&column.name) == part)
        };
        let parts_it = |sign: &char| {
            name.contains(*sign) && (self.header.len() == 1 || name.split(*sign).any(is_column))
        };
        DELIMITERS.iter().find(|sign| parts_it(sign)).map(|sign| match sign {
            ';' => "\";\"",
            '\t' => "tab",
            ',' => "\",\"",
            '|' => "\"|\"",
            _ => "\":\"",
        })
    }
}

/// How many names of a header are those of a file of rejects, or of the rejects of such a file. Where the table has columns of the same
/// names, the last ones are theirs.
fn leading_of_rejects(header: &[String], columns: &Names<'_>) -> usize {
    let (pairs, _) = header.as_chunks::<2>();
    let is_of_rejects = |(place, pair): &(usize, &[String; 2])| {
        let behind = header.get(2 * (place + 1)..).unwrap_or_default();
        let is_again = |of_rejects: &str| behind.iter().any(|name| fold(name) == of_rejects);
        pair.iter().zip(REJECTS_COLUMNS).all(|(name, of_rejects)| {
            fold(name) == of_rejects && (columns.find(of_rejects).is_none() || is_again(of_rejects))
        })
    };
    2 * pairs.iter().enumerate().take_while(is_of_rejects).count()
}

/// Adds a line for each of the first items, and one that counts the others.
fn tell<T>(
    problems: &mut Vec<String>,
    kind: &str,
    mut items: impl Iterator<Item = T>,
    sentence: impl Fn(T) -> String,
) {
    for item in items.by_ref().take(TOLD) {
        problems.push(format!("{kind}: {}", sentence(item)));
    }
    let more = items.count();
    if more > 0 {
        problems.push(format!("{kind}: {more} more"));
    }
}

fn by_other_delimiter(sign: &str) -> String {
    format!("; {OTHER_DELIMITER} {sign}? (the option delimiter names what separates them)")
}

fn is_it(words: &str, near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("{words}{}?", near.join(" or ")) }
}
