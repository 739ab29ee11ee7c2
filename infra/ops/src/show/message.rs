//! What became of the message of an execution that has ended: deleted by the execution itself, or dead-lettered by the
//! settling execution, which has its name.

use anyhow::Context as _;
use aws_sdk_sfn::types::ExecutionStatus;
use serde::Serialize;
use serde_json::Value;

use crate::error::of_aws;
use crate::show::execution::{self, ExecutionPicture};
use crate::target::Target;

/// What became of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum MessageFate {
    /// The execution deleted it.
    Deleted,
    /// It could not be deleted, and will be acknowledged when it comes back.
    LeftToAcknowledge,
    /// It was copied to the dead-letter queue with the reason, and deleted. What has become of the copy since, the queue alone
    /// knows, which would have to be received for that.
    DeadLettered {
        /// The dead-letter queue.
        queue_url: String,
        /// Its id there.
        message_id: Option<String>,
        /// The execution that did it.
        by: String,
    },
    /// It is about to be dead-lettered.
    BeingDeadLettered {
        /// The execution that does it.
        by: String,
    },
    /// Nothing has settled it: it comes back, and the queue's own redrive policy brings it to the dead-letter queue.
    LeftToTheQueue,
}

impl MessageFate {
    /// For a person.
    pub fn describe(&self) -> String {
        match self {
            Self::Deleted => "deleted".to_owned(),
            Self::LeftToAcknowledge => "not deleted; its next delivery is acknowledged".to_owned(),
            Self::DeadLettered { queue_url, message_id, .. } => format!(
                "put into the dead-letter queue {}{}, which has it until it is moved, dropped or expires",
                queue_url.rsplit('/').next().unwrap_or(queue_url),
                message_id.as_ref().map(|id| format!(" as {id}")).unwrap_or_default()
            ),
            Self::BeingDeadLettered { by } => format!("being dead-lettered by {by}"),
            Self::LeftToTheQueue => "left to the queue's own redrive policy".to_owned(),
        }
    }
}

/// What became of the message of `execution`; none while the execution runs.
pub async fn fate(target: &Target, execution: &ExecutionPicture) -> anyhow::Result<Option<MessageFate>> {
    if execution.stopped_at.is_none() {
        return Ok(None);
    }
    if execution.status == "SUCCEEDED" {
        let deleted = execution.states.iter().any(|state| {
            state.name == "DeleteMessage"
                && state.attempts.iter().any(|attempt| attempt.succeeded == Some(true))
        });
        return Ok(Some(if deleted { MessageFate::Deleted } else { MessageFate::LeftToAcknowledge }));
    }
    let by = settling_arn(&target.resources.dead_letter_state_machine_arn, &execution.arn);
    let Some(status) = status(target, &by).await? else {
        return Ok(Some(MessageFate::LeftToTheQueue));
    };
    if let Some(message_id) = sent_message_id(target, &by).await? {
        let queue_url = target.resources.dead_letter_queue_url.clone();
        return Ok(Some(MessageFate::DeadLettered { queue_url, message_id: Some(message_id), by }));
    }
    let is_at_work = matches!(status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive);
    Ok(Some(if is_at_work { MessageFate::BeingDeadLettered { by } } else { MessageFate::LeftToTheQueue }))
}

/// The execution that settles the message of `execution_arn`: of the dead-letter machine, and of the same name.
fn settling_arn(dead_letter_machine_arn: &str, execution_arn: &str) -> String {
    let name = execution_arn.rsplit(':').next().unwrap_or_default();
    format!("{}:{name}", dead_letter_machine_arn.replacen(":stateMachine:", ":execution:", 1))
}

/// None where there is no such execution.
async fn status(target: &Target, execution_arn: &str) -> anyhow::Result<Option<ExecutionStatus>> {
    match target.sfn.describe_execution().execution_arn(execution_arn).send().await {
        Ok(described) => Ok(Some(described.status)),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
            Ok(None)
        }
        Err(error) => {
            Err(of_aws(error)).with_context(|| format!("failed to describe the execution {execution_arn}"))
        }
    }
}

async fn sent_message_id(target: &Target, dead_letter_arn: &str) -> anyhow::Result<Option<String>> {
    let history = execution::history(target, dead_letter_arn).await?;
    Ok(history.iter().filter_map(|event| event.task_succeeded_event_details.as_ref()).find_map(|succeeded| {
        let output: Value = serde_json::from_str(succeeded.output.as_deref()?).ok()?;
        (succeeded.resource_type == "sqs").then(|| output["MessageId"].as_str().map(str::to_owned))?
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settling_execution_is_found_by_name() {
        let import = "arn:aws:states:eu-west-1:123456789012:execution:import:people-1-m";
        let machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:dead-letter";
        let settling = "arn:aws:states:eu-west-1:123456789012:execution:dead-letter:people-1-m";
        assert_eq!(settling_arn(machine, import), settling);
    }
}
