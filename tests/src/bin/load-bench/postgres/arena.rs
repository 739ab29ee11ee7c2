//! A PostgreSQL of its own with the table that is loaded, and the two ways into it. Before each load the table is new and
//! the server has written its earlier work to the disk, so that every load starts alike.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use e2e::{Backend, TestStack, rows};
use local_stack::Config;
use serde_json::Value;
use statemachine::{ImportResult, Source};
use tokio::process::Command;

use crate::answer::{self, Answer};
use crate::build_before::Turns;
use crate::contest::Run;
use crate::cpu::Clocks;
use crate::data::File;
use crate::{child, pipeline};

const COLUMNS: &str = "name text NOT NULL, quantity integer NOT NULL, price decimal(12,2) NOT NULL, \
                       born date NOT NULL, active boolean NOT NULL, seen timestamp NOT NULL, note text";

/// The place where loads are compared.
pub(crate) struct Arena {
    pub(crate) stack: TestStack,
    pub(crate) clocks: Clocks,
    pub(crate) turns: Option<Turns>,
    sources: HashMap<PathBuf, Source>,
}

impl Arena {
    pub(crate) async fn open(before: Option<&Path>) -> Self {
        let turns = before.map(Turns::between);
        let serve = |config: &mut Config| {
            if let Some(turns) = &turns {
                turns.serve(config);
            }
        };
        let stack = TestStack::start_as(Backend::DurablePostgres, serve).await;
        let postmaster = r"SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::bigint AS value";
        let clocks = Clocks { postmaster: i32::try_from(rows::number(&stack.database, postmaster)).ok() };
        Self { stack, clocks, turns, sources: HashMap::new() }
    }

    /// The server's version.
    pub(crate) fn version(&self) -> String {
        rows::texts(&self.stack.database, "SELECT current_setting('server_version') AS value").concat()
    }

    /// Makes the table anew.
    pub(crate) fn clear(&self, indexed: bool) {
        let key = if indexed { "PRIMARY KEY" } else { "NOT NULL" };
        self.execute("DROP TABLE IF EXISTS loaded");
        self.execute(&format!("CREATE TABLE loaded (id uuid {key}, {COLUMNS})"));
    }

    /// Has the server write what it still holds back.
    pub(crate) fn settle(&self) {
        self.execute("CHECKPOINT");
    }

    /// Runs a statement.
    pub(crate) fn execute(&self, sql: &str) {
        rows::execute(&self.stack.database, sql);
    }

    /// Loads with `psql`, as it is.
    pub(crate) async fn copy(&self, file: &File) -> Run {
        let mut command = Command::new("psql");
        // Nobody's own settings.
        command.args(["--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-c"]);
        command.arg(format!("\\copy loaded from '{}' with (format csv, header true)", file.path.display()));
        command.arg(self.stack.database_url());
        child::timed(command, self.clocks).await.expect("\\copy takes a good file")
    }

    /// Loads with the worker, as it is.
    pub(crate) async fn import(
        &mut self,
        file: &File,
        options: &Value,
    ) -> Result<(Run, ImportResult), String> {
        let source = match self.sources.get(&file.path) {
            Some(source) => source.clone(),
            None => {
                let source = pipeline::put(&self.stack, &file.path).await;
                self.sources.insert(file.path.clone(), source.clone());
                source
            }
        };
        self.settle();
        pipeline::import(&self.stack, &source, options, self.clocks).await
    }

    /// What is in the table.
    pub(crate) fn answer(&self) -> Answer {
        answer::of_postgres(&self.stack.database)
    }
}
