//! Starts failed executions again, and settles them once they have ended: what `baton redrive` and the console have in
//! common. It says nothing itself.

use chrono::{TimeDelta, Utc};

use super::follow::{self, Seen};
use super::outcome::RedriveOutcome;
use crate::dlq::delete_succeeded;
use crate::error::of_aws;
use crate::executions::{Execution, SETTLING, Standing, until_settled};
use crate::target::Target;

/// Executions that were to be redriven.
#[derive(Default)]
pub struct Started {
    /// Those that run again, as they were before.
    pub redriven: Vec<Execution>,
    /// What is to be said of the others.
    pub others: Vec<RedriveOutcome>,
}

/// Redrives executions, and does not wait for them. `command` makes a command line, for what is to be done instead.
pub async fn start(
    target: &Target,
    executions: Vec<Execution>,
    command: &(dyn Fn(&str, &str) -> String + Sync),
) -> Started {
    let mut started = Started::default();
    for execution in executions {
        if let Some(objection) = execution.objection(&|verb, id| command(verb, id)) {
            started.others.push(RedriveOutcome::objected(&execution, objection));
            continue;
        }
        match redrive(target, &execution).await {
            Ok(()) => started.redriven.push(execution),
            Err(refused) => started.others.push(RedriveOutcome::objected(&execution, refused)),
        }
    }
    started
}

/// Redrives one execution. An error is said of this execution and does not keep from the others.
async fn redrive(target: &Target, execution: &Execution) -> Result<(), String> {
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

/// Deletes what lies in the dead-letter queue of executions that have succeeded, those that had before included: a command
/// that was killed may have left it. Says how many dead letters could not be seen, among which one of these may be.
async fn delete_dead_letters(target: &Target, outcomes: &mut [RedriveOutcome]) -> anyhow::Result<usize> {
    let succeeded: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.has_succeeded())
        .filter_map(|outcome| outcome.execution_arn.clone())
        .collect();
    if succeeded.is_empty() {
        return Ok(0);
    }
    let (deleted, unseen) = delete_succeeded::dead_letters_of(target, &succeeded).await?;
    for outcome in outcomes {
        let arn = outcome.execution_arn.as_deref().unwrap_or_default();
        outcome.dead_letters_deleted = deleted.get(arn).copied().unwrap_or(0);
    }
    Ok(unseen)
}

/// Stays with executions that were redriven until they have ended, and deletes the dead letters of those that have succeeded.
/// `watch` is told how far they are. Returns what became of all, and how many dead letters could not be seen, among which one
/// of these may be.
pub async fn settle(
    target: &Target,
    started: Started,
    watch: Option<&mut (dyn FnMut(Seen<'_>) + Send)>,
) -> anyhow::Result<(Vec<RedriveOutcome>, usize)> {
    let ended = follow::to_their_ends(target, &started.redriven, watch).await?;
    follow::to_be_settled(target, &ended).await?;
    let mut outcomes = started.others;
    outcomes.extend(ended.iter().map(RedriveOutcome::ended));
    let unseen = delete_dead_letters(target, &mut outcomes).await?;
    Ok((outcomes, unseen))
}
