//! A failure on its way into the job's row. In SQLite another job may have the one lock for writing, for as long as it
//! loads: then this waits for it, and beats meanwhile, because the execution is to hear of a failure that is in the row.

use std::sync::Arc;
use std::time::Duration;

use statemachine::{FailureName, JobId};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::callback::{Callback, CallbackError};
use super::shutdown::Stop;
use super::{Gauge, blocking};
use crate::db::Database;
use crate::failure::Failure;
use crate::ledger::{self, Failed};
use crate::pauses::Pauses;

/// The time between two looks at a lock. Each of them waits for it as well.
const GLANCE: Duration = Duration::from_millis(500);

/// Writes the failure of one attempt.
#[derive(Clone)]
pub(super) struct FailureWriter {
    pub(super) database: Database,
    pub(super) job_id: JobId,
    pub(super) attempt: i32,
    pub(super) name: FailureName,
    pub(super) cause: String,
    pub(super) progress: Arc<dyn Gauge>,
}

/// How long it may take to write a failure.
pub(super) struct Limits {
    /// For a database that does not answer, and for a lock where nobody waits for the report.
    pub(super) patience: Duration,
    /// For all of it, once the process is to stop.
    pub(super) stopped: Duration,
    /// Whose task it is that waits for the report; `None` where none does.
    pub(super) awaited_by: Option<Callback>,
    /// The time between two beats.
    pub(super) interval: Duration,
}

impl FailureWriter {
    /// Writes the failure. `None` where that was not possible.
    pub(super) async fn write(self, limits: Limits, mut stop: Stop) -> Option<Failed> {
        let stopped = limits.stopped;
        let out_of_time = async {
            stop.requested().await;
            sleep(stopped).await;
        };
        tokio::select! {
            failed = self.write_once_free(limits) => failed,
            () = out_of_time => {
                warn!("Could not write the failure into its row before the process has to end");
                None
            }
        }
    }

    async fn write_once_free(self, limits: Limits) -> Option<Failed> {
        let Limits { patience, mut awaited_by, interval, .. } = limits;
        let begun = Instant::now();
        let mut next_beat = begun + interval;
        let mut glances = Pauses::even(GLANCE);
        let mut has_waited = false;
        loop {
            match timeout(patience, self.try_once()).await {
                Ok(Ok(Failed::Busy)) => {}
                Ok(Ok(failed)) => return Some(failed),
                Ok(Err(failure)) => {
                    warn!(error = failure.for_log(), "Could not write the failure into its row");
                    return None;
                }
                Err(_) => {
                    warn!("Could not write the failure into its row within {patience:?}");
                    return None;
                }
            }
            if awaited_by.is_none() && begun.elapsed() > patience {
                warn!("Could not write the failure into its row: another job has the database's lock");
                return None;
            }
            if !has_waited {
                info!("Waiting for a lock in the database to write the failure into its row");
                has_waited = true;
            }
            if let Some(callback) = &awaited_by
                && Instant::now() >= next_beat
            {
                next_beat = Instant::now() + interval;
                if let Err(CallbackError::Gone(_)) = callback.beat().await {
                    awaited_by = None;
                }
            }
            sleep(glances.pause()).await;
        }
    }

    async fn try_once(&self) -> Result<Failed, Failure> {
        let Self { database, job_id, attempt, name, cause, progress } = self.clone();
        let write = move || {
            let mut connection = database.connect()?;
            ledger::wait_briefly(&mut connection)?;
            let (told, details) = (progress.told(), progress.details());
            let failure = (name.as_str(), cause.as_str());
            ledger::fail(&mut connection, (&job_id, attempt), failure, &told, details.as_ref())
        };
        let panicked = |_| super::attempt::panicked("writing the failure into its row");
        blocking(write).await.map_err(panicked)?
    }
}
