//! Finds the executions that a command line means. An import may have had several messages, and so several executions; one
//! that was never claimed is known by its execution's name alone.

use std::collections::HashSet;

use anyhow::Context as _;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use statemachine::{ExecutionName, ImportId};
use worker::db::Connection;
use worker::failure::Failure;
use worker::imports::ImportStatus;

use super::execution::{Execution, Standing};
use crate::cli::{Common, RedriveArguments};
use crate::error::of_aws;
use crate::report;
use crate::show::execution::time;
use crate::target::Target;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The executions, the oldest first.
    pub(crate) executions: Vec<Execution>,
    /// Ids that nothing is known of, and why.
    pub(crate) unknown: Vec<(String, String)>,
    /// Failed executions that a bulk redrive passes over.
    pub(crate) passed_over: usize,
    /// Of a bulk redrive: failed executions whose imports have succeeded since, by another one.
    pub(crate) brought_since: Vec<Execution>,
}

/// The executions that the command line means.
pub(crate) async fn executions(
    common: &Common,
    target: &Target,
    arguments: &RedriveArguments,
) -> anyhow::Result<Found> {
    let mut found = if arguments.is_bulk() {
        bulk(target, arguments).await?
    } else {
        named(common, target, arguments).await?
    };
    let is_meant = |execution: &Execution| {
        let error = execution.error.as_deref().unwrap_or_default();
        arguments.errors.is_empty() || arguments.errors.iter().any(|name| name.eq_ignore_ascii_case(error))
    };
    found.executions.retain(is_meant);
    if !found.executions.is_empty() {
        heed_imports(&mut target.database.connect()?, &mut found.executions)?;
    }
    if arguments.is_bulk() {
        let has_succeeded = |execution: &mut Execution| execution.standing == Standing::Succeeded;
        found.brought_since = found.executions.extract_if(.., has_succeeded).collect();
        let all = found.executions.len();
        // Naming the error of what cannot be redriven asks for the reason.
        let is_hopeless =
            |execution: &Execution| arguments.errors.is_empty() && execution.standing != Standing::Redrivable;
        found.executions.retain(|execution| !is_hopeless(execution));
        found.passed_over = all - found.executions.len();
    }
    found.executions.sort_by_key(|execution| execution.stopped_at);
    Ok(found)
}

/// Has executions take note of the imports that have succeeded since.
pub(crate) fn heed_imports(connection: &mut Connection, executions: &mut [Execution]) -> Result<(), Failure> {
    for execution in executions {
        let Some(Ok(id)) = execution.import_id.as_ref().map(|id| id.parse::<ImportId>()) else { continue };
        if let Some(row) = worker::imports::find(connection, &id)?
            && row.status == ImportStatus::Success
        {
            execution.heed_success(row.execution_arn.as_deref());
        }
    }
    Ok(())
}

async fn bulk(target: &Target, arguments: &RedriveArguments) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for item in failed(target).await? {
        if is_since(&item, arguments) {
            found.executions.extend(Execution::describe(target, &item.execution_arn).await?);
        }
    }
    Ok(found)
}

async fn named(common: &Common, target: &Target, arguments: &RedriveArguments) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let failed = failed(target).await?;
    let mut taken = HashSet::new();
    for id in &arguments.ids {
        let of_id: Vec<_> = failed.iter().filter(|item| is_of(item, id)).collect();
        let mut described = Vec::new();
        for item in of_id.iter().filter(|item| is_since(item, arguments)) {
            described.extend(Execution::describe(target, &item.execution_arn).await?);
        }
        if of_id.is_empty() {
            match without_failure(common, target, id).await? {
                Ok(execution) => described.push(execution),
                Err(why) => found.unknown.push((id.clone(), why)),
            }
        }
        // Whoever names an import twice, or an import and its execution, means it once.
        described.retain(|execution| taken.insert(execution.arn.clone()));
        found.executions.append(&mut described);
    }
    Ok(found)
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

/// The executions of the import machine that ended without success.
async fn failed(target: &Target) -> anyhow::Result<Vec<ExecutionListItem>> {
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

/// What is known of an id that has no failed execution: an execution that runs or has succeeded, or why there is none.
async fn without_failure(
    common: &Common,
    target: &Target,
    id: &str,
) -> anyhow::Result<Result<Execution, String>> {
    if let Some(item) = list(target, ExecutionStatus::Running).await?.iter().find(|item| is_of(item, id))
        && let Some(execution) = Execution::describe(target, &item.execution_arn).await?
    {
        return Ok(Ok(execution));
    }
    let row = match id.parse::<ImportId>() {
        Ok(import_id) => worker::imports::find(&mut target.database.connect()?, &import_id)?,
        Err(_) => None,
    };
    let named = ExecutionName::import_id_in(id.rsplit(':').next().unwrap_or(id)).is_some();
    let arn = match &row {
        Some(row) => row.execution_arn.clone(),
        None => named.then(|| execution_arn(target, id)),
    };
    if let Some(arn) = arn
        && let Some(execution) = Execution::describe(target, &arn).await?
    {
        return Ok(Ok(execution));
    }
    let command = |verb: &str| report::command_line(common, verb);
    Ok(Err(match row {
        Some(row) if row.status == ImportStatus::Success => {
            "it has succeeded already, and nothing is left to do; its execution is not known any more, or not on this target".to_owned()
        }
        Some(row) if row.execution_arn.is_some() => format!(
            "its execution is not known any more, or not on this target: it can be redriven where it was sent to; `{}` tells how it \
             stands",
            command(&format!("show {id}"))
        ),
        Some(_) => format!(
            "no execution of it has begun here: its message waits in the queue, or none was sent here; `{}` or `{}` with \
             the same file, options and --id sends another, and the import runs once",
            command("run"),
            command("submit")
        ),
        None => format!(
            "there is no such import; `{}` lists the latest, `{}` the dead letters",
            command("imports"),
            command("dlq list")
        ),
    }))
}

/// The ARN of an execution of the import machine, which may have been given as such.
pub(crate) fn execution_arn(target: &Target, name: &str) -> String {
    let name = name.rsplit(':').next().unwrap_or(name);
    let machine = target.resources.import_state_machine_arn.replacen(":stateMachine:", ":execution:", 1);
    format!("{machine}:{name}")
}

fn is_of(item: &ExecutionListItem, id: &str) -> bool {
    item.name == id || item.execution_arn == id || ExecutionName::import_id_in(&item.name) == Some(id)
}

fn is_since(item: &ExecutionListItem, arguments: &RedriveArguments) -> bool {
    let stopped = item.stop_date.as_ref().map(time);
    arguments.since.is_none_or(|since| stopped.is_some_and(|stopped| stopped >= since.0))
}
