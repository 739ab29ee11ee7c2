//! The header against the table: which field fills which column. Names may stand in any order; one that is not the
//! column's to the letter may differ in case and in white space around it. Everything that does not fit is told at once.

use csv::ByteRecord;
use statemachine::{FailureName, ImportOptions};

use super::decode::unreadable;
use super::table::{Column, Table, near_names};
use super::value::Kind;
use crate::failure::Failure;

pub(crate) const LINE: &str = "baton_line";
pub(crate) const REASON: &str = "baton_reason";
pub(crate) fn read<R: std::io::Read>(
    reader: &mut super::csv::Reader<R>,
    table: &Table,
    options: &ImportOptions,
) -> Result<Plan, Failure> {
    let mut header = super::read_header(reader)?;
    plan(&header, table, options)
}
/// What is done with each row.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Fields that a row must have.
    pub(crate) fields: usize,
    /// The columns that the file fills, in the file's order.
    pub(crate) columns: Vec<Filled>,
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
    pub(crate) nullable: bool,
    pub(crate) base_type: String,
}

/// The header's names, as text.
pub(crate) fn names(header: &ByteRecord) -> Result<Vec<String>, Failure> {
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

/// Matches the header with the table.
pub(crate) fn plan(header: &[String], table: &Table, options: &ImportOptions) -> Result<Plan, Failure> {
    let mut fields_of = vec![Vec::new(); table.columns.len()];
    let mut unknown = Vec::new();
    for (field, name) in header.iter().enumerate() {
        match find(name, &table.columns) {
            Some(index) => fields_of.get_mut(index).into_iter().for_each(|fields| fields.push(field)),
            None => unknown.push((field, name.as_str())),
        }
    }
    let matched = || table.columns.iter().zip(&fields_of);
    let missing = matched().filter(|(column, fields)| fields.is_empty() && column.is_required());
    let twice = matched().filter(|(_, fields)| fields.len() > 1);
    let computed = matched().filter(|(column, fields)| column.generated && !fields.is_empty());
    let mut problems = Vec::new();
    for (column, _) in missing {
        let near = near_names(&column.name, unknown.iter().map(|&(_, name)| name));
        let near = is_it("; in the file, is it ", &near);
        problems.push(format!("missing: {:?}, which must have a value{near}", column.name));
    }
    if !options.ignore_unknown {
        for &(field, name) in &unknown {
            let free =
                matched().filter(|(_, fields)| fields.is_empty()).map(|(column, _)| column.name.as_str());
            let near = is_it("; in the table, is it ", &near_names(name, free));
            let name = if name.trim().is_empty() { "(no name)".to_owned() } else { format!("{name:?}") };
            problems.push(format!("unknown: {name}, column {} of the file{near}", field + 1));
        }
        for (column, _) in computed {
            problems.push(format!("generated: {:?}, which the database computes itself", column.name));
        }
    }
    for (column, fields) in twice {
        let places: Vec<_> = fields.iter().map(|field| (field + 1).to_string()).collect();
        problems.push(format!("twice: {:?}, columns {} of the file", column.name, places.join(" and ")));
    }
    let fills_nothing = matched().all(|(column, fields)| fields.is_empty() || column.generated);
    if problems.is_empty() && fills_nothing {
        problems.push("no column of the file is one of the table's".to_owned());
    }
    if !problems.is_empty() {
        let cause = format!(
            "the file's columns are not those of the table {:?}:\n{}{}",
            table.name,
            problems.join("\n"),
            if unknown.is_empty() || options.ignore_unknown {
                ""
            } else {
                "\n(ignore_unknown leaves unknown columns out)"
            }
        );
        return Err(Failure::named(FailureName::HeaderMismatch, cause));
    }
    let mut columns = Vec::new();
    let mut unsupported = Vec::new();
    for (column, fields) in matched().filter(|(column, _)| !column.generated) {
        let Some(&field) = fields.first() else { continue };
        match column.kind {
            Some(kind) => {
                columns.push(Filled {
                    field,
                    name: column.name.clone(),
                    kind,
                    nullable: column.nullable,
                    base_type: column.type_name.clone(),
                });
            }
            None => unsupported.push(format!("{:?} of type {}", column.name, column.type_name)),
        }
    }
    if !unsupported.is_empty() {
        let cause = format!(
            "columns of a type that cannot be imported: {}; leave them out of the file, or give them another type",
            unsupported.join(", ")
        );
        return Err(Failure::named(FailureName::ColumnUnsupported, cause));
    }
    columns.sort_by_key(|column| column.field);
    Ok(Plan { fields: header.len(), columns })
}

/// The column of this name: to the letter, else the only one that differs in case and white space alone.
fn find(name: &str, columns: &[Column]) -> Option<usize> {
    if let Some(index) = columns.iter().position(|column| column.name == name) {
        return Some(index);
    }
    let folded = fold(name);
    let mut alike = columns.iter().enumerate().filter(|(_, column)| fold(&column.name) == folded);
    match (alike.next(), alike.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

fn is_it(words: &str, near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("{words}{}?", near.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: Option<Kind>, nullable: bool) -> Column {
        let type_name = "point".to_owned();
        Column { name: name.to_owned(), type_name, kind, nullable, has_default: false, generated: false }
    }

    fn people() -> Table {
        let text = Some(Kind::Text { max_characters: None });
        let columns = vec![
            column("id", text, false),
            column("email", text, false),
            column("Name", text, true),
            column("place", None, true),
        ];
        Table {
            name: "people".to_owned(),
            sql: "\"people\"".to_owned(),
            columns,
            oid: 0,
            primary_key: Vec::new(),
        }
    }

    fn planned(header: &[&str], ignore_unknown: bool) -> Result<Vec<(usize, String)>, String> {
        let header: Vec<_> = header.iter().map(|&name| name.to_owned()).collect();
        let options = ImportOptions { ignore_unknown, ..ImportOptions::default() };
        match plan(&header, &people(), &options) {
            Ok(plan) => Ok(plan.columns.into_iter().map(|column| (column.field, column.name)).collect()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn names_may_stand_in_any_order_and_differ_in_case_and_white_space() {
        let expected = [(0, "email"), (1, "id"), (2, "Name")].map(|(field, name)| (field, name.to_owned()));
        assert_eq!(planned(&[" EMAIL", "id", "name "], false).unwrap(), expected);
    }

    #[test]
    fn everything_that_does_not_fit_is_told_at_once() {
        let refusal = planned(&["ID", "e-mail", "id", ""], false).unwrap_err();
        assert_eq!(
            refusal,
            "Import.HeaderMismatch: the file's columns are not those of the table \"people\":\n\
             missing: \"email\", which must have a value; in the file, is it \"e-mail\"?\n\
             unknown: \"e-mail\", column 2 of the file; in the table, is it \"email\"?\n\
             unknown: (no name), column 4 of the file\n\
             twice: \"id\", columns 1 and 3 of the file\n\
             (ignore_unknown leaves unknown columns out)"
        );
    }

    #[test]
    fn unknown_columns_are_left_out_on_demand() {
        let expected = [(0, "id"), (2, "email")].map(|(field, name)| (field, name.to_owned()));
        assert_eq!(planned(&["id", "x", "email"], true).unwrap(), expected);
    }

    #[test]
    fn a_type_that_cannot_be_imported_matters_only_where_the_file_fills_it() {
        assert!(planned(&["id", "email"], false).is_ok());
        let refusal = planned(&["id", "email", "place"], false).unwrap_err();
        assert!(
            refusal.starts_with("Import.ColumnUnsupported") && refusal.contains("\"place\" of type point")
        );
    }
}
