//! Finds the executions that a redrive means. An import may have had several messages, and so several executions; one
//! that was never claimed is known by its execution's name alone.

use std::collections::HashSet;

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use chrono::{DateTime, Utc};
use statemachine::{ExecutionName, JobId};
use worker::ledger::JobStatus;

use crate::commands::Commands;
use crate::executions::find::{execution_arn, failed, heed_imports, is_of, list};
use crate::executions::{Execution, Standing};
use crate::show::execution::time;
use crate::target::Target;

/// Which executions are redriven; all conditions have to hold.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Imports, names or ARNs of executions. None: all that failed.
    pub ids: Vec<String>,
    /// Only those that failed with one of these errors; none: with any.
    pub errors: Vec<String>,
    /// Only those that failed since then.
    pub since: Option<DateTime<Utc>>,
}

impl Wanted {
    /// Whether it was not said one by one what is to be redriven.
    pub fn is_bulk(&self) -> bool {
        self.ids.is_empty()
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The executions, the oldest first.
    pub executions: Vec<Execution>,
    /// Ids that nothing is known of, and why.
    pub unknown: Vec<(String, String)>,
    /// Failed executions that a bulk redrive passes over.
    pub passed_over: usize,
    /// Of a bulk redrive: failed executions whose imports have succeeded since, by another one.
    pub brought_since: Vec<Execution>,
}

/// The executions that are meant.
pub async fn executions(commands: &Commands, target: &Target, wanted: &Wanted) -> anyhow::Result<Found> {
    let mut found =
        if wanted.is_bulk() { bulk(target, wanted).await? } else { named(commands, target, wanted).await? };
    let is_meant = |execution: &Execution| {
        let error = execution.error.as_deref().unwrap_or_default();
        wanted.errors.is_empty() || wanted.errors.iter().any(|name| name.eq_ignore_ascii_case(error))
    };
    found.executions.retain(is_meant);
    if !found.executions.is_empty() {
        heed_imports(&mut target.database.connect()?, &mut found.executions)?;
    }
    if wanted.is_bulk() {
        let has_succeeded = |execution: &mut Execution| execution.standing == Standing::Succeeded;
        found.brought_since = found.executions.extract_if(.., has_succeeded).collect();
        let all = found.executions.len();
        // Naming the error of what cannot be redriven asks for the reason.
        let is_hopeless =
            |execution: &Execution| wanted.errors.is_empty() && execution.standing != Standing::Redrivable;
        found.executions.retain(|execution| !is_hopeless(execution));
        found.passed_over = all - found.executions.len();
    }
    found.executions.sort_by_key(|execution| execution.stopped_at);
    Ok(found)
}

async fn bulk(target: &Target, wanted: &Wanted) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for item in failed(target).await? {
        if is_since(&item, wanted) {
            found.executions.extend(Execution::describe(target, &item.execution_arn).await?);
        }
    }
    Ok(found)
}

async fn named(commands: &Commands, target: &Target, wanted: &Wanted) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let failed = failed(target).await?;
    let mut taken = HashSet::new();
    for id in &wanted.ids {
        let of_id: Vec<_> = failed.iter().filter(|item| is_of(item, id)).collect();
        let mut described = Vec::new();
        for item in of_id.iter().filter(|item| is_since(item, wanted)) {
            described.extend(Execution::describe(target, &item.execution_arn).await?);
        }
        if of_id.is_empty() {
            match without_failure(commands, target, id).await? {
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

/// What is known of an id that has no failed execution: an execution that runs or has succeeded, or why there is none.
async fn without_failure(
    commands: &Commands,
    target: &Target,
    id: &str,
) -> anyhow::Result<Result<Execution, String>> {
    if let Some(item) = list(target, ExecutionStatus::Running).await?.iter().find(|item| is_of(item, id))
        && let Some(execution) = Execution::describe(target, &item.execution_arn).await?
    {
        return Ok(Ok(execution));
    }
    let row = match id.parse::<JobId>() {
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
    Ok(Err(match row {
        Some(row) if row.status == JobStatus::Success => {
            "it has succeeded already, and nothing is left to do; its execution is not known any more, or not on this target".to_owned()
        }
        Some(row) if row.execution_arn.is_some() => format!(
            "its execution is not known any more, or not on this target: it can be redriven where it was sent to; `{}` tells how it \
             stands",
            commands.line(&format!("show {id}"))
        ),
        Some(_) => format!(
            "no execution of it has begun here: its message waits in the queue, or none was sent here; `{}` or `{}` with \
             the same file, options and --id sends another, and the import runs once",
            commands.line("run"),
            commands.line("submit")
        ),
        None => format!(
            "there is no such import here, unless its message still waits in the queue; `{}` lists the latest, `{}` the dead letters",
            commands.line("imports"),
            commands.line("dlq list")
        ),
    }))
}

fn is_since(item: &ExecutionListItem, wanted: &Wanted) -> bool {
    let stopped = item.stop_date.as_ref().map(time);
    wanted.since.is_none_or(|since| stopped.is_some_and(|stopped| stopped >= since))
}
