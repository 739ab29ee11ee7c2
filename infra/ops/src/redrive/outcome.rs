//! What became of one id or execution that was to be redriven. Its JSON is what `--json` prints.

use serde::Serialize;

use crate::executions::{Execution, Standing};
use crate::numbers;
use crate::text::{as_fact, visible};

/// What became of one execution.
#[derive(Debug, Serialize)]
pub struct RedriveOutcome {
    /// The import, where it is known.
    pub import_id: Option<String>,
    /// `None` where nothing is known of the id.
    pub execution_arn: Option<String>,
    /// The result in a word.
    pub result: RedriveResult,
    /// Of the execution.
    pub(crate) status: Option<String>,
    /// How often it was redriven, this time included.
    pub(crate) redrives: i32,
    /// The import's rows and attempts, as its row tells them.
    pub rows: Option<i64>,
    /// The import's attempts, as its row tells them.
    pub attempt: Option<i32>,
    /// The name of the failure, of one that has failed.
    pub error: Option<String>,
    /// The failure in words.
    pub cause: Option<String>,
    /// Why it was not redriven, and what to do instead; or that its success is another execution's.
    pub reason: Option<String>,
    /// How many copies of its message were deleted from the dead-letter queue.
    pub(crate) dead_letters_deleted: usize,
}

/// The result in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RedriveResult {
    /// It has succeeded.
    Succeeded,
    /// It has failed, again where it was redriven.
    Failed,
    /// It runs again, and was not waited for.
    Redriven,
    /// It had succeeded before.
    HadSucceeded,
    /// It was not redriven.
    NotRedriven,
}

impl RedriveOutcome {
    /// Nothing is known of this id.
    pub fn unknown(id: &str, reason: String) -> Self {
        Self {
            import_id: Some(id.to_owned()),
            execution_arn: None,
            result: RedriveResult::NotRedriven,
            status: None,
            redrives: 0,
            rows: None,
            attempt: None,
            error: None,
            cause: None,
            reason: Some(reason),
            dead_letters_deleted: 0,
        }
    }

    /// It was not redriven.
    pub(crate) fn objected(execution: &Execution, reason: String) -> Self {
        let result = match execution.standing {
            Standing::Succeeded => RedriveResult::HadSucceeded,
            _ => RedriveResult::NotRedriven,
        };
        Self { reason: Some(reason), ..Self::of(execution, result) }
    }

    /// It runs again.
    pub fn left(execution: &Execution) -> Self {
        let redriven = Self::of(execution, RedriveResult::Redriven);
        let status = Some("RUNNING".to_owned());
        Self { status, redrives: execution.redrives + 1, error: None, cause: None, ..redriven }
    }

    /// It has ended.
    pub fn ended(execution: &Execution) -> Self {
        let succeeded = execution.standing == Standing::Succeeded;
        Self::of(execution, if succeeded { RedriveResult::Succeeded } else { RedriveResult::Failed })
    }

    fn of(execution: &Execution, result: RedriveResult) -> Self {
        Self {
            import_id: execution.import_id.clone(),
            execution_arn: Some(execution.arn.clone()),
            result,
            status: Some(execution.status.clone()),
            redrives: execution.redrives,
            error: execution.error.clone(),
            cause: execution.cause.clone(),
            rows: None,
            attempt: None,
            reason: None,
            dead_letters_deleted: 0,
        }
    }

    /// Whether it is as it was wished for.
    pub fn is_well(&self) -> bool {
        !matches!(self.result, RedriveResult::Failed | RedriveResult::NotRedriven)
    }

    /// Whether its dead letter has no purpose any more.
    pub(crate) fn has_succeeded(&self) -> bool {
        matches!(self.result, RedriveResult::Succeeded | RedriveResult::HadSucceeded)
    }

    fn called(&self) -> &str {
        let name = || Some(self.execution_arn.as_deref()?.rsplit(':').next().unwrap_or_default());
        self.import_id.as_deref().or_else(name).unwrap_or_default()
    }

    /// The lines for a person. `advice` is what to do about a failure.
    pub fn lines(&self, advice: Option<&str>) -> Vec<String> {
        let called = visible(self.called());
        let copies = match self.dead_letters_deleted {
            0 => "",
            1 => "; its dead letter is deleted",
            _ => "; its dead letters are deleted",
        };
        let reason = self.reason.as_deref().unwrap_or_default();
        let headline = match self.result {
            RedriveResult::Succeeded => {
                let rows = self.rows.map(rows).unwrap_or_default();
                let attempt = self.attempt.map(|attempt| format!(", attempt {attempt}")).unwrap_or_default();
                format!("{called}: SUCCEEDED{rows}{attempt}{}{copies}", other(reason))
            }
            RedriveResult::Failed => {
                let status = self.status.as_deref().unwrap_or("FAILED");
                // One that a stack went on with may not have failed before.
                let again = if self.redrives > 0 { " again" } else { "" };
                format!(
                    "{called}: {status}{again} with {}",
                    visible(self.error.as_deref().unwrap_or_default())
                )
            }
            RedriveResult::Redriven => format!("{called}: redriven"),
            RedriveResult::HadSucceeded => format!("{called}: {reason}{copies}"),
            RedriveResult::NotRedriven => format!("{called}: not redriven: {}", visible(reason)),
        };
        let mut lines = vec![headline];
        if self.result == RedriveResult::Failed {
            lines.extend(self.cause.iter().map(|cause| as_fact("cause", cause)));
            lines.extend(advice.map(|advice| as_fact("next", advice)));
        }
        lines
    }
}

fn rows(number: i64) -> String {
    match number {
        1 => ", 1 row".to_owned(),
        number => format!(", {} rows", numbers::count(number.try_into().unwrap_or(0))),
    }
}

fn other(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executions::tests::failed;

    #[test]
    fn each_outcome_is_a_line_that_says_what_it_is() {
        let execution = failed("Import.TableMissing");
        let lines = |outcome: RedriveOutcome| outcome.lines(Some("mend it")).join("\n");
        let mut succeeded =
            RedriveOutcome { result: RedriveResult::Succeeded, ..RedriveOutcome::ended(&execution) };
        (succeeded.rows, succeeded.attempt, succeeded.dead_letters_deleted) = (Some(5000), Some(2), 1);
        assert_eq!(
            lines(succeeded),
            "people-1: SUCCEEDED, 5,000 rows, attempt 2; its dead letter is deleted"
        );
        for (redrives, again) in [(0, ""), (1, " again")] {
            assert_eq!(
                lines(RedriveOutcome::ended(&Execution { redrives, ..execution.clone() })),
                format!(
                    "people-1: FAILED{again} with Import.TableMissing\n  cause     why\n  next      mend it"
                )
            );
        }
        let left = RedriveOutcome::left(&execution);
        assert_eq!((left.redrives, left.status.as_deref()), (1, Some("RUNNING")));
        assert_eq!(lines(left), "people-1: redriven");
        let objected = RedriveOutcome::objected(&execution, "it is running".to_owned());
        assert!(!objected.is_well());
        assert_eq!(lines(objected), "people-1: not redriven: it is running");
        assert_eq!(
            lines(RedriveOutcome::unknown("x\u{1b}", "unknown".to_owned())),
            "x\\u{1b}: not redriven: unknown"
        );
    }
}
