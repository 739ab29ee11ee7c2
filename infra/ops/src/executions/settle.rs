//! Whether an execution has ended, and whether its message is settled then.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_sdk_sfn::types::ExecutionStatus;

use crate::error::of_aws;
use crate::show::execution;
use crate::show::message::{self, MessageFate};
use crate::target::Target;

/// How often it is looked.
const GLANCE: Duration = Duration::from_millis(50);
/// How long the message of a failed execution may take to be settled.
pub(crate) const SETTLING: Duration = Duration::from_secs(15);

/// Whether the import's execution has ended.
pub async fn has_ended(target: &Target, execution_arn: &str) -> anyhow::Result<bool> {
    match target.sfn.describe_execution().execution_arn(execution_arn).send().await {
        Ok(execution) => {
            Ok(!matches!(execution.status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive))
        }
        // The Lambda has not come to the message yet.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
            Ok(false)
        }
        Err(error) => {
            Err(of_aws(error)).with_context(|| format!("failed to describe the execution {execution_arn}"))
        }
    }
}

/// Waits until the message of an execution that ended without success is dead-lettered, for a while: where the event was
/// lost, the queue's own redrive policy will do it. Another execution does it after the first has ended, and a stack that ends with
/// whoever waits must not end before that.
pub async fn until_settled(target: &Target, arn: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + SETTLING;
    while Instant::now() < deadline {
        let Some(execution) = execution::gather(target, arn).await? else { return Ok(()) };
        let fate = message::fate(target, &execution).await?;
        if !matches!(fate, Some(MessageFate::BeingDeadLettered { .. } | MessageFate::LeftToTheQueue)) {
            return Ok(());
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}
