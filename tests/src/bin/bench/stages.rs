//! One small import through a stack that is up, stage by stage, by the stack's own timestamps.

use std::path::Path;
use std::time::Duration;

use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use e2e::{Backend, TestStack};
use serde_json::json;

const IMPORTS: usize = 25;

/// The stages in their order; each ends where the next begins.
const STAGES: [&str; 5] = [
    "message sent to execution started",
    "execution started to container asked for",
    "container asked for to worker's first line",
    "worker's first line to report",
    "report to message deleted",
];

/// The moments between the stages, in milliseconds since 1970.
pub(crate) struct Points([f64; 6]);

pub(crate) async fn measure() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let mut all = Vec::new();
    for number in 0..IMPORTS {
        let source = stack.put(&format!("uploads/{number}.csv"), format!("id,name\n{number},a\n")).await;
        let sent_at = now_ms();
        let sent = stack.describe(&format!("bench-{number}"), &source, "people", json!({})).await;
        stack.ended(&sent.execution_arn).await;
        all.push(Points::of(&stack.sfn, stack.data_dir(), &sent.execution_arn, sent_at).await);
    }
    assert_eq!(stack.count("people"), i64::try_from(IMPORTS).unwrap(), "every row is there");
    print(&all);
    stack.audit().await;
}

/// Prints the stages of these imports.
pub(crate) fn print(all: &[Points]) {
    let between = |from: usize, to: usize| {
        let spans = all.iter().map(|points| (points.0[to] - points.0[from]).max(0.0));
        spans.map(|ms| Duration::from_secs_f64(ms / 1000.0)).collect::<Vec<_>>()
    };
    crate::table::row("message sent to worker's first line", between(0, 3));
    for (number, stage) in STAGES.into_iter().enumerate() {
        crate::table::row(&format!("… {stage}"), between(number, number + 1));
    }
}

impl Points {
    /// The moments of an import that took one attempt.
    pub(crate) async fn of(sfn: &Client, data_dir: &Path, execution_arn: &str, sent_at: f64) -> Self {
        let asked = sfn.get_execution_history().execution_arn(execution_arn).send().await;
        let history = asked.expect("the history can be read").events;
        let at = |kind: &HistoryEventType, nth: usize| {
            ms(history.iter().filter(|event| event.r#type == *kind).nth(nth).expect("the history is whole"))
        };
        // The second task of the machine is RunImport, the third DeleteMessage.
        Self([
            sent_at,
            at(&HistoryEventType::ExecutionStarted, 0),
            at(&HistoryEventType::TaskScheduled, 1),
            first_line_ms(data_dir, &history),
            at(&HistoryEventType::TaskSucceeded, 1),
            at(&HistoryEventType::ExecutionSucceeded, 0),
        ])
    }
}

/// When the worker wrote its first line, by the line itself.
fn first_line_ms(data_dir: &Path, history: &[HistoryEvent]) -> f64 {
    let output = history.iter().find_map(|event| event.task_submitted_event_details.as_ref()?.output.clone());
    let output: serde_json::Value =
        serde_json::from_str(&output.expect("RunImport submitted a task")).unwrap();
    let task_id =
        output["Tasks"][0]["TaskArn"].as_str().and_then(|arn| arn.rsplit('/').next()).unwrap().to_owned();
    let log = std::fs::read_to_string(data_dir.join(format!("stack/logs/{task_id}.log"))).unwrap();
    let line: serde_json::Value = serde_json::from_str(log.lines().next().expect("the worker logs")).unwrap();
    let at = chrono::DateTime::parse_from_rfc3339(line["timestamp"].as_str().unwrap()).unwrap();
    micros_to_ms(at.timestamp_micros())
}

fn ms(event: &HistoryEvent) -> f64 {
    event.timestamp.as_secs_f64() * 1000.0
}

/// Now, in milliseconds since 1970.
pub(crate) fn now_ms() -> f64 {
    micros_to_ms(chrono::Utc::now().timestamp_micros())
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit into 52 bits")]
fn micros_to_ms(micros: i64) -> f64 {
    micros as f64 / 1000.0
}
