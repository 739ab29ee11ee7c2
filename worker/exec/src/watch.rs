//! What the caller sees of a program while it runs, and how it stops it. The caller has the clock: this crate reports each
//! sign of life and never decides that a program hangs.

use std::fmt;
use std::time::Duration;

use crate::progress::Progress;

/// The caller, as the supervisor sees it. Its functions are called from several threads, often, and must return soon: while
/// `line` waits, the program waits at its next line.
pub trait Watch: Sync {
    /// The program gets on. Called for each sign that counts, up to some hundred times a second.
    fn gets_on(&self);

    /// The program reported progress. Reports that come close together are told as one, with the last values.
    fn progress(&self, progress: &Progress);

    /// The program wrote a line. A line of more than 8 KiB comes in pieces.
    fn line(&self, stream: Stream, line: &str);

    /// Why the program is to stop, once it is. Asked about twenty times a second.
    fn stop_requested(&self) -> Option<Stop>;

    /// The program asks for patience: it may give no sign for so long (`EXTEND_TIMEOUT_USEC` of sd_notify). Whether it gets
    /// that is the caller's decision.
    fn asks_for_patience(&self, patience: Duration) {
        let _ = patience;
    }
}

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The name, for the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Why a program is to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The process is to end: the name of the signal that said so.
    Shutdown(&'static str),
    /// The attempt is no longer ours: why. Whatever the program still writes does not count.
    NotOurs(String),
    /// Beats failed for so long that somebody else may have taken the job over.
    BeatsFailed(Duration),
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown(signal) => write!(formatter, "the process got {signal}"),
            Self::NotOurs(why) => write!(formatter, "the attempt is no longer ours: {why}"),
            Self::BeatsFailed(time) => write!(formatter, "no beat succeeded for {time:?}"),
        }
    }
}
