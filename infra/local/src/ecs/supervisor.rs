//! A task's life from `RunTask` to `STOPPED`: one supervisor for each, which starts the child, waits, and records.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::task::Task;
use super::{AGENT_PID, Ecs, TASK_ARN, TaskDefinition, lock, tasks};
use crate::process::{Process, Program};

/// The handle of a supervised task.
pub(super) struct Running {
    must_stop: watch::Sender<bool>,
    ended: watch::Receiver<()>,
}

impl Running {
    /// Has the child stopped.
    pub(super) fn stop(&self) {
        self.must_stop.send_replace(true);
    }

    /// Comes when the end is recorded.
    pub(super) fn end(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.clone();
        // Nothing is ever sent: the channel closes when the supervisor is gone, however it went.
        async move { while ended.changed().await.is_ok() {} }
    }
}

impl Ecs {
    /// Starts the supervisor of a task that has just been recorded.
    pub(super) fn supervise(
        self: &Arc<Self>,
        arn: String,
        definition: Arc<TaskDefinition>,
        overrides: Vec<(String, String)>,
    ) -> Running {
        let (must_stop, stop) = watch::channel(false);
        let (end, ended) = watch::channel(());
        let ecs = Arc::clone(self);
        tokio::spawn(async move {
            ecs.live(&arn, &definition, overrides, stop).await;
            lock(&ecs.running).by_arn.remove(&arn);
            drop(end);
        });
        Running { must_stop, ended }
    }

    async fn live(
        &self,
        arn: &str,
        definition: &TaskDefinition,
        overrides: Vec<(String, String)>,
        mut stop: watch::Receiver<bool>,
    ) {
        if *stop.borrow() {
            return self.record(arn, Task::never_start);
        }
        let id = arn.rsplit('/').next().unwrap_or_default();
        let mut environment = definition.environment.clone();
        environment.extend(overrides);
        // Last, so that no override can take them away: a leftover is found by them.
        environment.push((AGENT_PID.to_owned(), std::process::id().to_string()));
        environment.push((TASK_ARN.to_owned(), arn.to_owned()));
        let log = definition.log_dir.join(format!("{id}.log"));
        let program =
            Program { command: definition.command.clone(), base: self.base.clone(), environment, log };
        let process = match Process::start(program).await {
            Ok(process) => process,
            Err(error) => {
                warn!(task.arn = arn, "Failed to start task {id}: {error}");
                return self.record(arn, |task| task.fail_to_start(&error));
            }
        };
        let pid = process.pid();
        info!(task.arn = arn, process.pid = pid, "Started task {id} as process {pid}");
        if let Err(error) = tasks::set_pid(&self.store, arn, pid) {
            error!(task.arn = arn, "Failed to record the process of task {id}: {error:#}");
        }
        self.record(arn, |task| task.start(pid));
        // An error of `wait_for` means that the handle is gone, and the service with it.
        let must_stop = async { drop(stop.wait_for(|must| *must).await) };
        let exit = tokio::select! {
            exit = process.exited() => exit,
            () = must_stop => process.stop(definition.stop_timeout).await,
        };
        info!(task.arn = arn, "Task {id} ended with {exit}");
        self.record(arn, |task| task.exit(exit));
    }

    fn record(&self, arn: &str, change: impl FnOnce(&mut Task)) {
        if let Err(error) = tasks::change(&self.store, arn, change) {
            error!(task.arn = arn, "Failed to record a change of task {arn}: {error:#}");
        }
    }
}
