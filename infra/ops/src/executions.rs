//! The executions of the import machine: where each stands, whether it can be redriven, and what to do where not. Dead letters, a
//! redrive and a cancellation look at them alike.

pub mod find;
mod settle;

use anyhow::Context as _;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus};
use chrono::{DateTime, TimeDelta, Utc};
use statemachine::{ExecutionInput, ExecutionName, FailureName};

use crate::error::of_aws;
use crate::show::execution::{cause_for_people, time};
use crate::target::Target;
pub(crate) use settle::SETTLING;
pub use settle::{has_ended, until_settled};

/// How long after its end an execution can be redriven.
pub const REDRIVABLE: TimeDelta = TimeDelta::days(14);

/// What is said of one that needs no redrive.
pub const SUCCEEDED: &str = "it has succeeded already; nothing is left to do";

/// An execution of the import machine.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// `None` where its message asks for no import.
    pub(crate) import_id: Option<String>,
    /// The id of its message in the queue that it was started from, which is not that in its name where there are lanes.
    pub(crate) message_id: Option<String>,
    /// In the words of Step Functions.
    pub status: String,
    /// The failure's name; where an execution was stopped or timed out without one, that of its dead letter.
    pub error: Option<String>,
    /// The failure in words.
    pub cause: Option<String>,
    /// When it ended.
    pub stopped_at: Option<DateTime<Utc>>,
    /// How often it was redriven.
    pub redrives: i32,
    /// Whether it can be redriven.
    pub standing: Standing,
}

/// Whether an execution can be redriven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can.
    Redrivable,
    /// It has not ended.
    Running,
    /// It has, or its import by another execution.
    Succeeded,
    /// It would fail again: its message asks for no import.
    AsksForNoImport,
    /// Its message asks for something else than the import that has its id: it would fail again, and whether that import has succeeded
    /// says nothing of it.
    Contradicts,
    /// It ended too long ago.
    Expired,
    /// Its import is for another database than the one that is named now.
    OfAnotherDatabase(String),
    /// It has succeeded, and the database has its import in this status: it was brought back to an earlier state.
    Undone(String),
    /// For another reason, in the words of Step Functions.
    Refused(String),
}

impl Execution {
    /// Looks at an execution; none where Step Functions does not know it (any more).
    pub async fn describe(target: &Target, arn: &str) -> anyhow::Result<Option<Self>> {
        match target.sfn.describe_execution().execution_arn(arn).send().await {
            Ok(described) => Ok(Some(Self::of_target(target, described))),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) =>
            {
                Ok(None)
            }
            Err(error) => {
                Err(of_aws(error)).with_context(|| format!("failed to describe the execution {arn}"))
            }
        }
    }

    /// An execution of the target, as it was described just now.
    pub fn of_target(target: &Target, described: DescribeExecutionOutput) -> Self {
        let other = target.other_database(time(&described.start_date));
        let execution = Self::read(described, Utc::now());
        match (other, &execution.standing) {
            (Some(other), Standing::Redrivable | Standing::Expired | Standing::Refused(_)) => {
                Self { standing: Standing::OfAnotherDatabase(other), ..execution }
            }
            _ => execution,
        }
    }

    /// An execution as it was described at `now`.
    pub fn read(described: DescribeExecutionOutput, now: DateTime<Utc>) -> Self {
        let standing = standing(&described, now);
        let arn = described.execution_arn;
        let name = described.name.as_deref().or_else(|| arn.rsplit(':').next()).unwrap_or_default();
        let import_id = ExecutionName::import_id_in(name).map(str::to_owned);
        let input =
            described.input.as_deref().and_then(|input| serde_json::from_str::<ExecutionInput>(input).ok());
        let failed = !matches!(described.status, ExecutionStatus::Succeeded | ExecutionStatus::Running);
        let status = described.status.as_str().to_owned();
        let without_name = failed.then(|| format!("States.{status}"));
        let cause = described.cause.map(|cause| cause_for_people(described.error.as_deref(), cause));
        Self {
            import_id: import_id.filter(|_| standing != Standing::AsksForNoImport),
            message_id: input.map(|input| input.message.id),
            error: described.error.or(without_name),
            cause,
            stopped_at: described.stop_date.as_ref().map(time),
            redrives: described.redrive_count.unwrap_or(0),
            status,
            standing,
            arn,
        }
    }

    /// The execution's name.
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or(&self.arn)
    }

    /// What a person calls it: the import, or the execution's name.
    pub fn called(&self) -> &str {
        self.import_id.as_deref().unwrap_or_else(|| self.name())
    }

    /// Takes note that its import has succeeded, by this execution: where that is another one, nothing is left to do.
    pub fn heed_success(&mut self, by: Option<&str>) {
        // An import of the same id in another database is another import.
        let is_heeded = !matches!(
            self.standing,
            Standing::Running | Standing::OfAnotherDatabase(_) | Standing::Contradicts
        );
        if by.is_some_and(|arn| arn != self.arn) && is_heeded {
            self.standing = Standing::Succeeded;
        }
    }

    /// Takes note that the database has its import in this status, and not as a success.
    pub(crate) fn heed_undone(&mut self, status: &str) {
        if self.standing == Standing::Succeeded {
            self.standing = Standing::Undone(status.to_owned());
        }
    }

    /// Whether a stack has to work at it, to redrive it or because it has not ended.
    pub fn has_to_move(&self) -> bool {
        matches!(self.standing, Standing::Redrivable | Standing::Running)
    }

    /// Why it is not redriven, and what to do instead; none where it can be redriven. `command` makes a command line.
    pub fn objection(&self, command: &dyn Fn(&str, &str) -> String) -> Option<String> {
        let called = self.called();
        Some(match &self.standing {
            Standing::Redrivable => return None,
            Standing::Running => {
                format!("it is running; `{}` tells how it goes", command("show", called))
            }
            Standing::Succeeded => SUCCEEDED.to_owned(),
            Standing::AsksForNoImport => format!(
                "its message asks for no import and would fail again; send a correct one, and drop this one, which `{}` lists",
                command("dlq list", "--error Message.Invalid")
            ),
            Standing::Contradicts => format!(
                "its message asks for something else than the import that has its id, and would fail again; send it with another import_id, \
                 and drop this one, which `{}` lists",
                command("dlq list", "--error Import.Contradiction")
            ),
            Standing::Expired => format!(
                "it ended more than 14 days ago, which is too long for Step Functions; `{}` starts a new execution, if \
                 its message is still there; else import the file again",
                command("dlq redrive", called)
            ),
            Standing::OfAnotherDatabase(name) => format!(
                "its import is for {name}: name that database by --database-url or DATABASE_URL; where that one has moved and is the one \
                 that is named now, `{}` says so",
                command("up", "--database-moved")
            ),
            Standing::Undone(status) => format!(
                "it has succeeded, but in the database it is {status}, as it was before: the database may have been brought back from a \
                 backup; `{}` or `{}` with the same file, options and --id imports it again",
                command("run", "FILE"),
                command("submit", "FILE")
            ),
            Standing::Refused(reason) => format!(
                "Step Functions says: {reason}; `{}` starts a new execution with its message",
                command("dlq redrive", called)
            ),
        })
    }
}

fn standing(described: &DescribeExecutionOutput, now: DateTime<Utc>) -> Standing {
    match described.status {
        ExecutionStatus::Running | ExecutionStatus::PendingRedrive => return Standing::Running,
        ExecutionStatus::Succeeded => return Standing::Succeeded,
        _ => {}
    }
    if described.error.as_deref() == Some(FailureName::MessageInvalid.as_str()) {
        return Standing::AsksForNoImport;
    }
    if described.error.as_deref() == Some(FailureName::Contradiction.as_str()) {
        return Standing::Contradicts;
    }
    if described.stop_date.as_ref().is_some_and(|stopped| time(stopped) + REDRIVABLE < now) {
        return Standing::Expired;
    }
    match &described.redrive_status {
        Some(ExecutionRedriveStatus::NotRedrivable) => {
            let reason = described.redrive_status_reason.clone();
            Standing::Refused(reason.unwrap_or_else(|| "the execution cannot be redriven".to_owned()))
        }
        _ => Standing::Redrivable,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use aws_sdk_sfn::operation::describe_execution::builders::DescribeExecutionOutputBuilder;
    use aws_sdk_sfn::primitives;

    const NAME: &str = "people-1-f3f2a1de-6c1f-4a9e-8f6a-0a8d8f0d7a11";

    fn described(status: ExecutionStatus) -> DescribeExecutionOutputBuilder {
        let date = primitives::DateTime::from_secs(1_000_000);
        DescribeExecutionOutput::builder()
            .execution_arn(format!("arn:aws:states:r:1:execution:import:{NAME}"))
            .state_machine_arn("arn")
            .status(status)
            .start_date(date)
            .stop_date(date)
    }

    /// An execution as it was described at `now`.
    pub(crate) fn read(described: DescribeExecutionOutputBuilder, days_later: i64) -> Execution {
        let now = DateTime::from_timestamp(1_000_001, 0).unwrap() + TimeDelta::days(days_later);
        Execution::read(described.build().unwrap(), now)
    }

    fn objection(execution: &Execution) -> String {
        execution.objection(&|verb, id| format!("baton {verb} {id}")).unwrap_or_default()
    }

    /// An execution that failed with this error.
    pub(crate) fn failed(error: &str) -> Execution {
        read(described(ExecutionStatus::Failed).error(error).cause("why"), 1)
    }

    #[test]
    fn a_failed_execution_can_be_redriven_for_14_days() {
        let execution = failed("Import.TableMissing");
        assert_eq!((execution.called(), execution.name()), ("people-1", NAME));
        assert_eq!(execution.standing, Standing::Redrivable);
        let late = read(described(ExecutionStatus::Failed).error("Import.TableMissing"), 14);
        assert!(
            objection(&late).contains("14 days") && objection(&late).contains("baton dlq redrive people-1")
        );
    }

    #[test]
    fn a_success_of_the_same_id_in_another_database_is_none_of_this_import() {
        let mut here = failed("Import.TableMissing");
        let other = Standing::OfAnotherDatabase("sqlite a.db".to_owned());
        let mut elsewhere = Execution { standing: other.clone(), ..here.clone() };
        for execution in [&mut here, &mut elsewhere] {
            execution.heed_success(Some("another"));
        }
        assert_eq!((here.standing, elsewhere.standing), (Standing::Succeeded, other));
    }

    #[test]
    fn a_message_that_contradicts_an_import_is_not_done_when_that_import_is() {
        let mut contradicts = failed("Import.Contradiction");
        contradicts.heed_success(Some("another"));
        assert_eq!(contradicts.standing, Standing::Contradicts);
        assert!(objection(&contradicts).contains("send it with another import_id"));
    }

    #[test]
    fn what_is_not_redriven_is_said_to_be_what_it_is() {
        let running = read(described(ExecutionStatus::Running), 0);
        assert_eq!(objection(&running), "it is running; `baton show people-1` tells how it goes");
        assert_eq!(running.error, None);
        assert!(objection(&read(described(ExecutionStatus::Succeeded), 0)).contains("succeeded already"));
        let full = described(ExecutionStatus::TimedOut)
            .redrive_status(ExecutionRedriveStatus::NotRedrivable)
            .redrive_status_reason("Execution history event limit exceeded");
        let full = read(full, 0);
        assert!(objection(&full).contains("Step Functions says: Execution history event limit exceeded;"));
        assert_eq!(full.error.as_deref(), Some("States.TIMED_OUT"));
    }

    #[test]
    fn a_failed_execution_whose_import_another_one_has_brought_has_nothing_left_to_do() {
        let standing_after = |by: Option<&str>, mut execution: Execution| {
            execution.heed_success(by);
            execution.standing
        };
        let failed = failed("Import.TooManyRejects");
        assert_eq!(standing_after(Some("another"), failed.clone()), Standing::Succeeded);
        let own = failed.arn.clone();
        assert_eq!(standing_after(Some(&own), failed.clone()), Standing::Redrivable, "it can end so, too");
        assert_eq!(standing_after(None, failed), Standing::Redrivable);
        let running = read(described(ExecutionStatus::Running), 0);
        assert_eq!(standing_after(Some("another"), running), Standing::Running);
    }

    #[test]
    fn a_message_that_asks_for_no_import_is_not_worth_a_redrive() {
        let execution = failed("Message.Invalid");
        assert_eq!((&execution.import_id, execution.called()), (&None, NAME));
        assert!(objection(&execution).contains("asks for no import"));
    }
}
