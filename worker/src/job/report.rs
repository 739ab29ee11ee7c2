//! Reporting the end of the job. A result that is not heard costs a whole attempt, so it is repeated for as long as
//! Step Functions may reasonably be away. One that is refused as it is says less the next time: the execution must end as
//! the job's row does.

use std::borrow::Cow;
use std::time::Duration;

use statemachine::{FailureName, Report};
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use super::callback::{Callback, CallbackError};
use crate::pauses::Pauses;

/// The wait before the second try; it doubles from try to try.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// The end of a job, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It needs no further attempt.
    Success(Report),
    /// It failed.
    Failure(FailureName, String),
}

/// How much of a cause is left when all of it was refused, in characters.
const BRIEF_CAUSE: usize = 1000;

impl Ending {
    /// The same in few and plain words, which nobody refuses.
    fn brief(&self) -> Self {
        match self {
            Self::Success(report) => Self::Success(report.brief()),
            Self::Failure(name, cause) => {
                let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
                Self::Failure(*name, cause.chars().map(plain).take(BRIEF_CAUSE).collect())
            }
        }
    }
}

/// Reports the ending, for at most `patience`. `false` if nobody took it: the execution waits no longer, or Step
/// Functions is away for too long.
pub(super) async fn report(callback: &Callback, ending: &Ending, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    let mut waits = Pauses::new(FIRST_WAIT, LONGEST_WAIT);
    let mut ending = Cow::Borrowed(ending);
    loop {
        let wait = waits.pause();
        let told = match &*ending {
            Ending::Success(report) => callback.succeed(report).await,
            Ending::Failure(name, cause) => callback.fail(*name, cause).await,
        };
        match told {
            Ok(()) => {
                info!("Reported the end of the job");
                return true;
            }
            Err(gone @ CallbackError::Gone(_)) => {
                warn!(error = %gone, "Nobody waits for the report");
                return false;
            }
            // What is refused once is refused again.
            Err(error @ CallbackError::Refused(_)) if matches!(ending, Cow::Borrowed(_)) => {
                warn!(%error, "Reporting the end of the job again, with less to it");
                ending = Cow::Owned(ending.brief());
                continue;
            }
            Err(error @ CallbackError::Refused(_)) => {
                error!(%error, "The end of the job cannot be reported");
                return false;
            }
            Err(error) if Instant::now() + wait > until => {
                error!(%error, "Gave up reporting the end of the job after {} s", patience.as_secs());
                return false;
            }
            Err(error) => warn!(%error, "Could not report the end of the job, trying again in {wait:?}"),
        }
        sleep(wait).await;
    }
}
