//! The stories that both interpreters tell: what a definition is started with, and what its calls are answered.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use statemachine::FailureName;

use crate::core::{import_input, message, report};
use crate::dead_letter::{documented_events, recorded_task};

/// What a call is answered.
#[derive(Clone)]
pub(super) enum Answer {
    Return(Value),
    Throw(String, String),
}

/// One execution.
pub(super) struct Story {
    pub(super) name: String,
    pub(super) definition: String,
    pub(super) input: Value,
    /// By state, one for each of its calls.
    pub(super) answers: BTreeMap<&'static str, Vec<Answer>>,
    /// Whether a wait is any time up to the whole interval.
    pub(super) has_jitter: bool,
}

impl Story {
    fn new(name: &str, definition: &str, input: &Value) -> Self {
        let (name, definition, input) = (name.to_owned(), definition.to_owned(), input.clone());
        Self { name, definition, input, answers: BTreeMap::new(), has_jitter: false }
    }

    fn then(mut self, state: &'static str, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.answers.entry(state).or_default().extend(answers);
        self
    }

    fn with_jitter(mut self) -> Self {
        self.has_jitter = true;
        self
    }

    /// As `interpreter.py` reads it.
    pub(super) fn question(&self) -> Value {
        let answer = |answer: &Answer| match answer {
            Answer::Return(value) => json!({"Return": value}),
            Answer::Throw(error, cause) => json!({"Throw": {"Error": error, "Cause": cause}}),
        };
        let answers = self.answers.iter().map(|(state, given)| (*state, given.iter().map(answer).collect()));
        let answers: BTreeMap<&str, Vec<Value>> = answers.collect();
        json!({"definition": self.definition, "input": self.input, "answers": answers})
    }
}

fn done() -> [Answer; 1] {
    [Answer::Return(json!({}))]
}

fn error(name: &str) -> Answer {
    Answer::Throw(name.to_owned(), format!("the cause of {name}"))
}

fn errors(name: &str, count: usize) -> Vec<Answer> {
    vec![error(name); count]
}

/// Every path through `import.asl.json`.
pub(super) fn of_imports(definition: &str) -> Vec<Story> {
    let held = |name: &str| Story::new(name, definition, &import_input()).then("HoldMessage", done());
    let imports = |story: Story| story.then("RunImport", [Answer::Return(report())]);
    let ends = |story: Story| imports(story).then("DeleteMessage", done());
    let lapsed = "Sqs.InvalidParameterValueException";

    let noise = json!({"invalid": {"reason": "the message is not JSON"}, "message": message()});
    let mut stories = vec![
        ends(held("a clean import")),
        Story::new("a message that asks for no import", definition, &noise),
        ends(
            Story::new("a message that cannot be held", definition, &import_input())
                .then("HoldMessage", errors(lapsed, 2)),
        ),
        ends(
            Story::new("a queue that is slow to hold", definition, &import_input())
                .then("HoldMessage", [error("States.Timeout")])
                .then("HoldMessage", done()),
        ),
        imports(held("a message that cannot be deleted")).then("DeleteMessage", errors(lapsed, 3)),
        imports(held("a message that is deleted at last"))
            .then("DeleteMessage", errors("States.Timeout", 2))
            .then("DeleteMessage", done()),
        held("a container that exits with 0 and reports nothing")
            .then("RunImport", vec![Answer::Return(recorded_task()); 4]),
        ends(held("failures of two kinds").then(
            "RunImport",
            ["Import.DatabaseUnavailable", "ECS.ServerException", "Import.DatabaseUnavailable"].map(error),
        )),
        held("a failure that no further attempt can mend, after one that it can")
            .then("RunImport", ["Import.SourceUnavailable", "Import.SourceMissing"].map(error)),
        held("interruptions without end").then("RunImport", errors("Import.Interrupted", 6)).with_jitter(),
        ends(held("an interruption").then("RunImport", errors("Import.Interrupted", 1)).with_jitter()),
    ];
    let permanent = FailureName::ALL.iter().filter(|name| !name.is_transient());
    for name in permanent.filter(|name| **name != FailureName::MessageInvalid) {
        stories.push(held(name.as_str()).then("RunImport", [error(name.as_str())]));
    }
    // Each entry of Retry: until it goes well, and until the retries are used up, through all of its names.
    let database_or_source = ["Import.DatabaseUnavailable", "Import.SourceUnavailable"];
    let no_capacity = [
        "AmazonECS.Unknown",
        "ECS.AmazonECSException",
        "ECS.ClientException",
        "ECS.InvalidParameterException",
        "ECS.SdkClientException",
        "ECS.ServerException",
        "ECS.ThrottlingException",
    ];
    let hangs = ["States.HeartbeatTimeout", "States.Timeout"];
    let dies = ["States.TaskFailed", "A.NameThatNobodyKnows"];
    for (names, retries) in [(&database_or_source[..], 10), (&no_capacity, 10), (&hangs, 2), (&dies, 3)] {
        let story = |what: &str, count| {
            let errors: Vec<Answer> = names.iter().copied().cycle().map(error).take(count).collect();
            held(&format!("{}, which {what}", names.join(" and "))).then("RunImport", errors)
        };
        stories.push(ends(story("passes", retries)));
        stories.push(story("stays", retries + 1));
    }
    stories
}

/// Every path through `dead-letter.asl.json`.
pub(super) fn of_dead_letters(definition: &str) -> Vec<Story> {
    let event = json!({"detail": {"executionArn": "arn:e-1", "name": "e-1", "status": "FAILED",
        "error": "Import.SourceMissing", "cause": "gone"}});
    let told = |name: &str| Story::new(name, definition, &event);
    let busy = |count| errors("Sfn.ThrottlingException", count);
    let mut stories = vec![
        told("an event").then("StartSettling", done()),
        told("an event whose settling exists")
            .then("StartSettling", [error("Sfn.ExecutionAlreadyExistsException")]),
        told("an event for which there is time later")
            .then("StartSettling", busy(3))
            .then("StartSettling", done())
            .with_jitter(),
        told("an event that cannot be handed over").then("StartSettling", busy(9)).with_jitter(),
    ];
    let documented = documented_events().into_iter().enumerate();
    stories.extend(documented.map(|(place, event)| {
        Story::new(&format!("documented event {place}"), definition, &event).then("StartSettling", done())
    }));

    let settling = json!({"execution_arn": "arn:e-1"});
    let described = |description: Value| {
        let mut whole =
            json!({"ExecutionArn": "arn:e-1", "Status": "FAILED", "Input": import_input().to_string()});
        whole.as_object_mut().unwrap().extend(description.as_object().unwrap().clone());
        [Answer::Return(whole)]
    };
    let settles = |name: &str, input: &Value, description: Value| {
        Story::new(name, definition, input).then("DescribeExecution", described(description))
    };
    let failed = || json!({"Error": "Import.HeaderMismatch", "Cause": "no column `name`"});
    let sent = |story: Story| story.then("SendToDeadLetterQueue", done());
    let away = |count| errors("SQS.ServiceUnavailableException", count);
    stories.extend([
        sent(settles("an original that cannot be deleted", &settling, failed()))
            .then("DeleteMessage", errors("Sqs.ReceiptHandleIsInvalidException", 3)),
        settles("a queue that is away for a while", &settling, failed())
            .then("SendToDeadLetterQueue", away(2))
            .then("SendToDeadLetterQueue", done())
            .then("DeleteMessage", done())
            .with_jitter(),
        settles("a queue that is away", &settling, failed())
            .then("SendToDeadLetterQueue", away(9))
            .with_jitter(),
        Story::new("an execution that cannot be described", definition, &settling)
            .then("DescribeExecution", errors("Sfn.ExecutionDoesNotExistException", 9))
            .with_jitter(),
    ]);

    let mut fifo = import_input();
    fifo["message"]["group_id"] = "g-1".into();
    let dead = json!({
        "Containers": [{"ExitCode": 137, "Name": "worker", "Reason": "OutOfMemoryError: killed"}],
        "Overrides": {"ContainerOverrides": [{"Environment": [{"Name": "TASK_TOKEN", "Value": "t0k3n"}]}]},
        "StoppedReason": "Essential container in task exited",
    });
    let never_started =
        json!({"Containers": [{"Name": "worker"}], "StoppedReason": "CannotPullContainerError"});
    let task_failed = |cause: &str| json!({"Error": "States.TaskFailed", "Cause": cause});
    let redriven = json!({"execution_arn": "arn:e-1", "status": "ABORTED", "error": null, "cause": null});
    let event = json!({"execution_arn": "arn:e-1", "status": "FAILED", "error": "Import.SourceMissing", "cause": "gone"});
    let cut = format!("{{\"Padding\": \"{}", "x".repeat(32_768));
    for (name, input, description) in [
        ("a failed import", &settling, failed()),
        ("a cause of anybody's", &settling, json!({"Error": "St\u{1}p", "Cause": "a\t\u{b}\u{fffe} é 東京"})),
        ("a message with a group", &settling, json!({"Error": "Import.Internal", "Input": fifo.to_string()})),
        ("a dead container", &settling, task_failed(&dead.to_string())),
        ("a container that never started", &settling, task_failed(&never_started.to_string())),
        ("a dead container whose cause was cut", &settling, task_failed(&cut[..32_768])),
        ("a dead container whose cause is no JSON", &settling, task_failed("gone")),
        (
            "an import whose cause looks like JSON",
            &settling,
            json!({"Error": "Import.Internal", "Cause": "{no"}),
        ),
        (
            "a cause with quotation marks",
            &settling,
            json!({"Error": "Import.Internal", "Cause": "no \"name\""}),
        ),
        (
            "a cause in Japanese",
            &settling,
            json!({"Error": "Import.Internal", "Cause": "列「名前」がありません"}),
        ),
        ("a long cause", &settling, json!({"Error": "Import.Internal", "Cause": "ü".repeat(2000)})),
        ("a time limit without a cause", &settling, json!({"Error": "States.Timeout"})),
        ("an execution that was stopped", &settling, json!({"Status": "ABORTED"})),
        ("an execution that timed out", &settling, json!({"Status": "TIMED_OUT"})),
        ("an execution that was stopped and runs again", &redriven, json!({"Status": "RUNNING"})),
        ("an execution that failed and runs again", &event, json!({"Status": "RUNNING"})),
    ] {
        stories.push(sent(settles(name, input, description)).then("DeleteMessage", done()));
    }
    stories
}
