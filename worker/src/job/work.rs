//! A kind of long work: the one thing that a team writes itself.

use statemachine::Report;

use super::{Gauge, Job};
use crate::db::Database;
use crate::failure::Failure;
use crate::ledger::{JobRow, Rules};

/// The work of a kind of jobs.
pub trait Work: Send + 'static {
    /// Where it tells how far it is, and learns that it is to stop.
    type Progress: Gauge + Default;

    /// What the ledger has to know of the kind.
    const RULES: &'static Rules;

    /// Does the work of one attempt, on a thread that may block. It ends with [`Job::commit`], tells its progress, and stops when
    /// asked.
    ///
    /// # Errors
    /// A [`Failure`] with a name, or [`Failure::NotOurs`]; then nothing of it may be left.
    fn run(self, job: &Job<Self::Progress>, database: &Database) -> Result<(), Failure>;

    /// Tells the log, in the words of the kind, how an attempt ended; nothing where it is no longer this worker's.
    fn tell_end(_row: &JobRow, _progress: &Self::Progress, _end: Result<&Report, &Failure>) {}
}
