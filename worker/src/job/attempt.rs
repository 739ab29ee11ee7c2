//! One attempt: the work on its own thread, heartbeats beside it, and what becomes of it when it ends, is asked to stop,
//! or is no longer ours. The failure is in the row before anybody hears of it.

use std::sync::Arc;
use std::time::Duration;

use statemachine::{FailureName, ImportId, Report};
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::callback::{Callback, cause_of};
use super::heartbeat::Heartbeat;
use super::progress::Progress;
use super::run::Patience;
use super::shutdown::Stop;
use super::write_failure::{FailureWriter, Limits};
use super::{Job, Summary, blocking, metrics};
use crate::config::Config;
use crate::db::Database;
use crate::failure::Failure;
use crate::imports::{Failed, ImportRow, Renewer};

/// A claimed import.
pub(super) struct Attempt<'a> {
    config: &'a Config,
    callback: Callback,
    row: ImportRow,
    progress: Arc<Progress>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The rows are in the table.
    Committed(Report),
    /// Rolled back; the failure, which has a name, is in the row, if the database could be reached.
    Failed(Failure),
    /// Rolled back, and nothing to report.
    NotOurs(&'static str),
}

/// Why the work was asked to stop.
enum Reason {
    NotOurs(&'static str),
    Shutdown(&'static str),
}

impl<'a> Attempt<'a> {
    pub(super) fn new(config: &'a Config, callback: Callback, row: ImportRow) -> Self {
        Self { config, callback, row, progress: Arc::default() }
    }

    /// Does the work.
    pub(super) async fn run<W>(self, patience: Patience, stop: Stop, work: W) -> End
    where
        W: FnOnce(&Job, &Database) -> Result<Summary, Failure> + Send + 'static,
    {
        let progress = Arc::clone(&self.progress);
        let end = match Job::of_claimed(&self.row) {
            Ok(job) => {
                let job =
                    Job { progress: Arc::clone(&progress), stall_limit: self.config.stall_limit, ..job };
                self.work(job, patience.stop, stop.clone(), work).await
            }
            Err(failure) => end_of(failure),
        };
        let end = self.settle(end, patience, stop).await;
        metrics::tell(&end, &self.row, &self.progress);
        end
    }

    /// The end of the work.
    async fn work<W>(&self, job: Job, grace: Duration, mut stop: Stop, work: W) -> End
    where
        W: FnOnce(&Job, &Database) -> Result<Summary, Failure> + Send + 'static,
    {
        let progress = Arc::clone(&job.progress);
        let heartbeat = Heartbeat {
            callback: self.callback.clone(),
            renewer: Renewer::new(
                self.config.database.clone(),
                job.import_id.clone(),
                job.attempt,
                self.config.lease,
            ),
            progress: Arc::clone(&progress),
            interval: self.config.heartbeat_interval,
            stall_limit: self.config.stall_limit,
        };
        let database = self.config.database.clone();
        let working = async {
            let work = move || {
                let result = work(&job, &database);
                job.progress.end();
                end_of_work(&job, result)
            };
            blocking(work).await.unwrap_or_else(|_| end_of(panicked("the work")))
        };
        tokio::pin!(working);
        let reason = tokio::select! {
            end = &mut working => return end,
            why = heartbeat.run() => Reason::NotOurs(why),
            signal = stop.requested() => Reason::Shutdown(signal),
        };
        progress.request_stop();
        if let Reason::Shutdown(signal) = &reason {
            info!("Got {signal}, stopping");
        }
        let stopped = timeout(grace, &mut working).await;
        match reason {
            Reason::NotOurs(why) => {
                // Committed before it heard: worth the report, which tells whether anybody waits.
                let end = stopped.ok().filter(|end| matches!(end, End::Committed(_)));
                end.unwrap_or(End::NotOurs(why))
            }
            Reason::Shutdown(signal) => stopped.unwrap_or_else(|_| {
                warn!("The work did not stop within {grace:?}; its transaction ends with the process");
                let cause = format!("the worker got {signal} and rolled back");
                End::Failed(Failure::named(FailureName::Interrupted, cause))
            }),
        }
    }

    /// Writes the failure into the row, as far as the database lets us, and looks whether the import is still ours.
    async fn settle(&self, end: End, patience: Patience, stop: Stop) -> End {
        let (name, cause) = match &end {
            End::Committed(_) => return end,
            End::Failed(Failure::Named { name, cause, .. }) => (*name, cause_of(cause)),
            // An execution that was stopped, or a task that timed out, may leave a row that is ours all the same. Freed
            // now, it need not wait for the end of the lease; where another attempt has it, nothing is written.
            End::NotOurs(why) | End::Failed(Failure::NotOurs(why)) => {
                (FailureName::Interrupted, format!("the worker rolled back: {why}"))
            }
        };
        let Ok(import_id) = self.row.id.parse::<ImportId>() else { return end };
        let writer = FailureWriter {
            database: self.config.database.clone(),
            import_id,
            attempt: self.row.attempt,
            name,
            cause,
            progress: Arc::clone(&self.progress),
        };
        let limits = Limits {
            patience: patience.record,
            stopped: patience.record_stopped,
            awaited_by: matches!(end, End::Failed(..)).then(|| self.callback.clone()),
            interval: self.config.heartbeat_interval,
        };
        match (writer.write(limits, stop).await, end) {
            (Some(Failed::HadCommitted(report)), _) => End::Committed(report),
            (Some(Failed::NotOurs), End::Failed(..)) => {
                End::NotOurs("another attempt has claimed the import")
            }
            (_, end) => end,
        }
    }
}

/// Takes the work at its word only where the row agrees.
fn end_of_work(job: &Job, result: Result<Summary, Failure>) -> End {
    match (result, job.committed()) {
        (Ok(_), Some(report)) => End::Committed(report.clone()),
        (Ok(_), None) => end_of(Failure::named(
            FailureName::Internal,
            "the work ended well without having committed; this is a fault of the worker",
        )),
        (Err(failure), _) => end_of(failure),
    }
}

fn end_of(failure: Failure) -> End {
    match failure {
        Failure::NotOurs(why) => End::NotOurs(why),
        named @ Failure::Named { .. } => End::Failed(named),
    }
}

/// The panic's own message may hold a row's contents and is told to nobody; the log has its place.
pub(super) fn panicked(what: &str) -> Failure {
    error!("A panic ended {what}");
    Failure::named(
        FailureName::Internal,
        format!("a panic ended {what}; this is a fault of the worker, and its log says where"),
    )
}
