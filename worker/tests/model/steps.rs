//! What may happen next, and what comes of it. One step is one transaction of the database, one call of Step Functions, or
//! one fault. `…Unheard` took effect and the caller does not know; `…Lost` took none.

use super::protocol::{Bounds, Course, Ending, Execution, Look, Place, Row, Rules, State, Status, Worker};

/// A step; workers by their place in the list, executions by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A container starts.
    Start(usize),
    /// The beat before the claim: a worker whose token is void leaves.
    FirstBeat(usize),
    /// The same, and the call does not get through: the worker goes on.
    FirstBeatLost(usize),
    Claim(usize),
    ClaimUnheard(usize),
    /// A beat to Step Functions beside the work.
    Beat(usize),
    /// A beat in the row beside the work.
    Renew(usize),
    Commit(usize),
    CommitUnheard(usize),
    /// The work fails before its commit, or is asked to stop.
    Fail(usize, Ending),
    Record(usize),
    RecordUnheard(usize),
    RecordLost(usize),
    Report(usize),
    /// The worker gives up and leaves with another exit code than 0.
    ReportLost(usize),
    /// The worker is killed, or leaves by itself.
    Crash(usize),
    /// The execution hears no beat and turns to another container; the worker is not dead for that.
    TimeOut(usize),
    /// An operator stops the execution.
    Stop(usize),
    Lapse,
    Redrive(usize),
}

impl Step {
    /// Whether things merely take their course: no fault, and nobody interferes.
    pub(super) fn is_regular(self) -> bool {
        matches!(
            self,
            Self::Start(_)
                | Self::FirstBeat(_)
                | Self::Claim(_)
                | Self::Beat(_)
                | Self::Renew(_)
                | Self::Commit(_)
                | Self::Record(_)
                | Self::Report(_)
                | Self::Lapse
        )
    }
}

/// Everything that may happen in a state.
pub(super) fn possible(state: &State, rules: Rules, bounds: Bounds) -> Vec<Step> {
    let mut steps = Vec::new();
    for (number, execution) in state.executions.iter().enumerate() {
        let has_worker = state.workers.iter().any(|worker| worker.execution == number && worker.has_task);
        match execution.course {
            Course::Open if has_worker => steps.extend([Step::TimeOut(number), Step::Stop(number)]),
            Course::Open => steps.extend([Step::Start(number), Step::Stop(number)]),
            Course::Failed if state.redrives_left > 0 => steps.push(Step::Redrive(number)),
            Course::Failed | Course::Succeeded => {}
        }
    }
    if state.row.status == Status::Running && !state.row.lapsed {
        steps.push(Step::Lapse);
    }
    for (index, worker) in state.workers.iter().enumerate() {
        steps.push(Step::Crash(index));
        match worker.place {
            Place::Started => steps.extend([Step::FirstBeat(index), Step::FirstBeatLost(index)]),
            Place::Claiming { .. } => steps.extend([Step::Claim(index), Step::ClaimUnheard(index)]),
            Place::Working { is_awaited, .. } => {
                steps.extend([
                    Step::Beat(index),
                    Step::Commit(index),
                    Step::CommitUnheard(index),
                    Step::Fail(index, Ending::Transient),
                    Step::Fail(index, Ending::Permanent),
                ]);
                if (is_awaited || !rules.life_needs_task) && state.row.renewals < bounds.renewals {
                    steps.push(Step::Renew(index));
                }
            }
            Place::Recording { .. } => {
                steps.extend([Step::Record(index), Step::RecordUnheard(index), Step::RecordLost(index)]);
            }
            Place::Reporting(_) => steps.extend([Step::Report(index), Step::ReportLost(index)]),
        }
    }
    steps
}

/// The state after a step.
pub(super) fn after(state: &State, step: Step, rules: Rules, bounds: Bounds) -> State {
    let mut next = state.clone();
    match step {
        Step::Start(execution) => {
            next.executions[execution].starts_left -= 1;
            next.workers.push(Worker { execution, has_task: true, place: Place::Started });
        }
        Step::TimeOut(execution) => next.turn_from_worker(execution, Ending::Transient),
        Step::Stop(execution) => next.turn_from_worker(execution, Ending::Permanent),
        Step::Lapse => next.row.lapsed = true,
        Step::Redrive(execution) => {
            next.redrives_left -= 1;
            next.executions[execution] = Execution { course: Course::Open, starts_left: bounds.starts };
        }
        Step::Crash(index) | Step::ReportLost(index) => next.leave(index, Ending::Transient),
        Step::Report(index) => {
            let Place::Reporting(ending) = state.workers[index].place else { unreachable!() };
            next.leave(index, ending);
        }
        Step::FirstBeat(index)
        | Step::FirstBeatLost(index)
        | Step::Claim(index)
        | Step::ClaimUnheard(index)
        | Step::Beat(index)
        | Step::Renew(index)
        | Step::Commit(index)
        | Step::CommitUnheard(index)
        | Step::Fail(index, _)
        | Step::Record(index)
        | Step::RecordUnheard(index)
        | Step::RecordLost(index) => match next.advance(index, step, rules) {
            Some(place) => next.workers[index].place = place,
            None => next.leave(index, Ending::Transient),
        },
    }
    next.workers.sort_unstable();
    next
}

impl State {
    /// One worker's step in its own program: where it is then; `None` where it leaves.
    fn advance(&mut self, index: usize, step: Step, rules: Rules) -> Option<Place> {
        let Worker { execution, has_task, place } = self.workers[index];
        match (place, step) {
            (Place::Started, Step::FirstBeat(_)) if !has_task => None,
            (Place::Started, _) => Some(Place::Claiming { first: None }),
            // The claim is made, and the worker hears of a broken connection.
            (Place::Claiming { .. }, Step::ClaimUnheard(_)) => {
                self.claim(execution);
                Some(Place::Reporting(Ending::Transient))
            }
            (Place::Claiming { first }, _) => Some(self.claim_or_look(execution, first, rules)),
            (Place::Working { attempt, .. }, Step::Beat(_)) if !has_task => {
                Some(Place::Recording { attempt, then: None })
            }
            (Place::Working { attempt, .. }, Step::Beat(_)) => {
                Some(Place::Working { attempt, is_awaited: true })
            }
            (Place::Working { attempt, .. }, Step::Renew(_)) => {
                if !self.row.is_of(attempt) {
                    return Some(Place::Recording { attempt, then: None });
                }
                self.row = Row { renewals: self.row.renewals + 1, lapsed: false, ..self.row };
                Some(place)
            }
            (Place::Working { attempt, .. }, Step::Fail(_, ending)) => {
                Some(Place::Recording { attempt, then: Some(ending) })
            }
            (Place::Working { attempt, .. }, step) => {
                let is_committed = self.commit(attempt, rules);
                Some(match (step, is_committed) {
                    (Step::Commit(_), true) => Place::Reporting(Ending::Imported),
                    (Step::Commit(_), false) => Place::Recording { attempt, then: None },
                    _ => Place::Recording { attempt, then: Some(Ending::Transient) },
                })
            }
            (Place::Recording { attempt, then }, Step::Record(_)) => {
                if self.record(attempt, rules) {
                    then.map(Place::Reporting)
                } else if self.row.status == Status::Success && self.row.attempt == attempt {
                    Some(Place::Reporting(Ending::Imported))
                } else {
                    None
                }
            }
            (Place::Recording { attempt, then }, step) => {
                if matches!(step, Step::RecordUnheard(_)) {
                    self.record(attempt, rules);
                }
                then.map(Place::Reporting)
            }
            (Place::Reporting(_), _) => unreachable!("{step:?} of {place:?}"),
        }
    }

    /// The conditional UPDATE of a claim.
    fn claim(&mut self, execution: usize) -> bool {
        let row = self.row;
        let is_free = match row.status {
            Status::Pending | Status::Failure => true,
            Status::Running => row.lapsed || row.execution == Some(execution),
            Status::Success => false,
        };
        if is_free {
            let (attempt, execution) = (row.attempt + 1, Some(execution));
            self.row = Row { status: Status::Running, attempt, execution, renewals: 0, lapsed: false };
        }
        is_free
    }

    fn claim_or_look(&mut self, execution: usize, first: Option<Look>, rules: Rules) -> Place {
        if self.claim(execution) {
            return Place::Working { attempt: self.row.attempt, is_awaited: false };
        }
        if self.row.status == Status::Success {
            let is_own = self.row.execution == Some(execution);
            return Place::Reporting(if is_own { Ending::Imported } else { Ending::Duplicate });
        }
        let now = Look { attempt: self.row.attempt, renewals: self.row.renewals };
        match first {
            Some(first) if first.attempt == now.attempt && first.renewals < now.renewals => {
                Place::Reporting(Ending::Duplicate)
            }
            Some(first) if first.attempt != now.attempt && !rules.life_needs_task => {
                Place::Reporting(Ending::Duplicate)
            }
            _ => Place::Claiming { first: Some(now) },
        }
    }

    /// The rows and the change to SUCCESS, in one transaction.
    fn commit(&mut self, attempt: u8, rules: Rules) -> bool {
        let may_commit = self.row.is_of(attempt) || !rules.commit_checks_attempt;
        if may_commit {
            self.copies += 1;
            self.row = Row { status: Status::Success, renewals: 0, lapsed: false, ..self.row };
        }
        may_commit
    }

    fn record(&mut self, attempt: u8, rules: Rules) -> bool {
        let may_record =
            self.row.is_of(attempt) || (!rules.record_checks_attempt && self.row.status == Status::Running);
        if may_record {
            self.row = Row { status: Status::Failure, renewals: 0, lapsed: false, ..self.row };
        }
        may_record
    }

    /// A worker is gone; its execution, if it waited for it, goes by what it heard.
    fn leave(&mut self, index: usize, heard: Ending) {
        let gone = self.workers.remove(index);
        if gone.has_task {
            self.conclude(gone.execution, heard);
        }
    }

    /// The execution waits no longer for the worker that it has.
    fn turn_from_worker(&mut self, execution: usize, why: Ending) {
        for worker in self.workers.iter_mut().filter(|worker| worker.execution == execution) {
            worker.has_task = false;
        }
        self.conclude(execution, why);
    }

    fn conclude(&mut self, execution: usize, ending: Ending) {
        let execution = &mut self.executions[execution];
        execution.course = match ending {
            Ending::Imported | Ending::Duplicate => Course::Succeeded,
            Ending::Transient if execution.starts_left > 0 => Course::Open,
            Ending::Transient | Ending::Permanent => Course::Failed,
        };
    }
}

impl Row {
    fn is_of(self, attempt: u8) -> bool {
        self.status == Status::Running && self.attempt == attempt
    }
}
