//! The life of one import in one process: claim, work beside heartbeats, commit or fail, report. It knows nothing of CSV:
//! the work is handed in, and another piece of long work can stand in its place.

mod attempt;
mod callback;
mod heartbeat;
mod metrics;
pub mod progress;
mod report;
mod run;
pub mod shutdown;
pub mod stages;
mod takeover;
mod write_failure;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use statemachine::{FailureName, ImportId, ImportOptions, ImportOutcome, Report, Source};
use tokio::task::JoinError;
use tracing::Span;

use crate::db::Connection;
use crate::failure::Failure;
use crate::imports::{self, ImportRow};
use progress::Progress;
pub use run::{Patience, run, span};
use stages::Stage;

/// How long the work may make no progress, where nobody says otherwise.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);

/// One attempt at one import: what the work needs to know.
#[derive(Debug)]
pub struct Job {
    /// The import's id.
    pub import_id: ImportId,
    /// Where the data is.
    pub source: Source,
    /// The version of the object, in a versioned bucket.
    pub version_id: Option<String>,
    /// The table to write, optionally with its schema.
    pub table: String,
    /// How to read and load.
    pub options: ImportOptions,
    /// The number of this attempt, from 1. Whoever raises it takes the import over.
    pub attempt: i32,
    /// Where the work tells how far it is, and learns that it is to stop.
    pub progress: Arc<Progress>,
    /// How long the work may make no progress.
    pub stall_limit: Duration,
    claimed_at: Instant,
    committed: OnceLock<Report>,
}

/// What the work did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows written.
    pub rows: u64,
    /// Rows rejected.
    pub rejects: u64,
    /// Bytes read from the source.
    pub bytes: u64,
}

impl Job {
    /// The job of a row that was claimed just now.
    ///
    /// # Errors
    /// `Import.NotRegistered` where the row, which a producer may have written, describes no import; `Import.OptionsInvalid` where
    /// its options are none.
    pub fn of_claimed(row: &ImportRow) -> Result<Self, Failure> {
        let no_import = |column: &str, problem: String| {
            let cause = format!("the row of import {} describes no import: its {column}: {problem}", row.id);
            Failure::named(FailureName::NotRegistered, cause)
        };
        Ok(Self {
            import_id: row
                .id
                .parse()
                .map_err(|error: statemachine::InvalidImportId| no_import("id", error.to_string()))?,
            source: row.source.parse().map_err(|problem| no_import("source", problem))?,
            version_id: row.version_id.clone(),
            table: row.table_name.clone(),
            options: serde_json::from_str(&row.options).map_err(|error| {
                let cause = format!("the options in the row of import {} cannot be read: {error}", row.id);
                Failure::named(FailureName::OptionsInvalid, cause)
            })?,
            attempt: row.attempt,
            progress: Arc::default(),
            stall_limit: STALL_LIMIT,
            claimed_at: Instant::now(),
            committed: OnceLock::new(),
        })
    }

    /// Ends the import with SUCCESS. To be called inside the work's own transaction, as its last statement: rows and
    /// status become visible together, or neither does.
    ///
    /// # Errors
    /// [`Failure::NotOurs`] where another attempt has taken the import over: the transaction must be rolled back.
    /// `Import.DatabaseUnavailable` where the statement fails.
    pub fn commit(&self, connection: &mut Connection, summary: &Summary) -> Result<(), Failure> {
        // What follows, the commit itself, moves no counter and may take its time.
        self.progress.next_phase();
        self.progress.enter(Stage::Commit);
        let report = Report {
            import_id: self.import_id.to_string(),
            outcome: ImportOutcome::Imported,
            table: self.table.clone(),
            rows: summary.rows,
            rejects: summary.rejects,
            bytes: summary.bytes,
            attempt: self.attempt,
            elapsed_ms: u64::try_from(self.claimed_at.elapsed().as_millis()).unwrap_or(u64::MAX),
            findings: Box::new(self.progress.findings().cloned().unwrap_or_default()),
        };
        let bytes_total = self.progress.counters().bytes_total;
        if !imports::succeed(connection, &self.import_id, &report, bytes_total)? {
            return Err(Failure::NotOurs("another attempt has claimed the import"));
        }
        // A second commit of one job would find no RUNNING row, so there is nothing here yet.
        let _ = self.committed.set(report);
        Ok(())
    }

    /// The report, once the work has called [`Job::commit`].
    fn committed(&self) -> Option<&Report> {
        self.committed.get()
    }
}

/// Runs what blocks beside the runtime, within the caller's span.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await
}
