//! Stops the open executions of an import, and stays until nothing of it moves any more.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use worker::imports::{ImportRow, ImportStatus};

use super::outcome::{Outcome, Stopped};
use super::plan::Plan;
use crate::error::of_aws;
use crate::redrive::{Execution, Standing, until_settled};
use crate::show::execution;
use crate::show::message;
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
pub(crate) async fn stop(target: &Target, plan: &Plan, by: &str) -> Result<Vec<String>, String> {
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

/// Stays until the executions have ended, their worker has left the row and their messages are settled.
///
/// # Errors
/// Where Step Functions or the database cannot be asked.
pub(crate) async fn to_the_end(
    target: &Target,
    plan: &Plan,
    stopped: Result<Vec<String>, String>,
) -> anyhow::Result<Outcome> {
    let id = &plan.import_id;
    let arns = match stopped {
        Ok(arns) => arns,
        Err(reason) => return Ok(Outcome::not_cancelled(id, plan.row.as_ref(), reason)),
    };
    let mut executions = Vec::new();
    for arn in &arns {
        executions.push(ended(target, arn).await?);
    }
    let row = row_at_rest(target, plan).await?;
    let mut all = Vec::new();
    for execution in executions {
        if execution.standing != Standing::Succeeded {
            until_settled(target, &execution.arn).await?;
        }
        let fate = match execution::take(target, &execution.arn).await? {
            Some(picture) => message::fate(target, &picture).await?,
            None => None,
        };
        all.push(Stopped::of(execution, fate));
    }
    Ok(Outcome::of(id, row.as_ref(), all))
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

/// The import's row once no worker is at it, or as it is when one has had time enough to leave.
async fn row_at_rest(target: &Target, plan: &Plan) -> anyhow::Result<Option<ImportRow>> {
    let deadline = Instant::now() + LEAVING;
    loop {
        let row = worker::imports::find(&mut target.database.connect()?, &plan.import_id)?;
        let is_at_work = row.as_ref().is_some_and(|row| row.status == ImportStatus::Running);
        if !is_at_work || Instant::now() >= deadline {
            return Ok(row);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
