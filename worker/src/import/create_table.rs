//! A table for a file that has none yet: names from the header, types from all of its rows. Whatever could lose something
//! stays text: a postcode with leading zeros is no number. The README lists what a column of a type may write otherwise.

mod column;
mod guess;
mod made;
mod name;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Read;

use statemachine::{FailureName, ImportOptions};

use super::csv::{RawRow, Record};
use super::header::{Names, fold, is_of_rejects, leading_of_rejects, without_surplus};
use super::imported_files;
use super::table::{quoted, shown};
use crate::config::AllowedTables;
use crate::db::{Connection, Database};
use crate::failure::Failure;
use column::Column;
use guess::Values;
pub use made::{Kept, Made};
use name::TableName;

/// The most bytes that a name of PostgreSQL has.
const POSTGRES_NAME_BYTES: usize = 63;

/// The most columns of a table: of PostgreSQL, and of SQLite as it is built here.
const MAX_COLUMNS: (usize, usize) = (1600, 2000);

/// The columns that PostgreSQL has in every table.
const SYSTEM_COLUMNS: [&str; 6] = ["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// Whose SQL the table is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    fn of(connection: &Connection) -> Self {
        match connection {
            Connection::Postgres(_) => Self::Postgres,
            Connection::Sqlite(_) => Self::Sqlite,
        }
    }
}

/// Why no table can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Failure),
    /// A column without a name.
    #[error("column {0} of the header has no name; give it one, or leave it out (--ignore-unknown)")]
    NoName(usize),
    /// A name with the character U+0000, which no name of a database has.
    #[error("the name {0} has the character U+0000, which no column's name can have; rename it in the file")]
    Nul(String),
    /// Two columns of one name. Names that differ in case alone are one to SQLite, and to the import.
    #[error(
        "the header has the names {0} and {1}, which are one column to an import; rename one, or map it to another"
    )]
    Twice(String, String),
    /// Two columns whose names do not differ at all, so that no mapping could mean one of them.
    #[error("the header has the name {0} twice; rename one of them in the file")]
    TwiceAlike(String),
    /// A name that PostgreSQL would cut, so that the header would no longer be the table's.
    #[error(
        "the name {0} has more than {POSTGRES_NAME_BYTES} bytes, the most that PostgreSQL keeps; map it to a shorter one"
    )]
    NameTooLong(String),
    /// A name that PostgreSQL gives to a column of its own.
    #[error(
        "the name {0} is that of a column which PostgreSQL has in every table; map it to another one (--map NAME=COLUMN)"
    )]
    NameOfServer(String),
    /// The options map a name that the header does not have.
    #[error("the header has no name {0:?} that could be mapped")]
    NotInFile(String),
    /// A table's name with quotation marks that SQL reads as no name.
    #[error(
        "the name {0} of the table has quotation marks that make no name; leave them out, or write it as in SQL: \"a.b\" or \
         sales.\"a.b\", and a quotation mark within as two"
    )]
    Quoted(String),
    /// A schema that SQLite does not have.
    #[error("SQLite has no schema {0} for the table; leave it out, or write main")]
    Schema(String),
    /// A table's name that PostgreSQL would cut, so that the import would not find it.
    #[error(
        "the name {0} of the table has more than {POSTGRES_NAME_BYTES} bytes, the most that PostgreSQL keeps; give it a shorter one"
    )]
    TableNameTooLong(String),
    /// More columns than a table of the database can have.
    #[error(
        "the file has {columns} columns for the table, and one of {server} has at most {most}; make a table of those that are wanted, \
         and leave out the others (--ignore-unknown)"
    )]
    TooManyColumns {
        /// Those that are not left out.
        columns: usize,
        /// Whose table it would be.
        server: &'static str,
        /// The most that it can have.
        most: usize,
    },
    /// Nothing to make a table of.
    #[error("the file has no columns")]
    NoColumns,
}

/// The statement that makes a table for the file: its header and all of its rows, which are read one by one. All columns may
/// be NULL; the names are the header's, or those that the options map them to, quoted. `table` is read as an import reads it: it
/// may have a schema (`sales.orders`), and quotes. A limit of rows counts here, too.
///
/// # Errors
/// A [`Refusal`] where the file is no CSV, or the header names no table's columns.
pub fn infer(
    file: impl Read,
    table: &str,
    dialect: Dialect,
    options: &ImportOptions,
) -> Result<String, Refusal> {
    let table = TableName::read(table, dialect)?;
    let values = Values::of(dialect, options)?;
    let mut reader = super::open(file, options)?;
    let mut columns = if options.no_header {
        let first: Vec<_> = reader.peek_row()?.into_iter().flat_map(Record::iter).collect();
        let leading = leading_of_rejects(&first, 0);
        let of_rejects = (0..leading).map(|_| Column::left_out(String::new()));
        of_rejects
            .chain((leading..first.len()).map(|place| Column::new(format!("column_{}", place + 1 - leading))))
            .collect()
    } else {
        let header = super::header::read_names(&mut reader)?;
        columns_of(without_surplus(&header), dialect, options)?
    };
    if columns.is_empty() {
        return Err(Refusal::NoColumns);
    }
    let mut rows_left = options.limit.unwrap_or(u64::MAX);
    // Once every column is text, no row can change that.
    while columns.iter().any(Column::is_open) && rows_left > 0 {
        let Some(row) = reader.next_row()? else { break };
        rows_left -= 1;
        see(&mut columns, &row, &values);
    }
    statement_of(&columns, &table, dialect)
}

/// A row of another number of fields will be a reject, which says nothing of the columns; but the import leaves out empty
/// fields at the end of a row, and so they are here.
fn see(columns: &mut [Column], row: &RawRow<'_>, values: &Values) {
    let (fields, mut walk) = (row.fields, row.walk());
    let is_surplus_empty = fields.iter().skip(columns.len()).all(<[u8]>::is_empty);
    if fields.len() < columns.len() || !is_surplus_empty {
        return;
    }
    for (place, (column, field)) in columns.iter_mut().zip(fields.iter()).enumerate() {
        if column.is_open() {
            column.see(field, values, || walk.is_quoted(place));
        }
    }
}

fn statement_of(columns: &[Column], table: &TableName, dialect: Dialect) -> Result<String, Refusal> {
    let lines: Vec<_> = columns.iter().filter(|column| !column.is_left_out).collect();
    let (server, most) = match dialect {
        Dialect::Postgres => ("PostgreSQL", MAX_COLUMNS.0),
        Dialect::Sqlite => ("SQLite", MAX_COLUMNS.1),
    };
    match lines.len() {
        0 => return Err(Refusal::NoColumns),
        columns if columns > most => return Err(Refusal::TooManyColumns { columns, server, most }),
        _ => {}
    }
    let mut sql = format!("CREATE TABLE {} (", table.in_sql());
    for (index, column) in lines.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(sql, "{comma}\n  {} {}", quoted(&column.name), column.guess().in_sql(dialect));
    }
    sql.push_str("\n)");
    Ok(sql)
}

/// Makes the table in the database, unless there is one of this name. Returns what it made.
///
/// # Errors
/// A [`Refusal`], also where the database cannot be reached or refuses the table.
pub fn create_missing(
    database: &Database,
    table: &str,
    file: impl Read,
    options: &ImportOptions,
) -> Result<Option<Made>, Refusal> {
    let mut connection = database.connect()?;
    let Some(sql) = statement(&mut connection, table, file, options)? else { return Ok(None) };
    match Made::make(&mut connection, table, sql) {
        Ok(made) => {
            // Where imports may not be changed, a file that went into a table of this name may be taken for one that is in it.
            let _ = forget_files(&mut connection, table);
            Ok(Some(made))
        }
        // Somebody else has made it meanwhile.
        Err(_) if is_there(&mut connection, table).unwrap_or(false) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// The statement that [`create_missing`] would run; none where there is such a table.
///
/// # Errors
/// A [`Refusal`], also where the database cannot be reached.
pub fn infer_missing(
    database: &Database,
    table: &str,
    file: impl Read,
    options: &ImportOptions,
) -> Result<Option<String>, Refusal> {
    statement(&mut database.connect()?, table, file, options)
}

fn statement(
    connection: &mut Connection,
    table: &str,
    file: impl Read,
    options: &ImportOptions,
) -> Result<Option<String>, Refusal> {
    if is_there(connection, table)? {
        return Ok(None);
    }
    infer(file, table, Dialect::of(connection), options).map(Some)
}

/// Forgets the files of a table that had this name before.
fn forget_files(connection: &mut Connection, table: &str) -> Result<(), Failure> {
    let made = super::table::read(connection, table, &all_tables()?)?;
    imported_files::forget(connection, &made.sql)
}

fn all_tables() -> Result<AllowedTables, Failure> {
    AllowedTables::parse("*").map_err(|error| Failure::named(FailureName::Internal, error))
}

fn is_there(connection: &mut Connection, table: &str) -> Result<bool, Failure> {
    let allowed = all_tables()?;
    super::table::check_allowed(table, &allowed)?;
    match super::table::read(connection, table, &allowed) {
        Ok(_) => Ok(true),
        Err(Failure::Named { name: FailureName::TableMissing, .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// A column for each name of the header, under the name that it has in the table.
fn columns_of(header: &[String], dialect: Dialect, options: &ImportOptions) -> Result<Vec<Column>, Refusal> {
    let mut mapped = HashMap::new();
    let names = Names::of(header.iter().map(String::as_str));
    for (name, column) in &options.map {
        let fields = names.places(name);
        if fields.is_empty() {
            return Err(Refusal::NotInFile(name.clone()));
        }
        mapped.extend(fields.iter().map(|field| (*field, column.as_str())));
    }
    let mut seen = HashMap::new();
    let mut columns = Vec::new();
    for (field, written) in header.iter().enumerate() {
        let is_left_out = !mapped.contains_key(&field) && is_of_rejects(written);
        let name = mapped.get(&field).copied().unwrap_or(written).trim();
        // The table has no column of this name, however often the header has it.
        if name.is_empty() && options.ignore_unknown {
            columns.push(Column::left_out(String::new()));
            continue;
        }
        if name.is_empty() {
            return Err(Refusal::NoName(field + 1));
        }
        if name.contains('\0') && !is_left_out {
            return Err(Refusal::Nul(shown(name)));
        }
        match seen.insert(fold(name), written) {
            Some(other) if other == written => return Err(Refusal::TwiceAlike(shown(name))),
            Some(other) => return Err(Refusal::Twice(shown(other), shown(written))),
            None => {}
        }
        if dialect == Dialect::Postgres && name.len() > POSTGRES_NAME_BYTES {
            return Err(Refusal::NameTooLong(shown(name)));
        }
        if dialect == Dialect::Postgres && !is_left_out && SYSTEM_COLUMNS.contains(&name) {
            return Err(Refusal::NameOfServer(shown(name)));
        }
        columns.push(if is_left_out {
            Column::left_out(name.to_owned())
        } else {
            Column::new(name.to_owned())
        });
    }
    Ok(columns)
}

#[cfg(test)]
mod tests;
