//! How long the stages of an attempt take. The clock is always in exactly one of them, so that they add up to the whole; two
//! changes of stage a batch cost nothing beside the batch.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A stage of an attempt, as the thread sees it that loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Finding out about source and table.
    Open,
    /// Waiting for rows: the source is read and its rows are checked, while the database has nothing to do.
    Read,
    /// The database takes rows.
    Load,
    /// Settling the account: the same file before, the rejects file.
    Settle,
    /// The commit, with the import's row.
    Commit,
}

/// How many stages there are.
const STAGES: usize = 5;

/// What each stage has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent([Duration; STAGES]);

impl Spent {
    /// What this stage has taken, in seconds, to the millisecond.
    #[must_use]
    pub(crate) fn seconds(&self, stage: Stage) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of any attempt fit")]
        let milliseconds = self.0[stage as usize].as_millis() as f64;
        milliseconds / 1000.0
    }
}

/// The clock of an attempt.
#[derive(Debug)]
pub(super) struct Stages(Mutex<Clock>);

#[derive(Debug)]
struct Clock {
    /// The stage under way, and since when; none once the attempt has ended.
    running: Option<(Stage, Instant)>,
    spent: Spent,
}

impl Default for Stages {
    fn default() -> Self {
        let running = Some((Stage::Open, Instant::now()));
        Self(Mutex::new(Clock { running, spent: Spent::default() }))
    }
}

impl Stages {
    /// The attempt enters this stage.
    pub(super) fn enter(&self, stage: Stage) {
        self.turn(Some(stage));
    }

    /// The attempt has ended. What it spent in each stage.
    pub(super) fn end(&self) -> Spent {
        self.turn(None)
    }

    fn turn(&self, next: Option<Stage>) -> Spent {
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some((stage, since)) = clock.running.take() {
            clock.spent.0[stage as usize] += now - since;
        }
        clock.running = next.map(|stage| (stage, now));
        clock.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_add_up_to_the_whole() {
        let begun = Instant::now();
        let stages = Stages::default();
        for stage in [Stage::Load, Stage::Read, Stage::Load, Stage::Settle, Stage::Commit] {
            stages.enter(stage);
        }
        let Spent(spent) = stages.end();
        assert!(spent.iter().sum::<Duration>() <= begun.elapsed());
        assert!(spent.iter().all(|stage| *stage > Duration::ZERO), "{spent:?}");
        // Nothing is counted after the end.
        assert_eq!(stages.end(), Spent(spent));
    }
}
