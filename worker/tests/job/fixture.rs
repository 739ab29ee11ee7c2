//! What the tests of a job have in common: a migrated database, an import in it, and a worker's configuration.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use serde_json::{Value, json};
use statemachine::{ExitCode, FailureName, Import, ImportOptions, ImportProgress, JobId};
use tempfile::TempDir;
use worker::config::Config;
use worker::db::{Connection, Database};
use worker::failure::Failure;
use worker::import::Summary;
use worker::import::progress::Progress;
use worker::imports::{self, ImportRow, NewImport};
use worker::job::{Patience, Work};
use worker::ledger::{self, Asked, Claim, Claimant, Failed, JobRow, Rules, Succeeded};

pub(crate) const OURS: &str = "arn:aws:states:eu-west-1:123456789012:execution:import:ours";
pub(crate) const ANOTHER: &str = "arn:aws:states:eu-west-1:123456789012:execution:import:another";

pub(crate) const WORKER: &str =
    "arn:aws:ecs:eu-west-1:123456789012:task/baton/cd189a933e5849daa93386466019ab50";

/// A database with Baton's tables and a table `people` to write, which is gone after the test.
pub(crate) struct TestDatabase {
    pub(crate) database: Database,
    pub(crate) url: String,
    _directory: Option<TempDir>,
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("baton.db").display());
        Self::at(url, Some(directory))
    }

    pub(crate) fn postgres() -> Self {
        Self::at(crate::postgres::create_database(), None)
    }

    pub(crate) fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    fn at(url: String, directory: Option<TempDir>) -> Self {
        let database = Database::parse(&url).unwrap();
        assert_eq!(database.migrate().unwrap(), ["0001", "0002"]);
        let test = Self { database, url, _directory: directory };
        test.execute("CREATE TABLE people (name text NOT NULL)");
        test
    }

    pub(crate) fn connect(&self) -> Connection {
        self.database.connect().unwrap()
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.connect().batch_execute(sql).unwrap();
    }

    /// Registers import `a`.
    pub(crate) fn register(&self) {
        imports::register(&mut self.connect(), &new_import()).unwrap();
    }

    pub(crate) fn row(&self) -> ImportRow {
        imports::find(&mut self.connect(), &id()).unwrap().unwrap()
    }

    /// The row as the ledger has it.
    pub(crate) fn job(&self) -> JobRow {
        ledger::find(&mut self.connect(), &id()).unwrap().unwrap()
    }

    pub(crate) fn people(&self) -> i64 {
        count_people(&mut self.connect())
    }

    /// Claims import `a`, which must succeed.
    pub(crate) fn claim(&self, execution_arn: &str) -> ImportRow {
        let lease = std::time::Duration::from_secs(300);
        match ledger::claim(&mut self.connect(), &by_id(), &by(execution_arn), lease).unwrap() {
            Claim::Claimed(row) => ImportRow::of(*row),
            other => panic!("{other:?}"),
        }
    }

    /// The configuration of a worker for import `a`, with times that suit a test.
    pub(crate) fn config(&self, changes: &[(&str, &str)]) -> Config {
        let values = [
            ("DATABASE_URL", self.url.as_str()),
            ("ALLOWED_TABLES", "people"),
            ("TASK_TOKEN", "the-token"),
            ("EXECUTION_ARN", OURS),
            ("IMPORT", r#"{"import_id":"a"}"#),
            ("HEARTBEAT_INTERVAL_SECONDS", "0.02"),
            ("ECS_TASK_ARN", WORKER),
        ];
        Config::from_lookup(|name| {
            let mut all = changes.iter().chain(&values);
            all.find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
        .unwrap()
    }
}

/// A worker of an execution.
pub(crate) fn by(execution_arn: &str) -> Claimant<'_> {
    Claimant { execution_arn, worker: WORKER, version: "1.2.3" }
}

pub(crate) fn id() -> JobId {
    "a".parse().unwrap()
}

/// Import `a` as a message names it.
pub(crate) fn by_id() -> Asked {
    imports::asked(&serde_json::from_str(r#"{"import_id":"a"}"#).unwrap())
}

/// Import `a` as a message describes it.
pub(crate) fn described() -> Asked {
    imports::asked(&import())
}

/// Import `a` as a message describes it in full.
pub(crate) fn import() -> Import {
    serde_json::from_str(r#"{"import_id":"a","source":"s3://uploads/people.csv","table":"people"}"#).unwrap()
}

pub(crate) fn new_import() -> NewImport {
    assert_eq!(import().options, ImportOptions::default());
    NewImport::of(&import()).unwrap()
}

pub(crate) fn count_people(connection: &mut Connection) -> i64 {
    diesel::select(diesel::dsl::sql::<BigInt>("(SELECT count(*) FROM people)"))
        .get_result(connection)
        .unwrap()
}

/// The job of an import.
pub(crate) type Job = worker::job::Job<Progress>;

/// Work that is a closure.
struct Does<F>(F);

impl<F> Work for Does<F>
where
    F: FnOnce(&Job, &Database) -> Result<Summary, Failure> + Send + 'static,
{
    type Progress = Progress;

    const RULES: &'static Rules = &imports::RULES;

    fn run(self, job: &Job, database: &Database) -> Result<(), Failure> {
        (self.0)(job, database).map(drop)
    }
}

/// Runs a worker of this configuration, which does this.
pub(crate) async fn run(
    config: &Config,
    step_functions: aws_sdk_sfn::Client,
    patience: Patience,
    shutdown: impl Future<Output = &'static str>,
    work: impl FnOnce(&Job, &Database) -> Result<Summary, Failure> + Send + 'static,
) -> ExitCode {
    let asked = imports::asked(&config.import);
    worker::job::run(&config.job, &asked, step_functions, patience, shutdown, Does(work)).await
}

/// Ends the attempt of a job as an import does.
pub(crate) fn commit(job: &Job, connection: &mut Connection, summary: &Summary) -> Result<(), Failure> {
    let Summary { rows, rejects, bytes } = *summary;
    job.progress.next_phase();
    let told = ImportProgress { rows, rejects, bytes, bytes_total: 0 }.to_value();
    let mut result = result(rows, rejects, bytes);
    result["findings"] = serde_json::to_value(job.progress.findings().cloned().unwrap_or_default()).unwrap();
    job.commit(connection, result, &told)
}

/// What an import of people comes to.
pub(crate) fn result(rows: u64, rejects: u64, bytes: u64) -> Value {
    json!({"table": "people", "rows": rows, "rejects": rejects, "bytes": bytes})
}

/// Ends an attempt at import `a` with a failure.
pub(crate) fn fail(
    connection: &mut Connection,
    attempt: i32,
    (name, cause): (FailureName, &str),
    progress: ImportProgress,
) -> Failed {
    ledger::fail(connection, (&id(), attempt), (name.as_str(), cause), &progress.to_value(), None).unwrap()
}

/// Ends an attempt at import `a` with SUCCESS. Whether it was its own.
pub(crate) fn succeed(connection: &mut Connection, attempt: i32) -> bool {
    let progress = ImportProgress { rows: 5, rejects: 1, bytes: 99, bytes_total: 900 }.to_value();
    let succeeded = Succeeded { result: &result(5, 1, 99), progress: &progress };
    ledger::succeed(connection, &id(), attempt, succeeded).unwrap()
}
