//! All lines of an import, once or until its executions have ended.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use ops::error::of_aws;
use ops::logs::containers::{self, ContainerLog, OneExecution};
use ops::logs::read::{LogLine, Reader};
use ops::target::Target;

use crate::arguments::LogsArguments;
use crate::logs::print::Printer;

/// How often it is looked for more.
const GLANCE: Duration = Duration::from_millis(500);
/// How long a container that has reported may take to end; it logs until then.
const LEAVING: Duration = Duration::from_secs(10);

/// An import whose lines are shown.
pub(crate) struct Followed<'a> {
    pub(crate) target: &'a Target,
    pub(crate) arguments: &'a LogsArguments,
    pub(crate) containers: Vec<Shown>,
}

/// A container, and how far its lines were shown.
pub(crate) struct Shown {
    container: ContainerLog,
    reader: Reader,
    attempt: Option<u64>,
    /// Whether some page was read.
    is_begun: bool,
    is_gone: bool,
}

impl Followed<'_> {
    /// Shows the lines of these executions; returns the number of containers that something was shown of.
    pub(crate) async fn show(
        mut self,
        mut executions: Vec<OneExecution>,
        printer: &mut Printer,
    ) -> anyhow::Result<usize> {
        let is_followed = self.arguments.follow && !self.target.is_embedded();
        self.look_at(executions.iter()).await?;
        loop {
            let is_over =
                !is_followed || (!executions.is_empty() && executions.iter().all(|one| !one.is_open));
            if is_over && is_followed {
                self.wait_until_left().await?;
            }
            self.show_new(printer, is_over).await?;
            if is_over {
                return Ok(self.containers.iter().filter(|shown| shown.is_begun || shown.is_gone).count());
            }
            tokio::time::sleep(GLANCE).await;
            // Those that have ended were looked at after their end.
            let ended: Vec<_> =
                executions.iter().filter(|one| !one.is_open).map(|one| one.arn.clone()).collect();
            executions = containers::executions(self.target, &self.arguments.id).await?;
            let changing = executions.iter().filter(|one| one.is_open || !ended.contains(&one.arn));
            self.look_at(changing).await?;
        }
    }

    /// Takes up what the histories of these executions say.
    async fn look_at(&mut self, executions: impl Iterator<Item = &OneExecution>) -> anyhow::Result<()> {
        for execution in executions {
            for container in containers::of_execution(self.target, &execution.arn).await? {
                match self.containers.iter_mut().find(|shown| shown.container.task_arn == container.task_arn)
                {
                    Some(shown) => shown.container = container,
                    None => self.containers.push(Shown::new(container)),
                }
            }
        }
        Ok(())
    }

    async fn show_new(&mut self, printer: &mut Printer, is_over: bool) -> anyhow::Result<()> {
        for shown in self.containers.iter_mut().filter(|shown| !shown.is_gone) {
            if self.arguments.attempt.is_some() && !shown.is_of(self.target, self.arguments.attempt).await? {
                continue;
            }
            loop {
                let Some(lines) = shown.read(self.target, self.arguments.tail).await? else {
                    // A container that was just started has none yet.
                    if is_over || shown.container.ended_at.is_some() {
                        shown.is_gone = true;
                        printer.gone(&shown.container, &self.target.resources.worker_log_group);
                    }
                    break;
                };
                if lines.is_empty() {
                    break;
                }
                shown.attempt = lines.iter().find_map(LogLine::attempt).or(shown.attempt);
                printer.lines(&shown.container, shown.attempt, &lines)?;
            }
        }
        Ok(())
    }

    /// Waits until no container runs any more, or for long enough.
    async fn wait_until_left(&self) -> anyhow::Result<()> {
        let Some(last) = self.containers.last() else { return Ok(()) };
        let begun = Instant::now();
        while begun.elapsed() < LEAVING {
            let target = self.target;
            let described = target
                .ecs
                .describe_tasks()
                .cluster(&target.resources.cluster_arn)
                .tasks(&last.container.task_arn)
                .send()
                .await
                .map_err(of_aws)
                .with_context(|| format!("failed to describe the task {}", last.container.task_arn))?;
            // One that ECS has forgotten has stopped.
            if described.tasks().iter().all(|task| task.last_status() == Some("STOPPED")) {
                break;
            }
            tokio::time::sleep(GLANCE).await;
        }
        Ok(())
    }
}

impl Shown {
    fn new(container: ContainerLog) -> Self {
        let reader = Reader::of(container.stream());
        Self { container, reader, attempt: None, is_begun: false, is_gone: false }
    }

    /// The next lines; at first the last ones, where only those are wanted.
    async fn read(&mut self, target: &Target, tail: Option<u32>) -> anyhow::Result<Option<Vec<LogLine>>> {
        let lines = match tail {
            Some(most) if !self.is_begun => self.reader.last(target, most).await?,
            _ => self.reader.next(target).await?,
        };
        self.is_begun |= lines.is_some();
        Ok(lines)
    }

    /// Whether the container made this attempt. It says so in its first lines.
    async fn is_of(&mut self, target: &Target, attempt: Option<u64>) -> anyhow::Result<bool> {
        if self.attempt.is_none() {
            let first = Reader::of(self.container.stream()).next(target).await?.unwrap_or_default();
            self.attempt = first.iter().find_map(LogLine::attempt);
        }
        Ok(self.attempt.is_some() && self.attempt == attempt)
    }
}
