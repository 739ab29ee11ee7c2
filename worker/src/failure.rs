//! Why a piece of work did not end well: the one error type between the work, the job around it and the report.

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
    },
    /// The import belongs to another attempt, or the execution has gone on without this worker: roll back, leave, and
    /// report nothing.
    #[error("the import is no longer this worker's: {0}")]
    NotOurs(&'static str),
}

/// Whether a cause of this name may quote rows of the file: such a cause is for the import's row and for Step Functions,
/// not for a log.
pub(crate) fn may_quote_rows(name: FailureName) -> bool {
    matches!(
        name,
        FailureName::TooManyRejects
            | FailureName::ConstraintViolation
            | FailureName::Internal
            | FailureName::HeaderMismatch
    )
}

impl Failure {
    /// A failure with a name of the contract.
    pub fn named(name: FailureName, cause: impl Into<String>) -> Self {
        Self::Named { name, cause: cause.into() }
    }
}
