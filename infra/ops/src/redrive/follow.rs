//! Redrives executions and stays with them until they have ended and their messages are settled.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_sdk_sfn::types::ExecutionStatus;
use chrono::{TimeDelta, Utc};
use statemachine::ImportId;
use worker::db::Connection;
use worker::imports::ImportRow;

use super::execution::{Execution, Standing};
use crate::bar::Bar;
use crate::error::of_aws;
use crate::show::execution;
use crate::show::message::{self, MessageFate};
use crate::target::Target;

/// The pauses between two looks at the executions: the first for one import at a terminal, the longest for an account that
/// allows few calls.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long the message of a failed execution may take to be settled.
const SETTLING: Duration = Duration::from_secs(15);

/// Redrives one execution. An error is said of this execution and does not keep from the others.
pub(crate) async fn redrive(target: &Target, execution: &Execution) -> Result<(), String> {
    // A dead letter that came after the success would stay.
    let is_fresh = |stopped| Utc::now() - stopped < TimeDelta::seconds(SETTLING.as_secs().cast_signed());
    if execution.stopped_at.is_some_and(is_fresh) {
        until_settled(target, &execution.arn).await.map_err(|error| format!("{error:#}"))?;
    }
    let redriven = target
        .sfn
        .redrive_execution()
        .execution_arn(&execution.arn)
        // The same for whoever answers the same failure: a request that is repeated, or two people at once, redrive once.
        .client_token(format!("baton-{}", execution.redrives + 1))
        .send()
        .await;
    match redriven {
        Ok(_) => Ok(()),
        Err(error) => match Execution::describe(target, &execution.arn).await {
            // Somebody was quicker, by the console perhaps: it runs, or has run.
            Ok(Some(now)) if now.redrives > execution.redrives || now.standing == Standing::Running => Ok(()),
            _ => Err(of_aws(error).to_string()),
        },
    }
}

/// The bar for these executions.
pub(crate) fn bar(executions: &[Execution]) -> Bar {
    if only_one(executions).is_some() { Bar::new() } else { Bar::of_several(executions.len()) }
}

fn only_one(executions: &[Execution]) -> Option<ImportId> {
    match executions {
        [one] => one.import_id.as_deref().and_then(|id| id.parse().ok()),
        _ => None,
    }
}

/// Waits until all have ended, and returns them as they are then, in this order. A bar shows how far they are.
pub(crate) async fn to_the_end(
    target: &Target,
    executions: &[Execution],
    mut bar: Option<Bar>,
) -> anyhow::Result<Vec<Execution>> {
    let only_one = only_one(executions).filter(|_| bar.is_some());
    let mut connection = None;
    let mut ended = Vec::new();
    let mut pause = FIRST_PAUSE;
    for execution in executions {
        loop {
            let now = Execution::describe(target, &execution.arn).await?;
            let now = now.with_context(|| format!("the execution {} is gone", execution.arn))?;
            if now.standing != Standing::Running {
                ended.push(now);
                break;
            }
            match (&mut bar, &only_one) {
                (Some(bar), Some(import_id)) => {
                    if let Some(row) = glance(target, &mut connection, import_id) {
                        bar.show(&row);
                    }
                }
                (Some(bar), None) => bar.show_ended(ended.len()),
                (None, _) => {}
            }
            tokio::time::sleep(pause).await;
            if only_one.is_none() {
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    if let Some(bar) = bar {
        bar.clear();
    }
    for execution in &ended {
        // A stack that ends with this command must not end before that.
        if execution.status != ExecutionStatus::Succeeded.as_str() {
            until_settled(target, &execution.arn).await?;
        }
    }
    Ok(ended)
}

/// The import's row, as far as it can be had: a database that is away for a while stops the bar, and nothing else.
fn glance(target: &Target, connection: &mut Option<Connection>, import_id: &ImportId) -> Option<ImportRow> {
    let mut open = connection.take().or_else(|| target.database.connect().ok())?;
    let row = worker::imports::find(&mut open, import_id).ok()?;
    *connection = Some(open);
    row
}

/// Waits until the message of an execution that ended without success is dead-lettered, for a while: where the event was
/// lost, the queue's own redrive policy will do it.
pub(crate) async fn until_settled(target: &Target, arn: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + SETTLING;
    while Instant::now() < deadline {
        let Some(execution) = execution::take(target, arn).await? else { return Ok(()) };
        let fate = message::fate(target, &execution).await?;
        if !matches!(fate, Some(MessageFate::BeingDeadLettered { .. } | MessageFate::LeftToTheQueue)) {
            return Ok(());
        }
        tokio::time::sleep(FIRST_PAUSE).await;
    }
    Ok(())
}
