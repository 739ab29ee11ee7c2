//! The states that call nobody: Choice, Pass, Wait, Succeed, Fail.

use chrono::DateTime;
use serde_json::Value;

use super::machine::{Fault, Machine, Sees, check_size};
use super::{Failure, Phase};
use crate::states::definition::{Choice, Fail, State, Transition, Until, Wait};
use crate::states::jsonata::{EvaluationError, Template};
use crate::states::limits::{MAX_CAUSE_CHARS, MAX_ERROR_CHARS, cut};
use crate::states::time::Timestamp;

/// The longest wait, in seconds.
const MAX_WAIT_SECONDS: u64 = 99_999_999;

impl Machine<'_> {
    /// Executes the state that the execution has entered.
    pub(super) fn execute(&mut self) {
        // The definition outlives the step: states are borrowed from it, not from the machine.
        let definition = self.definition;
        match definition.states.get(&self.state_name()) {
            Some(State::Task(task)) => self.start_attempt(task),
            Some(State::Choice(choice)) => self.choose(choice),
            Some(State::Pass(transition)) => self.pass(transition),
            Some(State::Wait(wait)) => self.wait(wait),
            Some(State::Succeed(output)) => self.succeed(output.clone()),
            Some(State::Fail(fail)) => self.fail(fail),
            None => {
                let failure = self.failure_here("States.Runtime", "There is no such state.");
                self.close_failed(failure);
            }
        }
    }

    /// Leaves a state without a result: its output is its input, unless `Output` says otherwise.
    fn pass(&mut self, transition: &Transition) {
        let default = self.input();
        match self.exit_of(transition, &Sees::Nothing, default) {
            Ok(exit) => self.leave(exit, &transition.next),
            Err(fault) => self.fault(fault),
        }
    }

    fn choose(&mut self, choice: &Choice) {
        let mut session = self.session(&Sees::Nothing, None);
        let mut chosen = Ok(choice.default.as_ref());
        for rule in &choice.rules {
            match session.evaluate(&rule.condition) {
                Ok(Value::Bool(false)) => {}
                Ok(Value::Bool(true)) => {
                    chosen = Ok(Some(&rule.transition));
                    break;
                }
                Ok(_) => {
                    chosen = Err(rule.condition.error("did not return true or false"));
                    break;
                }
                Err(error) => {
                    chosen = Err(error);
                    break;
                }
            }
        }
        drop(session);
        match chosen {
            Ok(Some(transition)) => self.pass(transition),
            Ok(None) => {
                let cause = "No choice rule matched, and the state has no Default.";
                let failure = self.failure_here("States.NoChoiceMatched", cause);
                self.close_failed(failure);
            }
            Err(error) => self.fault(Fault::Evaluation(error)),
        }
    }

    fn wait(&mut self, wait: &Wait) {
        match self.end_of_wait(&wait.until) {
            Ok(until) if until > self.now => self.set_phase(Phase::Waiting { until }),
            Ok(_) => self.pass(&wait.transition),
            Err(error) => self.fault(Fault::Evaluation(error)),
        }
    }

    /// Leaves a Wait state whose time has come.
    pub(super) fn end_wait(&mut self) {
        let definition = self.definition;
        if let Some(State::Wait(wait)) = definition.states.get(&self.state_name()) {
            self.pass(&wait.transition);
        }
    }

    fn end_of_wait(&mut self, until: &Until) -> Result<Timestamp, EvaluationError> {
        let mut session = self.session(&Sees::Nothing, None);
        match until {
            Until::Seconds(template) => {
                let value = template.evaluate(&mut session)?;
                let seconds = value.as_u64().filter(|seconds| *seconds <= MAX_WAIT_SECONDS);
                let what = format!("is not a whole number from 0 to {MAX_WAIT_SECONDS}");
                Ok(self.now.plus_seconds(seconds.ok_or_else(|| template.error("Seconds", &what))?))
            }
            Until::Timestamp(template) => {
                let value = template.evaluate(&mut session)?;
                let instant = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
                let instant =
                    instant.ok_or_else(|| template.error("Timestamp", "is not an ISO 8601 timestamp"))?;
                Ok(Timestamp::from_millis(instant.timestamp_millis()))
            }
        }
    }

    fn succeed(&mut self, output: Option<Template>) {
        let transition =
            Transition { output, assign: Vec::new(), next: crate::states::definition::Next::End };
        self.pass(&transition);
    }

    fn fail(&mut self, fail: &Fail) {
        let evaluated = self
            .text_of("Error", fail.error.as_ref(), MAX_ERROR_CHARS)
            .and_then(|error| Ok((error, self.text_of("Cause", fail.cause.as_ref(), MAX_CAUSE_CHARS)?)));
        match evaluated {
            Ok((error, cause)) => self.close_failed(Failure { error, cause }),
            Err(fault) => self.fault(fault),
        }
    }

    fn text_of(
        &mut self,
        field: &str,
        template: Option<&Template>,
        max_chars: usize,
    ) -> Result<Option<String>, Fault> {
        let Some(template) = template else { return Ok(None) };
        let value = template.evaluate(&mut self.session(&Sees::Nothing, None))?;
        check_size(&value, &format!("The field '{field}' has a value")).map_err(Fault::Other)?;
        match value {
            Value::String(text) => Ok(Some(cut(&text, max_chars).to_owned())),
            _ => Err(template.error(field, "is not text").into()),
        }
    }
}
