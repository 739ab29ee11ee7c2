//! How a run ended, as the caller gets it.

use serde_json::Value;

use crate::progress::Progress;
use crate::pulse::Counted;
use crate::watch::Stop;

/// The end of a run, with what was seen of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How it ended.
    pub ended: Ended,
    /// Which signs of life counted in the end, for `show`.
    pub counted: Counted,
    /// The last progress that the program reported.
    pub progress: Option<Progress>,
    /// How many processes the program left behind, which were killed. Those that a killed process had started are not all
    /// counted.
    pub left_behind: usize,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The work is done.
    Done {
        /// What the program wrote to `BATON_RESULT`; `null` where it wrote nothing.
        result: Value,
    },
    /// The work failed.
    Failed {
        /// The name that the program gave the failure, or one of ours: `ExitCode.3`, `Signal.SIGSEGV`, `OutOfMemory`, …
        error: String,
        /// A sentence for a person, with the last lines of stderr where the program said nothing itself.
        cause: String,
        /// Whether another attempt may succeed.
        retry: bool,
    },
    /// The program was stopped before its work was done.
    Stopped {
        /// Why.
        stop: Stop,
        /// How it took that, as a sentence.
        how: String,
        /// Whether it had to be killed, since it did not end within the grace.
        killed: bool,
    },
}
