//! Taking the job over. Another execution may hold it: then this one waits until the other has shown that it lives, or
//! has not. A message must not be given up for the sake of a worker that is dead and merely still has its lease: it may
//! be the last one that asks for the job.

use std::time::Duration;

use statemachine::{FailureName, Outcome, Report};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::callback::{Callback, CallbackError};
use super::shutdown::Stop;
use super::{Settings, attempt, blocking, report_of};
use crate::db::{Connection, Database, has_ended};
use crate::failure::Failure;
use crate::ledger::{self, Asked, Claim, Claimant, Held, JobRow};
use crate::pauses::Pauses;

/// The time between the first two looks at a job that another execution holds; it doubles from look to look.
const FIRST_GLANCE: Duration = Duration::from_millis(250);
/// The longest time between two looks.
const LONGEST_GLANCE: Duration = Duration::from_secs(4);

/// The version of this worker, which is written beside its attempts.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How often a wait for a lock is told of in the log.
const TELLING: Duration = Duration::from_secs(60);

/// Whose the job is.
pub(super) enum Taken {
    /// This worker's.
    Claimed(Box<JobRow>),
    /// Nobody's any more, or another's who lives: what to report.
    Done(Report),
}

/// Takes the job over, or finds out that there is nothing left to do. Waits for at most the lease of another, and for a
/// lock in the database as long as somebody has it; it beats meanwhile.
pub(super) async fn take_over(
    (settings, asked): (&Settings, &Asked),
    callback: &Callback,
    grace: Duration,
    mut stop: Stop,
) -> Result<Taken, Failure> {
    let mut claimer = Claimer::new(settings, asked);
    let mut wait = Wait::new();
    let mut next_beat = Instant::now() + settings.heartbeat_interval;
    loop {
        let look = look(claimer, grace, stop.clone()).await?;
        claimer = look.0;
        if let Some(taken) = wait.see(look.1)? {
            return Ok(taken);
        }
        if Instant::now() >= next_beat {
            beat(callback).await?;
            next_beat = Instant::now() + settings.heartbeat_interval;
        }
        tokio::select! {
            () = sleep(wait.pauses.pause()) => {}
            signal = stop.requested() => return Err(interrupted(signal)),
        }
    }
}

/// What came of a claim.
enum Look {
    Seen(Claim),
    /// The connection broke meanwhile.
    Broken(Failure),
}

/// What was seen of a job that is not to be had yet.
struct Wait {
    is_connection_replaced: bool,
    first_look: Option<Held>,
    /// The pauses between looks, since there was something new.
    pauses: Pauses,
    told_of_lock: Option<Instant>,
}

impl Wait {
    fn new() -> Self {
        let pauses = Pauses::new(FIRST_GLANCE, LONGEST_GLANCE);
        Self { is_connection_replaced: false, first_look: None, pauses, told_of_lock: None }
    }

    /// Whose the job is, once this look tells. A connection that breaks is replaced: it may have broken between two
    /// looks, and a container that is started for the next attempt costs more than another look. One that breaks again
    /// before it has shown anything is a failure.
    fn see(&mut self, look: Look) -> Result<Option<Taken>, Failure> {
        match look {
            Look::Seen(claim) => {
                self.is_connection_replaced = false;
                Ok(self.see_claim(claim))
            }
            Look::Broken(failure) if self.is_connection_replaced => Err(failure),
            Look::Broken(_) => {
                warn!("The connection broke at a look at the job; looking over a new one");
                self.is_connection_replaced = true;
                Ok(None)
            }
        }
    }

    fn see_claim(&mut self, claim: Claim) -> Option<Taken> {
        match claim {
            Claim::Claimed(row) => Some(Taken::Claimed(row)),
            Claim::AlreadyDone(row) => {
                info!("An earlier attempt of this execution has done it");
                report_of(&row, Outcome::Done).map(Taken::Done)
            }
            Claim::Duplicate(row) => {
                info!("Another execution has done it");
                report_of(&row, Outcome::Duplicate).map(Taken::Done)
            }
            Claim::Held(held) => self.see_held(*held),
            Claim::Busy => {
                self.see_lock();
                None
            }
        }
    }

    fn see_held(&mut self, held: Held) -> Option<Taken> {
        match &self.first_look {
            None => {
                info!(
                    "Another execution holds the job; waiting until it is done, shows that it lives, or lapses"
                );
                self.first_look = Some(held);
            }
            Some(first) if held.has_beaten_since(first) => {
                info!("Another execution is at work on the job");
                return report_of(&held.row, Outcome::Duplicate).map(Taken::Done);
            }
            // A new attempt has yet to show that it lives.
            Some(first) if held.row.attempt != first.row.attempt => self.first_look = Some(held),
            Some(_) => {}
        }
        None
    }

    fn see_lock(&mut self) {
        // The claim itself has waited for it.
        self.pauses.begin_again();
        if self.told_of_lock.is_none_or(|told| told.elapsed() >= TELLING) {
            info!("Waiting for a lock in the database, which another job has, or somebody else");
            self.told_of_lock = Some(Instant::now());
        }
    }
}

async fn beat(callback: &Callback) -> Result<(), Failure> {
    match callback.beat().await {
        Err(CallbackError::Gone(why)) => Err(Failure::NotOurs(why)),
        Err(error) => {
            warn!(%error, "Could not beat before the job was claimed");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Claims on behalf of this worker, again and again over one connection.
struct Claimer {
    database: Database,
    asked: Asked,
    execution_arn: String,
    worker: String,
    lease: Duration,
    connection: Option<Connection>,
}

impl Claimer {
    fn new(settings: &Settings, asked: &Asked) -> Self {
        Self {
            database: settings.database.clone(),
            asked: asked.clone(),
            execution_arn: settings.execution_arn.clone(),
            worker: settings.worker.clone(),
            lease: settings.lease,
            connection: None,
        }
    }

    /// Where the claim was made and its answer lost, the next one finds it in the row.
    fn look(&mut self) -> Result<Look, Failure> {
        let mut connection = self.connected()?;
        let by = Claimant { execution_arn: &self.execution_arn, worker: &self.worker, version: VERSION };
        match ledger::claim(&mut connection, &self.asked, &by, self.lease) {
            Err(failure) if has_ended(&connection) => Ok(Look::Broken(failure)),
            claim => {
                self.connection = Some(connection);
                claim.map(Look::Seen)
            }
        }
    }

    /// The connection of the last look, or a new one.
    fn connected(&mut self) -> Result<Connection, Failure> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let mut connection = self.database.connect()?;
        ledger::wait_briefly(&mut connection)?;
        Ok(connection)
    }
}

/// Claims the job once. When the process is to stop meanwhile, it waits no longer than `grace`.
async fn look(mut claimer: Claimer, grace: Duration, mut stop: Stop) -> Result<(Claimer, Look), Failure> {
    let looking = async {
        let look = move || claimer.look().map(|look| (claimer, look));
        blocking(look).await.unwrap_or_else(|_| Err(attempt::panicked("claiming the job")))
    };
    tokio::pin!(looking);
    let signal = tokio::select! {
        look = &mut looking => return look,
        signal = stop.requested() => signal,
    };
    timeout(grace, looking).await.unwrap_or_else(|_| Err(interrupted(signal)))
}

fn interrupted(signal: &str) -> Failure {
    let cause = format!("the worker got {signal} while it waited to claim the job");
    Failure::named(FailureName::Interrupted, cause)
}
