//! One job from the claim to the exit code.

use std::future::Future;
use std::time::Duration;

use logging::About;
use statemachine::{ExecutionName, ExitCode, JobId, TraceHeader};
use tokio::time::sleep;
use tracing::{Span, error, info, warn};

use super::attempt::{Attempt, End};
use super::callback::{Callback, CallbackError};
use super::report::{Ending, report};
use super::shutdown::Stop;
use super::takeover::{Taken, take_over};
use super::{Asked, Settings, Work};
use crate::failure::Failure;

/// How long the end of a job may take. Where ECS stops the task there are 30 seconds from SIGTERM to SIGKILL:
/// `stop`, `record_stopped` and `report_stopped` fit into them.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the work to stop, once asked.
    pub stop: Duration,
    /// For a failure to be written into its row.
    pub record: Duration,
    /// The same, when the process was asked to stop.
    pub record_stopped: Duration,
    /// For a report to be taken.
    pub report: Duration,
    /// The same, when the process was asked to stop.
    pub report_stopped: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stop: Duration::from_secs(18),
            record: Duration::from_secs(15),
            record_stopped: Duration::from_secs(4),
            report: Duration::from_secs(300),
            report_stopped: Duration::from_secs(6),
        }
    }
}

/// Runs one job: claims it, does the work on a thread of its own beside heartbeats, and reports how it ended. `shutdown`
/// ends with its reason when the process is to stop. It is to be called within the [`span`] of the job.
pub async fn run<W: Work>(
    settings: &Settings,
    asked: &Asked,
    step_functions: aws_sdk_sfn::Client,
    patience: Patience,
    shutdown: impl Future<Output = &'static str>,
    work: W,
) -> ExitCode {
    let callback = Callback::new(step_functions, settings.task_token.clone());
    // In a box, so that whoever awaits it stays small.
    let life = Stop::during(shutdown, async |stop| {
        // A container that comes too late must not take the job from the one that has replaced it: before the claim
        // the token shows whether this one is still waited for.
        match callback.beat().await {
            Err(CallbackError::Gone(why)) => return not_ours(why),
            Err(error) => warn!(%error, "Could not beat before the claim; going on"),
            Ok(()) => {}
        }
        let code = |ending: &Ending| match ending {
            Ending::Success(_) => ExitCode::Reported,
            Ending::Failure(..) => ExitCode::FailureReported,
        };
        match claim_and_work((settings, asked), &callback, patience, stop.clone(), work).await {
            Ok(ending) if tell(&callback, &ending, patience, stop).await => code(&ending),
            // A report that nobody took must not look like one that was: Step Functions then sees the container fail,
            // tries again, and the next worker finds the row.
            Ok(_) => ExitCode::NotOurs,
            Err(why) => not_ours(why),
        }
    });
    Box::pin(life).await
}

/// What every line of this job's log has in it. [`run`] records the attempt once there is one.
#[must_use]
pub fn span(settings: &Settings, id: &JobId) -> Span {
    logging::import_span(&About {
        import_id: Some(id.as_str()),
        execution: Some(&settings.execution_arn),
        message_id: ExecutionName::message_id_in(&settings.execution_arn),
        trace_id: settings.trace_header.as_ref().map(TraceHeader::trace_id),
    })
}

/// The ending to be reported, or why there is nothing to report.
async fn claim_and_work<W: Work>(
    (settings, asked): (&Settings, &Asked),
    callback: &Callback,
    patience: Patience,
    stop: Stop,
    work: W,
) -> Result<Ending, &'static str> {
    let row = match take_over((settings, asked), callback, patience.stop, stop.clone()).await {
        Ok(Taken::Claimed(row)) => row,
        Ok(Taken::Done(report)) => return Ok(Ending::Success(report)),
        Err(failure) => return ending_of(failure),
    };
    Span::current().record("attempt", row.attempt);
    info!(source = row.source, subject = row.subject, "Claimed the {} as attempt {}", row.kind, row.attempt);
    match Attempt::<W>::new(settings, callback.clone(), *row).run(patience, stop, work).await {
        End::Committed(report) => Ok(Ending::Success(report)),
        End::Failed(failure) => ending_of(failure),
        End::NotOurs(why) => Err(why),
    }
}

/// Reports the ending; for a short while only from when the process is to stop.
async fn tell(callback: &Callback, ending: &Ending, patience: Patience, mut stop: Stop) -> bool {
    let out_of_time = async {
        stop.requested().await;
        sleep(patience.report_stopped).await;
    };
    tokio::select! {
        told = report(callback, ending, patience.report) => told,
        () = out_of_time => {
            error!("Had to stop before the end of the job was reported");
            false
        }
    }
}

fn ending_of(failure: Failure) -> Result<Ending, &'static str> {
    // A cause that may quote rows is for the row of the job and for Step Functions, not for a log.
    let for_log = failure.for_log().to_owned();
    match failure {
        Failure::Named { name, cause, .. } => {
            // What another attempt may mend is a warning; the rest waits for a person.
            if name.is_transient() {
                warn!(error_name = %name, cause = for_log, "The job failed and may be tried again");
            } else {
                error!(error_name = %name, cause = for_log, "The job failed");
            }
            Ok(Ending::Failure(name, cause))
        }
        Failure::NotOurs(why) => Err(why),
    }
}

fn not_ours(why: &str) -> ExitCode {
    warn!("The job is no longer this worker's: {why}");
    ExitCode::NotOurs
}
