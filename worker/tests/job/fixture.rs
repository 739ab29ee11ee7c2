//! What the tests of a job have in common: a migrated database, an import in it, and a worker's configuration.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use statemachine::{Import, ImportId, ImportOptions, ImportOutcome, Report};
use tempfile::TempDir;
use worker::config::Config;
use worker::db::{Connection, Database};
use worker::imports::{self, Claim, Claimant, ImportRow, NewImport};

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
        assert_eq!(database.migrate().unwrap(), ["0001", "0002", "0003"]);
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

    pub(crate) fn people(&self) -> i64 {
        count_people(&mut self.connect())
    }

    /// Claims import `a`, which must succeed.
    pub(crate) fn claim(&self, execution_arn: &str) -> ImportRow {
        let lease = std::time::Duration::from_secs(300);
        match imports::claim(&mut self.connect(), &by_id(), &by(execution_arn), lease).unwrap() {
            Claim::Claimed(row) => *row,
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
    Claimant { execution_arn, worker: WORKER }
}

pub(crate) fn id() -> ImportId {
    "a".parse().unwrap()
}

/// Import `a` as a message names it.
pub(crate) fn by_id() -> Import {
    serde_json::from_str(r#"{"import_id":"a"}"#).unwrap()
}

/// Import `a` as a message describes it.
pub(crate) fn described() -> Import {
    serde_json::from_str(r#"{"import_id":"a","source":"s3://uploads/people.csv","table":"people"}"#).unwrap()
}

pub(crate) fn new_import() -> NewImport {
    assert_eq!(described().options, ImportOptions::default());
    NewImport::of(&described()).unwrap()
}

pub(crate) fn count_people(connection: &mut Connection) -> i64 {
    diesel::select(diesel::dsl::sql::<BigInt>("(SELECT count(*) FROM people)"))
        .get_result(connection)
        .unwrap()
}

/// What an attempt reports that imported the file.
pub(crate) fn succeeded_report(attempt: i32) -> Report {
    Report {
        import_id: "a".to_owned(),
        outcome: ImportOutcome::Imported,
        table: "people".to_owned(),
        rows: 5,
        rejects: 1,
        bytes: 99,
        attempt,
        elapsed_ms: 17,
        findings: Box::default(),
    }
}
