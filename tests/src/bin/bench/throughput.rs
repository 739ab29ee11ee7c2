//! Many small imports at once through the stack as `baton up` runs it: how many a second, where their time goes, and what
//! the stack needs for it. Nothing may be lost.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sfn::types::ExecutionStatus;
use e2e::memory::high_water_mark;
use e2e::{Backend, binaries, rows, wait};
use futures_util::{StreamExt as _, stream};
use local_stack::Session;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::process::Command;
use worker::db::Database;

use crate::stages::{self, Points};

/// Rows of each file.
const ROWS: usize = 10;
/// How many messages are being sent at a time.
const SENDERS: usize = 16;
/// Far more than it takes; a stack that makes no headway ends the benchmark.
const PATIENCE: Duration = Duration::from_secs(900);

/// Imports so many files into SQLite and, where it is installed, into PostgreSQL.
pub(crate) async fn measure(imports: usize) {
    let backends = [(Backend::Sqlite, "SQLite"), (Backend::Postgres, "PostgreSQL")];
    for (backend, name) in backends.into_iter().filter(|(backend, _)| backend.is_available()) {
        Box::pin(measure_with(backend, name, imports)).await;
    }
}

async fn measure_with(backend: Backend, name: &str, imports: usize) {
    let dir = tempfile::tempdir().expect("there is room for a folder");
    let url = backend.new_database(dir.path());
    let database = Database::parse(&url).unwrap();
    database.migrate().expect("a new database takes Baton's tables");
    rows::execute(&database, "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)");
    let data_dir = dir.path().join("data");
    let mut stack = Command::new(binaries::path("baton"))
        .args(["up", "--port", "0", "--data-dir"])
        .arg(&data_dir)
        .env("DATABASE_URL", url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("baton starts");
    let look = async || Session::of_running_stack(&data_dir).ok().flatten();
    let up = wait::within(PATIENCE, look, Option::is_some).await.ok().flatten();
    let clients = Clients::of(up.expect("the stack comes up")).await;

    let begun = Instant::now();
    let sent: Vec<(String, f64)> = stream::iter(0..imports)
        .map(|number| clients.submit(number))
        .buffer_unordered(SENDERS)
        .collect()
        .await;
    let sent_in = begun.elapsed();
    let done =
        wait::within(PATIENCE, async || clients.open().await + clients.messages().await, |left| *left == 0);
    let left = done.await.err().unwrap_or_default();
    assert_eq!(left, 0, "imports that were not through after {PATIENCE:?}");
    let took = begun.elapsed();
    let pid = Pid::from_raw(i32::try_from(stack.id().unwrap()).unwrap()).unwrap();
    let peak = high_water_mark(pid).expect("the stack runs");

    let expected = i64::try_from(imports * ROWS).unwrap();
    assert_eq!(
        rows::number(&database, "SELECT count(*) AS value FROM people"),
        expected,
        "every row is there"
    );
    let succeeded = "SELECT count(*) AS value FROM \"baton_jobs\" WHERE status = 'SUCCESS'";
    assert_eq!(rows::number(&database, succeeded), i64::try_from(imports).unwrap(), "every import succeeded");
    let again = "SELECT count(*) AS value FROM \"baton_jobs\" WHERE attempt > 1";
    let again = rows::number(&database, again);

    let rate = f64::from(u32::try_from(imports).unwrap()) / took.as_secs_f64();
    crate::table::figure(
        &format!("{imports} imports of {ROWS} rows at once, {name}: imports per second"),
        &format!(
            "{rate:.1} (in {:.1} s; all sent after {:.1} s; {again} took more than one attempt)",
            took.as_secs_f64(),
            sent_in.as_secs_f64()
        ),
    );
    crate::table::figure(
        &format!("… the stack's peak memory, {name}"),
        &format!("{:.1} MB", f64::from(peak) / 1024.0),
    );
    clients.stages(&sent, &data_dir).await;
    kill_process(pid, Signal::TERM).expect("the stack takes a signal");
    stack.wait().await.expect("the stack ends");
}

struct Clients {
    session: Session,
    sfn: aws_sdk_sfn::Client,
    sqs: aws_sdk_sqs::Client,
    s3: aws_sdk_s3::Client,
}

impl Clients {
    async fn of(session: Session) -> Self {
        let config = e2e::aws::config(&session).await;
        Self {
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            session,
        }
    }

    /// The ARN of the execution that the message will start, and when it was sent.
    async fn submit(&self, number: usize) -> (String, f64) {
        let resources = &self.session.resources;
        let (id, key) = (format!("bench-{number}"), format!("uploads/{number}.csv"));
        let lines = (0..ROWS).map(|row| format!("{},name of {row}\n", number * ROWS + row));
        let file = format!("id,name\n{}", lines.collect::<String>());
        let body = ByteStream::from(file.into_bytes());
        self.s3
            .put_object()
            .bucket(&resources.bucket)
            .key(&key)
            .body(body)
            .send()
            .await
            .expect("S3 takes it");
        let source = format!("s3://{}/{key}", resources.bucket);
        let body = json!({"import_id": id, "source": source, "table": "people"}).to_string();
        let sent_at = stages::now_ms();
        let sent = self.sqs.send_message().queue_url(&resources.queue_url).message_body(body).send().await;
        let message_id = sent.expect("SQS takes it").message_id.expect("a message has an id");
        let machine = resources.import_state_machine_arn.replacen(":stateMachine:", ":execution:", 1);
        (format!("{machine}:{id}-{message_id}"), sent_at)
    }

    /// How many executions are open, as far as the first page tells.
    async fn open(&self) -> usize {
        let machine = &self.session.resources.import_state_machine_arn;
        let open =
            self.sfn.list_executions().state_machine_arn(machine).status_filter(ExecutionStatus::Running);
        open.send().await.expect("the stack answers").executions.len()
    }

    /// How many messages the queue has, hidden or not.
    async fn messages(&self) -> usize {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
        };
        let asked = self.sqs.get_queue_attributes().queue_url(&self.session.resources.queue_url);
        let answer = asked.attribute_names(Visible).attribute_names(Hidden).send().await;
        let attributes = answer.expect("the stack answers").attributes.unwrap_or_default();
        attributes.values().map(|count| count.parse::<usize>().expect("a count is a number")).sum()
    }

    /// Where the time went, of every tenth import.
    async fn stages(&self, sent: &[(String, f64)], data_dir: &Path) {
        let mut all = Vec::new();
        for (execution_arn, sent_at) in sent.iter().step_by(10) {
            all.push(Points::of(&self.sfn, data_dir, execution_arn, *sent_at).await);
        }
        stages::print(&all);
    }
}
