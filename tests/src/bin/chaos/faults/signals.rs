//! Processes are killed, asked to stop, or stand still for a while.

use std::time::Duration;

use e2e::wait;
use rustix::process::{Pid, Signal, kill_process};
use worker::imports::{ImportRow, search};
use worker::ledger::{JobStatus, Search};

use super::Moment;
use crate::stack::LIMITS;
use crate::world::World;

impl Moment<'_> {
    pub(super) fn signal_worker(self, signal: Signal) -> bool {
        let workers = self.world.workers();
        self.random.choice(workers).is_some_and(|worker| kill_process(worker, signal).is_ok())
    }

    pub(super) fn signal_function(self, signal: Signal) -> bool {
        let functions = self.world.functions();
        self.random.choice(functions).is_some_and(|function| kill_process(function, signal).is_ok())
    }

    pub(super) fn pause_worker(mut self) -> bool {
        let workers = self.world.workers();
        let pause = self.milliseconds(500..8_000);
        let worker = self.random.choice(workers);
        worker.is_some_and(|worker| self.pause(worker, pause))
    }

    /// Waits, so that at most one worker at a time stands still like this: the other attempt is to get on.
    pub(super) async fn overtake_worker(self) -> bool {
        let holder_and_claim = claims(self.world).into_iter().find_map(|claim| {
            let holder = self.world.worker_of(claim.execution_arn.as_deref()?)?;
            Some((holder, claim))
        });
        let Some((holder, claim)) = holder_and_claim else { return false };
        if kill_process(holder, Signal::STOP).is_err() {
            return false;
        }
        // It may have ended its attempt before it stood still.
        let still_holds =
            || claims(self.world).iter().any(|now| now.id == claim.id && now.attempt == claim.attempt);
        let is_met = still_holds();
        if is_met {
            // After its heartbeat's time the container is stopped.
            let _ = wait::within(LIMITS.heartbeat, async || still_holds(), |holds| !holds).await;
        }
        let _ = kill_process(holder, Signal::CONT);
        is_met
    }

    pub(super) fn pause_function(mut self) -> bool {
        let functions = self.world.functions();
        let pause = self.milliseconds(200..3_000);
        let function = self.random.choice(functions);
        function.is_some_and(|function| self.pause(function, pause))
    }

    fn pause(self, process: Pid, pause: Duration) -> bool {
        let is_stopped = kill_process(process, Signal::STOP).is_ok();
        if is_stopped {
            self.lasting.spawn(async move {
                tokio::time::sleep(pause).await;
                // It may have been killed meanwhile; its id is not given away again so soon.
                let _ = kill_process(process, Signal::CONT);
            });
        }
        is_stopped
    }

    pub(super) async fn replace_stack(self, how: Signal) -> bool {
        self.world.stack.lock().await.replace(how).await;
        true
    }
}

/// The imports that a worker has claimed; none where the database is away.
fn claims(world: &World) -> Vec<ImportRow> {
    let Ok(mut connection) = world.database.connect() else { return Vec::new() };
    let running = Search { status: Some(JobStatus::Running), limit: u32::MAX, ..Search::default() };
    search(&mut connection, &running).map(|page| page.rows).unwrap_or_default()
}
