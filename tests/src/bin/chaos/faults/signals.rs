//! Processes are killed, asked to stop, or stand still for a while.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::Moment;

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
