//! The executions of an import that no worker has claimed: no row names them, but their names have the import's id.

use anyhow::Context as _;
use aws_sdk_sfn::types::ExecutionStatus;
use statemachine::{ExecutionName, JobId};

use crate::error::of_aws;
use crate::target::Target;

/// The most executions of a status that are looked through.
const LOOKED_THROUGH: i32 = 1000;

/// Their ARNs: first those that run, then those that ended without success, each the latest first.
pub async fn executions(target: &Target, id: &JobId) -> anyhow::Result<Vec<String>> {
    // On the heap: four requests at once.
    let all = Box::pin(async {
        tokio::try_join!(
            named(target, id, ExecutionStatus::Running),
            named(target, id, ExecutionStatus::Failed),
            named(target, id, ExecutionStatus::TimedOut),
            named(target, id, ExecutionStatus::Aborted),
        )
    });
    let (running, failed, timed_out, aborted) = all.await?;
    Ok([running, failed, timed_out, aborted].concat())
}

async fn named(target: &Target, id: &JobId, status: ExecutionStatus) -> anyhow::Result<Vec<String>> {
    let listed = target
        .sfn
        .list_executions()
        .state_machine_arn(&target.resources.import_state_machine_arn)
        .status_filter(status)
        .max_results(LOOKED_THROUGH)
        .send()
        .await
        .map_err(of_aws)
        .context("failed to list the executions of the import machine")?;
    let of_import = listed
        .executions
        .into_iter()
        .filter(|item| ExecutionName::import_id_in(&item.name) == Some(id.as_str()))
        .map(|item| item.execution_arn);
    Ok(of_import.collect())
}
