//! Carries executions on: stores each step, does what it asks for, and brings the outcome back as the next event. One
//! timer serves all deadlines; it reads them from disk, so that there is nothing to re-arm after a restart.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tracing::{error, warn};

use super::States;
use super::chance::Chance;
use super::definition::Resource;
use super::execution::{Effect, Event, Execution, Refused, Step};
use super::integrations::{self, CallOutcome};
use super::notices;
use super::time::Timestamp;
use crate::wire::AwsError;

/// How long the driver waits before it tries again to store what it could not.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);

/// The longest sleep of the timer, so that it follows a machine's clock that is set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How many executions the timer wakes before it looks at the clock again.
const WAKE_BATCH: i64 = 100;

/// How often a step is computed anew because another one came first. A step is quick and they are few.
const MAX_CONFLICTS: usize = 1000;

/// An execution after a step.
pub(super) struct Stepped {
    pub(super) execution: Execution,
    pub(super) refused: Option<Refused>,
}

impl States {
    /// Goes on with what was open when the process died, and starts the timer. To be called once, within a runtime,
    /// before the first call is served.
    ///
    /// # Errors
    /// The open executions cannot be listed.
    pub fn resume(self: &Arc<Self>) -> anyhow::Result<()> {
        for arn in self.repository.open_executions()? {
            match self.repository.load(&arn) {
                Ok(stored) => {
                    if let Some(effect) = stored.and_then(|stored| stored.execution.unfinished()) {
                        self.carry_out(&arn, effect);
                    }
                }
                // One execution that cannot be read must not keep the stack from starting.
                Err(error) => error!(execution = %arn, %error, "Failed to go on with {arn}: {error}"),
            }
        }
        let this = Arc::downgrade(self);
        let (stopped, deadlines) = (self.stopped.clone(), Arc::clone(&self.deadlines));
        tokio::spawn(async move { stopped.run_until_cancelled(timer(this, deadlines)).await });
        Ok(())
    }

    /// Lets an event happen to an execution; `None` where there is no such execution.
    pub(super) fn feed(self: &Arc<Self>, arn: &str, event: &Event) -> Result<Option<Stepped>, AwsError> {
        self.feed_redrive(arn, event, None)
    }

    /// As [`Self::feed`]; a redrive is remembered by the client's token.
    pub(super) fn feed_redrive(
        self: &Arc<Self>,
        arn: &str,
        event: &Event,
        client_token: Option<&str>,
    ) -> Result<Option<Stepped>, AwsError> {
        for _ in 0..MAX_CONFLICTS {
            let Some(stored) = self.repository.load(arn)? else { return Ok(None) };
            let definition = self.definition(stored.revision)?;
            let mut execution = stored.execution.clone();
            let mut chance = Chance::from_system();
            let step = execution.step(&definition, Timestamp::now(), &mut chance, event.clone());
            if step.is_nothing() {
                return Ok(Some(Stepped { execution, refused: step.refused }));
            }
            let client_token = client_token.filter(|_| step.refused.is_none());
            if self.repository.save(&stored, &execution, &step, client_token)? {
                let refused = step.refused.clone();
                self.perform(&execution, &stored.input, step);
                return Ok(Some(Stepped { execution, refused }));
            }
        }
        Err(AwsError::internal(format!("the execution {arn} changes too fast")))
    }

    /// Does what a stored step asks for.
    pub(super) fn perform(self: &Arc<Self>, execution: &Execution, input: &str, step: Step) {
        for effect in step.effects {
            match effect {
                Effect::StatusChanged(status) => {
                    let event_id = Chance::from_system().uuid();
                    let now = Timestamp::now();
                    let event =
                        notices::status_change(execution, status, input, &self.account, &event_id, now);
                    for callback in self.callbacks.read().unwrap_or_else(PoisonError::into_inner).iter() {
                        callback(event.clone());
                    }
                }
                effect => self.carry_out(&execution.identity.arn, effect),
            }
        }
        self.deadlines.notify_one();
    }

    /// Starts what takes time; its outcome comes back as an event.
    fn carry_out(self: &Arc<Self>, arn: &str, effect: Effect) {
        let (this, arn) = (Arc::downgrade(self), arn.to_owned());
        let stopped = self.stopped.clone();
        let services = self.services.clone();
        tokio::spawn(async move {
            let work = async {
                let (attempt, outcome) = match effect {
                    Effect::StatusChanged(_) => return,
                    Effect::Cancel { resource, submitted } => {
                        if let Err(error) = integrations::cancel(&services, resource, &submitted, &arn).await
                        {
                            warn!(execution.arn = %arn, %error, "Failed to stop the job of {arn}: {error}");
                        }
                        return;
                    }
                    Effect::Invoke {
                        attempt,
                        resource: resource @ (Resource::SfnDescribeExecution | Resource::SfnStartExecution),
                        arguments,
                    } => {
                        let call = |request: Value| {
                            let this =
                                this.upgrade().ok_or_else(|| AwsError::internal("the stack has stopped"))?;
                            match resource {
                                Resource::SfnStartExecution => this.start_execution(request),
                                _ => this.describe_execution(request),
                            }
                        };
                        (attempt, integrations::call_itself(arguments, call))
                    }
                    Effect::Invoke { attempt, resource, arguments } => {
                        (attempt, integrations::invoke(&services, resource, arguments).await)
                    }
                    Effect::Watch { attempt, resource, submitted } => {
                        (attempt, integrations::watch(&services, resource, &submitted).await)
                    }
                };
                bring_back(&this, &arn, event_of(attempt, outcome)).await;
            };
            stopped.run_until_cancelled(work).await;
        });
    }
}

fn event_of(attempt: u64, outcome: CallOutcome) -> Event {
    match outcome {
        CallOutcome::Submitted(output) => Event::Submitted { attempt, output },
        CallOutcome::Succeeded(output) => Event::Succeeded { attempt, output },
        CallOutcome::Failed(failure) => Event::Failed { attempt, failure },
    }
}

/// Brings an outcome back. It exists nowhere else, so a disk that is full for a while must not lose it.
async fn bring_back(this: &Weak<States>, arn: &str, event: Event) {
    loop {
        let Some(states) = this.upgrade() else { return };
        match states.feed(arn, &event) {
            Ok(_) => return,
            Err(error) => error!(execution.arn = %arn, %error, "Failed to store a step of {arn}: {error}"),
        }
        drop(states);
        tokio::time::sleep(STORAGE_PAUSE).await;
    }
}

/// Wakes executions at their deadlines. It keeps nothing alive while it sleeps: whoever drops the instance ends it.
async fn timer(this: Weak<States>, deadlines: Arc<Notify>) {
    loop {
        let Some(states) = this.upgrade() else { return };
        let pause = match wake_due(&states).await {
            Ok(pause) => pause,
            Err(error) => {
                error!(%error, "Failed to look for deadlines: {error}");
                STORAGE_PAUSE
            }
        };
        drop(states);
        // A deadline that changes ends the sleep.
        let _ = tokio::time::timeout(pause, deadlines.notified()).await;
    }
}

/// Wakes what is due, and says how long there is nothing to do.
async fn wake_due(states: &Arc<States>) -> Result<Duration, AwsError> {
    loop {
        let now = Timestamp::now();
        let due = states.repository.due(now, WAKE_BATCH)?;
        if due.is_empty() {
            let next = states.repository.next_deadline()?;
            let pause = next.map(|next| next.millis().saturating_sub(now.millis()).max(0).unsigned_abs());
            return Ok(pause.map_or(LONGEST_SLEEP, Duration::from_millis).min(LONGEST_SLEEP));
        }
        let mut failed = false;
        for arn in due {
            // One execution that cannot be stored must not keep the others asleep.
            if let Err(error) = states.feed(&arn, &Event::Wake) {
                error!(execution.arn = %arn, %error, "Failed to wake {arn}: {error}");
                failed = true;
            }
            tokio::task::yield_now().await;
        }
        if failed {
            return Ok(STORAGE_PAUSE);
        }
    }
}
