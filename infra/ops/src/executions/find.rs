//! Finds executions of the import machine: by how they ended, by a message, by a name.

use anyhow::Context as _;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use statemachine::{ExecutionName, JobId};
use worker::db::Connection;
use worker::failure::Failure;
use worker::ledger::JobStatus;

use super::Execution;
use crate::error::of_aws;
use crate::target::Target;

/// The executions of the import machine that ended without success.
pub(crate) async fn failed(target: &Target) -> anyhow::Result<Vec<ExecutionListItem>> {
    let mut items = Vec::new();
    for status in [ExecutionStatus::Failed, ExecutionStatus::TimedOut, ExecutionStatus::Aborted] {
        items.append(&mut list(target, status).await?);
    }
    Ok(items)
}

/// The executions of the import machine with this status, the newest first.
pub(crate) async fn list(target: &Target, status: ExecutionStatus) -> anyhow::Result<Vec<ExecutionListItem>> {
    target
        .sfn
        .list_executions()
        .state_machine_arn(&target.resources.import_state_machine_arn)
        .status_filter(status)
        .into_paginator()
        .page_size(1000)
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map_err(of_aws)
        .context("failed to list the executions of the import machine")
}

/// The failed execution that was started for a message of this id. With lanes its name does not tell: there it has the id that
/// the message was sent with.
pub(crate) async fn of_message(
    target: &Target,
    import_id: Option<&str>,
    message_id: &str,
) -> anyhow::Result<Option<Execution>> {
    let import_id = import_id.unwrap_or("invalid");
    for item in failed(target).await?.iter().filter(|item| is_of(item, import_id)) {
        let execution = Execution::describe(target, &item.execution_arn).await?;
        if let Some(execution) = execution.filter(|one| one.message_id.as_deref() == Some(message_id)) {
            return Ok(Some(execution));
        }
    }
    Ok(None)
}

/// The ARN of an execution of the import machine, which may have been given as such.
pub fn execution_arn(target: &Target, name: &str) -> String {
    let name = name.rsplit(':').next().unwrap_or(name);
    let machine = target.resources.import_state_machine_arn.replacen(":stateMachine:", ":execution:", 1);
    format!("{machine}:{name}")
}

/// Whether this id is its name, its ARN, or that of its import.
pub(crate) fn is_of(item: &ExecutionListItem, id: &str) -> bool {
    item.name == id || item.execution_arn == id || ExecutionName::import_id_in(&item.name) == Some(id)
}

/// Has executions take note of what the database knows of their imports: that they have succeeded since, or have not at all.
pub fn heed_imports(connection: &mut Connection, executions: &mut [Execution]) -> Result<(), Failure> {
    for execution in executions {
        let Some(Ok(id)) = execution.import_id.as_ref().map(|id| id.parse::<JobId>()) else { continue };
        let Some(row) = worker::imports::find(connection, &id)? else { continue };
        match row.status {
            JobStatus::Success => execution.heed_success(row.execution_arn.as_deref()),
            status if row.execution_arn.as_ref() == Some(&execution.arn) => {
                execution.heed_undone(status.as_str())
            }
            _ => {}
        }
    }
    Ok(())
}
