//! Deletes the dead letters of executions that have succeeded after all.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::dead_letter::DeadLetter;
use super::queue;
use crate::executions::Execution;
use crate::target::Target;

/// How long a dead letter is waited for that somebody else is looking at.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

/// Deletes the dead letters of these executions, and tells how many each had. One that cannot be had stays: it asks for an
/// import that has succeeded, and is acknowledged whenever it is moved back.
///
/// Says as well how many dead letters could not be seen, where there was none of one of these executions.
pub async fn dead_letters_of(
    target: &Target,
    execution_arns: &[String],
) -> anyhow::Result<(HashMap<String, usize>, usize)> {
    let mut deleted: HashMap<String, usize> = HashMap::new();
    let messages = messages(target, execution_arns).await?;
    let copy_of = |letter: &DeadLetter| {
        let named = execution_arns.iter().find(|arn| **arn == letter.execution_arn);
        named.or_else(|| messages.get(&letter.message_id)).cloned()
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (all, unseen) = queue::receive_all(target).await?;
        let (copies, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|letter| copy_of(letter).is_some());
        queue::give_back(target, &others).await;
        queue::delete(target, &copies).await?;
        for arn in copies.iter().filter_map(copy_of) {
            *deleted.entry(arn).or_default() += 1;
        }
        let has_all = execution_arns.iter().all(|arn| deleted.contains_key(arn));
        if has_all || Instant::now() >= deadline || queue::count(target).await?.in_flight == 0 {
            return Ok((deleted, if has_all { 0 } else { unseen }));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The executions by the ids of their messages, where there are lanes: a dead letter that the queue itself brought has that id and
/// no other sign of its execution.
async fn messages(target: &Target, execution_arns: &[String]) -> anyhow::Result<HashMap<String, String>> {
    let mut messages = HashMap::new();
    if target.resources.lane_queue_url.is_some() {
        for arn in execution_arns {
            let execution = Execution::describe(target, arn).await?;
            messages.extend(execution.and_then(|one| one.message_id).map(|id| (id, arn.clone())));
        }
    }
    Ok(messages)
}
