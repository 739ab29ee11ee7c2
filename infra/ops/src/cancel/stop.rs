//! Stops the open executions of an import, and stays until nothing of it moves any more.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use worker::imports::ImportRow;
use worker::ledger::{self, EndedExecution, JobStatus, end_what_was_left};

use super::outcome::{CancelOutcome, Stopped};
use super::plan::Plan;
use crate::error::of_aws;
use crate::executions::{Execution, Standing, until_settled};
use crate::show::{containers, execution, message};
use crate::target::Target;

/// The error of an execution that was cancelled.
pub(crate) const CANCELLED: &str = "Cancelled";

/// How often it is looked whether an execution has ended.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a worker may take to roll back and to write its end into the row: what ECS gives it between SIGTERM and
/// SIGKILL, and a little for the start of a container that had none yet.
const LEAVING: Duration = Duration::from_secs(40);

/// Asks Step Functions to stop the open executions of an import. `by` is who wishes it. Returns those that were asked for,
/// or why nothing was.
pub async fn stop(target: &Target, plan: &Plan, by: &str) -> Result<Vec<String>, String> {
    if let Some(objection) = &plan.objection {
        return Err(objection.clone());
    }
    let mut stopped = Vec::new();
    for open in &plan.executions {
        let asked = target
            .sfn
            .stop_execution()
            .execution_arn(&open.arn)
            .error(CANCELLED)
            .cause(format!("cancelled by {by}"))
            .send()
            .await;
        match asked {
            Ok(_) => stopped.push(open.arn.clone()),
            Err(error) => {
                let reason = of_aws(error);
                return Err(match stopped.len() {
                    0 => format!("Step Functions says: {reason}"),
                    done => {
                        format!(
                            "{done} of {} executions were stopped; then Step Functions says: {reason}",
                            plan.executions.len()
                        )
                    }
                });
            }
        }
    }
    Ok(stopped)
}

/// Stays until the executions have ended, their worker has left the row and their messages are settled. An end that no worker
/// wrote into the row is written here.
///
/// # Errors
/// Where Step Functions or the database cannot be asked.
pub async fn to_the_end(
    target: &Target,
    plan: &Plan,
    stopped: Result<Vec<String>, String>,
) -> anyhow::Result<CancelOutcome> {
    let id = &plan.import_id;
    let arns = match stopped {
        Ok(arns) => arns,
        Err(reason) => return Ok(CancelOutcome::not_cancelled(id, plan.row.as_ref(), reason)),
    };
    let mut executions = Vec::new();
    for arn in &arns {
        executions.push(ended(target, arn).await?);
    }
    let row = row_at_its_end(target, plan, &executions).await?;
    let mut all = Vec::new();
    for execution in executions {
        if execution.standing != Standing::Succeeded {
            until_settled(target, &execution.arn).await?;
        }
        let fate = match execution::gather(target, &execution.arn).await? {
            Some(picture) => message::fate(target, &picture).await?,
            None => None,
        };
        all.push(Stopped::of(execution, fate));
    }
    Ok(CancelOutcome::of(id, row.as_ref(), all))
}

async fn ended(target: &Target, arn: &str) -> anyhow::Result<Execution> {
    loop {
        let now = Execution::describe(target, arn).await?;
        let now = now.with_context(|| format!("the execution {arn} is gone"))?;
        if now.standing != Standing::Running {
            return Ok(now);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The import's row once no worker is at it, with its end. A row that cannot be written says what it said: what was stopped
/// stays stopped, and its execution tells so.
async fn row_at_its_end(
    target: &Target,
    plan: &Plan,
    executions: &[Execution],
) -> anyhow::Result<Option<ImportRow>> {
    let Some(row) = row_at_rest(target, plan, executions).await? else { return Ok(None) };
    let without_success = |execution: &&Execution| execution.standing != Standing::Succeeded;
    let was_its = |execution: &&Execution| row.execution_arn.as_ref() == Some(&execution.arn);
    // Whatever its worker wrote, who knows no more than that it was to stop.
    let is_otherwise = |execution: &&Execution| {
        execution.error.as_deref() == Some(CANCELLED)
            && (&row.error, &row.cause) != (&execution.error, &execution.cause)
    };
    let mut gone = executions.iter().rev().filter(without_success);
    let gone = match row.status {
        JobStatus::Pending => gone.next(),
        JobStatus::Running => gone.find(was_its),
        JobStatus::Failure => gone.find(was_its).filter(is_otherwise),
        JobStatus::Success => None,
    };
    let Some(execution) = gone else { return Ok(Some(row)) };
    let by = EndedExecution {
        execution_arn: &execution.arn,
        error: execution.error.as_deref().unwrap_or(CANCELLED),
        cause: execution.cause.as_deref().unwrap_or_default(),
    };
    let mut connection = target.database.connect()?;
    // Of a row that has changed since, it sees to it itself.
    let seen = ledger::find(&mut connection, &plan.import_id)?;
    let written = seen.map(|seen| end_what_was_left(&mut connection, &seen, &by));
    if written.is_some_and(|written| written.is_err()) {
        tracing::warn!("Could not write the end of the import into its row");
    }
    Ok(worker::imports::find(&mut connection, &plan.import_id)?)
}

/// The import's row once no worker is at it, or as it is when one has had time enough to leave.
async fn row_at_rest(
    target: &Target,
    plan: &Plan,
    executions: &[Execution],
) -> anyhow::Result<Option<ImportRow>> {
    let deadline = Instant::now() + LEAVING;
    let mut containers: Option<Vec<String>> = None;
    loop {
        // First: a worker writes into the row, and then its container ends.
        let has_left = match &containers {
            Some(arns) => have_stopped(target, arns).await,
            None => false,
        };
        let row = worker::imports::find(&mut target.database.connect()?, &plan.import_id)?;
        let is_at_work = row.as_ref().is_some_and(|row| row.status == JobStatus::Running);
        if !is_at_work || has_left || Instant::now() >= deadline {
            return Ok(row);
        }
        if containers.is_none() {
            containers = Some(containers_of(target, executions).await?);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn containers_of(target: &Target, executions: &[Execution]) -> anyhow::Result<Vec<String>> {
    let mut arns = Vec::new();
    for execution in executions {
        let states = execution::states_of(&execution::history(target, &execution.arn).await?);
        let attempts = states.into_iter().flat_map(|state| state.attempts);
        arns.extend(attempts.filter_map(|attempt| attempt.task_arn));
    }
    Ok(arns)
}

/// Whether ECS says of each of these containers that it has stopped. What it has forgotten may be the one that matters.
async fn have_stopped(target: &Target, arns: &[String]) -> bool {
    let stopped = containers::remembered(target, arns).await;
    !arns.is_empty() && arns.iter().all(|arn| stopped.contains_key(arn))
}
