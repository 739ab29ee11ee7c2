//! The containers that ran for an import: found in the histories of its executions, which outlive what ECS remembers.

use std::collections::BTreeMap;

use anyhow::Context as _;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus, HistoryEvent, HistoryEventType};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use statemachine::{ExecutionName, JobId};

use crate::error::of_aws;
use crate::show::execution::{history, time};
use crate::target::Target;

/// What the names of the worker's streams begin with: the prefix of `awslogs` and the container's name.
const STREAM_PREFIX: &str = "worker/worker";
/// How much the clocks of the database and of Step Functions may differ.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);

/// An execution of an import.
#[derive(Clone, Debug)]
pub struct OneExecution {
    /// Its ARN.
    pub arn: String,
    /// Whether it has not ended.
    pub is_open: bool,
}

/// One container of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerLog {
    /// The execution that started it.
    pub execution_arn: String,
    /// Its ECS task.
    pub task_arn: String,
    /// When ECS was asked for it.
    pub submitted_at: DateTime<Utc>,
    /// When Step Functions heard of its end.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended: `SUCCESS` or the name of the failure.
    pub ended_as: Option<String>,
}

impl ContainerLog {
    /// The task's id, without what all tasks of the cluster have in commands.
    pub fn task_id(&self) -> &str {
        id_of(&self.task_arn)
    }

    /// The stream that has its lines.
    pub fn stream(&self) -> String {
        stream_of(&self.task_arn)
    }
}

/// The stream of the log group that has a task's lines.
pub fn stream_of(task_arn: &str) -> String {
    format!("{STREAM_PREFIX}/{}", id_of(task_arn))
}

fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The executions of an import, the oldest first. It may have had several messages, and one that was never claimed is known
/// by its execution's name alone.
pub async fn executions(target: &Target, id: &JobId) -> anyhow::Result<Vec<OneExecution>> {
    let row = worker::imports::find(&mut target.database.connect()?, id)?;
    // None is older than the import; one that describes itself is known from its first claim on.
    let since =
        row.as_ref().filter(|row| row.execution_arn.is_none()).map(|row| row.created_at.and_utc() - CLOCKS);
    let mut found = BTreeMap::new();
    for item in list(target, since).await? {
        if ExecutionName::import_id_in(&item.name) == Some(id.as_str()) {
            let is_open = matches!(item.status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive);
            let started = time(&item.start_date);
            found.insert(
                (started, item.execution_arn.clone()),
                OneExecution { arn: item.execution_arn, is_open },
            );
        }
    }
    Ok(found.into_values().collect())
}

/// The executions of the import machine, those that started since then or all.
async fn list(target: &Target, since: Option<DateTime<Utc>>) -> anyhow::Result<Vec<ExecutionListItem>> {
    let mut pages = target
        .sfn
        .list_executions()
        .state_machine_arn(&target.resources.import_state_machine_arn)
        .into_paginator()
        .page_size(1000)
        .send();
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(of_aws).context("failed to list the executions of the import machine")?;
        // The newest come first.
        let last = page.executions.last().map(|item| time(&item.start_date));
        items.extend(page.executions);
        if since.zip(last).is_some_and(|(since, last)| last < since) {
            break;
        }
    }
    Ok(items)
}

/// The containers of an execution, the oldest first.
pub async fn of_execution(target: &Target, arn: &str) -> anyhow::Result<Vec<ContainerLog>> {
    Ok(containers_in(arn, &history(target, arn).await?))
}

fn containers_in(execution_arn: &str, history: &[HistoryEvent]) -> Vec<ContainerLog> {
    let mut containers: Vec<ContainerLog> = Vec::new();
    let mut is_running = false;
    for event in history {
        let at = time(&event.timestamp);
        if let Some(task_arn) = submitted(event) {
            let execution_arn = execution_arn.to_owned();
            containers.push(ContainerLog {
                execution_arn,
                task_arn,
                submitted_at: at,
                ended_at: None,
                ended_as: None,
            });
            is_running = true;
        } else if let Some(ended_as) = end(event).filter(|_| is_running)
            && let Some(container) = containers.last_mut()
        {
            (container.ended_at, container.ended_as) = (Some(at), Some(ended_as));
            is_running = false;
        }
    }
    containers
}

/// The ECS task that was started, if the event says so.
fn submitted(event: &HistoryEvent) -> Option<String> {
    let output = event.task_submitted_event_details.as_ref()?.output.as_deref()?;
    let output: Value = serde_json::from_str(output).ok()?;
    Some(output["Tasks"][0]["TaskArn"].as_str()?.to_owned())
}

/// How the task in hand ended, if the event says so.
fn end(event: &HistoryEvent) -> Option<String> {
    let failed =
        |error: Option<&String>, otherwise: &str| Some(error.map_or(otherwise, String::as_str).to_owned());
    match event.r#type {
        HistoryEventType::TaskSucceeded => Some("SUCCESS".to_owned()),
        HistoryEventType::TaskFailed => failed(
            event.task_failed_event_details.as_ref().and_then(|end| end.error.as_ref()),
            "States.TaskFailed",
        ),
        HistoryEventType::TaskTimedOut => failed(
            event.task_timed_out_event_details.as_ref().and_then(|end| end.error.as_ref()),
            "States.Timeout",
        ),
        HistoryEventType::ExecutionAborted => failed(
            event.execution_aborted_event_details.as_ref().and_then(|end| end.error.as_ref()),
            "ABORTED",
        ),
        HistoryEventType::ExecutionTimedOut => failed(
            event.execution_timed_out_event_details.as_ref().and_then(|end| end.error.as_ref()),
            "TIMED_OUT",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::primitives::DateTime as SdkTime;
    use aws_sdk_sfn::types::{
        ExecutionAbortedEventDetails, TaskFailedEventDetails, TaskSubmittedEventDetails,
    };

    use super::*;

    fn event(seconds: i64, kind: HistoryEventType) -> aws_sdk_sfn::types::builders::HistoryEventBuilder {
        HistoryEvent::builder().timestamp(SdkTime::from_secs(seconds)).id(seconds).r#type(kind)
    }

    fn submitted(seconds: i64, task: &str) -> HistoryEvent {
        let output = format!(r#"{{"Tasks":[{{"TaskArn":"arn:aws:ecs:r:1:task/default/{task}"}}]}}"#);
        let details =
            TaskSubmittedEventDetails::builder().resource_type("ecs").resource("runTask.sync").output(output);
        event(seconds, HistoryEventType::TaskSubmitted)
            .task_submitted_event_details(details.build().unwrap())
            .build()
            .unwrap()
    }

    #[test]
    fn each_container_of_a_history_is_told_with_its_end() {
        let failed = TaskFailedEventDetails::builder()
            .resource_type("ecs")
            .resource("runTask.sync")
            .error("Import.DatabaseUnavailable")
            .build()
            .unwrap();
        let aborted = ExecutionAbortedEventDetails::builder().error("Cancelled").build();
        let history = [
            event(1, HistoryEventType::ExecutionStarted).build().unwrap(),
            submitted(2, "a"),
            event(3, HistoryEventType::TaskFailed).task_failed_event_details(failed).build().unwrap(),
            submitted(4, "b"),
            event(5, HistoryEventType::ExecutionAborted)
                .execution_aborted_event_details(aborted)
                .build()
                .unwrap(),
            // Of the task that deletes the message, which is no container.
            event(6, HistoryEventType::TaskSucceeded).build().unwrap(),
        ];
        let containers = containers_in("e", &history);
        let told: Vec<_> = containers
            .iter()
            .map(|container| {
                (container.stream(), container.submitted_at.timestamp(), container.ended_as.as_deref())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("worker/worker/a".to_owned(), 2, Some("Import.DatabaseUnavailable")),
                ("worker/worker/b".to_owned(), 4, Some("Cancelled")),
            ]
        );
        assert_eq!(containers_in("e", &history[..4])[1].ended_at, None);
    }
}
