//! What the work tells the job while it runs, and what the job tells the work: counters that grow, and a request to
//! stop. Shared between the work's threads and the heartbeat; it holds no lock, so none can hold up another.
//!
//! What counts as progress is what the work waits for. While the database has rows to take, only what the database does
//! counts: bytes that are read beside it would hide that it hangs, for hours where the source is slow.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use statemachine::Findings;

use super::stages::{Spent, Stage, Stages};

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

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rows handed to the database; they are there once the attempt has committed.
    pub rows: u64,
    /// Rows rejected.
    pub rejects: u64,
    /// Bytes read from the source.
    pub bytes: u64,
    /// Bytes of the source in all, 0 while it is not known.
    pub bytes_total: u64,
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

    /// How often the work has got on so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Relaxed)
    }

    /// The counters now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
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

    /// Asks the work to stop at its next batch.
    pub fn request_stop(&self) {
        self.stop.store(true, Relaxed);
    }

    /// Whether the work is to stop. Work asks at least once a batch.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.stop.load(Relaxed)
    }
}
