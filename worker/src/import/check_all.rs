//! Checks a file against columns that somebody names, without a database: what a table of SQLite with these types would
//! take of it. It does all that an import does before the database's turn, which is what there is to measure here.

use std::io::Read;

use statemachine::{FailureName, ImportOptions};

use super::check::check;
use super::form::Form;
use super::header;
use super::table::Table;
use crate::failure::Failure;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Rows that fit.
    pub rows: u64,
    /// Rows that do not.
    pub rejects: u64,
    /// Bytes that the rows take in the form of PostgreSQL's binary COPY.
    pub form_bytes: u64,
}

/// Reads and checks all rows of a file whose table has these columns, each a name and a type in SQL. No column must have a
/// value, and none has a default.
///
/// # Errors
/// A [`Failure`] where the source is no CSV, where its header is not the columns', or where a type is not understood.
pub fn check_all(
    source: impl Read,
    columns: &[(&str, &str)],
    options: &ImportOptions,
) -> Result<Checked, Failure> {
    let mut reader = super::open(source, options)?;
    let table = Table::declared(columns);
    if let Some(column) = table.columns.iter().find(|column| column.kind.is_none()) {
        let cause = format!("the type {} is not understood", column.type_name);
        return Err(Failure::named(FailureName::ColumnUnsupported, cause));
    }
    let plan = header::read(&mut reader, &table, options)?;
    let (mut checked, mut form) = (Checked::default(), Vec::new());
    while let Some(row) = reader.next_row()? {
        let mut values = Vec::with_capacity(plan.columns.len());
        if check(&row, &plan, &mut values).is_err() {
            checked.rejects += 1;
            continue;
        }
        form.clear();
        Form::Binary.write(&mut form, &plan.columns, &values);
        checked.rows += 1;
        checked.form_bytes += form.len() as u64;
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_checked_as_an_import_would_check_them() {
        let columns = [("id", "INTEGER"), ("price", "DECIMAL(5,2)")];
        let checked = |file: &str| check_all(file.as_bytes(), &columns, &ImportOptions::default());
        let found = checked("price,id\n1.50,1\n1.005,2\n,3\nx,4\n").unwrap();
        assert_eq!((found.rows, found.rejects), (2, 2));
        assert!(found.form_bytes > 20);
        assert!(checked("price,nr\n").unwrap_err().to_string().contains("\"nr\""));
    }
}
