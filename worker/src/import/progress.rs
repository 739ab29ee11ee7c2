//! What an import tells while it runs, and how it is asked to stop: counters that grow, and a request to stop. Shared between the work's threads and the heartbeat; it holds no lock, so none can hold up another.
//!
//! What counts as progress is what the work waits for. While the database has rows to take, only what the database does
//! counts: bytes that are read beside it would hide that it hangs, for hours where the source is slow.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use serde_json::Value;
use statemachine::{Findings, ImportProgress};

use super::stages::{Spent, Stage, Stages};
use crate::job::Gauge;

/// The progress of one attempt.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    rejects: AtomicU64,
    bytes: AtomicU64,
    bytes_total: AtomicU64,
    /// How often the work has got on.
    steps: AtomicU64,
    is_loading: AtomicBool,
    stop: AtomicBool,
    findings: OnceLock<Findings>,
    stages: Stages,
}

impl Progress {
    /// Forgets what was counted: the work begins again from its first byte.
    pub fn begin_again(&self) {
        [&self.rows, &self.rejects, &self.bytes].into_iter().for_each(|counter| counter.store(0, Relaxed));
        self.enter(Stage::Open);
        self.next_phase();
    }

    /// Adds rows that the database has taken, or refused.
    pub fn add_rows(&self, rows: u64, rejects: u64) {
        self.rows.fetch_add(rows, Relaxed);
        self.rejects.fetch_add(rejects, Relaxed);
        self.next_phase();
    }

    /// Forgets the rejects: the work fails for another reason, and they are not told.
    pub fn forget_rejects(&self) {
        self.rejects.store(0, Relaxed);
    }

    /// Adds a row that was rejected when it was read.
    pub fn add_misread_row(&self) {
        self.rejects.fetch_add(1, Relaxed);
        self.read_on();
    }

    /// Takes rows back that were added: the database has refused them, and they are tried another way.
    pub fn take_back_rows(&self, rows: u64) {
        self.rows.fetch_sub(rows, Relaxed);
    }

    /// Adds bytes read from the source.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
        self.read_on();
    }

    /// Says that the source gets on, or the store beside it. While the database has something to do, that is no progress.
    pub fn read_on(&self) {
        if !self.is_loading.load(Relaxed) {
            self.next_phase();
        }
    }

    /// Sets the size of the source, in bytes.
    pub fn set_bytes_total(&self, bytes: u64) {
        self.bytes_total.store(bytes, Relaxed);
        self.next_phase();
    }

    /// Says that the work has come to its next phase, such as the commit: progress, though no counter moves.
    pub fn next_phase(&self) {
        self.steps.fetch_add(1, Relaxed);
    }

    /// Says which stage the work has come to, for its metrics, and for what counts as progress. It begins in
    /// [`Stage::Open`].
    pub fn enter(&self, stage: Stage) {
        self.is_loading.store(stage == Stage::Load, Relaxed);
        self.stages.enter(stage);
    }

    /// Says that the work has ended, and what each stage of it took. What is said later changes nothing any more.
    pub(crate) fn end(&self) -> Spent {
        self.stages.end()
    }

    /// The counters now.
    #[must_use]
    pub fn counters(&self) -> ImportProgress {
        ImportProgress {
            rows: self.rows.load(Relaxed),
            rejects: self.rejects.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            bytes_total: self.bytes_total.load(Relaxed),
        }
    }

    /// Says what was found in the source. Once, when the work ends, well or not; what is said later is not heard.
    pub fn set_findings(&self, findings: Findings) {
        let _ = self.findings.set(findings);
    }

    /// What was found in the source, once the work has said it.
    pub fn findings(&self) -> Option<&Findings> {
        self.findings.get()
    }

    /// Whether the work is to stop. Work asks at least once a batch.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.stop.load(Relaxed)
    }
}

impl Gauge for Progress {
    fn steps(&self) -> u64 {
        self.steps.load(Relaxed)
    }

    fn told(&self) -> Value {
        self.counters().to_value()
    }

    fn details(&self) -> Option<Value> {
        self.findings().and_then(|findings| serde_json::to_value(findings).ok())
    }

    fn request_stop(&self) {
        self.stop.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each step is progress.
    fn is_progress(progress: &Progress, step: &dyn Fn(&Progress)) -> bool {
        let before = progress.steps();
        step(progress);
        progress.steps() > before
    }

    #[test]
    fn any_counter_and_any_new_phase_is_progress() {
        let progress = Progress::default();
        let steps: [&dyn Fn(&Progress); 6] = [
            &|progress| progress.add_rows(1, 0),
            &|progress| progress.add_rows(0, 1),
            &|progress| progress.add_misread_row(),
            &|progress| progress.add_bytes(1),
            &|progress| progress.set_bytes_total(9),
            &|progress| progress.next_phase(),
        ];
        for (number, step) in steps.into_iter().enumerate() {
            assert!(is_progress(&progress, step), "step {number}");
        }
    }

    #[test]
    fn what_is_read_beside_a_database_that_hangs_is_no_progress() {
        let progress = Progress::default();
        progress.enter(Stage::Load);
        assert!(!is_progress(&progress, &|progress| progress.add_bytes(1)));
        assert!(!is_progress(&progress, &|progress| progress.add_misread_row()));
        assert!(is_progress(&progress, &|progress| progress.add_rows(1, 0)), "the database takes a row");
        progress.enter(Stage::Read);
        assert!(is_progress(&progress, &|progress| progress.add_bytes(1)), "the database waits for rows");
    }
}
