//! Stays with executions until they have ended and their messages are settled.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sfn::types::ExecutionStatus;
use statemachine::JobId;
use worker::db::Connection;
use worker::imports::ImportRow;

use crate::executions::{Execution, Standing, until_settled};
use crate::target::Target;

/// The pauses between two looks at the executions: the first for one import at a terminal, the longest for an account that
/// allows few calls.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What is seen of executions while they run.
pub enum Seen<'a> {
    /// The row of the only import.
    Row(&'a ImportRow),
    /// Of several, how many have ended.
    Ended(usize),
    /// All have ended; nothing more is seen of them.
    AllEnded,
}

/// The import, where these are the execution of one.
pub fn only_one(executions: &[Execution]) -> Option<JobId> {
    match executions {
        [one] => one.import_id.as_deref().and_then(|id| id.parse().ok()),
        _ => None,
    }
}

/// Waits until all have ended, and returns them as they are then, in this order. `watch` is told how far they are.
pub async fn to_their_ends(
    target: &Target,
    executions: &[Execution],
    mut watch: Option<&mut (dyn FnMut(Seen<'_>) + Send)>,
) -> anyhow::Result<Vec<Execution>> {
    let only_one = only_one(executions).filter(|_| watch.is_some());
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
            match (&mut watch, &only_one) {
                (Some(watch), Some(import_id)) => {
                    if let Some(row) = glance(target, &mut connection, import_id) {
                        watch(Seen::Row(&row));
                    }
                }
                (Some(watch), None) => watch(Seen::Ended(ended.len())),
                (None, _) => {}
            }
            tokio::time::sleep(pause).await;
            if only_one.is_none() {
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    if let Some(watch) = watch {
        watch(Seen::AllEnded);
    }
    Ok(ended)
}

/// Waits until the messages of those that ended without success are settled: a stack that ends with whoever waits must not end
/// before that.
pub async fn to_be_settled(target: &Target, ended: &[Execution]) -> anyhow::Result<()> {
    for execution in ended {
        if execution.status != ExecutionStatus::Succeeded.as_str() {
            until_settled(target, &execution.arn).await?;
        }
    }
    Ok(())
}

/// The import's row, as far as it can be had: a database that is away for a while is no end of the wait.
fn glance(target: &Target, connection: &mut Option<Connection>, import_id: &JobId) -> Option<ImportRow> {
    let mut open = connection.take().or_else(|| target.database.connect().ok())?;
    let row = worker::imports::find(&mut open, import_id).ok()?;
    *connection = Some(open);
    row
}
