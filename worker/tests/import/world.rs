//! What one test stands on: a bucket, a database, and a claimed import.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use statemachine::{FailureName, Findings, Import, ImportOptions, RejectLimit};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use worker::config::AllowedTables;
use worker::db::{Connection, Database};
use worker::failure::Failure;
use worker::import::Summary;
use worker::import::progress::Progress;
use worker::imports::asked;
use worker::ledger::{Claim, Claimant, claim};

use super::objects;
use crate::postgres::create_database;

/// The job of an import.
pub(crate) type Job = worker::job::Job<Progress>;

pub(crate) struct World {
    pub(crate) database: Database,
    /// Who makes tables and looks into them, where that is not who imports.
    owner: Option<Database>,
    /// The database's URL.
    pub(crate) url: String,
    pub(crate) s3: aws_sdk_s3::Client,
    /// Where the store is.
    pub(crate) s3_url: String,
    pub(crate) runtime: Runtime,
    directory: TempDir,
    is_postgres: bool,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Nullable<Text>)]
    line: Option<String>,
}

impl World {
    /// A SQLite file with what `ddl` makes.
    pub(crate) fn sqlite(ddl: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let url = format!("sqlite:{}", directory.path().join("data.sqlite3").display());
        Self::new(directory, &url, ddl)
    }

    /// A SQLite file in this folder with what `ddl` makes.
    pub(crate) fn sqlite_in(folder: &std::path::Path, ddl: &str) -> Self {
        Self::new(TempDir::new().unwrap(), &format!("sqlite:{}", folder.join("data.sqlite3").display()), ddl)
    }

    /// A database of PostgreSQL with what `ddl` makes.
    pub(crate) fn postgres(ddl: &str) -> Self {
        Self::new(TempDir::new().unwrap(), &create_database(), ddl)
    }

    /// A database of PostgreSQL with what `ddl` makes, where imports run as a role of their own. It may do with Baton's tables
    /// what a worker does, and else what `ddl` grants it; `{role}` is its name.
    pub(crate) fn of_role(ddl: &str) -> Self {
        let url = create_database();
        let role = format!("worker_of_{}", url.rsplit('/').next().unwrap());
        let owners = Self::new(TempDir::new().unwrap(), &url, &format!("CREATE ROLE {role} LOGIN"));
        owners.execute(&format!(
            "GRANT USAGE ON SCHEMA baton_ledger TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA baton_ledger TO {role}; {}",
            ddl.replace("{role}", &role)
        ));
        let database = Database::parse(&url.replace("baton@", &format!("{role}@"))).unwrap();
        Self { owner: Some(owners.database.clone()), database, ..owners }
    }

    /// Another database of PostgreSQL, which Baton's tables are in already.
    pub(crate) fn postgres_at(url: &str) -> Self {
        Self::new(TempDir::new().unwrap(), url, "SELECT 1")
    }

    /// The same table in both databases.
    pub(crate) fn both(ddl: &str) -> [Self; 2] {
        [Self::sqlite(ddl), Self::postgres(ddl)]
    }

    fn new(directory: TempDir, url: &str, ddl: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        std::fs::create_dir_all(directory.path().join("s3/uploads")).unwrap();
        let s3_url = objects::serve(&runtime, &directory.path().join("s3"));
        let s3 = objects::client(&s3_url);
        let database = Database::parse(url).unwrap();
        database.migrate().unwrap();
        let is_postgres = url.starts_with("postgres");
        let world =
            Self { database, owner: None, url: url.to_owned(), s3, s3_url, runtime, directory, is_postgres };
        world.execute(ddl);
        world
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.is_postgres
    }

    fn owner(&self) -> Connection {
        self.owner.as_ref().unwrap_or(&self.database).connect().unwrap()
    }

    pub(crate) fn execute(&self, sql: &str) {
        match &mut self.owner() {
            Connection::Postgres(connection) => connection.batch_execute(sql).unwrap(),
            Connection::Sqlite(connection) => connection.batch_execute(sql).unwrap(),
        }
    }

    /// What a query gives in its one column of text, named `line`; `NULL` for null.
    pub(crate) fn lines(&self, sql: &str) -> Vec<String> {
        read_lines(&mut self.owner(), sql)
    }

    /// How many rows `table` has.
    pub(crate) fn count(&self, table: &str) -> u64 {
        let counts = self.lines(&format!("SELECT CAST(count(*) AS text) AS line FROM {table}"));
        counts[0].parse().unwrap()
    }

    /// Puts an object into the bucket.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        let path: PathBuf = self.directory.path().join("s3/uploads").join(key);
        std::fs::write(path, bytes).unwrap();
    }

    /// What the bucket has under a key, if anything.
    pub(crate) fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.directory.path().join("s3/uploads").join(key)).ok()
    }

    /// A job that is registered and claimed.
    pub(crate) fn job(&self, id: &str, key: &str, table: &str, options: ImportOptions) -> Job {
        let import = Import {
            import_id: id.parse().unwrap(),
            source: Some(format!("s3://uploads/{key}").parse().unwrap()),
            version_id: None,
            table: Some(table.to_owned()),
            options,
        };
        let by = Claimant { execution_arn: "arn:execution", worker: "a host", version: "1" };
        let lease = Duration::from_secs(300);
        match claim(&mut self.database.connect().unwrap(), &asked(&import), &by, lease).unwrap() {
            Claim::Claimed(row) => Job::of_claimed(&row).unwrap(),
            _ => panic!("the import {id} could not be claimed"),
        }
    }

    /// Runs a job; every table is allowed.
    pub(crate) fn run(&self, job: &Job) -> Result<Summary, Failure> {
        self.run_from(job, &self.s3)
    }

    /// Runs a job with the objects of another store.
    pub(crate) fn run_from(&self, job: &Job, s3: &aws_sdk_s3::Client) -> Result<Summary, Failure> {
        let allowed = AllowedTables::parse("*").unwrap();
        worker::import::run(job, &self.database, &allowed, s3, self.runtime.handle())
    }

    /// Imports a file into `table` under an id of its own, and says what was found, too.
    pub(crate) fn import_as(
        &self,
        id: &str,
        file: &[u8],
        table: &str,
        options: ImportOptions,
    ) -> (Result<Summary, Failure>, Findings) {
        let key = format!("{id}.csv");
        self.put(&key, file);
        let job = self.job(id, &key, table, options);
        let result = self.run(&job);
        (result, job.progress.findings().cloned().unwrap_or_default())
    }

    /// Imports a file into `table`.
    pub(crate) fn import(
        &self,
        file: &[u8],
        table: &str,
        options: ImportOptions,
    ) -> Result<Summary, Failure> {
        self.put("file.csv", file);
        self.run(&self.job("1", "file.csv", table, options))
    }
}

/// The same, where there is no world at hand.
pub(crate) fn lines_of(database: &Database, sql: &str) -> Vec<String> {
    read_lines(&mut database.connect().unwrap(), sql)
}

fn read_lines(connection: &mut Connection, sql: &str) -> Vec<String> {
    let query = sql_query(sql);
    let lines: Vec<Line> = match connection {
        Connection::Postgres(connection) => query.load(connection).unwrap(),
        Connection::Sqlite(connection) => query.load(connection).unwrap(),
    };
    lines.into_iter().map(|row| row.line.unwrap_or_else(|| "NULL".to_owned())).collect()
}

/// At most so many rejects.
pub(crate) fn max_rejects(max_rejects: u64) -> ImportOptions {
    ImportOptions { max_rejects: RejectLimit::Rows(max_rejects), ..ImportOptions::default() }
}

/// The name and the cause of a failure.
pub(crate) fn named(result: Result<Summary, Failure>) -> (FailureName, String) {
    match result {
        Err(Failure::Named { name, cause, .. }) => (name, cause),
        other => panic!("no named failure but {other:?}"),
    }
}
