//! An execution, state by state, from its history.

use anyhow::Context as _;
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::error::of_aws;
use crate::show::containers::{self, ContainerEnd};
use crate::target::Target;

/// An execution.
#[derive(Debug, Serialize)]
pub struct ExecutionPicture {
    /// Its ARN.
    pub arn: String,
    /// In the words of Step Functions.
    pub status: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub stopped_at: Option<DateTime<Utc>>,
    /// How often it was redriven.
    pub redrives: i32,
    /// The failure's name.
    pub error: Option<String>,
    /// The failure in words.
    pub cause: Option<String>,
    /// The states that it was in, in order.
    pub states: Vec<StatePicture>,
}

/// One visit to a state.
#[derive(Debug, Serialize)]
pub struct StatePicture {
    /// Its name in the definition.
    pub name: String,
    /// When it was entered.
    pub entered_at: DateTime<Utc>,
    /// When it was left.
    pub exited_at: Option<DateTime<Utc>>,
    /// The attempts of a task, the retried ones included.
    pub attempts: Vec<AttemptPicture>,
}

/// One attempt at a task.
#[derive(Debug, Default, Serialize)]
pub struct AttemptPicture {
    /// The ECS task, where the state runs one.
    pub task_arn: Option<String>,
    /// When it was scheduled.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How its container ended: as the history tells, or while ECS remembers.
    pub exit_code: Option<i32>,
    /// Why its container was stopped.
    pub stopped_reason: Option<String>,
    /// How it ended; none while it runs.
    pub succeeded: Option<bool>,
    /// The failure's name.
    pub error: Option<String>,
    /// The failure in words.
    pub cause: Option<String>,
}

impl StatePicture {
    /// How long it took, in milliseconds; none while it is in it.
    pub fn took_ms(&self) -> Option<i64> {
        self.exited_at.map(|exited| (exited - self.entered_at).num_milliseconds())
    }

    /// The attempts in a few words.
    pub fn describe(&self) -> String {
        let attempts = self.attempts.iter().enumerate().map(|(index, attempt)| {
            let outcome = match (&attempt.succeeded, &attempt.error) {
                (Some(true), _) => "succeeded".to_owned(),
                (_, Some(error)) => error.clone(),
                (Some(false), None) => "failed".to_owned(),
                (None, None) => "running".to_owned(),
            };
            let exit_code = attempt.exit_code.map(|code| format!(" (exit code {code})")).unwrap_or_default();
            if self.attempts.len() == 1 {
                format!("{outcome}{exit_code}")
            } else {
                format!("{}: {outcome}{exit_code}", index + 1)
            }
        });
        attempts.collect::<Vec<_>>().join(", ")
    }
}

/// Gathers the picture of an execution; none where it has not started yet.
pub(crate) async fn gather(target: &Target, arn: &str) -> anyhow::Result<Option<ExecutionPicture>> {
    let described = match target.sfn.describe_execution().execution_arn(arn).send().await {
        Ok(described) => described,
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(of_aws(error)).with_context(|| format!("failed to describe the execution {arn}"));
        }
    };
    let mut states = states_of(&history(target, arn).await?);
    add_container_ends(target, &mut states).await;
    Ok(Some(ExecutionPicture {
        arn: arn.to_owned(),
        status: described.status.as_str().to_owned(),
        started_at: time(&described.start_date),
        stopped_at: described.stop_date.as_ref().map(time),
        redrives: described.redrive_count.unwrap_or(0),
        cause: described.cause.map(|cause| cause_for_people(described.error.as_deref(), cause)),
        error: described.error,
        states,
    }))
}

pub(crate) async fn history(target: &Target, arn: &str) -> anyhow::Result<Vec<HistoryEvent>> {
    target
        .sfn
        .get_execution_history()
        .execution_arn(arn)
        .into_paginator()
        .page_size(1000)
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map_err(of_aws)
        .with_context(|| format!("failed to read the history of {arn}"))
}

/// Folds the events into visits; an event belongs to the visit that was entered last.
pub(crate) fn states_of(history: &[HistoryEvent]) -> Vec<StatePicture> {
    let mut states: Vec<StatePicture> = Vec::new();
    for event in history {
        let at = time(&event.timestamp);
        if let Some(entered) = &event.state_entered_event_details {
            let name = entered.name.clone();
            states.push(StatePicture { name, entered_at: at, exited_at: None, attempts: Vec::new() });
            continue;
        }
        let Some(state) = states.last_mut() else { continue };
        if event.r#type == HistoryEventType::ExecutionRedriven {
            // The state is taken up again where it failed, in the same visit.
            state.exited_at = None;
        } else if event.state_exited_event_details.is_some() {
            state.exited_at = Some(at);
        } else if event.r#type == HistoryEventType::TaskScheduled {
            state.attempts.push(AttemptPicture { scheduled_at: Some(at), ..AttemptPicture::default() });
        } else if ends_execution(&event.r#type) && state.exited_at.is_none() {
            state.exited_at = Some(at);
        }
        if let Some(attempt) = state.attempts.last_mut() {
            read_attempt(attempt, event);
        }
    }
    states
}

fn ends_execution(kind: &HistoryEventType) -> bool {
    matches!(
        kind,
        HistoryEventType::ExecutionSucceeded
            | HistoryEventType::ExecutionFailed
            | HistoryEventType::ExecutionAborted
            | HistoryEventType::ExecutionTimedOut
    )
}

fn read_attempt(attempt: &mut AttemptPicture, event: &HistoryEvent) {
    if let Some(submitted) = &event.task_submitted_event_details {
        let output =
            submitted.output.as_deref().and_then(|output| serde_json::from_str::<Value>(output).ok());
        attempt.task_arn = output.and_then(|output| Some(output["Tasks"][0]["TaskArn"].as_str()?.to_owned()));
    }
    let succeeded = match event.r#type {
        HistoryEventType::TaskSucceeded => true,
        HistoryEventType::TaskFailed
        | HistoryEventType::TaskTimedOut
        | HistoryEventType::TaskStartFailed
        | HistoryEventType::TaskSubmitFailed => false,
        // Stopped in the middle.
        _ if attempt.ended_at.is_none() && ends_execution(&event.r#type) => false,
        _ => return,
    };
    attempt.succeeded = Some(succeeded);
    attempt.ended_at = Some(time(&event.timestamp));
    let (error, cause) = failure_in(event);
    if error.as_deref() == Some("States.TaskFailed")
        && let Some(end) = cause.as_deref().and_then(ContainerEnd::in_cause)
    {
        attempt.exit_code = end.exit_code;
        attempt.stopped_reason = end.stopped_reason;
    }
    attempt.cause = cause.map(|cause| cause_for_people(error.as_deref(), cause));
    attempt.error = error;
}

/// The error and the cause that an event tells.
fn failure_in(event: &HistoryEvent) -> (Option<String>, Option<String>) {
    macro_rules! of {
        ($($details:ident),*) => {
            $(if let Some(details) = &event.$details {
                return (details.error.clone(), details.cause.clone());
            })*
        };
    }
    of!(
        task_failed_event_details,
        task_timed_out_event_details,
        task_start_failed_event_details,
        task_submit_failed_event_details,
        execution_aborted_event_details,
        execution_timed_out_event_details
    );
    (None, None)
}

/// The cause of a dead container is its ECS task as JSON, with its environment and so its task token: of that only the end
/// is told. Any other cause is told as it is.
pub fn cause_for_people(error: Option<&str>, cause: String) -> String {
    let task = || serde_json::from_str::<Value>(&cause).ok().filter(Value::is_object);
    if error != Some("States.TaskFailed") {
        return cause;
    }
    let Some(task) = task() else {
        return if cause.starts_with('{') { "the container failed".to_owned() } else { cause };
    };
    let container = &task["Containers"][0];
    let parts = [
        task["StoppedReason"].as_str().map(str::to_owned),
        container["ExitCode"].as_i64().map(|code| format!("exit code {code}")),
        container["Reason"].as_str().map(str::to_owned),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("the container stopped: {}", parts.join(", "))
}

/// Asks ECS for the ends that the history does not tell.
async fn add_container_ends(target: &Target, states: &mut [StatePicture]) {
    let mut attempts: Vec<_> = states.iter_mut().flat_map(|state| &mut state.attempts).collect();
    attempts.retain(|attempt| attempt.exit_code.is_none() && attempt.stopped_reason.is_none());
    let arns: Vec<_> = attempts.iter().filter_map(|attempt| attempt.task_arn.clone()).collect();
    let ends = containers::remembered(target, &arns).await;
    for attempt in attempts {
        if let Some(end) = attempt.task_arn.as_ref().and_then(|arn| ends.get(arn)) {
            attempt.exit_code = end.exit_code;
            attempt.stopped_reason.clone_from(&end.stopped_reason);
        }
    }
}

/// A time of the SDK.
pub fn time(at: &aws_sdk_sfn::primitives::DateTime) -> DateTime<Utc> {
    DateTime::from_timestamp(at.secs(), at.subsec_nanos()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_a_dead_container_is_told_without_its_environment() {
        let task = r#"{"StoppedReason":"Essential container in task exited","Containers":[{"ExitCode":137,"Reason":"killed"}],
            "Overrides":{"ContainerOverrides":[{"Environment":[{"Name":"TASK_TOKEN","Value":"secret"}]}]}}"#;
        let told = cause_for_people(Some("States.TaskFailed"), task.to_owned());
        assert_eq!(told, "the container stopped: Essential container in task exited, exit code 137, killed");
        let cut = cause_for_people(Some("States.TaskFailed"), task[..task.len() - 40].to_owned());
        assert_eq!(cut, "the container failed");
    }

    #[test]
    fn the_workers_own_cause_is_told_as_it_is() {
        let cause = "there is no table \"poeple\"; is it \"people\"?";
        assert_eq!(cause_for_people(Some("Import.TableMissing"), cause.to_owned()), cause);
    }
}
