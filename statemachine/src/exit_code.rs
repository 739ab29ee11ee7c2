//! The exit codes of the worker.

/// How the worker's process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// The result was reported; also where the import had succeeded before.
    Reported = 0,
    /// A failure was reported.
    FailureReported = 1,
    /// The configuration is wrong; nothing was tried.
    Misconfigured = 2,
    /// The job is no longer this worker's; nothing was reported.
    NotOurs = 3,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
