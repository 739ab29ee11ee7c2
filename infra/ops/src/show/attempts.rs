//! The attempts at an import as its database keeps them, each with the end of its container.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use worker::imports::AttemptRow;

use super::containers::{self, ContainerEnd};
use super::execution::{AttemptPicture, ExecutionPicture};
use crate::target::Target;

/// Digits of a task's id.
const TASK_ID_DIGITS: usize = 32;

/// One attempt at an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptAttempt {
    /// Its number.
    pub attempt: i32,
    /// The execution that it was made for; an import may have had several.
    pub execution_arn: String,
    /// The worker as it named itself: its ECS task by ARN or id, or its host.
    pub(crate) worker: String,
    /// Its ECS task, where that is known.
    pub(crate) task_arn: Option<String>,
    /// The version of the worker, where that has said so.
    pub(crate) version: Option<String>,
    /// When it claimed the import.
    pub started_at: DateTime<Utc>,
    /// When it ended, or was found to have ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// `SUCCESS`, the failure's name, or `REPLACED` where the next attempt found it open; null while it is open.
    pub ended_as: Option<String>,
    /// The failure in words.
    pub cause: Option<String>,
    /// Rows that it has loaded.
    pub rows: i64,
    /// Rows that it has rejected.
    pub rejects: i64,
    pub(crate) bytes: i64,
    /// How its container ended, as far as the history tells or ECS remembers.
    pub(crate) exit_code: Option<i32>,
    pub(crate) stopped_reason: Option<String>,
}

/// The attempts with the ends of their containers. `execution` is the one whose history was read; the others' tasks are
/// asked for.
pub(crate) async fn gather(
    target: &Target,
    rows: Vec<AttemptRow>,
    execution: Option<&ExecutionPicture>,
) -> Vec<KeptAttempt> {
    let mut attempts: Vec<_> = rows.into_iter().map(|row| KeptAttempt::of(row, execution)).collect();
    let unknown: Vec<_> = attempts
        .iter()
        .filter(|attempt| attempt.exit_code.is_none() && attempt.stopped_reason.is_none())
        .filter_map(|attempt| attempt.asked_for())
        .collect();
    let ends = containers::remembered(target, &unknown).await;
    attempts.iter_mut().for_each(|attempt| attempt.learn(&ends));
    attempts
}

impl KeptAttempt {
    fn of(row: AttemptRow, execution: Option<&ExecutionPicture>) -> Self {
        let mut attempt = Self {
            attempt: row.attempt,
            task_arn: row.worker.starts_with("arn:").then(|| row.worker.clone()),
            execution_arn: row.execution_arn,
            worker: row.worker,
            version: row.version,
            started_at: row.started_at.and_utc(),
            finished_at: row.finished_at.map(|at| at.and_utc()),
            ended_as: row.ended_as.as_str().map(str::to_owned),
            cause: row.cause,
            rows: row.rows_done,
            rejects: row.rejects,
            bytes: row.bytes_done,
            exit_code: None,
            stopped_reason: None,
        };
        if let Some(execution) = execution.filter(|execution| execution.arn == attempt.execution_arn)
            && let Some(task) = attempt.task_in(execution)
        {
            attempt.task_arn.clone_from(&task.task_arn);
            attempt.exit_code = task.exit_code;
            attempt.stopped_reason.clone_from(&task.stopped_reason);
        }
        attempt
    }

    /// Its task in the history: the one with its name or, where the worker knew no more than its host, the one at whose
    /// time it began.
    fn task_in<'a>(&self, execution: &'a ExecutionPicture) -> Option<&'a AttemptPicture> {
        let mut tasks = execution.states.iter().flat_map(|state| &state.attempts);
        let named = |task: &AttemptPicture| {
            let arn = task.task_arn.as_deref().unwrap_or_default();
            !arn.is_empty() && (arn == self.worker || id_of(arn) == self.worker)
        };
        let at_its_time = |task: &&AttemptPicture| {
            let began = task.scheduled_at.is_some_and(|at| at <= self.started_at);
            task.task_arn.is_some() && began && task.ended_at.is_none_or(|end| self.started_at < end)
        };
        let by_name = tasks.clone().find(|task| named(task));
        let names_a_task = self.worker.starts_with("arn:") || is_task_id(&self.worker);
        if names_a_task { by_name } else { by_name.or_else(|| tasks.find(at_its_time)) }
    }

    /// What ECS can be asked for.
    fn asked_for(&self) -> Option<String> {
        self.task_arn.clone().or_else(|| is_task_id(&self.worker).then(|| self.worker.clone()))
    }

    fn learn(&mut self, ends: &HashMap<String, ContainerEnd>) {
        if self.exit_code.is_some() || self.stopped_reason.is_some() {
            return;
        }
        let found = ends
            .iter()
            .find(|(arn, _)| Some(arn.as_str()) == self.task_arn.as_deref() || id_of(arn) == self.worker);
        if let Some((arn, end)) = found {
            self.task_arn = Some(arn.clone());
            self.exit_code = end.exit_code;
            self.stopped_reason.clone_from(&end.stopped_reason);
        }
    }

    /// The worker, short enough for a table.
    pub fn called(&self) -> &str {
        id_of(&self.worker)
    }

    /// The end of its container for a person.
    pub fn container(&self) -> String {
        ContainerEnd { exit_code: self.exit_code, stopped_reason: self.stopped_reason.clone() }.describe()
    }
}

fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn is_task_id(worker: &str) -> bool {
    worker.len() == TASK_ID_DIGITS && worker.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::execution::StatePicture;
    use worker::ledger::Ended;

    const ARN: &str = "arn:aws:ecs:eu-west-1:123456789012:task/baton/cd189a933e5849daa93386466019ab50";

    fn row(worker: &str, second: i64) -> AttemptRow {
        AttemptRow {
            attempt: 1,
            execution_arn: "arn".to_owned(),
            worker: worker.to_owned(),
            started_at: at(second).naive_utc(),
            finished_at: None,
            ended_as: Ended::Replaced,
            cause: None,
            rows_done: 0,
            rejects: 0,
            bytes_done: 0,
            version: None,
        }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn task(arn: &str, from: i64, to: i64, exit_code: i32) -> AttemptPicture {
        AttemptPicture {
            task_arn: Some(arn.to_owned()),
            scheduled_at: Some(at(from)),
            ended_at: Some(at(to)),
            exit_code: Some(exit_code),
            ..AttemptPicture::default()
        }
    }

    #[test]
    fn an_attempt_finds_its_task_by_name_or_by_its_time() {
        let other = "arn:aws:ecs:eu-west-1:123456789012:task/baton/ffffffffffffffffffffffffffffffff";
        let state = StatePicture {
            name: "RunImport".to_owned(),
            entered_at: at(0),
            exited_at: None,
            attempts: vec![task(other, 0, 10, 1), task(ARN, 20, 30, 137)],
        };
        let execution = ExecutionPicture {
            arn: "arn".to_owned(),
            status: "RUNNING".to_owned(),
            started_at: at(0),
            stopped_at: None,
            redrives: 0,
            error: None,
            cause: None,
            states: vec![state],
        };
        let found = |worker: &str, second| KeptAttempt::of(row(worker, second), Some(&execution));
        assert_eq!(found(ARN, 5).exit_code, Some(137));
        assert_eq!(found("cd189a933e5849daa93386466019ab50", 5).task_arn.as_deref(), Some(ARN));
        assert_eq!(found("ip-10-0-0-1", 25).exit_code, Some(137));
        assert_eq!(found("ip-10-0-0-1", 5).exit_code, Some(1));
        assert_eq!(found("ip-10-0-0-1", 15).exit_code, None);
        assert_eq!(found("00000000000000000000000000000000", 25).exit_code, None);
        // Of another execution, whose history was not read.
        let elsewhere = AttemptRow { execution_arn: "another".to_owned(), ..row(ARN, 25) };
        let mut elsewhere = KeptAttempt::of(elsewhere, Some(&execution));
        assert_eq!((elsewhere.exit_code, elsewhere.asked_for().as_deref()), (None, Some(ARN)));
        elsewhere.learn(&HashMap::from([(
            ARN.to_owned(),
            ContainerEnd { exit_code: Some(3), stopped_reason: None },
        )]));
        assert_eq!(elsewhere.exit_code, Some(3));
    }
}
