//! What those on call have: the lines of Lambda and worker, the metrics in them, and the trace that they belong to.

mod metric_format;
mod metrics;
mod trace;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::front::Answer;
use e2e::stack::Sent;
use e2e::{Backend, TestStack, secrets, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::faults::{MANY, signal, submit_to_slow_table};

/// The lines of a program's log, each of which must be an object of JSON.
struct Lines(Vec<Value>);

impl Lines {
    /// Those of the function.
    fn of_the_function(stack: &TestStack) -> Self {
        Self::read(&stack.data_dir().join("stack/logs/start-import.log"))
    }

    /// Those of all workers, one container after the other, once all of them have left.
    async fn of_the_workers(stack: &TestStack) -> Vec<Self> {
        let look = async || stack.workers();
        wait::until("the workers to leave", look, Vec::is_empty).await;
        let files = std::fs::read_dir(stack.data_dir().join("stack/logs")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        files.filter(|file| !file.ends_with("start-import.log")).map(|file| Self::read(&file)).collect()
    }

    fn read(file: &std::path::Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let line = |line: &str| match serde_json::from_str(line) {
            Ok(Value::Object(fields)) => Value::Object(fields),
            other => panic!("{}: {line:?} is {other:?}", file.display()),
        };
        Self(text.lines().map(line).collect())
    }

    /// Those in which a field has this value.
    fn with<'a>(&'a self, field: &'a str, value: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |line| line[field] == value)
    }

    /// The lines that are metrics.
    fn metrics(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(|line| line.get("_aws").is_some())
    }
}

/// Whether a line is about this import and no other: all of its fields are there, and flat.
fn is_about(line: &Value, sent: &Sent) -> bool {
    let message_id = &sent.execution_arn[sent.execution_arn.len() - 36..];
    let has_trace = line["trace_id"].as_str().is_some_and(|id| id.starts_with("1-") && id.len() == 35);
    has_trace
        && line["import_id"] == sent.import_id.as_str()
        && line["execution"] == sent.execution_arn.as_str()
        && line["message_id"] == message_id
        && ["timestamp", "level", "message", "target"].iter().all(|field| line[field].is_string())
        && line.as_object().unwrap().iter().all(|(name, value)| name == "_aws" || !value.is_object())
}

/// An import that is killed once and then succeeds, and one that fails for good.
async fn story(stack: &TestStack) -> (Sent, Sent) {
    let killed = submit_to_slow_table(stack, "killed").await;
    signal(stack, Signal::KILL);
    assert_eq!(stack.ended(&killed.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.count("people"), i64::from(MANY));
    let source = stack.put("uploads/nowhere.csv", "id,name\n1,a\n").await;
    let failed = stack.describe("failed", &source, "nowhere", json!({})).await;
    assert_eq!(stack.ended(&failed.execution_arn).await.status, ExecutionStatus::Failed);
    stack.dead_letter().await;
    (failed, killed)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_about_an_import_has_its_id_its_execution_its_message_and_its_attempt() {
    let stack = TestStack::with(Backend::Sqlite).worker_variable("RUST_LOG", "debug").behind_front();
    let stack = stack.start().await;
    // What is said beside the thread that works: the source is fetched by a task of its own.
    stack.front().answer_times(
        1,
        |asked| asked.reads("uploads/people.csv"),
        Answer::CutBody { after: 100_000 },
    );
    let (failed, killed) = story(&stack).await;

    let function = Lines::of_the_function(&stack);
    for sent in [&failed, &killed] {
        let message_id = &sent.execution_arn[sent.execution_arn.len() - 36..];
        let of_message: Vec<_> = function.with("message_id", message_id).collect();
        assert!(of_message.iter().all(|line| is_about(line, sent)), "{of_message:#?}");
        let decisions: Vec<_> = of_message.iter().filter_map(|line| line["decision"].as_str()).collect();
        assert_eq!(decisions, ["started"]);
    }
    // What is not about one message is about an invocation.
    let others = function.0.iter().filter(|line| line.get("message_id").is_none());
    assert!(others.clone().count() > 0 && others.clone().all(|line| line["requestId"].is_string()));

    let workers = Lines::of_the_workers(&stack).await;
    let mut attempts = Vec::new();
    for lines in &workers {
        let sent = if lines.with("import_id", "failed").next().is_some() { &failed } else { &killed };
        let stray: Vec<_> = lines.0.iter().filter(|line| !is_about(line, sent)).collect();
        assert!(stray.is_empty(), "{stray:#?}");
        // Before the claim there is no attempt to speak of; from the claim on every line has it.
        let begun = |line: &Value| line["message"].as_str().unwrap().starts_with("Claimed the import");
        let claim = lines.0.iter().position(begun).unwrap();
        let (before, after) = lines.0.split_at(claim);
        assert!(!before.is_empty() && before.iter().all(|line| line.get("attempt").is_none()), "{before:#?}");
        let attempt = after[0]["attempt"].as_i64().unwrap();
        assert!(after.iter().all(|line| line["attempt"] == attempt), "{after:#?}");
        attempts.push((sent.import_id.as_str(), attempt));
    }
    let broke_off =
        |line: &&Value| line["message"].as_str().unwrap().starts_with("Reading the source broke off");
    assert_eq!(workers.iter().flat_map(|lines| &lines.0).filter(broke_off).count(), 1);
    attempts.sort_unstable();
    assert_eq!(attempts, [("failed", 1), ("killed", 1), ("killed", 2)]);
    assert_eq!(secrets::find(&stack.data_dir().join("stack/logs"), &[stack.database_url()]), [""; 0]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_warnings_alone_has_the_metrics_all_the_same() {
    let stack = TestStack::with(Backend::Sqlite).worker_variable("RUST_LOG", "warn").start().await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n").await;
    let sent = stack.describe("quiet", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    let workers = Lines::of_the_workers(&stack).await;
    // Nothing was wrong: the metrics are all that is written, with the fields of the import.
    let lines: Vec<_> = workers.iter().flat_map(|lines| &lines.0).collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(is_about(lines[0], &sent) && lines[0].get("_aws").is_some(), "{lines:#?}");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_writes_about_as_many_bytes_of_log_as_the_simulation_of_cost_counts() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n").await;
    let sent = stack.describe("people-1", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    let workers = Lines::of_the_workers(&stack).await;
    let function = Lines::of_the_function(&stack);
    let lines = workers.iter().flat_map(|lines| &lines.0).chain(function.with("import_id", "people-1"));
    let written: usize = lines.map(|line| line.to_string().len()).sum();
    let cost = std::fs::read_to_string(crate::workspace::top().join("infra/aws/cost.py")).unwrap();
    let (_, counted) = cost.split_once("\nLOG_BYTES = ").unwrap();
    let counted = counted.split_once(' ').unwrap().0.replace('_', "");
    let counted: usize = counted.parse().unwrap();
    // Names are longer on AWS, and an invocation has lines of its own for each batch.
    assert!((counted / 2..counted).contains(&written), "{written} bytes were written, {counted} are counted");
    stack.audit().await;
}
