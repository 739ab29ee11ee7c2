//! What a database's error means for an import: the one place where errors become failures with a name. PostgreSQL's
//! SQLSTATE decides, and SQLite's result code; never the words of a message, which may quote a value of the file.

use diesel::result::{DatabaseErrorKind, Error};
use statemachine::FailureName;

use super::postgres::error::{SqlError, code_of, meaning_of, words};
use super::postgres::sqlstate::Meaning;
use super::sqlite::messages;
use crate::failure::Failure;

/// The failure for an error of the database. `what` is what was tried, as an infinitive: "write rows into people".
pub(crate) fn database_failure(error: &Error, what: &str) -> Failure {
    named(meaning(error), what, &described(error), code_of(error).as_deref(), None)
}

/// The failure for an error of PostgreSQL. `what` is what was tried, as an infinitive.
pub(crate) fn sql_failure(error: &SqlError, what: &str) -> Failure {
    if matches!(error, SqlError::Stopped) {
        return Failure::named(
            FailureName::Interrupted,
            format!("the worker was asked to stop while it tried to {what}, and rolled back"),
        );
    }
    let code = error.code().map(|code| code.code());
    let routine = error.server().and_then(|server| server.routine());
    named(error.meaning(), what, &error.to_string(), code, routine)
}

fn named(meaning: Meaning, what: &str, said: &str, code: Option<&str>, routine: Option<&str>) -> Failure {
    let name = match meaning {
        Meaning::Row => FailureName::ConstraintViolation,
        Meaning::SetUp => FailureName::DatabaseMisconfigured,
        Meaning::Outage => FailureName::DatabaseUnavailable,
        Meaning::Internal => FailureName::Internal,
    };
    let shown = code.map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default();
    let advice = if meaning == Meaning::SetUp { advice(code, routine) } else { "" };
    let cause = format!("failed to {what}: {said}{shown}{advice}");
    // A lost connection, and SQLite's outages, have words of their own, which nobody else chooses.
    if meaning == Meaning::Outage && code.is_none() {
        return Failure::named(name, cause);
    }
    Failure::of_database(name, cause, for_log(what, code))
}

/// What a log says of a statement that failed.
pub(crate) fn for_log(what: &str, code: Option<&str>) -> String {
    let shown = code.map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default();
    format!("failed to {what}{shown}; what the database said is in the import's row")
}

/// Where PostgreSQL looks for a setting. Its code is that of many objects which are not there.
const LOOKS_FOR_SETTING: &str = "find_option";

/// What to do about a set-up that is not right.
pub(crate) fn advice(code: Option<&str>, routine: Option<&str>) -> &'static str {
    match (code, routine) {
        (Some("42501"), _) => {
            "; give the worker's database user this permission (GRANT), then redrive the import"
        }
        (Some("42704"), Some(LOOKS_FOR_SETTING)) => {
            "; give the worker's database user this setting (ALTER ROLE … SET … = …), then redrive the import"
        }
        (Some("42P01" | "42703" | "42704" | "42883" | "3F000"), _) => {
            "; make what is missing, or change what asks for it (a trigger, a policy, a default), then redrive the import"
        }
        _ => "; change the database's set-up, then redrive the import",
    }
}

/// The failure of a migration, or of a look at those that are applied, for PostgreSQL's code. `what` is what was tried, as an
/// infinitive. No import's row is concerned, and nothing that the database says here quotes a file.
pub(crate) fn migration_failure(code: Option<&str>, what: &str, said: &str) -> Failure {
    let name = match code.map(|code| Meaning::of(code, None, Some("gram.y"))) {
        Some(Meaning::SetUp) => FailureName::DatabaseMisconfigured,
        _ => FailureName::DatabaseUnavailable,
    };
    let shown = code.map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default();
    let advice = match code {
        Some("42501") => {
            "; run `baton migrate` once as the role that owns Baton's tables, or that may create their schema, baton_ledger (CREATE on \
             the database); others then need USAGE on that schema, and SELECT, INSERT, UPDATE and DELETE on its tables"
        }
        _ => "",
    };
    Failure::named(name, format!("failed to {what}: {said}{shown}{advice}"))
}

/// What an error of diesel's means for an import.
pub(crate) fn meaning(error: &Error) -> Meaning {
    match error {
        Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => Meaning::Outage,
        Error::DatabaseError(kind, information) => {
            meaning_of(&**information).unwrap_or_else(|| messages::meaning_of(kind, information.message()))
        }
        // A transaction manager that has given up, after its connection had broken.
        Error::BrokenTransactionManager => Meaning::Outage,
        Error::RollbackErrorOnCommit { commit_error, .. } => meaning(commit_error),
        _ => Meaning::Internal,
    }
}

/// The database's own words: message, detail and hint.
pub(crate) fn described(error: &Error) -> String {
    match error {
        Error::DatabaseError(_, information) => {
            words(information.message(), information.details(), information.hint())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_was_tried_and_what_the_database_said() {
        let error = Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new("something".to_owned()));
        let failure = database_failure(&error, "read the table");
        assert_eq!(failure.to_string(), "Import.Internal: failed to read the table: something");
        assert_eq!(
            failure.for_log(),
            "failed to read the table; what the database said is in the import's row"
        );
    }

    #[test]
    fn a_lost_connection_is_tried_again() {
        let error = Error::from(SqlError::Lost("gone".to_owned()));
        assert_eq!(meaning(&error), Meaning::Outage);
    }
}
