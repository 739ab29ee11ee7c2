//! Heartbeats beside the work, as long as the work gets on. One loop holds the task in Step Functions, one the lease in
//! the database, so that neither waits for the other when it is slow. A beat that fails is logged and the next one tries
//! again: the work goes on, and only the word that the job is no longer ours ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, error, warn};

use super::callback::{Callback, CallbackError};
use super::{Gauge, blocking};
use crate::ledger::{Lease, Renewal, Renewer};

/// Beats for one attempt.
pub(super) struct Heartbeat {
    pub(super) callback: Callback,
    pub(super) renewer: Renewer,
    pub(super) progress: Arc<dyn Gauge>,
    pub(super) interval: Duration,
    pub(super) stall_limit: Duration,
}

impl Heartbeat {
    /// Beats until the job is no longer ours, and returns why.
    pub(super) async fn run(self) -> &'static str {
        let pulse = Pulse::new(self.progress, self.stall_limit, Instant::now());
        // Others give their message up when they see the lease renewed. So it is renewed only once it is known that the
        // execution still waited for this container after the claim: one that was given up before, and claimed late, would
        // show a life that is about to end.
        let is_awaited = AtomicBool::new(false);
        tokio::select! {
            why = hold_task(self.callback, pulse.clone(), self.interval, &is_awaited) => why,
            why = hold_lease(self.renewer, pulse, self.interval, &is_awaited) => why,
        }
    }
}

async fn hold_task(
    callback: Callback,
    mut pulse: Pulse,
    every: Duration,
    is_awaited: &AtomicBool,
) -> &'static str {
    let mut beats = clock(every);
    loop {
        beats.tick().await;
        if !pulse.beats(Instant::now()) {
            continue;
        }
        match callback.beat().await {
            Ok(()) => {
                is_awaited.store(true, Relaxed);
                debug!("Beat");
            }
            Err(CallbackError::Gone(why)) => return why,
            Err(error) => warn!(%error, "Could not beat; the next beat tries again"),
        }
    }
}

async fn hold_lease(
    mut renewer: Renewer,
    mut pulse: Pulse,
    every: Duration,
    is_awaited: &AtomicBool,
) -> &'static str {
    let mut beats = clock(every);
    loop {
        beats.tick().await;
        if !pulse.beats(Instant::now()) {
            continue;
        }
        let told = pulse.progress.told();
        let lease = if is_awaited.load(Relaxed) { Lease::Renewed } else { Lease::AsItIs };
        let renewed = blocking(move || {
            let renewal = renewer.renew(&told, lease);
            (renewer, renewal, told)
        });
        match renewed.await {
            Ok((back, renewal, told)) => {
                renewer = back;
                match renewal {
                    Ok(Renewal::Ours) => {
                        debug!(progress = %told, "Renewed the lease");
                    }
                    Ok(Renewal::NotOurs) => return "another attempt has claimed the job",
                    Err(failure) => warn!(
                        error = failure.for_log(),
                        "Could not renew the lease; the next beat tries again"
                    ),
                }
            }
            // A fault of ours. The work goes on; should it outlive its lease, the attempt's number guards the commit.
            Err(_) => {
                error!("Renewing the lease panicked; the lease is renewed no more");
                return std::future::pending().await;
            }
        }
    }
}

fn clock(every: Duration) -> tokio::time::Interval {
    let mut clock = interval(every);
    // A beat that took long is not made up for by a burst.
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock
}

/// Whether the work gets on.
#[derive(Clone)]
struct Pulse {
    progress: Arc<dyn Gauge>,
    stall_limit: Duration,
    last: u64,
    changed_at: Instant,
    is_stalled: bool,
}

impl Pulse {
    fn new(progress: Arc<dyn Gauge>, stall_limit: Duration, now: Instant) -> Self {
        let last = progress.steps();
        Self { progress, stall_limit, last, changed_at: now, is_stalled: false }
    }

    /// Whether anything changed within the stall limit. The start counts as a change.
    fn beats(&mut self, now: Instant) -> bool {
        let steps = self.progress.steps();
        if steps != self.last {
            self.last = steps;
            self.changed_at = now;
        }
        let is_stalled = now.duration_since(self.changed_at) > self.stall_limit;
        if is_stalled && !self.is_stalled {
            warn!(progress = %self.progress.told(), "No progress for {:?}: no more beats", self.stall_limit);
        }
        self.is_stalled = is_stalled;
        !is_stalled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use serde_json::Value;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[derive(Default)]
    struct Steps(AtomicU64);

    impl Gauge for Steps {
        fn steps(&self) -> u64 {
            self.0.load(Relaxed)
        }

        fn told(&self) -> Value {
            Value::Null
        }

        fn request_stop(&self) {}
    }

    #[test]
    fn beats_stop_when_nothing_moves_within_the_stall_limit() {
        let start = Instant::now();
        let mut pulse = Pulse::new(Arc::new(Steps::default()), LIMIT, start);
        assert!(pulse.beats(start + LIMIT));
        assert!(!pulse.beats(start + LIMIT + Duration::from_secs(1)));
    }

    #[test]
    fn beats_go_on_when_the_work_gets_on_again() {
        let (start, steps) = (Instant::now(), Arc::new(Steps::default()));
        let mut pulse = Pulse::new(steps.clone(), LIMIT, start);
        assert!(!pulse.beats(start + 2 * LIMIT));
        steps.0.fetch_add(1, Relaxed);
        assert!(pulse.beats(start + 3 * LIMIT));
        assert!(pulse.beats(start + 4 * LIMIT));
    }
}
