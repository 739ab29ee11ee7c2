//! A stack of a test's own: folder, port, database, all gone when the test ends.

mod builder;
mod ending;
mod history;

use std::path::Path;
use std::sync::OnceLock;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use local_stack::{Config, Limits, Resources, Stack};
use serde_json::{Value, json};
use statemachine::{JobId, Source};
use tempfile::TempDir;
use worker::db::Database;
use worker::imports::ImportRow;

use crate::{Front, Link, Version, binaries, postgres, rows, secrets, wait};
pub use builder::Builder;
use builder::Setup;
use ending::Ending;

/// The database that a test imports into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file in the test's folder.
    Sqlite,
    /// A database of its own in the throw-away cluster of the test binary.
    Postgres,
    /// A database of its own in a throw-away cluster with PostgreSQL's default settings: it waits for the disk, as a
    /// benchmark's must.
    DurablePostgres,
}

static DURABLE: OnceLock<postgres::Cluster> = OnceLock::new();

impl Backend {
    /// Whether this machine has what the backend needs.
    #[must_use]
    pub fn is_available(self) -> bool {
        self == Self::Sqlite || postgres::programs().is_some()
    }

    /// The URL of a new database; of SQLite, of a file in `dir`.
    #[must_use]
    pub fn new_database(self, dir: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite:{}", dir.join("rows.db").display()),
            Self::Postgres => postgres::create_database(),
            Self::DurablePostgres => {
                DURABLE.get_or_init(|| postgres::Cluster::start("", &[])).create_database()
            }
        }
    }
}

/// A running stack with the clients to look at it.
pub struct TestStack {
    stack: Option<Stack>,
    dir: TempDir,
    setup: Setup,
    ending: Ending,
    /// Where the rows go.
    pub database: Database,
    /// Its resources.
    pub resources: Resources,
    /// Clients of the stack, as any program would have them.
    pub sfn: aws_sdk_sfn::Client,
    /// See `sfn`.
    pub sqs: aws_sdk_sqs::Client,
    /// See `sfn`.
    pub s3: aws_sdk_s3::Client,
    /// See `sfn`.
    pub ecs: aws_sdk_ecs::Client,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The import that it asks for.
    pub import_id: JobId,
    /// The execution that it will start.
    pub execution_arn: String,
}

impl TestStack {
    /// Starts a stack with the usual limits.
    pub async fn start(backend: Backend) -> Self {
        Self::with(backend).start().await
    }

    /// Starts a stack with limits of its own.
    pub async fn start_with(backend: Backend, limits: Limits) -> Self {
        Self::with(backend).limits(limits).start().await
    }

    /// Starts a stack that answers and moves nothing by itself.
    pub async fn start_at_rest(backend: Backend) -> Self {
        Self::with(backend).at_rest().start().await
    }

    /// Starts a stack whose configuration `change` has changed; its folder and its database stay as they are.
    pub async fn start_as(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        Self::with(backend).config(change).start().await
    }

    /// A stack that differs from the usual one.
    #[must_use]
    pub fn with(backend: Backend) -> Builder {
        Builder::new(backend)
    }

    /// What stands between the worker and the stack.
    ///
    /// # Panics
    /// The stack was not started [behind a front](Builder::behind_front).
    #[must_use]
    pub fn front(&self) -> &Front {
        self.setup.front.as_ref().expect("the stack was started behind a front")
    }

    /// What stands between the worker and the database.
    ///
    /// # Panics
    /// The stack was not started with the [database behind a link](Builder::database_behind_link).
    #[must_use]
    pub fn link(&self) -> &Link {
        self.setup.link.as_ref().expect("the stack was started with its database behind a link")
    }

    /// What stands between the worker and Step Functions.
    ///
    /// # Panics
    /// The stack was not started [so](Builder::step_functions_behind_link).
    #[must_use]
    pub fn step_functions_link(&self) -> &Link {
        self.setup
            .step_functions_link
            .as_ref()
            .expect("the stack was started with Step Functions behind a link")
    }

    /// Where the stack answers.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.stack.as_ref().expect("the stack is up").endpoint()
    }

    /// What requests to the stack must be signed with.
    #[must_use]
    pub fn credentials(&self) -> &local_stack::Credentials {
        self.stack.as_ref().expect("the stack is up").credentials()
    }

    /// The URL of the database, for programs that load into it beside the worker.
    #[must_use]
    pub fn database_url(&self) -> &str {
        self.setup.database_url()
    }

    /// The folder of the stack.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Makes the table that most tests import into.
    pub fn create_people(&self) {
        rows::execute(
            &self.database,
            "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)",
        );
    }

    /// How many rows the table has.
    #[must_use]
    pub fn count(&self, table: &str) -> i64 {
        rows::number(&self.database, &format!("SELECT count(*) AS value FROM {table}"))
    }

    /// Puts an object.
    pub async fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> Source {
        let bucket = self.resources.bucket.clone();
        let body = ByteStream::from(body.into());
        self.s3.put_object().bucket(&bucket).key(key).body(body).send().await.expect("S3 takes the object");
        Source { bucket, key: key.to_owned() }
    }

    /// Sends a message; its id.
    pub async fn send(&self, body: &str) -> String {
        let sent =
            self.sqs.send_message().queue_url(&self.resources.queue_url).message_body(body).send().await;
        sent.expect("SQS takes the message").message_id.expect("SQS gives a message an id")
    }

    /// Asks for an import by a message that describes it.
    pub async fn describe(&self, import_id: &str, source: &Source, table: &str, options: Value) -> Sent {
        let body = json!({"import_id": import_id, "source": source, "table": table, "options": options});
        self.send_for(import_id, &body.to_string()).await
    }

    /// Sends a message that asks for the import.
    pub async fn send_for(&self, import_id: &str, body: &str) -> Sent {
        let message_id = self.send(body).await;
        let execution_arn = self.execution_arn(&format!("{import_id}-{message_id}"));
        Sent { import_id: import_id.parse().expect("a test's ids are valid"), execution_arn }
    }

    /// The ARN of an execution of the import machine.
    #[must_use]
    pub fn execution_arn(&self, name: &str) -> String {
        let machine = self.resources.import_state_machine_arn.replacen(":stateMachine:", ":execution:", 1);
        format!("{machine}:{name}")
    }

    /// Waits until the execution has ended.
    pub async fn ended(&self, execution_arn: &str) -> DescribeExecutionOutput {
        let look = async || self.sfn.describe_execution().execution_arn(execution_arn).send().await.ok();
        let ended = |seen: &Option<DescribeExecutionOutput>| {
            seen.as_ref().is_some_and(|execution| execution.status != ExecutionStatus::Running)
        };
        wait::until("the execution to end", look, ended).await.expect("an execution that has ended is there")
    }

    /// The import's row.
    #[must_use]
    pub fn import(&self, import_id: &JobId) -> Option<ImportRow> {
        let mut connection = self.database.connect().expect("the test's database is there");
        worker::imports::find(&mut connection, import_id).expect("the ledger can be read")
    }

    /// What a job came to, as the ledger has it.
    ///
    /// # Panics
    /// There is no result of it.
    #[must_use]
    pub fn result(&self, id: &JobId) -> Value {
        let mut connection = self.database.connect().expect("the test's database is there");
        let row = worker::ledger::find(&mut connection, id).expect("the ledger can be read");
        let result = row.and_then(|row| row.result).expect("the job has a result");
        serde_json::from_str(&result).expect("a result is JSON")
    }

    /// Waits until the import's row is as `accept` wants it.
    pub async fn import_when(
        &self,
        import_id: &JobId,
        what: &str,
        accept: impl Fn(&ImportRow) -> bool,
    ) -> ImportRow {
        let look = async || self.import(import_id);
        let row = wait::until(what, look, |row: &Option<ImportRow>| row.as_ref().is_some_and(&accept)).await;
        row.expect("a row that was accepted is there")
    }

    /// Waits for one dead letter and takes it from the queue.
    pub async fn dead_letter(&self) -> Message {
        let queue = &self.resources.dead_letter_queue_url;
        let received = self
            .sqs
            .receive_message()
            .queue_url(queue)
            .wait_time_seconds(20)
            .message_attribute_names("All")
            .send()
            .await
            .expect("the dead-letter queue answers");
        let letter = received.messages.unwrap_or_default().pop().expect("there is a dead letter");
        let handle = letter.receipt_handle.as_deref().unwrap_or_default();
        self.sqs
            .delete_message()
            .queue_url(queue)
            .receipt_handle(handle)
            .send()
            .await
            .expect("it can be deleted");
        letter
    }

    /// The processes of workers of this stack, of whichever version.
    #[must_use]
    pub fn workers(&self) -> Vec<rustix::process::Pid> {
        Version::BOTH.into_iter().flat_map(|version| self.workers_of(version)).collect()
    }

    /// The processes of workers of this stack that are of one version.
    #[must_use]
    pub fn workers_of(&self, version: Version) -> Vec<rustix::process::Pid> {
        self.processes(version.program())
    }

    /// The processes of one of this workspace's programs that belong to this stack.
    pub(crate) fn processes(&self, program: &str) -> Vec<rustix::process::Pid> {
        let is_worker = program.ends_with("worker");
        let program = binaries::folder().join(program);
        let front = self.setup.front.as_ref().filter(|_| is_worker);
        let endpoint = front.map_or(self.endpoint(), Front::endpoint);
        let marker = format!("AWS_ENDPOINT_URL={endpoint}");
        let processes = std::fs::read_dir("/proc").expect("the tests run on Linux");
        processes
            .flatten()
            .filter_map(|entry| {
                let is_program = std::fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == program);
                let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
                let is_ours =
                    environment.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes());
                let pid = entry.file_name().to_str()?.parse().ok()?;
                (is_program && is_ours).then(|| rustix::process::Pid::from_raw(pid)).flatten()
            })
            .collect()
    }

    /// Stops the stack and starts it again on the same folder.
    pub async fn restart(self) -> Self {
        let Self { stack, dir, setup, mut ending, .. } = self;
        ending.decide();
        stack.expect("the stack is up").shutdown().await;
        setup.start(dir).await
    }

    /// Stops the stack as it is, with what a test has left in it on purpose.
    pub async fn stop(mut self) {
        self.ending.decide();
        self.stack.take().expect("the stack is up").shutdown().await;
    }

    /// Ends a test: no message is left in either queue, no execution is open, no worker is left over, and no secret is in
    /// any log.
    pub async fn audit(mut self) {
        self.ending.decide();
        let lanes = self.resources.lane_queue_url.iter();
        for queue in
            [&self.resources.queue_url, &self.resources.dead_letter_queue_url].into_iter().chain(lanes)
        {
            let look = async || self.messages(queue).await;
            wait::until(&format!("{queue} to be empty"), look, |count| *count == 0).await;
        }
        for machine in
            [&self.resources.import_state_machine_arn, &self.resources.dead_letter_state_machine_arn]
        {
            let look = async || {
                let open = self
                    .sfn
                    .list_executions()
                    .state_machine_arn(machine)
                    .status_filter(ExecutionStatus::Running);
                open.send().await.expect("executions can be listed").executions.len()
            };
            wait::until("all executions to end", look, |open| *open == 0).await;
        }
        wait::until("all workers to end", async || self.workers().len(), |count| *count == 0).await;
        self.stack.take().expect("the stack is up").shutdown().await;
        let urls: Vec<_> = self.setup.database_urls().collect();
        let found = secrets::find(&self.data_dir().join("stack/logs"), &urls);
        assert!(found.is_empty(), "{found:?}");
    }

    /// How many messages a queue has, hidden or not.
    pub async fn messages(&self, queue_url: &str) -> u64 {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
        };
        let asked = self.sqs.get_queue_attributes().queue_url(queue_url);
        let answer = asked.attribute_names(Visible).attribute_names(Hidden).send().await;
        let attributes = answer.expect("the queue is there").attributes.unwrap_or_default();
        attributes.values().map(|count| count.parse::<u64>().expect("a count is a number")).sum()
    }
}

#[cfg(test)]
mod tests;
