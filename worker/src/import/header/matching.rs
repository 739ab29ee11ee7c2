//! The names of a header, the import's own mapping of them and the table's columns, brought together; and the sentences
//! about whatever does not come together. A header is hostile input: of each kind of problem only the first are told.

use std::collections::BTreeMap;

use statemachine::{FailureName, ImportOptions};

use super::names::{Names, is_of_rejects};
use crate::failure::Failure;
use crate::import::table::{Column, Table, near_names, shown};

/// How many problems of one kind are told.
const TOLD: usize = 50;

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
        for (field, name) in header.iter().enumerate() {
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
        matching
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
                "the file's columns are not those of the table {:?}:\n{}{hint}",
                self.table.name,
                problems.join("\n")
            );
            return Err(Failure::named(FailureName::HeaderMismatch, cause));
        }
        let pairs = self.table.columns.iter().zip(&self.fields_of);
        Ok(pairs.map(|(column, of)| of.first().copied().filter(|_| column.takes_values())).collect())
    }

    fn problems(&self) -> Vec<String> {
        let matched = || self.table.columns.iter().zip(&self.fields_of);
        let name_of = |field: usize| self.header.get(field).map_or("", String::as_str);
        let mut problems = Vec::new();
        let missing = matched().filter(|(column, of)| of.is_empty() && column.is_required());
        tell(&mut problems, "missing", missing, |(column, _)| {
            let near = near_names(&column.name, self.unknown.iter().map(|&field| name_of(field)));
            format!(
                "{}, which must have a value{}",
                shown(&column.name),
                is_it("; in the file, is it ", &near)
            )
        });
        tell(&mut problems, "mapped", self.mismapped.iter(), String::clone);
        if !self.options.ignore_unknown {
            tell(&mut problems, "unknown", self.unknown.iter(), |&field| {
                let name = name_of(field);
                let free = matched().filter(|(_, of)| of.is_empty()).map(|(column, _)| column.name.as_str());
                let near = is_it("; in the table, is it ", &near_names(name, free));
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
        tell(&mut problems, "twice", twice, |(column, of)| {
            let places: Vec<_> = of.iter().take(TOLD).map(|field| (field + 1).to_string()).collect();
            format!("{}, columns {} of the file", shown(&column.name), places.join(" and "))
        });
        let fills_nothing = matched().all(|(column, of)| of.is_empty() || !column.takes_values());
        if problems.is_empty() && fills_nothing {
            problems.push("no column of the file is one of the table's".to_owned());
        }
        problems
    }
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

fn is_it(words: &str, near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("{words}{}?", near.join(" or ")) }
}
