//! What a database's error means for an import: the one place where errors of diesel become failures with a name.
//! Diesel tells the usual kinds apart, but passes no SQLSTATE on, so that the rest is told by the message. Where the server
//! cannot be had to speak English, what its messages say is not guessed: such an error counts as one that may pass, since a
//! retry too many costs less than a good row taken for a bad one, or an import given up.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use statemachine::FailureName;

use super::{Connection, postgres};
use crate::failure::Failure;

/// Messages of errors that end by themselves or by an operator's help, and that have no kind of their own: PostgreSQL's
/// classes 08, 25006, 40, 53, 55P03 and 57, libpq's connection errors, and SQLite's `BUSY`, `LOCKED`, `FULL`, `READONLY`, `IOERR`
/// and `CANTOPEN`. In lower case.
const UNAVAILABLE: &[&str] = &[
    // PostgreSQL
    "deadlock detected",
    "could not serialize",
    "no space left on device",
    "could not extend file",
    "could not write",
    "input/output error",
    "out of memory",
    "out of shared memory",
    "too many connections",
    "too many clients",
    "remaining connection slots",
    "lock timeout",
    "could not obtain lock",
    "statement timeout",
    "idle-in-transaction timeout",
    "idle in transaction timeout",
    "canceling statement due to",
    "conflict with recovery",
    "terminating connection",
    "terminating walreceiver",
    "terminating autovacuum",
    "the database system is",
    "read-only transaction",
    "crash of another server process",
    // libpq
    "server closed the connection",
    "connection to server",
    "connection not open",
    "no connection to the server",
    "could not connect",
    "could not receive data",
    "could not send data",
    "connection refused",
    "connection reset",
    "connection timed out",
    "connection has been closed",
    "broken pipe",
    "ssl syscall error",
    "ssl connection has been closed",
    // SQLite
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "attempt to write a readonly database",
    "database or disk is full",
    "disk i/o error",
    "unable to open database file",
];

/// The failure for an error of the database. `what` is what was tried, as an infinitive: "write rows into people".
pub(crate) fn database_failure(error: &Error, what: &str) -> Failure {
    Failure::named(name_of(error), format!("failed to {what}: {}", described(error)))
}

/// What came of statements on this connection, after their transaction has ended: a fault of the worker's own only where
/// the database is there and its messages can be read.
pub(crate) fn doubted(connection: &mut Connection, failure: Failure) -> Failure {
    let (Connection::Postgres(connection), Failure::Named { name: FailureName::Internal, cause }) =
        (connection, &failure)
    else {
        return failure;
    };
    let advice = match postgres::is_english(connection) {
        Ok(true) => return failure,
        Ok(false) => {
            "the database speaks another language than English, and its errors cannot be told apart; \
             as a superuser, ALTER ROLE … SET lc_messages = 'C' for the worker's role"
        }
        Err(_) => "the connection is lost",
    };
    Failure::named(FailureName::DatabaseUnavailable, format!("{cause} ({advice})"))
}

fn name_of(error: &Error) -> FailureName {
    use DatabaseErrorKind as Kind;
    match error {
        Error::DatabaseError(kind, information) => match kind {
            Kind::UniqueViolation
            | Kind::ForeignKeyViolation
            | Kind::NotNullViolation
            | Kind::CheckViolation
            | Kind::ExclusionViolation
            | Kind::RestrictViolation => FailureName::ConstraintViolation,
            Kind::SerializationFailure | Kind::ReadOnlyTransaction | Kind::ClosedConnection => {
                FailureName::DatabaseUnavailable
            }
            _ => name_of_message(&**information),
        },
        // A transaction manager that has given up, after its connection had broken.
        Error::BrokenTransactionManager => FailureName::DatabaseUnavailable,
        Error::RollbackErrorOnCommit { commit_error, .. } => name_of(commit_error),
        _ => FailureName::Internal,
    }
}

fn name_of_message(information: &dyn DatabaseErrorInformation) -> FailureName {
    let message = information.message().to_lowercase();
    if UNAVAILABLE.iter().any(|part| message.contains(part)) {
        FailureName::DatabaseUnavailable
    } else if information.constraint_name().is_some() || message.contains("constraint failed") {
        // A constraint of a kind that diesel does not know: a domain's check, SQLite's STRICT types or triggers.
        FailureName::ConstraintViolation
    } else {
        FailureName::Internal
    }
}

/// The database's own words: message, detail and hint.
pub(crate) fn described(error: &Error) -> String {
    let Error::DatabaseError(_, information) = error else { return error.to_string() };
    let mut words = information.message().trim().to_owned();
    for (label, more) in [("", information.details()), ("hint: ", information.hint())] {
        if let Some(more) = more {
            words.push_str("; ");
            words.push_str(label);
            words.push_str(more.trim());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(kind: DatabaseErrorKind, message: &str) -> FailureName {
        name_of(&Error::DatabaseError(kind, Box::new(message.to_owned())))
    }

    #[test]
    fn constraints_are_the_files_fault() {
        for kind in [
            DatabaseErrorKind::UniqueViolation,
            DatabaseErrorKind::ForeignKeyViolation,
            DatabaseErrorKind::CheckViolation,
            DatabaseErrorKind::NotNullViolation,
        ] {
            assert_eq!(name(kind, "any"), FailureName::ConstraintViolation);
        }
        let strict = "cannot store TEXT value in INTEGER column t.a; constraint failed";
        assert_eq!(name(DatabaseErrorKind::Unknown, strict), FailureName::ConstraintViolation);
    }

    #[test]
    fn what_passes_by_itself_is_tried_again() {
        for message in [
            "FATAL:  sorry, too many clients already",
            "could not extend file \"base/1/2\": No space left on device",
            "canceling statement due to lock timeout",
            "terminating connection due to administrator command",
            "server closed the connection unexpectedly",
            "database is locked",
            "database or disk is full",
            "attempt to write a readonly database",
        ] {
            assert_eq!(
                name(DatabaseErrorKind::Unknown, message),
                FailureName::DatabaseUnavailable,
                "{message}"
            );
        }
        assert_eq!(name(DatabaseErrorKind::ClosedConnection, "x"), FailureName::DatabaseUnavailable);
    }

    #[test]
    fn anything_else_is_internal_and_says_what_was_tried() {
        let error = Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new("syntax error".to_owned()));
        let expected = Failure::named(FailureName::Internal, "failed to read the table: syntax error");
        assert_eq!(database_failure(&error, "read the table"), expected);
    }
}
