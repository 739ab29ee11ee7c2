//! Two SQLite files with the table that is loaded: the stack's, which the worker loads into, and another for everybody
//! else. Before each load the table is new and its file small and on the disk.

use std::path::{Path, PathBuf};

use e2e::{Backend, TestStack, rows};
use local_stack::Config;
use serde_json::Value;
use statemachine::ImportResult;
use tokio::process::Command;
use worker::db::Database;

use crate::answer::{self, Answer};
use crate::build_before::Turns;
use crate::contest::Run;
use crate::cpu::Clocks;
use crate::data::{File, Files, Keys};
use crate::{child, pipeline};

const COLUMNS: &str = "name TEXT NOT NULL, quantity INTEGER NOT NULL, price DECIMAL(12,2) NOT NULL, \
                       born DATE NOT NULL, active BOOLEAN NOT NULL, seen TIMESTAMP NOT NULL, note TEXT";

/// The place where loads are compared.
pub(crate) struct Arena {
    pub(crate) stack: TestStack,
    pub(crate) turns: Option<Turns>,
    /// The file of everybody else.
    pub(crate) theirs: PathBuf,
}

impl Arena {
    pub(crate) async fn open(files: &Files, before: Option<&Path>) -> Self {
        let turns = before.map(Turns::between);
        let serve = |config: &mut Config| {
            if let Some(turns) = &turns {
                turns.serve(config);
            }
        };
        let stack = TestStack::start_as(Backend::Sqlite, serve).await;
        Self { stack, turns, theirs: files.dir().join("theirs.db") }
    }

    /// Makes the worker's table anew.
    pub(crate) fn clear(&self, keys: Keys) {
        let database = &self.stack.database;
        rows::execute(database, "DROP TABLE IF EXISTS loaded");
        // What a dropped table leaves would be there for the next one to take.
        rows::execute(database, "VACUUM");
        rows::execute(database, &create_table(key_type(keys)));
        sync(&self.stack.data_dir().join("rows.db"));
    }

    /// Makes the table of everybody else anew, in a new file with SQLite's default settings.
    pub(crate) fn clear_theirs(&self, keys: Keys) {
        self.clear_theirs_as(key_type(keys));
    }

    /// The same, with the key's type as a program declares it that makes its tables itself.
    pub(crate) fn clear_theirs_as(&self, key_type: &str) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.theirs.clone().into_os_string();
            path.push(suffix);
            // Most of them are not there.
            let _ = std::fs::remove_file(path);
        }
        let database = self.their_database();
        rows::execute(&database, &create_table(key_type));
        rows::execute(&database, "PRAGMA journal_mode = DELETE");
        sync(&self.theirs);
    }

    /// Loads with `sqlite3`, as it is.
    pub(crate) async fn import_theirs(&self, file: &File) -> Run {
        let mut command = Command::new("sqlite3");
        command.args(["-batch", "-bail", "-init", "/dev/null"]).arg(&self.theirs);
        command.arg(format!(".import --csv --skip 1 '{}' loaded", file.path.display()));
        child::timed(command, Clocks::default()).await.expect(".import takes a good file")
    }

    /// Loads with the worker.
    pub(crate) async fn import(&self, file: &File, options: &Value) -> (Run, ImportResult) {
        let source = pipeline::put(&self.stack, &file.path).await;
        let ended = pipeline::import(&self.stack, &source, options, Clocks::default()).await;
        ended.expect("the worker imports a good file")
    }

    /// What is in the worker's table.
    pub(crate) fn answer(&self) -> Answer {
        answer::of_sqlite(&self.stack.database)
    }

    /// What is in the table of everybody else.
    pub(crate) fn answer_theirs(&self) -> Answer {
        answer::of_sqlite(&self.their_database())
    }

    fn their_database(&self) -> Database {
        Database::parse(&format!("sqlite:{}", self.theirs.display())).expect("the path is a database's")
    }
}

fn key_type(keys: Keys) -> &'static str {
    match keys {
        Keys::Numbers => "INTEGER",
        Keys::Random | Keys::InOrder => "UUID",
    }
}

fn create_table(key_type: &str) -> String {
    format!("CREATE TABLE loaded (id {key_type} PRIMARY KEY NOT NULL, {COLUMNS})")
}

/// Waits until the file is on the disk, so that its earlier writes are not left to the next load.
fn sync(path: &Path) {
    let file = std::fs::File::open(path).expect("the database's file is there");
    file.sync_all().expect("the disk takes it");
}
