//! A table for a file that has none yet: names from the header, types from the first rows. Whatever could lose
//! something stays text: a postcode with leading zeros is no number.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Read;

use diesel::connection::SimpleConnection as _;
use statemachine::{FailureName, ImportOptions};

use super::header::{Names, fold, is_of_rejects};
use super::table::{quoted, shown};
use super::value::{DecimalLimits, Kind, Reading, Width};
use crate::config::AllowedTables;
use crate::db::failure::database_failure;
use crate::db::{Connection, Database};
use crate::failure::Failure;

/// The most bytes that a name of PostgreSQL has.
const POSTGRES_NAME_BYTES: usize = 63;

/// Rows of the sample that are looked at.
const SAMPLE_ROWS: usize = 1000;

/// Whose SQL the table is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// Why no table can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The sample cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Failure),
    /// A column without a name.
    #[error("column {0} of the header has no name; give it one")]
    NoName(usize),
    /// Two columns of one name. Names that differ in case alone are one to SQLite, and to the import.
    #[error("the header has the name {0} twice; rename one, or map it to another")]
    Twice(String),
    /// A name that PostgreSQL would cut, so that the header would no longer be the table's.
    #[error(
        "the name {0} has more than {POSTGRES_NAME_BYTES} bytes, the most that PostgreSQL keeps; map it to a shorter one"
    )]
    NameTooLong(String),
    /// The options map a name that the header does not have.
    #[error("the header has no name {0:?} that could be mapped")]
    NotInFile(String),
    /// Nothing to make a table of.
    #[error("the file has no columns")]
    NoColumns,
}

/// What a column may still be, from the narrowest to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guess {
    Boolean,
    Integer,
    Decimal,
    Date,
    Timestamp,
    TimestampZone,
    Uuid,
    Text,
}

/// In the order of preference: the first that every value of the sample is.
const GUESSES: [Guess; 7] = [
    Guess::Boolean,
    Guess::Integer,
    Guess::Decimal,
    Guess::Date,
    Guess::Timestamp,
    Guess::TimestampZone,
    Guess::Uuid,
];

/// The statement that makes a table for the sample's file: its header and up to 1,000 rows. All columns may be NULL; the
/// names are the header's, or those that the options map them to, quoted. `table` may have a schema (`sales.orders`).
///
/// # Errors
/// A [`Refusal`] where the sample is no CSV, or the header names no table's columns.
pub fn infer(
    sample: impl Read,
    table: &str,
    dialect: Dialect,
    options: &ImportOptions,
) -> Result<String, Refusal> {
    let reading = Reading::of(options)?;
    let mut reader = super::open(sample, options)?;
    let mut columns = if options.no_header {
        Vec::new()
    } else {
        columns_of(&super::header::read_names(&mut reader)?, dialect, options)?
    };
    for _ in 0..SAMPLE_ROWS {
        let Some(row) = reader.next_row()? else { break };
        if columns.is_empty() {
            columns = (1..=row.fields.len()).map(|number| Column::new(format!("column_{number}"))).collect();
        }
        // A ragged row will be a reject; it says nothing of the columns.
        if row.fields.len() == columns.len() {
            columns.iter_mut().zip(row.fields).for_each(|(column, field)| column.see(field, &reading));
        }
    }
    let mut lines = columns.iter().filter(|column| !column.is_left_out).peekable();
    if lines.peek().is_none() {
        return Err(Refusal::NoColumns);
    }
    let name: Vec<_> = match table.split_once('.') {
        Some((schema, table)) => vec![quoted(schema), quoted(table)],
        None => vec![quoted(table)],
    };
    let mut sql = format!("CREATE TABLE {} (", name.join("."));
    for (index, column) in lines.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(sql, "{comma}\n  {} {}", quoted(&column.name), column.guess().in_sql(dialect));
    }
    sql.push_str("\n)");
    Ok(sql)
}

/// Makes the table in the database, unless there is one of this name. Returns the statement that made it.
///
/// # Errors
/// A [`Refusal`], also where the database cannot be reached or refuses the table.
pub fn create_missing(
    database: &Database,
    table: &str,
    sample: impl Read,
    options: &ImportOptions,
) -> Result<Option<String>, Refusal> {
    let mut connection = database.connect()?;
    let Some(sql) = statement(&mut connection, table, sample, options)? else { return Ok(None) };
    connection.batch_execute(&sql).map_err(|error| database_failure(&error, "create the table"))?;
    Ok(Some(sql))
}

/// The statement that [`create_missing`] would run; none where there is such a table.
///
/// # Errors
/// A [`Refusal`], also where the database cannot be reached.
pub fn infer_missing(
    database: &Database,
    table: &str,
    sample: impl Read,
    options: &ImportOptions,
) -> Result<Option<String>, Refusal> {
    statement(&mut database.connect()?, table, sample, options)
}

fn statement(
    connection: &mut Connection,
    table: &str,
    sample: impl Read,
    options: &ImportOptions,
) -> Result<Option<String>, Refusal> {
    let allowed = AllowedTables::parse("*").map_err(|error| Failure::named(FailureName::Internal, error))?;
    super::table::check_allowed(table, &allowed)?;
    match super::table::read(connection, table, &allowed) {
        Ok(_) => return Ok(None),
        Err(Failure::Named { name: FailureName::TableMissing, .. }) => {}
        Err(failure) => return Err(failure.into()),
    }
    let dialect = match connection {
        Connection::Postgres(_) => Dialect::Postgres,
        Connection::Sqlite(_) => Dialect::Sqlite,
    };
    infer(sample, table, dialect, options).map(Some)
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
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for (field, name) in header.iter().enumerate() {
        let is_left_out = !mapped.contains_key(&field) && is_of_rejects(name);
        let name = mapped.get(&field).copied().unwrap_or(name).trim();
        if name.is_empty() {
            return Err(Refusal::NoName(field + 1));
        }
        if !seen.insert(fold(name)) {
            return Err(Refusal::Twice(shown(name)));
        }
        if dialect == Dialect::Postgres && name.len() > POSTGRES_NAME_BYTES {
            return Err(Refusal::NameTooLong(shown(name)));
        }
        columns.push(Column { is_left_out, ..Column::new(name.to_owned()) });
    }
    Ok(columns)
}

/// What has been seen of a column.
struct Column {
    name: String,
    /// A file of rejects has it, a table has not.
    is_left_out: bool,
    /// For each of [`GUESSES`], whether every value so far is one.
    fits: [bool; GUESSES.len()],
    seen: bool,
}

impl Column {
    fn new(name: String) -> Self {
        Self { name, is_left_out: false, fits: [true; GUESSES.len()], seen: false }
    }

    fn see(&mut self, field: &[u8], reading: &Reading) {
        if reading.is_null(field.trim_ascii()) {
            return;
        }
        self.seen = true;
        for (fits, guess) in self.fits.iter_mut().zip(GUESSES) {
            *fits = *fits && guess.fits(field, reading);
        }
    }

    fn guess(&self) -> Guess {
        let fitting = self.fits.iter().zip(GUESSES).find(|(fits, _)| **fits);
        fitting.filter(|_| self.seen).map_or(Guess::Text, |(_, guess)| guess)
    }
}

impl Guess {
    fn fits(self, field: &[u8], reading: &Reading) -> bool {
        let is = |kind: Kind| kind.parse(field, reading);
        match self {
            // Not every word that the import takes: a column of y and n, or of 1 and 0, may hold other things later.
            Self::Boolean => field.eq_ignore_ascii_case(b"true") || field.eq_ignore_ascii_case(b"false"),
            Self::Integer => is_plain_number(field) && is(Kind::Integer(Width::Eight)).is_ok(),
            // Held to what both databases keep exactly.
            Self::Decimal => {
                let limits = DecimalLimits { declared: None, significant: Some(15) };
                is_plain_number(field) && is(Kind::Decimal(limits)).is_ok()
            }
            Self::Date => is(Kind::Date).is_ok(),
            Self::Timestamp => is(Kind::Timestamp(6)).is_ok(),
            Self::TimestampZone => is(Kind::TimestampZone(6)).is_ok(),
            // With its hyphens: without, it might be any number.
            Self::Uuid => field.len() == 36 && is(Kind::Uuid).is_ok(),
            Self::Text => true,
        }
    }

    fn in_sql(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::Boolean, _) => "boolean",
            (Self::Integer, Dialect::Postgres) => "bigint",
            (Self::Integer, Dialect::Sqlite) => "integer",
            (Self::Decimal, _) => "numeric",
            (Self::Date, _) => "date",
            (Self::Timestamp, _) => "timestamp",
            (Self::TimestampZone, _) => "timestamptz",
            (Self::Uuid, _) => "uuid",
            (Self::Text, _) => "text",
        }
    }
}

/// Digits that mean a quantity: no sign of plus, no zeros in front, no exponent. `007` and `+81` are names.
fn is_plain_number(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    let is_padded = matches!(digits, [b'0', next, ..] if next.is_ascii_digit());
    let is_point_first = digits.first() == Some(&b'.');
    !is_padded && !is_point_first && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

#[cfg(test)]
mod tests;
