//! Taking the import over. Another execution may hold it: then this one waits until the other has shown that it lives, or
//! has not. A message must not be given up for the sake of a worker that is dead and merely still has its lease: it may
//! be the last one that asks for the import.

use std::time::Duration;

use statemachine::{FailureName, Report};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::callback::{Callback, CallbackError};
use super::shutdown::Stop;
use super::{attempt, blocking};
use crate::config::Config;
use crate::failure::Failure;
use crate::imports::{self, Claim, Claimant, Held, ImportRow};

/// How often an import is looked at that another execution holds.
const GLANCE: Duration = Duration::from_millis(250);

/// Whose the import is.
pub(super) enum Taken {
    /// This worker's.
    Claimed(Box<ImportRow>),
    /// Nobody's any more, or another's who lives: what to report.
    Done(Report),
}

/// Takes the import over, or finds out that there is nothing left to do. Waits for at most the lease of another, and beats
/// meanwhile.
pub(super) async fn take_over(
    config: &Config,
    callback: &Callback,
    grace: Duration,
    mut stop: Stop,
) -> Result<Taken, Failure> {
    let mut first_look: Option<Held> = None;
    let mut next_beat = Instant::now() + config.heartbeat_interval;
    loop {
        let held = match claim(config, grace, stop.clone()).await? {
            Claim::Claimed(row) => return Ok(Taken::Claimed(row)),
            Claim::AlreadyDone(report) => {
                info!(rows = report.rows, "An earlier attempt of this execution has committed the import");
                return Ok(Taken::Done(report));
            }
            Claim::Duplicate(report) => {
                info!(rows = report.rows, "Another execution has imported it");
                return Ok(Taken::Done(report));
            }
            Claim::Held(held) => held,
        };
        match &first_look {
            None => {
                info!(
                    "Another execution holds the import; waiting until it is done, shows that it lives, or lapses"
                );
                first_look = Some(held);
            }
            Some(first) if held.has_beaten_since(first) => {
                info!("Another execution is at work on the import");
                return Ok(Taken::Done(held.report));
            }
            // A new attempt has yet to show that it lives.
            Some(first) if held.attempt != first.attempt => first_look = Some(held),
            Some(_) => {}
        }
        if Instant::now() >= next_beat {
            beat(callback).await?;
            next_beat = Instant::now() + config.heartbeat_interval;
        }
        tokio::select! {
            () = sleep(GLANCE) => {}
            signal = stop.requested() => return Err(interrupted(signal)),
        }
    }
}

async fn beat(callback: &Callback) -> Result<(), Failure> {
    match callback.beat().await {
        Err(CallbackError::Gone(why)) => Err(Failure::NotOurs(why)),
        Err(error) => {
            warn!(%error, "Could not beat while another execution holds the import");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Claims the import. A claim may wait for a lock; when the process is to stop, it waits no longer than `grace`.
async fn claim(config: &Config, grace: Duration, mut stop: Stop) -> Result<Claim, Failure> {
    let (database, import) = (config.database.clone(), config.import.clone());
    let (execution_arn, worker, lease) = (config.execution_arn.clone(), config.worker.clone(), config.lease);
    let claiming = async {
        let claim = move || {
            let by = Claimant { execution_arn: &execution_arn, worker: &worker };
            imports::claim(&mut database.connect()?, &import, &by, lease)
        };
        blocking(claim).await.unwrap_or_else(|_| Err(attempt::panicked("claiming the import")))
    };
    tokio::pin!(claiming);
    let signal = tokio::select! {
        claim = &mut claiming => return claim,
        signal = stop.requested() => signal,
    };
    timeout(grace, claiming).await.unwrap_or_else(|_| Err(interrupted(signal)))
}

fn interrupted(signal: &str) -> Failure {
    let cause = format!("the worker got {signal} while it waited to claim the import");
    Failure::named(FailureName::Interrupted, cause)
}
