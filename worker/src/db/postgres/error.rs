//! An error of PostgreSQL, with everything the server says of it. Through diesel, too: diesel's error has no place for an
//! SQLSTATE, so the code travels in the one number that diesel carries and nobody here uses, the statement's position.

use std::error::Error as _;
use std::fmt;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use tokio_postgres::error::{DbError, Severity, SqlState};

use super::sqlstate::Meaning;

/// Why a statement failed.
#[derive(Debug)]
pub(crate) enum SqlError {
    /// The server refuses it.
    Server(Box<DbError>),
    /// The connection is gone, or never came about.
    Lost(String),
    /// The server's answer, or a value for it, could not be understood.
    Driver(String),
    /// It was cancelled because the import is to stop.
    Stopped,
    /// It was cancelled because it waited too long for a lock of a session that does nothing: which one, and how long.
    Held(String),
}

impl SqlError {
    /// What it means for an import.
    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Self::Server(error) => Meaning::of(error.code().code(), error.routine(), error.file()),
            Self::Lost(_) | Self::Stopped | Self::Held(_) => Meaning::Outage,
            Self::Driver(_) => Meaning::Internal,
        }
    }

    /// Whether the connection is gone with it: the server ends the session of whoever it sends a FATAL.
    pub(crate) fn ends_session(&self) -> bool {
        let is_fatal =
            |error: &DbError| matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
        matches!(self, Self::Lost(_)) || self.server().is_some_and(is_fatal)
    }

    /// The SQLSTATE, where the server gave one.
    pub(crate) fn code(&self) -> Option<&SqlState> {
        self.server().map(DbError::code)
    }

    /// What the server says, where it said anything.
    pub(crate) fn server(&self) -> Option<&DbError> {
        match self {
            Self::Server(error) => Some(error),
            Self::Lost(_) | Self::Driver(_) | Self::Stopped | Self::Held(_) => None,
        }
    }
}

impl fmt::Display for SqlError {
    /// The database's own words: message, detail and hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => f.write_str(&words(error.message(), error.detail(), error.hint())),
            Self::Lost(why) | Self::Driver(why) | Self::Held(why) => f.write_str(why),
            Self::Stopped => f.write_str("the statement was cancelled because the import is to stop"),
        }
    }
}

impl std::error::Error for SqlError {}

impl From<tokio_postgres::Error> for SqlError {
    fn from(error: tokio_postgres::Error) -> Self {
        let mut said = error.to_string();
        let mut source = error.source();
        let mut is_io = error.is_closed();
        while let Some(inner) = source {
            is_io |= inner.is::<std::io::Error>();
            said.push_str(": ");
            said.push_str(&inner.to_string());
            source = inner.source();
        }
        match error.into_source().map(|source| source.downcast::<DbError>()) {
            Some(Ok(error)) => Self::Server(error),
            _ if is_io => Self::Lost(format!("the connection to the database is lost ({said})")),
            _ => Self::Driver(said),
        }
    }
}

impl From<SqlError> for diesel::result::Error {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Server(error) => Self::DatabaseError(kind(error.code()), Box::new(Information(error))),
            SqlError::Driver(said) => Self::QueryBuilderError(said.into()),
            lost => Self::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(lost.to_string())),
        }
    }
}

/// The SQLSTATE and the routine's meaning of an error that came through diesel; `None` where PostgreSQL's server did not
/// send it.
pub(crate) fn meaning_of(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> Option<Meaning> {
    let code = unpacked(information.statement_position()?)?;
    // Nor a policy's refusal nor a value's syntax comes through a statement of diesel's: rows are written by statements of our own.
    Some(Meaning::of(&code, None, Some("gram.y")))
}

/// The SQLSTATE of an error that came through diesel.
pub(crate) fn code_of(error: &diesel::result::Error) -> Option<String> {
    match error {
        diesel::result::Error::DatabaseError(_, information) => unpacked(information.statement_position()?),
        diesel::result::Error::RollbackErrorOnCommit { commit_error, .. } => code_of(commit_error),
        _ => None,
    }
}

/// Message, detail and hint in one sentence.
pub(crate) fn words(message: &str, detail: Option<&str>, hint: Option<&str>) -> String {
    let mut words = message.trim().to_owned();
    for (label, more) in [("", detail), ("hint: ", hint)] {
        if let Some(more) = more {
            words.push_str("; ");
            words.push_str(label);
            words.push_str(more.trim());
        }
    }
    words
}

/// The kinds that diesel tells apart.
fn kind(code: &SqlState) -> DatabaseErrorKind {
    match code.code() {
        "23505" => DatabaseErrorKind::UniqueViolation,
        "23503" => DatabaseErrorKind::ForeignKeyViolation,
        "23502" => DatabaseErrorKind::NotNullViolation,
        "23514" => DatabaseErrorKind::CheckViolation,
        "23P01" => DatabaseErrorKind::ExclusionViolation,
        "23001" => DatabaseErrorKind::RestrictViolation,
        "40001" => DatabaseErrorKind::SerializationFailure,
        "25006" => DatabaseErrorKind::ReadOnlyTransaction,
        _ => DatabaseErrorKind::Unknown,
    }
}

/// Five characters of digits and upper-case letters as a number of base 36, which fits into 31 bits.
fn packed(code: &str) -> Option<i32> {
    code.chars().try_fold(0_i32, |sum, character| {
        let digit = i32::try_from(character.to_digit(36)?).ok()?;
        sum.checked_mul(36)?.checked_add(digit)
    })
}

fn unpacked(mut number: i32) -> Option<String> {
    let mut code = [0; 5];
    for place in code.iter_mut().rev() {
        *place = std::char::from_digit(u32::try_from(number % 36).ok()?, 36)?.to_ascii_uppercase() as u8;
        number /= 36;
    }
    String::from_utf8(code.to_vec()).ok()
}

#[derive(Debug)]
struct Information(Box<DbError>);

impl DatabaseErrorInformation for Information {
    fn message(&self) -> &str {
        self.0.message()
    }

    fn details(&self) -> Option<&str> {
        self.0.detail()
    }

    fn hint(&self) -> Option<&str> {
        self.0.hint()
    }

    fn table_name(&self) -> Option<&str> {
        self.0.table()
    }

    fn column_name(&self) -> Option<&str> {
        self.0.column()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.0.constraint()
    }

    /// The SQLSTATE: see the module's documentation.
    fn statement_position(&self) -> Option<i32> {
        packed(self.0.code().code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_comes_through_diesel_as_it_was() {
        for code in ["00000", "22P02", "42501", "P0001", "XX000", "ZZZZZ"] {
            assert_eq!(unpacked(packed(code).unwrap()).as_deref(), Some(code));
        }
    }
}
