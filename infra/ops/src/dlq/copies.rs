//! Deletes the dead letters of executions that have succeeded after all.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::letters;
use crate::target::Target;

/// How long a dead letter is waited for that somebody else is looking at.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

/// Deletes the dead letters of these executions, and tells how many each had. One that cannot be had stays: it asks for an
/// import that has succeeded, and is acknowledged whenever it is moved back.
pub(crate) async fn delete(
    target: &Target,
    execution_arns: &[String],
) -> anyhow::Result<HashMap<String, usize>> {
    let mut deleted: HashMap<String, usize> = HashMap::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let all = letters::receive_all(target).await?;
        let (copies, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|letter| execution_arns.contains(&letter.execution_arn));
        letters::give_back(target, &others).await;
        letters::delete(target, &copies).await?;
        for copy in copies {
            *deleted.entry(copy.execution_arn).or_default() += 1;
        }
        let has_all = execution_arns.iter().all(|arn| deleted.contains_key(arn));
        if has_all || Instant::now() >= deadline || letters::count(target).await?.in_flight == 0 {
            return Ok(deleted);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
