//! The state of the model: the import's row, its rows in the table, the executions that ask for the import, and their
//! workers, as far as they live. Time is a flag: a lease has lapsed or has not.

/// The states of an import's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Status {
    Pending,
    Running,
    Success,
    Failure,
}

/// The import's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) status: Status,
    pub(super) attempt: u8,
    /// The execution that claimed it last.
    pub(super) execution: Option<usize>,
    /// How often the attempt renewed its lease: a later end of the lease.
    pub(super) renewals: u8,
    pub(super) lapsed: bool,
}

/// Where an execution stands. A failed one has its message in the dead-letter queue and can be redriven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Course {
    Open,
    Succeeded,
    Failed,
}

/// An execution of the import machine: one message that asks for the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Execution {
    pub(super) course: Course,
    /// How many containers it may still start.
    pub(super) starts_left: u8,
}

/// What a worker that waits has seen of the attempt that holds the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Look {
    pub(super) attempt: u8,
    pub(super) renewals: u8,
}

/// What a worker has to tell its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Ending {
    Imported,
    Duplicate,
    /// A failure that is retried.
    Transient,
    /// A failure that is not.
    Permanent,
}

/// Where a living worker is in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    /// Before its first call.
    Started,
    /// About to claim, for the first time or after a look at another's claim.
    Claiming { first: Option<Look> },
    /// At work under an attempt; `is_awaited` once its task has taken a beat of this attempt.
    Working { attempt: u8, is_awaited: bool },
    /// Rolled back, or so it believes; about to write the failure, and then to report it or to leave.
    Recording { attempt: u8, then: Option<Ending> },
    /// About to report.
    Reporting(Ending),
}

/// A living worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Worker {
    pub(super) execution: usize,
    /// Whether its token is still good: the execution has neither ended nor turned to another container.
    pub(super) has_task: bool,
    pub(super) place: Place,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) row: Row,
    /// How often the file's rows are in the table.
    pub(super) copies: u8,
    pub(super) executions: Vec<Execution>,
    /// In an order of their own, so that states that differ in nothing else are one state.
    pub(super) workers: Vec<Worker>,
    pub(super) redrives_left: u8,
}

/// The rules that the code keeps; a test plants a fault by breaking one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// A commit changes the row only while it is RUNNING under the worker's own attempt.
    pub(super) commit_checks_attempt: bool,
    /// So does the record of a failure.
    pub(super) record_checks_attempt: bool,
    /// Only a lease that was renewed, by an attempt for which a task was seen to wait, proves to others that the import
    /// is in good hands. Otherwise any renewal and any new attempt does.
    pub(super) life_needs_task: bool,
}

/// How much may happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) executions: usize,
    /// Containers that an execution starts before it fails.
    pub(super) starts: u8,
    pub(super) redrives: u8,
    /// Renewals of one attempt's lease.
    pub(super) renewals: u8,
}

impl Rules {
    pub(super) const KEPT: Self =
        Self { commit_checks_attempt: true, record_checks_attempt: true, life_needs_task: true };
}

impl State {
    /// A registered import, and messages that ask for it.
    pub(super) fn first(bounds: Bounds) -> Self {
        let execution = Execution { course: Course::Open, starts_left: bounds.starts };
        Self {
            row: Row { status: Status::Pending, attempt: 0, execution: None, renewals: 0, lapsed: false },
            copies: 0,
            executions: vec![execution; bounds.executions],
            workers: Vec::new(),
            redrives_left: bounds.redrives,
        }
    }

    /// The state that stands for all that go on alike. A replaced attempt is a replaced attempt whatever its number, and a
    /// report for which nobody waits changes nothing.
    pub(super) fn without_differences_that_make_none(mut self) -> Self {
        self.workers.retain(|worker| worker.has_task || !matches!(worker.place, Place::Reporting(_)));
        let current = self.row.attempt;
        self.row.attempt = current.min(1);
        let same = |attempt: u8| u8::from(attempt == current);
        for worker in &mut self.workers {
            worker.place = match worker.place {
                Place::Claiming { first: Some(Look { attempt, .. }) } if attempt != current => {
                    Place::Claiming { first: Some(Look { attempt: 0, renewals: 0 }) }
                }
                Place::Claiming { first: Some(look) } => {
                    Place::Claiming { first: Some(Look { attempt: 1, ..look }) }
                }
                Place::Working { attempt, is_awaited } => {
                    Place::Working { attempt: same(attempt), is_awaited: is_awaited && attempt == current }
                }
                Place::Recording { attempt, then } => Place::Recording { attempt: same(attempt), then },
                place => place,
            };
        }
        self.workers.sort_unstable();
        self
    }

    /// Whether nobody is at work and nobody will begin unasked.
    pub(super) fn is_at_rest(&self) -> bool {
        self.workers.is_empty() && self.executions.iter().all(|execution| execution.course != Course::Open)
    }
}
