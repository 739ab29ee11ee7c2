//! One attempt: the work on its own thread, heartbeats beside it, and what becomes of it when it ends, is asked to stop,
//! or is no longer ours. The failure is in the row before anybody hears of it.

use std::sync::Arc;
use std::time::Duration;

use statemachine::{FailureName, JobId, Outcome, Report};
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::callback::{Callback, cause_of};
use super::heartbeat::Heartbeat;
use super::run::Patience;
use super::shutdown::Stop;
use super::write_failure::{FailureWriter, Limits};
use super::{Gauge, Job, Settings, Work, blocking, report_of};
use crate::failure::Failure;
use crate::ledger::{Failed, JobRow, Renewer};

/// A claimed job.
pub(super) struct Attempt<'a, W: Work> {
    settings: &'a Settings,
    callback: Callback,
    row: JobRow,
    progress: Arc<W::Progress>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The work is done.
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

impl<'a, W: Work> Attempt<'a, W> {
    pub(super) fn new(settings: &'a Settings, callback: Callback, row: JobRow) -> Self {
        Self { settings, callback, row, progress: Arc::default() }
    }

    /// Does the work.
    pub(super) async fn run(self, patience: Patience, stop: Stop, work: W) -> End {
        let progress = Arc::clone(&self.progress);
        let end = match Job::of_claimed(&self.row) {
            Ok(job) => {
                let job =
                    Job { progress: Arc::clone(&progress), stall_limit: self.settings.stall_limit, ..job };
                self.work(job, patience.stop, stop.clone(), work).await
            }
            Err(failure) => end_of(failure),
        };
        let end = self.settle(end, patience, stop).await;
        match &end {
            End::Committed(report) => W::tell_end(&self.row, &self.progress, Ok(report)),
            End::Failed(failure) => W::tell_end(&self.row, &self.progress, Err(failure)),
            End::NotOurs(_) => {}
        }
        end
    }

    /// The end of the work.
    async fn work(&self, job: Job<W::Progress>, grace: Duration, mut stop: Stop, work: W) -> End {
        let progress = Arc::clone(&job.progress);
        let heartbeat = Heartbeat {
            callback: self.callback.clone(),
            renewer: Renewer::new(
                self.settings.database.clone(),
                job.id.clone(),
                job.attempt,
                self.settings.lease,
            ),
            progress: progress.clone(),
            interval: self.settings.heartbeat_interval,
            stall_limit: self.settings.stall_limit,
        };
        let database = self.settings.database.clone();
        let working = async {
            let work = move || {
                let result = work.run(&job, &database);
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

    /// Writes the failure into the row, as far as the database lets us, and looks whether the job is still ours.
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
        let Ok(job_id) = self.row.id.parse::<JobId>() else { return end };
        let writer = FailureWriter {
            database: self.settings.database.clone(),
            job_id,
            attempt: self.row.attempt,
            name,
            cause,
            progress: self.progress.clone(),
        };
        let limits = Limits {
            patience: patience.record,
            stopped: patience.record_stopped,
            awaited_by: matches!(end, End::Failed(..)).then(|| self.callback.clone()),
            interval: self.settings.heartbeat_interval,
        };
        match (writer.write(limits, stop).await, end) {
            (Some(Failed::HadCommitted(row)), end) => {
                report_of(&row, Outcome::Done).map_or(end, End::Committed)
            }
            (Some(Failed::NotOurs), End::Failed(..)) => End::NotOurs("another attempt has claimed the job"),
            (_, end) => end,
        }
    }
}

/// Takes the work at its word only where the row agrees.
fn end_of_work<P: Gauge + Default>(job: &Job<P>, result: Result<(), Failure>) -> End {
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
