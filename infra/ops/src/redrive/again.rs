//! Redriving without a word: what `baton redrive` and the console have in commands.

use super::follow;
use super::outcome::Outcome;
use crate::dlq::copies;
use crate::executions::Execution;
use crate::target::Target;

/// Executions that were to be redriven.
#[derive(Default)]
pub struct Started {
    /// Those that run again, as they were before.
    pub redriven: Vec<Execution>,
    /// What is to be said of the others.
    pub others: Vec<Outcome>,
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
            started.others.push(Outcome::objected(&execution, objection));
            continue;
        }
        match follow::redrive(target, &execution).await {
            Ok(()) => started.redriven.push(execution),
            Err(refused) => started.others.push(Outcome::objected(&execution, refused)),
        }
    }
    started
}

/// Deletes what lies in the dead-letter queue of executions that have succeeded, those that had before included: a command
/// that was killed may have left it. Says how many dead letters could not be seen, among which one of these may be.
pub async fn delete_dead_letters(target: &Target, outcomes: &mut [Outcome]) -> anyhow::Result<usize> {
    let succeeded: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.has_succeeded())
        .filter_map(|outcome| outcome.execution_arn.clone())
        .collect();
    if succeeded.is_empty() {
        return Ok(0);
    }
    let (deleted, unseen) = copies::delete(target, &succeeded).await?;
    for outcome in outcomes {
        let arn = outcome.execution_arn.as_deref().unwrap_or_default();
        outcome.dead_letters_deleted = deleted.get(arn).copied().unwrap_or(0);
    }
    Ok(unseen)
}

/// Stays with executions that were redriven until they have ended, and deletes the dead letters of those that have succeeded.
pub async fn settle(target: &Target, started: Started) -> anyhow::Result<Vec<Outcome>> {
    let ended = follow::to_their_ends(target, &started.redriven, None).await?;
    follow::to_be_settled(target, &ended).await?;
    let mut outcomes = started.others;
    outcomes.extend(ended.iter().map(Outcome::ended));
    delete_dead_letters(target, &mut outcomes).await?;
    Ok(outcomes)
}
