//! `baton up`, killed at known moments of an import. A moment is held by a lock on one of the SQLite files: whoever wants to
//! write there waits, and meanwhile the test kills the stack.

use aws_config::BehaviorVersion;
use aws_sdk_sfn::config::{Credentials, Region};
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent, HistoryEventType};
use aws_sdk_sqs::types::QueueAttributeName;
use diesel::RunQueryDsl as _;
use e2e::wait;
use serde_json::Value;
use worker::db::{Connection, Database};

use crate::command_line::Up;
use crate::desk::Desk;

/// Keeps everybody else from writing to a file, until it is dropped.
pub(crate) struct Lock(#[expect(dead_code, reason = "holds the transaction")] Connection);

impl Lock {
    pub(crate) fn of(desk: &Desk, file: &str) -> Self {
        let url = format!("sqlite:{}", desk.path().join(".baton").join(file).display());
        let mut connection = Database::parse(&url).unwrap().connect().unwrap();
        let Connection::Sqlite(sqlite) = &mut connection else { panic!("{url} is not SQLite") };
        diesel::sql_query("BEGIN IMMEDIATE").execute(sqlite).unwrap();
        Self(connection)
    }
}

const ROWS: &str = "baton.db";
const QUEUES: &str = "stack/sqs.db";
pub(crate) const TASKS: &str = "stack/ecs.sqlite3";

/// A stack that is up, and clients of it.
pub(crate) struct Stack {
    pub(crate) up: Up,
    sfn: aws_sdk_sfn::Client,
    sqs: aws_sdk_sqs::Client,
    endpoint: String,
}

impl Stack {
    async fn start(desk: &Desk) -> Self {
        Self::of(Up::start(desk).await).await
    }

    pub(crate) async fn of(up: Up) -> Self {
        let of = |wanted: &str| {
            up.environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()).unwrap()
        };
        let keys = Credentials::new(of("AWS_ACCESS_KEY_ID"), of("AWS_SECRET_ACCESS_KEY"), None, None, "test");
        let endpoint = of("AWS_ENDPOINT_URL");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(worker::aws::http_client())
            .endpoint_url(&endpoint)
            .region(Region::new(of("AWS_REGION")))
            .credentials_provider(keys)
            .load()
            .await;
        let (sfn, sqs) = (aws_sdk_sfn::Client::new(&config), aws_sdk_sqs::Client::new(&config));
        Self { up, sfn, sqs, endpoint }
    }

    async fn history(&self, execution_arn: &str) -> Vec<HistoryEvent> {
        let history = self.sfn.get_execution_history().execution_arn(execution_arn).send().await;
        history.map(|history| history.events).unwrap_or_default()
    }

    /// Waits until an execution has such an event.
    async fn event(&self, execution_arn: &str, accept: impl Fn(&HistoryEvent) -> bool) {
        let look = async || self.history(execution_arn).await;
        wait::until("an event", look, |events| events.iter().any(&accept)).await;
    }

    pub(crate) async fn entered(&self, execution_arn: &str, state: &str) {
        let is_entry = |event: &HistoryEvent| {
            event.state_entered_event_details.as_ref().is_some_and(|details| details.name == state)
        };
        self.event(execution_arn, is_entry).await;
    }

    pub(crate) async fn ends(&self, execution_arn: &str) -> ExecutionStatus {
        let look = async || {
            let described = self.sfn.describe_execution().execution_arn(execution_arn).send().await;
            described.ok().map(|execution| execution.status)
        };
        let has_ended = |status: &Option<ExecutionStatus>| {
            status.as_ref().is_some_and(|status| *status != ExecutionStatus::Running)
        };
        wait::until("the execution to end", look, has_ended).await.unwrap()
    }

    /// Waits until a queue has so many messages, hidden or not.
    pub(crate) async fn has_messages(&self, queue: &str, expected: u64) {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
        };
        let look = async || {
            let asked =
                self.sqs.get_queue_attributes().queue_url(format!("{}/000000000000/{queue}", self.endpoint));
            let answer = asked.attribute_names(Visible).attribute_names(Hidden).send().await.unwrap();
            answer.attributes.unwrap().values().map(|count| count.parse::<u64>().unwrap()).sum::<u64>()
        };
        wait::until(queue, look, |count| *count == expected).await;
    }
}

/// Submits a file; the ARN of its execution.
pub(crate) async fn submit(desk: &Desk, id: &str, csv: &str) -> String {
    let file = desk.file(&format!("{id}.csv"), csv).display().to_string();
    let sent = desk.baton(&["submit", &file, "-t", "people", "--id", id, "--json"]).await;
    assert_eq!(sent.code, Some(0), "{sent:#?}");
    let sent: Value = serde_json::from_str(&sent.stdout).unwrap();
    sent["execution_arn"].as_str().unwrap().to_owned()
}

fn count(events: &[HistoryEvent], kind: &HistoryEventType) -> usize {
    events.iter().filter(|event| event.r#type == *kind).count()
}

/// Takes the stack to a moment of a new import, kills it there, and starts it again. Before: an import that failed, whose
/// message lies in the dead-letter queue. After: all of that, and the new import done, once.
async fn survives(moment: impl AsyncFnOnce(&Desk, Stack, &str, Lock), attempts: &[i32]) {
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)");
    let stack = Stack::start(&desk).await;
    let failed = submit(&desk, "failed", "id,nme\n1,a\n").await;
    assert_eq!(stack.ends(&failed).await, ExecutionStatus::Failed);
    stack.has_messages("imports-dead-letter", 1).await;
    stack.has_messages("imports", 0).await;
    let settling = failed.replace(":import:", ":dead-letter:");
    assert_eq!(stack.ends(&settling).await, ExecutionStatus::Succeeded);
    let history = stack.history(&failed).await;

    let tasks = Lock::of(&desk, TASKS);
    let execution = submit(&desk, "killed", "id,name\n1,a\n2,b\n").await;
    stack.entered(&execution, "RunImport").await;
    moment(&desk, stack, &execution, tasks).await;

    let stack = Stack::start(&desk).await;
    assert_eq!(stack.history(&failed).await, history);
    stack.has_messages("imports-dead-letter", 1).await;
    assert_eq!(stack.ends(&execution).await, ExecutionStatus::Succeeded);
    stack.has_messages("imports", 0).await;
    assert_eq!(desk.people(), 2);
    let mut connection = desk.rows().connect().unwrap();
    let row = worker::imports::find(&mut connection, &"killed".parse().unwrap()).unwrap().unwrap();
    assert_eq!(row.status.as_str(), "SUCCESS");
    assert!(attempts.contains(&row.attempt), "{} attempts", row.attempt);
    assert_eq!(stack.up.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_killed_before_its_container_is_there_starts_it_when_it_is_up_again() {
    let before_the_container = async |_: &Desk, stack: Stack, execution: &str, tasks: Lock| {
        assert_eq!(count(&stack.history(execution).await, &HistoryEventType::TaskSubmitted), 0);
        stack.up.kill().await;
        drop(tasks);
    };
    survives(before_the_container, &[1]).await;
}

/// Lets the container start, whose worker waits for the lock on the database that it imports into.
async fn container_waits(desk: &Desk, stack: &Stack, execution: &str, tasks: Lock) -> Lock {
    let rows = Lock::of(desk, ROWS);
    drop(tasks);
    stack.event(execution, |event| event.r#type == HistoryEventType::TaskSubmitted).await;
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_killed_while_its_container_runs_starts_another_when_it_is_up_again() {
    let during_the_run = async |desk: &Desk, stack: Stack, execution: &str, tasks: Lock| {
        let rows = container_waits(desk, &stack, execution, tasks).await;
        stack.up.kill().await;
        drop(rows);
    };
    // The worker that outlived its stack may have come to its claim, and even to its commit, before it was found.
    survives(during_the_run, &[1, 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_an_import_whose_stack_was_killed_is_not_told_of_a_restart() {
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)");
    let stack = Stack::start(&desk).await;
    let tasks = Lock::of(&desk, TASKS);
    let execution = submit(&desk, "killed", "id,name\n1,a\n").await;
    stack.entered(&execution, "RunImport").await;
    let _rows = container_waits(&desk, &stack, &execution, tasks).await;
    stack.up.kill().await;
    let shown = desk.baton(&["show", "killed", "--json"]).await;
    shown.expect(0, &["The embedded stack ended without having been shut down"]);
    assert!(!shown.stdout.contains("restarted"), "{shown:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_stack_has_not_finished_goes_into_no_other_database() {
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)");
    let stack = Stack::start(&desk).await;
    let tasks = Lock::of(&desk, TASKS);
    let execution = submit(&desk, "killed", "id,name\n1,a\n").await;
    stack.entered(&execution, "RunImport").await;
    stack.up.kill().await;
    drop(tasks);

    let other = format!("sqlite:{}", desk.path().join("other.db").display());
    let file = desk.file("b.csv", "id,name\n2,b\n").display().to_string();
    for verb in [&["run", &file, "--table", "people", "--create-table"][..], &["up", "--port", "0"]] {
        let refused = desk.baton(&[verb, &["--database-url", &other]].concat()).await;
        let words = [
            "are not finished (executions that run: 1, messages in the queue: 1), and their rows go into sqlite ",
            "other.db: finish or cancel them there, or name another folder by --data-dir",
        ];
        refused.complains(1, &words);
    }
    let examined = desk.baton(&["doctor", "--database-url", &other]).await;
    examined.expect(
        1,
        &["fail  unfinished", "1 import in this folder is not finished, and its rows go into sqlite "],
    );
    // Who only looks at the other one changes nothing.
    desk.baton(&["imports", "--database-url", &other]).await.complains(0, &["no imports yet"]);
    let refused = desk.baton(&["up", "--port", "0", "--database-url", &other]).await;
    refused.complains(1, &["are not finished"]);

    let in_folder = format!("sqlite:{}", desk.path().join(".baton/baton.db").display());
    desk.baton(&["redrive", "killed", "--database-url", &in_folder]).await.expect(0, &["killed: "]);
    let run = ["run", &file, "--table", "people", "--database-url", &in_folder];
    desk.baton(&run).await.expect(0, &["rows      1\n"]);
    assert_eq!(desk.people(), 2);
    // All is done: the folder is free for another one, and a stack that is up for it takes no look at the first one.
    let run =
        desk.baton(&["run", &file, "--table", "people", "--create-table", "--database-url", &other]).await;
    run.expect(0, &["rows      1\n"]);
    // What failed under the one is not tried again under the other.
    let failed = ["run", &file, "--table", "people", "--id", "failed", "--database-url", &in_folder];
    desk.baton(&failed).await.complains(1, &[]);
    let refused = desk.baton(&["redrive", "failed", "--database-url", &other]).await;
    refused.expect(
        1,
        &[
            "failed: not redriven: its import is for sqlite ",
            "baton.db: name that database by --database-url",
        ],
    );
    let refused = desk.baton(&["dlq", "redrive", "failed", "--database-url", &other]).await;
    refused.complains(2, &["nothing was moved: the dead letter ", "is of an import for sqlite "]);
    let refused = desk.baton(&["redrive", "--all-failed", "--yes", "--database-url", &other]).await;
    refused.complains(0, &["passed over 1 execution: ", "no failed execution is to be redriven"]);
    assert_eq!(desk.people(), 2);
    let up = Up::start(&desk).await;
    for verb in [&["imports"][..], &["show", "killed"], &["migrate", "--check"], &["dlq", "list"]] {
        let refused = desk.baton(&[verb, &["--database-url", &other]].concat()).await;
        refused.complains(
            2,
            &["the stack that is up here imports into sqlite ", "leave it out, end that stack"],
        );
    }
    assert_eq!(up.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_killed_between_report_and_deletion_deletes_the_message_when_it_is_up_again() {
    let before_the_deletion = async |desk: &Desk, stack: Stack, execution: &str, tasks: Lock| {
        let rows = container_waits(desk, &stack, execution, tasks).await;
        let queues = Lock::of(desk, QUEUES);
        drop(rows);
        stack.entered(execution, "DeleteMessage").await;
        stack.up.kill().await;
        drop(queues);
    };
    survives(before_the_deletion, &[1]).await;
}
