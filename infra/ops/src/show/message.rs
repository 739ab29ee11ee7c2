//! What became of the message of an execution that has ended: deleted by the execution itself, or dead-lettered by the
//! execution that the status change started.

use anyhow::Context as _;
use aws_sdk_sfn::error::DisplayErrorContext;
use aws_sdk_sfn::types::ExecutionListItem;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::show::execution::{self, ExecutionPicture};
use crate::target::Target;

/// How long after the end of an execution its dead-letter execution starts at the latest.
const LATEST_START: TimeDelta = TimeDelta::minutes(5);

/// What became of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub(crate) enum MessageFate {
    /// The execution deleted it.
    Deleted,
    /// It could not be deleted, and will be acknowledged when it comes back.
    LeftToAcknowledge,
    /// It was copied to the dead-letter queue with the reason, and deleted.
    DeadLettered { queue_url: String, message_id: Option<String>, by: String },
    /// It is about to be dead-lettered.
    BeingDeadLettered { by: String },
    /// Nothing has settled it: it comes back, and the queue's own redrive policy brings it to the dead-letter queue.
    LeftToTheQueue,
}

impl MessageFate {
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Deleted => "deleted".to_owned(),
            Self::LeftToAcknowledge => "not deleted; its next delivery is acknowledged".to_owned(),
            Self::DeadLettered { queue_url, message_id, .. } => format!(
                "in the dead-letter queue {}{}",
                queue_url.rsplit('/').next().unwrap_or(queue_url),
                message_id.as_ref().map(|id| format!(" as {id}")).unwrap_or_default()
            ),
            Self::BeingDeadLettered { by } => format!("being dead-lettered by {by}"),
            Self::LeftToTheQueue => "left to the queue's own redrive policy".to_owned(),
        }
    }
}

/// What became of the message of `execution`; none while the execution runs.
pub(crate) async fn fate(
    target: &Target,
    execution: &ExecutionPicture,
) -> anyhow::Result<Option<MessageFate>> {
    let Some(stopped_at) = execution.stopped_at else { return Ok(None) };
    if execution.status == "SUCCEEDED" {
        let deleted = execution.states.iter().any(|state| {
            state.name == "DeleteMessage"
                && state.attempts.iter().any(|attempt| attempt.succeeded == Some(true))
        });
        return Ok(Some(if deleted { MessageFate::Deleted } else { MessageFate::LeftToAcknowledge }));
    }
    let Some(by) = dead_letter_execution(target, &execution.arn, stopped_at).await? else {
        return Ok(Some(MessageFate::LeftToTheQueue));
    };
    if let Some(message_id) = sent_message_id(target, &by).await? {
        let queue_url = target.resources.dead_letter_queue_url.clone();
        return Ok(Some(MessageFate::DeadLettered { queue_url, message_id: Some(message_id), by }));
    }
    Ok(Some(MessageFate::BeingDeadLettered { by }))
}

/// The execution of the dead-letter machine that the status change of `execution_arn` started.
async fn dead_letter_execution(
    target: &Target,
    execution_arn: &str,
    stopped_at: DateTime<Utc>,
) -> anyhow::Result<Option<String>> {
    let mut listed = target
        .sfn
        .list_executions()
        .state_machine_arn(&target.resources.dead_letter_state_machine_arn)
        .into_paginator()
        .items()
        .send();
    // Newest first: everything later than the window is passed over, the first one before it ends the search.
    while let Some(item) = listed.next().await {
        let item = item
            .map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)))
            .context("failed to list the executions of the dead-letter machine")?;
        let started_at = started(&item);
        if started_at > stopped_at + LATEST_START {
            continue;
        }
        if started_at < stopped_at - TimeDelta::seconds(1) {
            break;
        }
        if settles(target, &item.execution_arn, execution_arn).await? {
            return Ok(Some(item.execution_arn));
        }
    }
    Ok(None)
}

async fn settles(target: &Target, dead_letter_arn: &str, execution_arn: &str) -> anyhow::Result<bool> {
    let described = target
        .sfn
        .describe_execution()
        .execution_arn(dead_letter_arn)
        .send()
        .await
        .map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)))
        .with_context(|| format!("failed to describe the execution {dead_letter_arn}"))?;
    let event: Value = serde_json::from_str(described.input.as_deref().unwrap_or("null")).unwrap_or_default();
    Ok(event["detail"]["executionArn"].as_str() == Some(execution_arn))
}

async fn sent_message_id(target: &Target, dead_letter_arn: &str) -> anyhow::Result<Option<String>> {
    let history = execution::history(target, dead_letter_arn).await?;
    Ok(history.iter().filter_map(|event| event.task_succeeded_event_details.as_ref()).find_map(|succeeded| {
        let output: Value = serde_json::from_str(succeeded.output.as_deref()?).ok()?;
        (succeeded.resource_type == "sqs").then(|| output["MessageId"].as_str().map(str::to_owned))?
    }))
}

fn started(item: &ExecutionListItem) -> DateTime<Utc> {
    execution::time(&item.start_date)
}
