//! The life of one job in one process: claim, work beside heartbeats, commit or fail, report. What the work is, it does not know:
//! each kind brings its own.

mod attempt;
mod callback;
mod gauge;
mod heartbeat;
mod report;
mod run;
pub mod shutdown;
mod takeover;
mod work;
mod write_failure;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::Value;
use statemachine::{FailureName, JobId, Kind, Outcome, Report, TraceHeader};
use tokio::task::JoinError;
use tracing::Span;

use crate::db::{Connection, Database};
use crate::failure::Failure;
use crate::ledger::{self, Asked, JobRow, Succeeded};
pub use gauge::Gauge;
pub use run::{Patience, run, span};
pub use work::Work;

/// How long the work may make no progress, where nobody says otherwise.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);

/// What a worker is told of its job, and how it is to live.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the ledger is.
    pub database: Database,
    /// The right to beat for the task and to end it. A secret.
    pub task_token: SecretString,
    /// The execution that started this worker.
    pub execution_arn: String,
    /// Where this worker runs, which is written beside the attempt.
    pub worker: String,
    /// X-Ray's header of the message's trace.
    pub trace_header: Option<TraceHeader>,
    /// The time between two beats.
    pub heartbeat_interval: Duration,
    /// How long beats go on without any progress.
    pub stall_limit: Duration,
    /// How long a claim holds without a beat.
    pub lease: Duration,
}

/// One attempt at one job: what its work needs to know. `P` is how the work tells how far it is.
#[derive(Debug)]
pub struct Job<P> {
    /// The job's id.
    pub id: JobId,
    /// Its kind.
    pub kind: Kind,
    /// What is to be done, as JSON.
    pub input: String,
    /// The number of this attempt, from 1. Whoever raises it takes the job over.
    pub attempt: i32,
    /// Where the work tells how far it is, and learns that it is to stop.
    pub progress: Arc<P>,
    /// How long the work may make no progress.
    pub stall_limit: Duration,
    claimed_at: Instant,
    committed: OnceLock<Report>,
}

impl<P: Gauge + Default> Job<P> {
    /// The job of a row that was claimed just now.
    ///
    /// # Errors
    /// `Import.NotRegistered` where the id or the kind in the row, which a program may have written, is none.
    pub fn of_claimed(row: &JobRow) -> Result<Self, Failure> {
        let no_job = |column: &str, problem: String| {
            let cause = format!("the row of {} describes no job: its {column}: {problem}", row.id);
            Failure::named(FailureName::NotRegistered, cause)
        };
        Ok(Self {
            id: row
                .id
                .parse()
                .map_err(|error: statemachine::InvalidJobId| no_job("id", error.to_string()))?,
            kind: row
                .kind
                .parse()
                .map_err(|error: statemachine::InvalidKind| no_job("kind", error.to_string()))?,
            input: row.input.clone(),
            attempt: row.attempt,
            progress: Arc::default(),
            stall_limit: STALL_LIMIT,
            claimed_at: Instant::now(),
            committed: OnceLock::new(),
        })
    }

    /// Ends the job with SUCCESS and this result, which has at most 200 KiB as JSON. To be called inside the work's own
    /// transaction, as its last statement: what it wrote and the status become visible together, or neither does. `progress` is how
    /// far the work was, as JSON.
    ///
    /// # Errors
    /// [`Failure::NotOurs`] where another attempt has taken the job over: the transaction must be rolled back.
    /// `Import.DatabaseUnavailable` where the statement fails.
    pub fn commit(
        &self,
        connection: &mut Connection,
        result: Value,
        progress: &Value,
    ) -> Result<(), Failure> {
        let succeeded = Succeeded { result: &result, progress };
        if !ledger::succeed(connection, &self.id, self.attempt, succeeded)? {
            return Err(Failure::NotOurs("another attempt has claimed the job"));
        }
        let report = Report {
            id: self.id.clone(),
            kind: self.kind.clone(),
            outcome: Outcome::Done,
            attempt: self.attempt,
            elapsed_ms: u64::try_from(self.claimed_at.elapsed().as_millis()).unwrap_or(u64::MAX),
            result,
        };
        // A second commit of one job would find no RUNNING row, so there is nothing here yet.
        let _ = self.committed.set(report);
        Ok(())
    }

    /// The report, once the work has called [`Job::commit`].
    fn committed(&self) -> Option<&Report> {
        self.committed.get()
    }
}

/// The report of a job that the ledger knows to be done, or to be in good hands.
fn report_of(row: &JobRow, outcome: Outcome) -> Option<Report> {
    let took = row.started_at.zip(row.finished_at).map(|(began, ended)| (ended - began).num_milliseconds());
    Some(Report {
        id: row.id.parse().ok()?,
        kind: row.kind.parse().ok()?,
        outcome,
        attempt: row.attempt,
        elapsed_ms: took.and_then(|took| took.try_into().ok()).unwrap_or(0),
        result: row.result.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default(),
    })
}

/// Runs what blocks beside the runtime, within the caller's span.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await
}
