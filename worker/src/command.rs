//! What the worker's binary can be asked for beside an import.

use std::io::Write;

use statemachine::ExitCode;

use crate::db::Database;

/// How to call the worker.
pub const USAGE: &str = "\
worker            runs the import that the environment names
worker migrate    brings the database up to date; needs DATABASE_URL only, and DATABASE_AUTH where it is iam
worker --version
worker --help";

/// Brings the database up to date. Exit code 1 where that fails.
#[must_use]
pub fn migrate(database: &Database) -> ExitCode {
    match database.migrate() {
        Ok(applied) => {
            tracing::info!(?applied, "Applied {} migrations to {}", applied.len(), database.display_name());
            ExitCode::Reported
        }
        Err(failure) => {
            tracing::error!(error = %failure, "Could not migrate {}", database.display_name());
            ExitCode::FailureReported
        }
    }
}

/// Writes a line to standard output; a reader that has gone is not our concern.
#[must_use]
pub fn say(line: &str) -> ExitCode {
    let _ = writeln!(std::io::stdout(), "{line}");
    ExitCode::Reported
}

/// Says on standard error why nothing was tried, for the person who can mend it.
#[must_use]
pub fn refuse(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{why}");
    ExitCode::Misconfigured
}
