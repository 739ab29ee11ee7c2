//! What cancelling an import would do, or why it cannot be cancelled.

use aws_sdk_sfn::types::ExecutionStatus;
use chrono::{DateTime, Utc};
use statemachine::{ExecutionName, JobId};
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use crate::executions::{Execution, find};
use crate::numbers;
use crate::show::execution::{self, time};
use crate::show::unclaimed;
use crate::target::Target;
use crate::text::as_fact;
use crate::unfinished;

/// The state in which the worker runs.
const WORK: &str = "RunImport";

/// What cancelling one import means now.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The import.
    pub import_id: JobId,
    /// The executions that would be stopped, the oldest first.
    pub(crate) executions: Vec<Open>,
    /// The import's row; none where its message describes it and no worker has registered it yet.
    pub(crate) row: Option<ImportRow>,
    /// Whether anything is known of the import.
    pub is_known: bool,
    /// Why it cannot be cancelled, and what to do instead.
    pub objection: Option<String>,
}

/// An execution that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) arn: String,
    pub(crate) started_at: DateTime<Utc>,
    /// The state that it is in; none before its first.
    pub(crate) state: Option<String>,
}

/// What cancelling these imports means now, in their order. `command` makes the command line of a verb.
///
/// # Errors
/// Where Step Functions or the database cannot be asked.
pub async fn plans(
    target: &Target,
    ids: &[JobId],
    command: &(dyn Fn(&str) -> String + Sync),
) -> anyhow::Result<Vec<Plan>> {
    let running = find::list(target, ExecutionStatus::Running).await?;
    let mut plans = Vec::new();
    for id in ids {
        let mut executions = Vec::new();
        for item in &running {
            if ExecutionName::import_id_in(&item.name) == Some(id.as_str()) {
                let states = execution::states_of(&execution::history(target, &item.execution_arn).await?);
                executions.push(Open {
                    arn: item.execution_arn.clone(),
                    started_at: time(&item.start_date),
                    state: states.last().map(|state| state.name.clone()),
                });
            }
        }
        executions.sort_by_key(|execution| execution.started_at);
        let row = worker::imports::find(&mut target.database.connect()?, id)?;
        let is_unclaimed = row.as_ref().is_none_or(|row| row.status == JobStatus::Pending);
        let has_ended = executions.is_empty()
            && if is_unclaimed {
                !unclaimed::executions(target, id).await?.is_empty()
            } else {
                is_known_here(target, row.as_ref()).await?
            };
        let mut plan = Plan::of(id.clone(), executions, has_ended, row, command);
        if plan.may_wait_again() {
            // Who may not look at the queue is told the rest.
            plan.mention(unfinished::messages(target).await.unwrap_or_default());
        }
        plans.push(plan);
    }
    Ok(plans)
}

/// Whether the execution that the row names is one of this target.
async fn is_known_here(target: &Target, row: Option<&ImportRow>) -> anyhow::Result<bool> {
    match row.and_then(|row| row.execution_arn.as_deref()) {
        Some(arn) => Ok(Execution::describe(target, arn).await?.is_some()),
        None => Ok(false),
    }
}

impl Plan {
    /// `has_ended` says that an execution is known here, and that it has ended.
    fn of(
        import_id: JobId,
        executions: Vec<Open>,
        has_ended: bool,
        row: Option<ImportRow>,
        command: &dyn Fn(&str) -> String,
    ) -> Self {
        let is_known = row.is_some() || has_ended || !executions.is_empty();
        let status = row.as_ref().map(|row| row.status);
        let is_open = !executions.is_empty();
        let objection = match status {
            Some(JobStatus::Success) => {
                Some("its rows are in the table already; a cancellation cannot take them out again".to_owned())
            }
            _ if is_open => None,
            Some(JobStatus::Pending) | None if has_ended => Some(format!(
                "its execution has ended, and nothing of it runs; `{}` runs it again",
                command(&format!("redrive {import_id}"))
            )),
            Some(JobStatus::Pending) => Some(
                "no execution of it has begun here: its message waits in the queue, from which no single message can be \
                 taken, or none was sent here; once it has begun it can be cancelled"
                    .to_owned(),
            ),
            Some(JobStatus::Running) if !has_ended => Some(format!(
                "its execution is not known any more, or not on this target: the stack or the deployment that it was sent to can cancel \
                 it; `{}` tells how it goes",
                command(&format!("show {import_id}"))
            )),
            Some(JobStatus::Running) => Some(format!(
                "no execution of it is open, and a worker that is still there was told to end; `{}` runs it again, or says what does",
                command(&format!("redrive {import_id}"))
            )),
            Some(JobStatus::Failure) => Some("it has failed already, and nothing of it runs".to_owned()),
            None => Some(format!("there is no such import here, unless its message still waits in the queue; `{}` lists the latest", command("imports"))),
        };
        Self { import_id, executions, row, is_known, objection }
    }

    /// A failed import may have been asked for once more, by a message that waits.
    fn may_wait_again(&self) -> bool {
        self.objection.is_some() && self.row.as_ref().is_some_and(|row| row.status == JobStatus::Failure)
    }

    /// Says that so many messages wait.
    fn mention(&mut self, messages: usize) {
        if let Some(objection) = self.objection.as_mut().filter(|_| messages > 0) {
            objection.push_str(&format!(
                "; messages that wait in the queue: {}, and one that asks for it once more would run it again",
                numbers::count(messages as u64)
            ));
        }
    }

    /// Whether there is something to stop.
    pub fn can_be_cancelled(&self) -> bool {
        self.objection.is_none()
    }

    /// What will happen, a sentence each; nothing where it cannot be cancelled. `redrive` is the command that runs the
    /// import again.
    pub fn what_happens(&self, redrive: &str) -> Vec<String> {
        if !self.can_be_cancelled() {
            return Vec::new();
        }
        let mut sentences: Vec<_> = self.executions.iter().map(Open::will_be_stopped).collect();
        let done = self.row.as_ref().filter(|row| row.status == JobStatus::Running);
        sentences.push(match done {
            Some(row) if row.rows_done > 0 => format!(
                "the {} that its worker has handed to the database so far are rolled back; the table stays as it was",
                rows(row.rows_done)
            ),
            _ => "no row of it is in the table, and none will be".to_owned(),
        });
        sentences.push("its message goes to the dead-letter queue, with the error Cancelled".to_owned());
        sentences.push(format!("for 14 days `{redrive}` runs it again from where it was stopped, if its file and its table are there"));
        sentences
    }

    /// The plan for a person. `command` makes a command line.
    pub fn lines(&self, command: &dyn Fn(&str, &str) -> String) -> Vec<String> {
        let id = self.import_id.as_str();
        if let Some(objection) = &self.objection {
            return vec![format!("{id}: cannot be cancelled: {objection}")];
        }
        let mut lines = vec![format!("{id}: would be cancelled:")];
        let sentences = self.what_happens(&command("redrive", id));
        lines.extend(sentences.iter().map(|sentence| as_fact("-", sentence)));
        lines
    }
}

impl Open {
    fn will_be_stopped(&self) -> String {
        let name = self.arn.rsplit(':').next().unwrap_or(&self.arn);
        let since = self.started_at.format("%Y-%m-%d %H:%M:%S UTC");
        match self.state.as_deref() {
            Some(WORK) => format!(
                "the execution {name}, open since {since}, is stopped in {WORK}, and its container with it"
            ),
            Some(state) => format!("the execution {name}, open since {since}, is stopped in {state}"),
            None => format!("the execution {name}, open since {since}, is stopped before its first state"),
        }
    }
}

fn rows(number: i64) -> String {
    match number {
        1 => "1 row".to_owned(),
        number => format!("{} rows", numbers::count(number.try_into().unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::progress::tests::row;

    fn open(state: Option<&str>) -> Open {
        Open {
            arn: "arn:aws:states:eu-west-1:123456789012:execution:import:people-1-m".to_owned(),
            started_at: DateTime::UNIX_EPOCH,
            state: state.map(str::to_owned),
        }
    }

    fn plan_of(executions: Vec<Open>, has_ended: bool, row: Option<ImportRow>) -> Plan {
        let command = |verb: &str| format!("baton {verb}");
        Plan::of("people-1".parse().unwrap(), executions, has_ended, row, &command)
    }

    fn plan(executions: Vec<Open>, row: Option<ImportRow>) -> Plan {
        plan_of(executions, false, row)
    }

    fn text(plan: &Plan) -> String {
        plan.lines(&|verb, id| format!("baton {verb} {id}")).join("\n")
    }

    #[test]
    fn what_will_happen_is_said_before_it_does() {
        let running = plan(vec![open(Some("RunImport"))], Some(row(JobStatus::Running, 12_345)));
        assert_eq!(
            text(&running),
            "people-1: would be cancelled:\n\
            \x20 -         the execution people-1-m, open since 1970-01-01 00:00:00 UTC, is stopped in RunImport, and its container with it\n\
            \x20 -         the 12,345 rows that its worker has handed to the database so far are rolled back; the table stays as it was\n\
            \x20 -         its message goes to the dead-letter queue, with the error Cancelled\n\
            \x20 -         for 14 days `baton redrive people-1` runs it again from where it was stopped, if its file and its table are there"
        );
        // Not claimed yet, and of a message that describes it.
        for row in [Some(row(JobStatus::Pending, 0)), Some(row(JobStatus::Failure, 7)), None] {
            let waiting = plan(vec![open(Some("HoldMessage"))], row);
            assert!(waiting.can_be_cancelled() && text(&waiting).contains("no row of it is in the table"));
        }
    }

    #[test]
    fn what_cannot_be_cancelled_says_why() {
        let refused = |executions, row: Option<ImportRow>, words: &str| {
            let plan = plan(executions, row);
            assert!(!plan.can_be_cancelled() && text(&plan).contains(words), "{}", text(&plan));
            assert!(plan.what_happens("").is_empty());
        };
        refused(vec![], Some(row(JobStatus::Pending, 0)), "waits in the queue");
        refused(
            vec![],
            Some(row(JobStatus::Running, 1)),
            "not on this target: the stack or the deployment that",
        );
        let left = plan_of(vec![], true, Some(row(JobStatus::Running, 1)));
        assert!(text(&left).contains("was told to end; `baton redrive people-1` runs it again, or"));
        refused(vec![], Some(row(JobStatus::Failure, 0)), "has failed already");
        refused(vec![], None, "no such import");
        // Stopped before a worker claimed it, of a registered import and of one that a message describes.
        for row in [Some(row(JobStatus::Pending, 0)), None] {
            let ended = plan_of(vec![], true, row);
            let words =
                "its execution has ended, and nothing of it runs; `baton redrive people-1` runs it again";
            assert!(ended.is_known && !ended.can_be_cancelled() && text(&ended).contains(words), "{ended:?}");
        }
        // Its execution has yet to delete the message.
        refused(vec![open(Some("DeleteMessage"))], Some(row(JobStatus::Success, 9)), "in the table already");
    }
}
