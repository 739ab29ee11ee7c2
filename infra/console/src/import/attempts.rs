//! The attempts at the import: those that claimed it, and containers that ended, or never came, before they could.

use std::collections::HashMap;

use aws_sdk_ecs::types::Task;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use ops::numbers::{count, duration};
use worker::imports::AttemptRow;
use worker::ledger::Ended;

use super::address::Address;
use super::head::unsigned;
use super::page_data::{PageData, Shown};
use crate::layout::{self, Column};
use crate::state::Console;
use crate::story::Try;

/// As many are shown unless all are asked for, and then.
const SHOWN: usize = 10;
const MOST: usize = 500;
/// The most tasks that `DescribeTasks` takes.
const TASKS: usize = 100;
/// How much the clocks of the database and of Step Functions may differ.
const CLOCKS: TimeDelta = TimeDelta::seconds(2);

/// One attempt, as the ledger, the history or both tell it.
#[derive(Debug, PartialEq)]
struct Line {
    /// None where nobody claimed the import.
    number: Option<i32>,
    /// The worker's ECS task, or its host.
    worker: Option<String>,
    began: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    /// `SUCCESS`, the error's name; none while it runs.
    ended_as: Option<String>,
    cause: Option<String>,
    rows: Option<i64>,
}

pub(super) async fn section(console: &Console, address: &Address, data: &PageData) -> anyhow::Result<Markup> {
    let (arn, tries) = data.shown.as_ref().map(containers).unwrap_or_default();
    let mut lines = lines(arn, tries, &data.attempts);
    let all = lines.len();
    let wants_all = address.get("attempts").is_some();
    lines.truncate(if wants_all { MOST } else { SHOWN });
    let tasks = tasks(console, &lines).await;
    Ok(html! {
        section.panel #attempts {
            div.panel-head {
                h2 { "Attempts" }
                @if lines.len() < all && !wants_all {
                    a href=(address.link(&[("attempts", Some("all"))], "attempts")) { "All " (count(all as u64)) }
                }
            }
            @if lines.is_empty() { (layout::empty("No attempt yet", "A worker has not been started.")) } @else { (table(address, &lines, &tasks)) }
        }
    })
}

fn table(address: &Address, lines: &[Line], tasks: &HashMap<String, Task>) -> Markup {
    let columns = [
        Column::number("Attempt"),
        Column::wide("Result"),
        Column::new("Began"),
        Column::number("Took"),
        Column::number("Rows"),
        Column::new("Worker"),
        Column::new("Container"),
    ];
    let rows = lines.iter().map(|line| {
        let task = line.worker.as_deref().and_then(|worker| tasks.get(id_of(worker)));
        let took = (line.ended.unwrap_or_else(Utc::now) - line.began).to_std().unwrap_or_default();
        [
            html! { @match line.number { Some(number) => (number), None => span.quiet { "–" } } },
            result(line),
            layout::exact(line.began),
            html! { (duration(took)) },
            html! { @if let Some(rows) = line.rows { (count(unsigned(rows))) } },
            worker(address, line),
            html! { @if let Some(task) = task { (container(task)) } },
        ]
    });
    layout::table("The attempts at this import, the latest first", &columns, rows)
}

fn result(line: &Line) -> Markup {
    let (class, mark) = match line.ended_as.as_deref() {
        None => ("runs", "run"),
        Some("SUCCESS") => ("good", "tick"),
        Some("REPLACED") => ("", "none"),
        Some(_) => ("bad", "cross"),
    };
    let word = match line.ended_as.as_deref() {
        None => "running".to_owned(),
        Some("SUCCESS") => "success".to_owned(),
        Some("REPLACED") => "replaced".to_owned(),
        Some(error) => layout::text(error),
    };
    html! {
        div {
            span class=(format!("status {class}")) { (layout::icon(mark)) (word) }
            @if let Some(cause) = line.cause.as_deref().and_then(|cause| cause.lines().next()) {
                span.cause { (layout::text(cause.trim_end_matches(':'))) }
            }
        }
    }
}

fn worker(address: &Address, line: &Line) -> Markup {
    let Some(worker) = &line.worker else { return html! { span.quiet { "–" } } };
    let id = id_of(worker);
    html! {
        span.worker {
            code title=(layout::text(worker)) { (layout::text(&ops::text::cut(id, 14))) }
            " " a href=(address.link(&[("log", Some(id))], "log")) { "Log" }
        }
    }
}

/// How ECS says that the container ended.
fn container(task: &Task) -> Markup {
    let code = task.containers().first().and_then(aws_sdk_ecs::types::Container::exit_code);
    html! {
        div {
            @if let Some(code) = code { "exit code " (code) }
            @if let Some(reason) = task.stopped_reason() { span.cause { (layout::text(reason)) } }
        }
    }
}

/// A task's id, of its ARN or as it is.
pub(super) fn id_of(worker: &str) -> &str {
    worker.rsplit('/').next().unwrap_or(worker)
}

/// What ECS remembers of the workers. It forgets a task after about an hour; a page is no worse for it.
async fn tasks(console: &Console, lines: &[Line]) -> HashMap<String, Task> {
    let workers: Vec<_> = lines.iter().filter_map(|line| line.worker.clone()).take(TASKS).collect();
    if workers.is_empty() {
        return HashMap::new();
    }
    let target = &console.target;
    let described = target
        .ecs
        .describe_tasks()
        .cluster(&target.resources.cluster_arn)
        .set_tasks(Some(workers))
        .send()
        .await;
    let tasks = described.ok().and_then(|described| described.tasks).unwrap_or_default();
    tasks.into_iter().filter_map(|task| Some((id_of(task.task_arn()?).to_owned(), task))).collect()
}

/// All attempts, the latest first. A try of the execution `arn` is the attempt that was claimed during it.
fn lines(arn: &str, mut tries: Vec<&Try>, attempts: &[AttemptRow]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for attempt in attempts {
        let started = attempt.started_at.and_utc();
        let is_during = |one: &&Try| {
            one.scheduled_at <= started + CLOCKS && one.ended_at.is_none_or(|ended| started <= ended + CLOCKS)
        };
        let of_history = if attempt.execution_arn == arn { tries.iter().position(is_during) } else { None };
        let of_history = of_history.map(|place| tries.remove(place));
        lines.push(Line::new(attempt, of_history));
    }
    lines.extend(tries.into_iter().map(|one| Line {
        number: None,
        worker: one.task_arn.clone(),
        began: one.scheduled_at,
        ended: one.ended_at,
        ended_as: one.ended_at.map(|_| one.error.clone().unwrap_or_else(|| "SUCCESS".to_owned())),
        cause: one.cause.clone(),
        rows: None,
    }));
    lines.sort_by_key(|line| std::cmp::Reverse(line.began));
    lines
}

impl Line {
    /// What the ledger says of an attempt, and the history where the ledger does not know its end.
    fn new(attempt: &AttemptRow, of_history: Option<&Try>) -> Self {
        let ended_as = match (&attempt.ended_as, of_history) {
            (Ended::Failure(_) | Ended::Success, _) | (_, None) => {
                attempt.ended_as.as_str().map(str::to_owned)
            }
            (_, Some(one)) => one.error.clone().or_else(|| attempt.ended_as.as_str().map(str::to_owned)),
        };
        Self {
            number: Some(attempt.attempt),
            worker: Some(attempt.worker.clone()),
            began: attempt.started_at.and_utc(),
            ended: attempt.finished_at.map(|at| at.and_utc()).or(of_history.and_then(|one| one.ended_at)),
            ended_as,
            cause: attempt.cause.clone().or_else(|| of_history.and_then(|one| one.cause.clone())),
            rows: Some(attempt.rows_done),
        }
    }
}

/// An execution, and its tries that run a container.
fn containers(shown: &Shown) -> (&str, Vec<&Try>) {
    let states = shown.graph.as_ref().map(|graph| graph.states.as_slice()).unwrap_or_default();
    let is_container = |one: &&Try| {
        states.iter().any(|state| {
            state.name == one.state && state.detail.as_ref().is_some_and(|detail| detail.starts_with("ecs:"))
        })
    };
    (&shown.execution.arn, shown.story.tries.iter().filter(is_container).collect())
}

#[cfg(test)]
mod tests;
