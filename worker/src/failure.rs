//! Why a piece of work did not end well: the one error type between the work, the job around it and the report.

pub mod words;

use statemachine::FailureName;

/// The end of an attempt that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A failure with a name of the contract. The cause is a sentence for a person: what was tried, on what, and what to
    /// do next. It never holds a task token or a database URL.
    #[error("{name}: {cause}")]
    Named {
        /// What Retry matches.
        name: FailureName,
        /// What a person reads.
        cause: String,
        /// What a log may say instead, where the cause may quote a value of the file; `None` where its name tells that.
        for_log: Option<String>,
    },
    /// The job belongs to another attempt, or the execution has gone on without this worker: roll back, leave, and
    /// report nothing.
    #[error("the job is no longer this worker's: {0}")]
    NotOurs(&'static str),
}

impl Failure {
    /// A failure with a name of the contract.
    pub fn named(name: FailureName, cause: impl Into<String>) -> Self {
        Self::Named { name, cause: cause.into(), for_log: None }
    }

    /// The failure of a statement. What the database said is in the cause; it may quote a value of the file, whatever its
    /// code is, because a trigger chooses both. So a log says only what is in `for_log`.
    pub(crate) fn of_database(name: FailureName, cause: String, for_log: String) -> Self {
        Self::Named { name, cause, for_log: Some(for_log) }
    }

    /// What a log may say of it. A cause that may quote a row of the file is for the job's row and for Step Functions.
    pub(crate) fn for_log(&self) -> &str {
        match self {
            Self::Named { for_log: Some(words), .. } => words,
            Self::Named { name, .. } if may_quote_rows(*name) => "see the job's row",
            Self::Named { cause, .. } => cause,
            Self::NotOurs(why) => why,
        }
    }
}

/// Whether a cause of this name may quote rows of the file.
fn may_quote_rows(name: FailureName) -> bool {
    matches!(
        name,
        FailureName::TooManyRejects
            | FailureName::ConstraintViolation
            | FailureName::Internal
            | FailureName::HeaderMismatch
    )
}
