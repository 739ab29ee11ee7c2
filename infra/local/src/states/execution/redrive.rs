//! Redrive: an execution that ended without success goes on from the state it ended in.

use super::machine::Machine;
use super::{Execution, Phase, Refused, Status, history};
use crate::states::definition::State;
use crate::states::limits::MAX_EVENTS;
use crate::states::time::Timestamp;

/// How long a closed execution may be redriven, in milliseconds: 14 days.
const REDRIVABLE_MILLIS: u64 = 14 * 24 * 60 * 60 * 1000;

/// How long an execution may be open, in milliseconds: one year.
const MAX_OPEN_MILLIS: u64 = 365 * 24 * 60 * 60 * 1000;

/// Why an execution cannot be redriven, in the words of `redriveStatusReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRedrivable {
    /// It is open.
    #[error("Execution is RUNNING and cannot be redriven")]
    Running,
    /// Nothing is left to do.
    #[error("Execution is SUCCEEDED and cannot be redriven")]
    Succeeded,
    /// No room is left for another attempt.
    #[error("Execution history event limit exceeded")]
    HistoryLimit,
    /// It was started more than a year ago.
    #[error("Execution has exceeded the max execution time")]
    MaxTime,
    /// It was closed more than 14 days ago.
    #[error("Execution redrivable period exceeded")]
    PeriodExceeded,
}

impl Execution {
    /// Whether the execution could be redriven now.
    ///
    /// # Errors
    /// [`NotRedrivable`] where `RedriveExecution` would refuse.
    pub fn redrivable(&self, now: Timestamp) -> Result<(), NotRedrivable> {
        match self.status {
            Status::Running => return Err(NotRedrivable::Running),
            Status::Succeeded => return Err(NotRedrivable::Succeeded),
            Status::Failed | Status::TimedOut | Status::Aborted => {}
        }
        if self.last_event >= MAX_EVENTS - 1 {
            return Err(NotRedrivable::HistoryLimit);
        }
        if now > self.started.plus_millis(MAX_OPEN_MILLIS) {
            return Err(NotRedrivable::MaxTime);
        }
        if self.stopped.is_some_and(|stopped| now > stopped.plus_millis(REDRIVABLE_MILLIS)) {
            return Err(NotRedrivable::PeriodExceeded);
        }
        Ok(())
    }
}

impl Machine<'_> {
    /// Opens the execution again. The counts of Retry and all timeouts begin anew; variables and the state's input stay.
    pub(super) fn redrive(&mut self) {
        if let Err(reason) = self.execution.redrivable(self.now) {
            self.step.refused = Some(Refused::NotRedrivable(reason));
            return;
        }
        let execution = &mut *self.execution;
        execution.status = Status::Running;
        execution.stopped = None;
        execution.error = None;
        execution.cause = None;
        execution.redrive_count += 1;
        execution.redriven = Some(self.now);
        execution.deadline = self.definition.timeout_seconds.map(|seconds| self.now.plus_seconds(seconds));
        let redrive_count = execution.redrive_count;
        self.record("ExecutionRedriven", history::execution_redriven(redrive_count));
        self.status_changed();
        let Some(current) = &mut self.execution.current else { return };
        current.retries.fill(0);
        current.phase = Phase::Ready;
        let (name, input) = (current.name.clone(), current.input.clone());
        // "Reenters the Fail state and fails again"; every other state is taken up where it stands.
        if matches!(self.definition.states.get(&name), Some(State::Fail(_))) {
            self.enter(name, input);
        }
        self.run();
    }
}
