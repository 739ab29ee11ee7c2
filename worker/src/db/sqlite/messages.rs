//! What SQLite's own messages mean. diesel passes a kind for the usual constraints and, for all else, the message alone. So
//! whole messages are compared: what is only contained in one may be a trigger's, a name or a value.

use diesel::result::{DatabaseErrorKind, Error};

use crate::db::postgres::sqlstate::Meaning;

/// The message of `FULL`.
pub(crate) const FULL: &str = "database or disk is full";

/// The message of `BUSY`.
const BUSY: &str = "database is locked";

/// The messages of `BUSY`, `LOCKED`, `NOMEM`, `READONLY`, `INTERRUPT`, `IOERR`, `FULL`, `CANTOPEN`, `PROTOCOL` and `SCHEMA`: SQLite cannot go
/// on, whatever the row is.
const OUTAGES: &[&str] = &[
    BUSY,
    "database table is locked",
    "out of memory",
    "attempt to write a readonly database",
    "interrupted",
    "disk I/O error",
    FULL,
    "unable to open database file",
    "locking protocol",
    "database schema has changed",
];

/// The messages of `CORRUPT`, `NOTADB`, `PERM` and `AUTH`: nothing that passes by itself.
const DAMAGES: &[&str] = &[
    "database disk image is malformed",
    "file is not a database",
    "access permission denied",
    "authorization denied",
];

/// How a message begins that names what is missing. It comes when a statement is read, before any row has to do with it.
const MISSING: &[&str] = &[
    "no such table: ",
    "no such column: ",
    "no such function: ",
    "no such collation sequence: ",
    "no such module: ",
];

/// Whether another connection has the lock that a statement needs. Only for statements that no trigger has to do with.
pub(crate) fn is_busy(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information) if information.message() == BUSY)
}

/// Whether SQLite says that it cannot go on, or somebody in its words.
pub(crate) fn is_outage(message: &str) -> bool {
    OUTAGES.contains(&message)
        || DAMAGES.contains(&message)
        || message.starts_with("database schema is locked: ")
}

/// What an error means that no trigger has to do with. Where a table has triggers, the loader makes sure.
pub(crate) fn meaning_of(kind: &DatabaseErrorKind, message: &str) -> Meaning {
    use DatabaseErrorKind as Kind;
    match kind {
        Kind::UniqueViolation
        | Kind::ForeignKeyViolation
        | Kind::NotNullViolation
        | Kind::CheckViolation
        | Kind::ExclusionViolation
        | Kind::RestrictViolation => Meaning::Row,
        _ if DAMAGES.contains(&message) || MISSING.iter().any(|part| message.starts_with(part)) => {
            Meaning::SetUp
        }
        _ if is_outage(message) => Meaning::Outage,
        _ => Meaning::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_message_of_sqlites_own_is_an_outage() {
        assert!(is_outage("database is locked") && is_outage("database schema is locked: main"));
        for other in ["the database is locked", "Database is locked", "database is locked by me", ""] {
            assert!(!is_outage(other), "{other}");
        }
    }

    #[test]
    fn what_is_missing_or_damaged_does_not_pass_by_itself() {
        let meaning = |message| meaning_of(&DatabaseErrorKind::Unknown, message);
        assert_eq!(meaning("no such table: main.audit"), Meaning::SetUp);
        assert_eq!(meaning("file is not a database"), Meaning::SetUp);
        assert_eq!(meaning("database or disk is full"), Meaning::Outage);
        assert_eq!(meaning("near \"x\": syntax error"), Meaning::Internal);
        let unique = meaning_of(&DatabaseErrorKind::UniqueViolation, "UNIQUE constraint failed: t.a");
        assert_eq!(unique, Meaning::Row);
    }
}
