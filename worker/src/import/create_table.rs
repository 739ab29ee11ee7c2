//! A table for a file that has none yet: names from the header, types from the first rows. Whatever could lose
//! something stays text: a postcode with leading zeros is no number.

use std::fmt::Write as _;
use std::io::Read;

use diesel::connection::SimpleConnection as _;
use statemachine::{FailureName, ImportOptions};

use super::reject::Misfit;
use super::table::quoted;
use super::value::{DecimalLimits, Kind, Value, Width};
use crate::config::AllowedTables;
use crate::db::failure::database_failure;
use crate::db::{Connection, Database};
use crate::failure::Failure;

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
    #[error("the header has the name {0:?} twice; rename one")]
    Twice(String),
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
/// names are the header's, quoted. `table` may have a schema (`sales.orders`).
///
/// # Errors
/// A [`Refusal`] where the sample is no CSV, or the header names no table's columns.
pub fn infer(sample: impl Read, table: &str, dialect: Dialect) -> Result<String, Refusal> {
    let mut reader = super::open(sample, &ImportOptions::default())?;
    let header = super::read_header(&mut reader)?;
    check_names(&header)?;
    let mut columns = vec![Column::default(); header.len()];
    for _ in 0..SAMPLE_ROWS {
        let Some(row) = reader.next_row()? else { break };
        // A ragged row will be a reject; it says nothing of the columns.
        if row.fields.len() == header.len() {
            columns.iter_mut().zip(row.fields).for_each(|(column, field)| column.see(field));
        }
    }
    let name: Vec<_> = match table.split_once('.') {
        Some((schema, table)) => vec![quoted(schema), quoted(table)],
        None => vec![quoted(table)],
    };
    let mut sql = format!("CREATE TABLE {} (", name.join("."));
    for (index, (name, column)) in header.iter().zip(&columns).enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(sql, "{comma}\n  {} {}", quoted(name), column.guess().in_sql(dialect));
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
) -> Result<Option<String>, Refusal> {
    let mut connection = database.connect()?;
    let allowed = AllowedTables::parse("*").map_err(|error| Failure::named(FailureName::Internal, error))?;
    super::table::check_allowed(table, &allowed)?;
    match super::table::read(&mut connection, table, &allowed) {
        Ok(_) => return Ok(None),
        Err(Failure::Named { name: FailureName::TableMissing, .. }) => {}
        Err(failure) => return Err(failure.into()),
    }
    let dialect = match &connection {
        Connection::Postgres(_) => Dialect::Postgres,
        Connection::Sqlite(_) => Dialect::Sqlite,
    };
    let sql = infer(sample, table, dialect)?;
    connection.batch_execute(&sql).map_err(|error| database_failure(&error, "create the table"))?;
    Ok(Some(sql))
}

fn check_names(header: &[String]) -> Result<(), Refusal> {
    let mut seen = std::collections::HashSet::new();
    for (index, name) in header.iter().enumerate() {
        if name.trim().is_empty() {
            return Err(Refusal::NoName(index + 1));
        }
        if !seen.insert(name.trim().to_lowercase()) {
            return Err(Refusal::Twice(name.clone()));
        }
    }
    Ok(())
}

/// What has been seen of a column.
#[derive(Clone, Debug)]
struct Column {
    /// For each of [`GUESSES`], whether every value so far is one.
    fits: [bool; GUESSES.len()],
    seen: bool,
}

impl Default for Column {
    fn default() -> Self {
        Self { fits: [true; GUESSES.len()], seen: false }
    }
}

impl Column {
    fn see(&mut self, field: &[u8]) {
        if field.trim_ascii().is_empty() {
            return;
        }
        self.seen = true;
        for (fits, guess) in self.fits.iter_mut().zip(GUESSES) {
            *fits = *fits && guess.fits(field);
        }
    }

    fn guess(&self) -> Guess {
        let fitting = self.fits.iter().zip(GUESSES).find(|(fits, _)| **fits);
        fitting.filter(|_| self.seen).map_or(Guess::Text, |(_, guess)| guess)
    }
}

impl Guess {
    fn fits(self, field: &[u8]) -> bool {
        let is = |kind: Kind| -> Result<Value<'_>, Misfit> { kind.parse(field) };
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
mod tests {
    use super::*;

    fn inferred(sample: &str) -> Result<String, String> {
        infer(sample.as_bytes(), "t", Dialect::Postgres).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn types_come_from_the_values() {
        let sample = "id,code,amount,day,at,seen,active,key,note,empty\n\
            1,007,1.50,2024-02-29,2024-02-29 10:00:00,2024-02-29T10:00:00Z,true,67e55044-10b1-426f-9247-bb680e5fe0c8,x,\n\
            -2,012,3,2024-03-01,2024-02-29T10:00:01,2024-02-29T10:00:00+09:00,FALSE,,1,\n";
        assert_eq!(
            inferred(sample).unwrap(),
            "CREATE TABLE \"t\" (\n  \"id\" bigint,\n  \"code\" text,\n  \"amount\" numeric,\n  \"day\" date,\n  \
             \"at\" timestamp,\n  \"seen\" timestamptz,\n  \"active\" boolean,\n  \"key\" uuid,\n  \"note\" text,\n  \
             \"empty\" text\n)"
        );
    }

    #[test]
    fn numbers_that_are_names_stay_text() {
        for value in ["0123", "+81312345678", "03-1234-5678", "1e5", "12345678901234567890.5", ".5"] {
            assert!(inferred(&format!("a\n{value}\n")).unwrap().contains("\"a\" text"), "{value}");
        }
        assert!(inferred("a\n0\n0.5\n").unwrap().contains("\"a\" numeric"));
    }

    #[test]
    fn names_are_kept_and_quoted() {
        let sql = infer("Full \"Name\"\nx\n".as_bytes(), "s.t", Dialect::Sqlite).unwrap();
        assert_eq!(sql, "CREATE TABLE \"s\".\"t\" (\n  \"Full \"\"Name\"\"\" text\n)");
    }

    #[test]
    fn a_header_that_names_no_columns_is_refused() {
        assert_eq!(inferred("a,,b\n").unwrap_err(), "column 2 of the header has no name; give it one");
        assert_eq!(inferred("a,A\n").unwrap_err(), "the header has the name \"A\" twice; rename one");
        assert!(inferred("").unwrap_err().contains("the file is empty"));
    }
}
