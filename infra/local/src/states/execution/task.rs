//! Task states: attempts, their results and timeouts, Retry and Catch.

use serde_json::Value;

use super::machine::{Fault, Machine, Sees, check_size, error_output};
use super::{Attempt, Effect, Failure, Phase, Refused, Status, history};
use crate::states::definition::{ErrorName, Resource, State, Task};
use crate::states::jsonata::{EvaluationError, Session, Template};
use crate::states::limits::{MAX_CAUSE_CHARS, MAX_ERROR_CHARS, cut};

/// The longest timeout, in seconds.
const MAX_TIMEOUT_SECONDS: u64 = 99_999_999;

impl Machine<'_> {
    /// Begins an attempt, with a token of its own. Arguments and timeouts are evaluated for each.
    pub(super) fn start_attempt(&mut self, task: &Task) {
        self.execution.attempts += 1;
        let number = self.execution.attempts;
        let token = task.resource.has_token().then(|| self.chance.token());
        match self.attempt_of(task, number, token) {
            Ok(attempt) => {
                let timeout_seconds =
                    attempt.expires.map(|expires| expires.millis().abs_diff(self.now.millis()) / 1000);
                let details = history::task_scheduled(
                    task.resource,
                    &self.execution.identity.region,
                    &attempt.arguments,
                    timeout_seconds,
                    attempt.heartbeat_seconds,
                );
                self.record("TaskScheduled", details);
                self.record("TaskStarted", history::task_started(task.resource));
                let arguments = attempt.arguments.clone();
                self.set_phase(Phase::Running(Box::new(attempt)));
                self.step.effects.push(Effect::Invoke {
                    attempt: number,
                    resource: task.resource,
                    arguments,
                });
            }
            Err(fault) => self.fault(fault),
        }
    }

    fn attempt_of(&mut self, task: &Task, number: u64, token: Option<String>) -> Result<Attempt, Fault> {
        let mut session = self.session(&Sees::Nothing, token.as_deref());
        let arguments = task.arguments.evaluate(&mut session)?;
        let timeout = seconds_of("TimeoutSeconds", task.timeout.as_ref(), &mut session)?;
        let heartbeat = seconds_of("HeartbeatSeconds", task.heartbeat.as_ref(), &mut session)?;
        if let (Some(template), Some(heartbeat), Some(timeout)) = (&task.heartbeat, heartbeat, timeout)
            && heartbeat >= timeout
        {
            return Err(template.error("HeartbeatSeconds", "is not less than TimeoutSeconds").into());
        }
        let what = format!("The state '{}' calls its resource with arguments", self.state_name());
        check_size(&arguments, &what).map_err(Fault::Other)?;
        Ok(Attempt {
            number,
            token,
            resource: task.resource,
            arguments,
            // Both clocks start with TaskStarted.
            expires: timeout.map(|seconds| self.now.plus_seconds(seconds)),
            heartbeat_seconds: heartbeat,
            heartbeat_due: heartbeat.map(|seconds| self.now.plus_seconds(seconds)),
            submitted: None,
        })
    }

    /// The job of an attempt runs.
    pub(super) fn submitted(&mut self, number: u64, output: Value) {
        if let Some(attempt) = self.attempt_mut(number) {
            if attempt.submitted.is_some() {
                return;
            }
            let resource = attempt.resource;
            attempt.submitted = Some(output.clone());
            self.record("TaskSubmitted", history::task_submitted(resource, &output));
            self.step.effects.push(Effect::Watch { attempt: number, resource, submitted: output });
        } else if let Some(resource) = self.forget(number) {
            // It was given up while the service was still starting it.
            self.step.effects.push(Effect::Cancel { resource, submitted: output });
        }
    }

    pub(super) fn attempt_succeeded(&mut self, number: u64, output: &Value) {
        if self.attempt_mut(number).is_some() {
            self.task_succeeded(output);
        }
        self.forget(number);
    }

    pub(super) fn attempt_failed(&mut self, number: u64, failure: Failure) {
        if self.attempt_mut(number).is_some() {
            self.task_failed(failure);
        }
        self.forget(number);
    }

    /// A token's success ends the state; its job is no longer watched, and not stopped.
    pub(super) fn token_success(&mut self, token: &str, output: &Value) {
        if self.accepts(token) {
            self.task_succeeded(output);
        }
    }

    pub(super) fn token_failure(&mut self, token: &str, failure: Failure) {
        if self.accepts(token) {
            self.task_failed(failure);
        }
    }

    /// The end of a stack is no fault of the import: as often as a stack ends, so often the state is tried again. Names that
    /// Retry never takes fail it all the same.
    pub(super) fn token_interrupted(&mut self, token: &str, failure: Failure) {
        let Some(current) = &mut self.execution.current else { return self.token_failure(token, failure) };
        let (entered, retries) = (current.entered_event, std::mem::take(&mut current.retries));
        self.token_failure(token, failure);
        if let Some(current) = self.execution.current.as_mut().filter(|now| now.entered_event == entered) {
            current.retries = retries;
        }
    }

    /// A heartbeat puts off the next one, and leaves no event.
    pub(super) fn heartbeat(&mut self, token: &str) {
        if !self.accepts(token) {
            return;
        }
        let now = self.now;
        if let Some(Phase::Running(attempt)) =
            self.execution.current.as_mut().map(|current| &mut current.phase)
        {
            attempt.heartbeat_due = attempt.heartbeat_seconds.map(|seconds| now.plus_seconds(seconds));
        }
    }

    pub(super) fn time_out_attempt(&mut self, missed_heartbeat: bool) {
        let Some(resource) = self.execution.attempt().map(|attempt| attempt.resource) else { return };
        self.give_up_attempt();
        // AWS records both timeouts under one name, and no cause.
        let failure = Failure { error: Some("States.Timeout".to_owned()), cause: None };
        self.record("TaskTimedOut", history::task_timed_out(resource, &failure));
        self.fail_state(failure, missed_heartbeat);
    }

    /// Nobody waits for the attempt any longer: its job, if it has one, is stopped.
    pub(super) fn give_up_attempt(&mut self) {
        let Some(attempt) = self.execution.attempt() else { return };
        if !attempt.resource.is_job() {
            return;
        }
        let (number, resource) = (attempt.number, attempt.resource);
        match attempt.submitted.clone() {
            Some(submitted) => self.step.effects.push(Effect::Cancel { resource, submitted }),
            None => self.execution.abandoned.push((number, resource)),
        }
    }

    /// An attempt that was given up before its job was known to run has been heard of.
    fn forget(&mut self, number: u64) -> Option<Resource> {
        let place = self.execution.abandoned.iter().position(|(abandoned, _)| *abandoned == number)?;
        Some(self.execution.abandoned.swap_remove(place).1)
    }

    /// Fails the state: Retry, then Catch, then the execution.
    pub(super) fn fail_state(&mut self, failure: Failure, missed_heartbeat: bool) {
        let definition = self.definition;
        let Some(State::Task(task)) = definition.states.get(&self.state_name()) else {
            self.close_failed(failure);
            return;
        };
        let name = failure.error.clone();
        let error = ErrorName { name: name.as_deref(), missed_heartbeat };
        if !self.retry(task, &error) && !self.caught(task, &error, &failure) {
            self.close_failed(failure);
        }
    }

    /// The first entry that names the error decides, also where it has no attempts left.
    fn retry(&mut self, task: &Task, error: &ErrorName<'_>) -> bool {
        let Some((n, retrier)) = task.retry.iter().enumerate().find(|(_, retrier)| retrier.takes(error))
        else {
            return false;
        };
        let fraction = self.chance.fraction();
        let Some(current) = &mut self.execution.current else { return false };
        current.retries.resize(task.retry.len(), 0);
        let Some(count) = current.retries.get_mut(n).filter(|count| **count < retrier.max_attempts) else {
            return false;
        };
        let until = self.now.plus_millis(retrier.delay_millis(*count, fraction));
        *count += 1;
        current.phase = Phase::Pausing { until };
        true
    }

    fn caught(&mut self, task: &Task, error: &ErrorName<'_>, failure: &Failure) -> bool {
        let Some(catcher) = task.catch.iter().find(|catcher| catcher.takes(error)) else { return false };
        let error_output = error_output(failure);
        match self.exit_of(&catcher.transition, &Sees::ErrorOutput(&error_output), error_output.clone()) {
            Ok(exit) => self.leave(exit, &catcher.transition.next),
            // What fails inside a Catch is not caught again.
            Err(Fault::Evaluation(error)) => {
                let failure = self.evaluation_failed(&error);
                self.close_failed(failure);
            }
            Err(Fault::Other(failure)) => self.close_failed(failure),
        }
        true
    }

    fn task_succeeded(&mut self, output: &Value) {
        let what = format!("The state/task '{}' returned a result", self.state_name());
        if let Err(failure) = check_size(output, &what) {
            self.task_failed(failure);
            return;
        }
        let definition = self.definition;
        let Some(State::Task(task)) = definition.states.get(&self.state_name()) else { return };
        self.record("TaskSucceeded", history::task_succeeded(task.resource, output));
        // The attempt is over, whatever becomes of its result.
        self.set_phase(Phase::Ready);
        match self.exit_of(&task.transition, &Sees::Result(output), output.clone()) {
            Ok(exit) => self.leave(exit, &task.transition.next),
            Err(fault) => self.fault(fault),
        }
    }

    fn task_failed(&mut self, failure: Failure) {
        let Some(resource) = self.execution.attempt().map(|attempt| attempt.resource) else { return };
        let cut = |text: Option<String>, chars| text.map(|text: String| cut(&text, chars).to_owned());
        let failure = Failure {
            error: cut(failure.error, MAX_ERROR_CHARS),
            cause: cut(failure.cause, MAX_CAUSE_CHARS),
        };
        self.record("TaskFailed", history::task_failed(resource, &failure));
        self.fail_state(failure, false);
    }

    /// Whether the token is that of the attempt at work; the event is refused where it is not.
    fn accepts(&mut self, token: &str) -> bool {
        let accepts = self.execution.token() == Some(token);
        if !accepts {
            self.step.refused = Some(Refused::TaskTimedOut);
        }
        accepts
    }

    fn attempt_mut(&mut self, number: u64) -> Option<&mut Attempt> {
        if self.execution.status != Status::Running {
            return None;
        }
        match &mut self.execution.current.as_mut()?.phase {
            Phase::Running(attempt) if attempt.number == number => Some(attempt),
            _ => None,
        }
    }
}

fn seconds_of(
    field: &str,
    template: Option<&Template>,
    session: &mut Session,
) -> Result<Option<u64>, EvaluationError> {
    let Some(template) = template else { return Ok(None) };
    let seconds = template.evaluate(session)?.as_u64();
    match seconds.filter(|seconds| (1..=MAX_TIMEOUT_SECONDS).contains(seconds)) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(template.error(field, &format!("is not a whole number from 1 to {MAX_TIMEOUT_SECONDS}"))),
    }
}
