//! What became of an import that was to be cancelled. Its JSON is what `--json` prints.

use chrono::{DateTime, Utc};
use serde::Serialize;
use statemachine::JobId;
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use super::stop::CANCELLED;
use crate::executions::{Execution, Standing};
use crate::numbers;
use crate::show::message::MessageFate;
use crate::text::{as_fact, visible};

/// What became of one import.
#[derive(Debug, Serialize)]
pub struct CancelOutcome {
    pub(crate) import_id: String,
    pub(crate) result: CancelResult,
    /// What the import's row says now; none where it has none.
    pub(crate) status: Option<String>,
    /// Rows in the table: none unless it was too late.
    pub(crate) rows: i64,
    /// Why it was not cancelled, and what to do instead.
    pub(crate) reason: Option<String>,
    /// The executions that were open.
    pub(crate) executions: Vec<Stopped>,
}

/// The result in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelResult {
    /// Stopped, and no row of it is in the table.
    Cancelled,
    /// Its worker committed, or the executions ended by themselves, before they could be stopped.
    TooLate,
    /// Nothing was stopped.
    NotCancelled,
}

/// An execution that was asked to stop, as it ended.
#[derive(Debug, Serialize)]
pub(crate) struct Stopped {
    pub(crate) execution_arn: String,
    pub(crate) status: String,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) message: Option<MessageFate>,
    #[serde(skip)]
    has_succeeded: bool,
    #[serde(skip)]
    stopped_at: Option<DateTime<Utc>>,
}

impl Stopped {
    pub(super) fn of(execution: Execution, message: Option<MessageFate>) -> Self {
        Self {
            has_succeeded: execution.standing == Standing::Succeeded,
            stopped_at: execution.stopped_at,
            execution_arn: execution.arn,
            status: execution.status,
            error: execution.error,
            cause: execution.cause,
            message,
        }
    }

    fn was_cancelled(&self) -> bool {
        self.error.as_deref() == Some(CANCELLED)
    }
}

impl CancelOutcome {
    /// Nothing was stopped.
    pub(super) fn not_cancelled(id: &JobId, row: Option<&ImportRow>, reason: String) -> Self {
        Self { result: CancelResult::NotCancelled, reason: Some(reason), ..Self::of(id, row, Vec::new()) }
    }

    /// The executions were asked to stop, and have ended.
    pub(super) fn of(id: &JobId, row: Option<&ImportRow>, executions: Vec<Stopped>) -> Self {
        let committed = row.filter(|row| row.status == JobStatus::Success);
        let was_cancelled = executions.iter().any(Stopped::was_cancelled);
        // By a redrive, beside whoever waited for the end.
        let was_run_again = |row: &ImportRow| {
            let began = row.started_at.map(|at| at.and_utc());
            executions.iter().any(|execution| began > execution.stopped_at && execution.stopped_at.is_some())
        };
        let has_succeeded = executions.iter().any(|execution| execution.has_succeeded);
        let (result, reason) = match committed {
            Some(row) if was_cancelled && was_run_again(row) => (
                CancelResult::TooLate,
                Some("it was stopped, and has been run again since: its rows are in the table"),
            ),
            Some(_) if was_cancelled => (
                CancelResult::TooLate,
                Some(
                    "its worker had committed the rows before it was stopped; they are in the table, and its dead \
                     letter can be dropped",
                ),
            ),
            Some(_) => (CancelResult::TooLate, Some("it succeeded before it could be stopped")),
            None if was_cancelled => (CancelResult::Cancelled, None),
            None if has_succeeded => {
                (CancelResult::TooLate, Some("its execution ended before it could be stopped"))
            }
            None => (CancelResult::TooLate, Some("it failed by itself before it could be stopped")),
        };
        Self {
            import_id: id.to_string(),
            result,
            status: row.map(|row| row.status.as_str().to_owned()),
            rows: committed.map_or(0, |row| row.rows_done),
            reason: reason.map(str::to_owned),
            executions,
        }
    }

    /// Whether it is as it was wished for.
    pub fn is_well(&self) -> bool {
        self.result == CancelResult::Cancelled
    }

    /// The lines for a person. `command` makes a command line.
    pub fn lines(&self, command: &dyn Fn(&str, &str) -> String) -> Vec<String> {
        let id = &self.import_id;
        let reason = visible(self.reason.as_deref().unwrap_or_default());
        let mut lines = vec![match self.result {
            CancelResult::Cancelled => format!("{id}: cancelled; no row of it is in the table"),
            CancelResult::TooLate if self.rows > 0 => {
                let rows = numbers::count(self.rows.try_into().unwrap_or(0));
                format!("{id}: too late: {reason} ({rows} rows)")
            }
            CancelResult::TooLate => format!("{id}: too late: {reason}"),
            CancelResult::NotCancelled => format!("{id}: not cancelled: {reason}"),
        }];
        for execution in &self.executions {
            let name = execution.execution_arn.rsplit(':').next().unwrap_or_default();
            let cause = execution.cause.iter().map(|cause| format!(", {cause}"));
            lines.push(as_fact(
                "execution",
                &format!("{name} {}{}", execution.status, cause.collect::<String>()),
            ));
            lines.extend(execution.message.iter().map(|fate| as_fact("message", &fate.describe())));
        }
        if self.result == CancelResult::Cancelled {
            let is_open = |status: &&str| matches!(*status, "PENDING" | "RUNNING");
            if let Some(status) = self.status.as_deref().filter(is_open) {
                // A worker that hangs, or a database that takes no change.
                let left = format!("its row still says {status}: its end could not be written there");
                lines.push(as_fact("note", &left));
            }
            lines.push(as_fact("again", &command("redrive", id)));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::progress::tests::row;

    fn stopped(status: &str, error: Option<&str>) -> Stopped {
        Stopped {
            execution_arn: "arn:aws:states:r:1:execution:import:people-1-m".to_owned(),
            status: status.to_owned(),
            error: error.map(str::to_owned),
            cause: error.map(|_| "cancelled by joe@host".to_owned()),
            message: None,
            has_succeeded: status == "SUCCEEDED",
            stopped_at: None,
        }
    }

    fn of(status: JobStatus, execution: Stopped) -> CancelOutcome {
        CancelOutcome::of(&"people-1".parse().unwrap(), Some(&row(status, 9)), vec![execution])
    }

    /// A row of a success whose last attempt began at the beginning of 1970.
    fn begun() -> ImportRow {
        ImportRow {
            started_at: DateTime::from_timestamp(0, 0).map(|at| at.naive_utc()),
            ..row(JobStatus::Success, 9)
        }
    }

    #[test]
    fn each_outcome_says_what_is_in_the_table() {
        let text =
            |outcome: &CancelOutcome| outcome.lines(&|verb, id| format!("baton {verb} {id}")).join("\n");
        let cancelled = of(JobStatus::Failure, stopped("ABORTED", Some(CANCELLED)));
        assert!(cancelled.is_well());
        assert_eq!(
            text(&cancelled),
            "people-1: cancelled; no row of it is in the table\n\
             \x20 execution people-1-m ABORTED, cancelled by joe@host\n  again     baton redrive people-1"
        );
        let killed = of(JobStatus::Running, stopped("ABORTED", Some(CANCELLED)));
        assert!(text(&killed).contains("its row still says RUNNING"), "{}", text(&killed));
        let committed = of(JobStatus::Success, stopped("ABORTED", Some(CANCELLED)));
        assert!(!committed.is_well());
        assert!(text(&committed).starts_with("people-1: too late: its worker had committed"));
        assert!(text(&committed).contains("(9 rows)"), "{}", text(&committed));
        let redriven =
            Stopped { stopped_at: DateTime::from_timestamp(-1, 0), ..stopped("ABORTED", Some(CANCELLED)) };
        let redriven = CancelOutcome::of(&"people-1".parse().unwrap(), Some(&begun()), vec![redriven]);
        assert!(
            text(&redriven).contains("has been run again since: its rows are in the table"),
            "{}",
            text(&redriven)
        );
        let succeeded = of(JobStatus::Success, stopped("SUCCEEDED", None));
        assert!(text(&succeeded).contains("it succeeded before"), "{}", text(&succeeded));
        let failed = of(JobStatus::Failure, stopped("FAILED", Some("Import.TableMissing")));
        assert!(!failed.is_well() && text(&failed).contains("it failed by itself"), "{}", text(&failed));
    }
}
