//! A step at work: which event leads where, how states are entered and left, how an execution is closed.

use serde_json::{Map, Value, json};

use super::history::{self, Details};
use super::{
    Current, Effect, Event, Execution, Failure, HistoryEvent, Phase, Refused, Status, Step, context,
};
use crate::states::chance::Chance;
use crate::states::definition::{Definition, Next, State, Transition};
use crate::states::jsonata::{DEPTH_LIMIT, EvaluationError, Session};
use crate::states::limits::{
    MAX_CAUSE_CHARS, MAX_DATA_BYTES, MAX_EVENTS, MAX_VARIABLES_BYTES, bytes_of, cut, depth_of,
};
use crate::states::time::Timestamp;

/// How many events a state may add before [`Machine::run`] looks again - scheduled, started, submitted, succeeded, exited
/// and the next one's entry - and the one that closes the execution.
const RESERVED_EVENTS: i64 = 7;

/// An execution during a step.
pub(super) struct Machine<'a> {
    pub(super) execution: &'a mut Execution,
    pub(super) definition: &'a Definition,
    pub(super) now: Timestamp,
    pub(super) chance: &'a mut Chance,
    pub(super) step: Step,
}

/// What expressions see as `$states`, besides input and context.
pub(super) enum Sees<'a> {
    Nothing,
    Result(&'a Value),
    ErrorOutput(&'a Value),
}

/// What a transition evaluated to.
pub(super) struct Exit {
    output: Value,
    assigned: Vec<(String, Value)>,
}

/// Why a transition could not be made.
pub(super) enum Fault {
    Evaluation(EvaluationError),
    Other(Failure),
}

impl From<EvaluationError> for Fault {
    fn from(error: EvaluationError) -> Self {
        Self::Evaluation(error)
    }
}

impl Machine<'_> {
    /// Lets happen what should have happened by now.
    pub(super) fn fire_deadlines(&mut self) {
        while let Some(due) = self.execution.next_deadline().filter(|due| *due <= self.now) {
            if self.execution.deadline == Some(due) {
                self.give_up_attempt();
                self.close(Status::TimedOut, "ExecutionTimedOut", Failure::default());
                return;
            }
            let Some(current) = &mut self.execution.current else { return };
            match &current.phase {
                Phase::Ready => return,
                Phase::Waiting { .. } => self.end_wait(),
                Phase::Pausing { .. } => current.phase = Phase::Ready,
                Phase::Running(attempt) => {
                    let missed_heartbeat = attempt.expires != Some(due);
                    self.time_out_attempt(missed_heartbeat);
                }
            }
            self.run();
        }
    }

    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Start => self.start(),
            Event::Submitted { attempt, output } => self.submitted(attempt, output),
            Event::Succeeded { attempt, output } => self.attempt_succeeded(attempt, &output),
            Event::Failed { attempt, failure } => self.attempt_failed(attempt, failure),
            Event::TokenSuccess { token, output } => self.token_success(&token, &output),
            Event::TokenFailure { token, failure } => self.token_failure(&token, failure),
            Event::TokenInterrupted { token, failure } => self.token_interrupted(&token, failure),
            Event::Heartbeat { token } => self.heartbeat(&token),
            Event::Wake => {}
            Event::Stop(failure) => self.stop(failure),
            Event::Redrive => self.redrive(),
        }
        self.run();
    }

    fn start(&mut self) {
        if self.execution.last_event > 0 {
            return;
        }
        let execution = &mut *self.execution;
        execution.deadline = self.definition.timeout_seconds.map(|seconds| self.now.plus_seconds(seconds));
        let input = execution.input.clone();
        let role_arn = execution.identity.role_arn.clone();
        self.record("ExecutionStarted", history::execution_started(&input, &role_arn));
        self.status_changed();
        self.enter(self.definition.start_at.clone(), input);
        // The entry into the first state has no event before it on AWS.
        if let Some(entered) = self.step.history.last_mut() {
            entered.previous_id = 0;
        }
    }

    fn stop(&mut self, failure: Failure) {
        if self.execution.status != Status::Running {
            self.step.refused = Some(Refused::Closed);
            return;
        }
        self.give_up_attempt();
        self.close(Status::Aborted, "ExecutionAborted", failure);
    }

    /// Executes states until one waits for something, or the execution is closed.
    pub(super) fn run(&mut self) {
        while self.execution.status == Status::Running
            && self.execution.current.as_ref().is_some_and(|current| matches!(current.phase, Phase::Ready))
        {
            // A machine that goes in circles ends here, as it does on AWS.
            if self.execution.last_event > MAX_EVENTS - RESERVED_EVENTS {
                let cause =
                    format!("The execution reached the maximum number of history events ({MAX_EVENTS}).");
                self.close_failed(Failure::new("States.Runtime", cause));
                return;
            }
            self.execute();
        }
    }

    /// Enters a state; it is executed by [`Self::run`].
    pub(super) fn enter(&mut self, name: String, input: Value) {
        let type_name = self.definition.states.get(&name).map_or("", State::type_name);
        let details = history::state_entered(&name, &input);
        self.record(&format!("{type_name}StateEntered"), details);
        let entered_event = self.execution.last_event;
        let phase = Phase::Ready;
        let retries = Vec::new();
        self.execution.current =
            Some(Current { name, entered: self.now, entered_event, input, retries, phase });
    }

    /// Evaluates `Output` and `Assign`; `default` is the output where there is no `Output`.
    pub(super) fn exit_of(
        &mut self,
        transition: &Transition,
        sees: &Sees<'_>,
        default: Value,
    ) -> Result<Exit, Fault> {
        let mut session = self.session(sees, None);
        let output = match &transition.output {
            Some(template) => template.evaluate(&mut session)?,
            None => default,
        };
        let mut assigned = Vec::with_capacity(transition.assign.len());
        for (name, template) in &transition.assign {
            assigned.push((name.clone(), template.evaluate(&mut session)?));
        }
        drop(session);
        let name = self.state_name();
        check_size(&output, &format!("The state '{name}' returned an output")).map_err(Fault::Other)?;
        for (variable, value) in &assigned {
            check_size(value, &format!("The state '{name}' assigned the variable '{variable}' a value"))
                .map_err(Fault::Other)?;
        }
        self.check_variables(&assigned).map_err(Fault::Other)?;
        Ok(Exit { output, assigned })
    }

    /// Leaves the state.
    pub(super) fn leave(&mut self, exit: Exit, next: &Next) {
        let Exit { output, assigned } = exit;
        let name = self.state_name();
        let type_name = self.definition.states.get(&name).map_or("", State::type_name);
        let details = history::state_exited(&name, &output, &assigned);
        self.record(&format!("{type_name}StateExited"), details);
        self.execution.variables.extend(assigned);
        match next {
            Next::State(next) => self.enter(next.clone(), output),
            Next::End => self.close_succeeded(output),
        }
    }

    /// Fails the state for what an expression did; Retry and Catch may take it.
    pub(super) fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Evaluation(error) => {
                let failure = self.evaluation_failed(&error);
                self.fail_state(failure, false);
            }
            Fault::Other(failure) => self.fail_state(failure, false),
        }
    }

    /// Records that an expression failed.
    pub(super) fn evaluation_failed(&mut self, error: &EvaluationError) -> Failure {
        let failure = self.failure_here("States.QueryEvaluationError", &error.cause);
        let details = history::evaluation_failed(&self.state_name(), cut(&error.location, 256), &failure);
        self.record("EvaluationFailed", details);
        failure
    }

    /// A failure whose cause says in which state it happened, as AWS puts it.
    pub(super) fn failure_here(&self, error: &str, cause: &str) -> Failure {
        let entered = self.execution.current.as_ref().map_or(0, |current| current.entered_event);
        let name = self.state_name();
        let cause = format!(
            "An error occurred while executing the state '{name}' (entered at the event id #{entered}). {cause}"
        );
        Failure::new(error, cut(&cause, MAX_CAUSE_CHARS))
    }

    /// An evaluator for the state that the execution is in.
    pub(super) fn session(&mut self, sees: &Sees<'_>, token: Option<&str>) -> Session {
        let mut states = Map::new();
        if let Some(current) = &self.execution.current {
            states.insert("input".to_owned(), current.input.clone());
            states.insert("context".to_owned(), context::context(self.execution, current, token));
        }
        match sees {
            Sees::Nothing => {}
            Sees::Result(result) => {
                states.insert("result".to_owned(), (*result).clone());
            }
            Sees::ErrorOutput(error_output) => {
                states.insert("errorOutput".to_owned(), (*error_output).clone());
            }
        }
        Session::new(Value::Object(states), &self.execution.variables, self.now, self.chance)
    }

    pub(super) fn state_name(&self) -> String {
        self.execution.current.as_ref().map(|current| current.name.clone()).unwrap_or_default()
    }

    /// The state's input.
    pub(super) fn input(&self) -> Value {
        self.execution.current.as_ref().map_or(Value::Null, |current| current.input.clone())
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        if let Some(current) = &mut self.execution.current {
            current.phase = phase;
        }
    }

    pub(super) fn close_succeeded(&mut self, output: Value) {
        let details = history::execution_succeeded(&output);
        self.execution.output = Some(output);
        // Nothing is left to redrive.
        self.execution.current = None;
        self.end(Status::Succeeded, "ExecutionSucceeded", details);
    }

    pub(super) fn close_failed(&mut self, failure: Failure) {
        self.close(Status::Failed, "ExecutionFailed", failure);
    }

    /// Ends the execution without success. Its state stays, to be redriven.
    fn close(&mut self, status: Status, event_type: &str, failure: Failure) {
        let field = match status {
            Status::TimedOut => "executionTimedOutEventDetails",
            Status::Aborted => "executionAbortedEventDetails",
            _ => "executionFailedEventDetails",
        };
        let details = history::execution_ended(field, &failure);
        self.execution.error = failure.error;
        self.execution.cause = failure.cause;
        self.end(status, event_type, details);
    }

    fn end(&mut self, status: Status, event_type: &str, details: Details) {
        self.execution.status = status;
        self.execution.stopped = Some(self.now);
        self.execution.deadline = None;
        self.set_phase(Phase::Ready);
        self.record(event_type, details);
        self.status_changed();
    }

    pub(super) fn status_changed(&mut self) {
        self.step.effects.push(Effect::StatusChanged(self.execution.status));
    }

    pub(super) fn record(&mut self, event_type: &str, details: Details) {
        let previous_id = self.execution.last_event;
        self.execution.last_event += 1;
        self.step.history.push(HistoryEvent {
            id: self.execution.last_event,
            previous_id,
            timestamp: self.now,
            event_type: event_type.to_owned(),
            details,
        });
    }

    fn check_variables(&self, assigned: &[(String, Value)]) -> Result<(), Failure> {
        if assigned.is_empty() {
            return Ok(());
        }
        let mut variables = self.execution.variables.clone();
        variables.extend(assigned.iter().cloned());
        if bytes_of(&Value::Object(variables)) > MAX_VARIABLES_BYTES {
            let cause = format!("The execution's variables exceed {MAX_VARIABLES_BYTES} bytes in all.");
            return Err(Failure::new("States.DataLimitExceeded", cause));
        }
        Ok(())
    }
}

/// What `$states.errorOutput` is: what the failure has, and nothing where it has nothing.
pub(super) fn error_output(failure: &Failure) -> Value {
    let mut output = json!({});
    for (field, text) in [("Error", &failure.error), ("Cause", &failure.cause)] {
        if let Some(text) = text {
            output[field] = text.as_str().into();
        }
    }
    output
}

/// Refuses data that Step Functions would not carry.
pub(super) fn check_size(value: &Value, what: &str) -> Result<(), Failure> {
    if bytes_of(value) > MAX_DATA_BYTES {
        let cause = format!(
            "{what} with a size exceeding the maximum number of bytes service limit ({MAX_DATA_BYTES})."
        );
        return Err(Failure::new("States.DataLimitExceeded", cause));
    }
    if depth_of(value) > DEPTH_LIMIT {
        return Err(Failure::new(
            "States.Runtime",
            format!("{what} that is nested deeper than {DEPTH_LIMIT} levels."),
        ));
    }
    Ok(())
}
