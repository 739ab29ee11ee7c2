//! What happened in an execution, folded from its history: of each state how it went, which ways were taken, and each try
//! of the import's container. A history only grows, so a story goes on where it stood. No inputs or outputs are needed.

pub(crate) mod cache;

use std::collections::HashMap;

use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType as Kind};
use chrono::{DateTime, Utc};
use ops::show::execution::{AttemptPicture, StatePicture, cause_for_people, time};

/// What happened so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// The last event that is in it.
    pub(super) last_event: i64,
    states: HashMap<String, Happening>,
    /// How often it went from one state to another, after an error that was caught or not.
    ways: HashMap<(String, String, bool), u32>,
    /// The tries of every task, the oldest first.
    pub(super) tries: Vec<Try>,
    /// Where each state was entered, by the event.
    entries: Vec<(i64, String)>,
    /// The state that was entered last, and whether its last try failed.
    current: Option<String>,
    has_failed: bool,
}

/// How a state went.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Happening {
    pub(super) how: How,
    pub(super) visits: u32,
    /// Tries after one that failed, by the state's own Retry.
    pub(super) retries: u32,
    /// Redrives of the execution that went on here.
    pub(super) redrives: u32,
    pub(super) entered_at: DateTime<Utc>,
    pub(super) exited_at: Option<DateTime<Utc>>,
    /// The last error.
    pub(super) error: Option<String>,
}

/// How a state went, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Running,
    Succeeded,
    /// It failed, and the execution went on by a Catch.
    Caught,
    Failed,
    TimedOut,
    Aborted,
}

/// One try of a task.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Try {
    pub(super) state: String,
    pub(super) scheduled_at: DateTime<Utc>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    /// The error's name; none of a success, and while it runs.
    pub(super) error: Option<String>,
    /// In words for people.
    pub(super) cause: Option<String>,
    /// Where its end was told by ECS itself: its task.
    pub(super) task_arn: Option<String>,
}

impl Story {
    /// How a state went; none where it was not reached.
    pub(super) fn of(&self, state: &str) -> Option<&Happening> {
        self.states.get(state)
    }

    /// How often it went this way.
    pub(super) fn went(&self, from: &str, to: &str, is_catch: bool) -> u32 {
        self.ways.get(&(from.to_owned(), to.to_owned(), is_catch)).copied().unwrap_or(0)
    }

    /// The state that an event belongs to.
    pub(super) fn state_at(&self, event: i64) -> Option<&str> {
        let before = self.entries.partition_point(|(entry, _)| *entry <= event);
        Some(&self.entries[before.checked_sub(1)?].1)
    }

    /// The state where the execution is, or has ended.
    pub(super) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// The states that have succeeded, as `baton show` has them.
    pub(super) fn states_that_succeeded(&self) -> Vec<StatePicture> {
        self.states
            .iter()
            .filter(|(_, state)| state.how == How::Succeeded)
            .map(|(name, state)| StatePicture {
                name: name.clone(),
                entered_at: state.entered_at,
                exited_at: state.exited_at,
                attempts: vec![AttemptPicture { succeeded: Some(true), ..AttemptPicture::default() }],
            })
            .collect()
    }

    /// Goes on with the next events of the history, in their order.
    pub(super) fn go_on(&mut self, events: &[HistoryEvent]) {
        for event in events {
            if event.id > self.last_event {
                self.take(event);
                self.last_event = event.id;
            }
        }
    }

    fn take(&mut self, event: &HistoryEvent) {
        let at = time(&event.timestamp);
        if let Some(entered) = &event.state_entered_event_details {
            self.entries.push((event.id, entered.name.clone()));
            return self.enter(entered.name.clone(), at);
        }
        let Some(name) = self.current.clone() else { return };
        match event.r#type {
            Kind::TaskScheduled => self.schedule(&name, at),
            Kind::TaskSucceeded => {
                self.has_failed = false;
                if let Some(last) = self.open_try() {
                    last.ended_at = Some(at);
                }
            }
            Kind::ExecutionRedriven => {
                self.has_failed = false;
                self.change(&name, |state| {
                    state.how = How::Running;
                    state.exited_at = None;
                    state.redrives += 1;
                });
            }
            Kind::ExecutionSucceeded => {}
            Kind::ExecutionFailed => self.end(&name, at, How::Failed, execution_failure(event)),
            Kind::ExecutionTimedOut => self.end(&name, at, How::TimedOut, execution_failure(event)),
            Kind::ExecutionAborted => self.end(&name, at, How::Aborted, execution_failure(event)),
            _ if event.state_exited_event_details.is_some() => self.exit(&name, at),
            _ => {
                if let Some((error, cause)) = task_failure(event) {
                    self.fail(&name, at, error, cause);
                }
            }
        }
    }

    fn enter(&mut self, name: String, at: DateTime<Utc>) {
        if let Some(before) = self.current.take() {
            let is_caught = self.states.get(&before).is_some_and(|state| state.how == How::Caught);
            *self.ways.entry((before, name.clone(), is_caught)).or_default() += 1;
        }
        self.has_failed = false;
        let state = self.states.entry(name.clone()).or_insert(Happening {
            how: How::Running,
            visits: 0,
            retries: 0,
            redrives: 0,
            entered_at: at,
            exited_at: None,
            error: None,
        });
        (state.how, state.entered_at, state.exited_at, state.error) = (How::Running, at, None, None);
        state.visits += 1;
        self.current = Some(name);
    }

    fn schedule(&mut self, name: &str, at: DateTime<Utc>) {
        if std::mem::take(&mut self.has_failed) {
            self.change(name, |state| state.retries += 1);
        }
        let (ended_at, error, cause, task_arn) = (None, None, None, None);
        self.tries.push(Try { state: name.to_owned(), scheduled_at: at, ended_at, error, cause, task_arn });
    }

    fn fail(&mut self, name: &str, at: DateTime<Utc>, error: Option<&str>, cause: Option<&str>) {
        self.has_failed = true;
        if let Some(last) = self.open_try() {
            last.ended_at = Some(at);
            last.error = error.map(str::to_owned);
            last.task_arn = cause.and_then(task_arn);
            last.cause = cause.map(|cause| cause_for_people(error, cause.to_owned()));
        }
        self.change(name, |state| state.error = error.map(str::to_owned));
    }

    fn exit(&mut self, name: &str, at: DateTime<Utc>) {
        let how = if self.has_failed { How::Caught } else { How::Succeeded };
        self.change(name, |state| {
            state.how = how;
            state.exited_at = Some(at);
            if how == How::Succeeded {
                state.error = None;
            }
        });
    }

    fn end(&mut self, name: &str, at: DateTime<Utc>, how: How, failure: (Option<&str>, Option<&str>)) {
        if let Some(last) = self.open_try() {
            last.ended_at = Some(at);
            last.error = failure.0.map(str::to_owned);
            last.cause = failure.1.map(|cause| cause_for_people(failure.0, cause.to_owned()));
        }
        self.change(name, |state| {
            state.how = how;
            state.exited_at = Some(at);
            state.error = failure.0.map(str::to_owned).or(state.error.take());
        });
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Happening)) {
        if let Some(state) = self.states.get_mut(name) {
            change(state);
        }
    }

    fn open_try(&mut self) -> Option<&mut Try> {
        self.tries.last_mut().filter(|last| last.ended_at.is_none())
    }
}

/// The error and the cause of a try that failed, whichever way.
fn task_failure(event: &HistoryEvent) -> Option<(Option<&str>, Option<&str>)> {
    macro_rules! of {
        ($($details:ident)*) => {
            $(if let Some(failed) = &event.$details {
                return Some((failed.error.as_deref(), failed.cause.as_deref()));
            })*
        };
    }
    of!(task_failed_event_details task_timed_out_event_details task_start_failed_event_details
        task_submit_failed_event_details evaluation_failed_event_details);
    None
}

fn execution_failure(event: &HistoryEvent) -> (Option<&str>, Option<&str>) {
    macro_rules! of {
        ($($details:ident)*) => {
            $(if let Some(failed) = &event.$details {
                return (failed.error.as_deref(), failed.cause.as_deref());
            })*
        };
    }
    of!(execution_failed_event_details execution_timed_out_event_details execution_aborted_event_details);
    (None, None)
}

/// The ECS task in the cause of its own end, which is the task as JSON.
fn task_arn(cause: &str) -> Option<String> {
    let task: serde_json::Value = serde_json::from_str(cause).ok()?;
    task["TaskArn"].as_str().map(str::to_owned)
}

#[cfg(test)]
pub(super) mod tests;
