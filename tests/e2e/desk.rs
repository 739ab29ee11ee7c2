//! A folder to work in, and `baton` in it, as a user has them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use e2e::{Backend, TestStack, binaries, rows};
use tokio::process::Command;
use worker::db::Database;

/// A folder to work in, and `baton` in it.
pub(crate) struct Desk {
    dir: tempfile::TempDir,
    /// Where rows go that do not go to the file in the folder of the stack.
    database_url: Option<String>,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), database_url: None }
    }

    /// One with SQLite and one with PostgreSQL, both with this table.
    pub(crate) fn both(ddl: &str) -> [Self; 2] {
        let desk = Self::new();
        desk.execute(ddl);
        [desk, Self::postgres(ddl)]
    }

    /// One with PostgreSQL, and this table.
    pub(crate) fn postgres(ddl: &str) -> Self {
        let desk = Self::new();
        let database_url = Some(Backend::Postgres.new_database(desk.path()));
        let desk = Self { database_url, ..desk };
        desk.execute(ddl);
        desk
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::path("baton"));
        command.args(arguments).current_dir(self.dir.path());
        forget_where(&mut command);
        if let Some(url) = &self.database_url {
            command.env("DATABASE_URL", url);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    pub(crate) async fn baton(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().await.unwrap())
    }

    /// Imports a file of this content into the table people, by `baton run`.
    pub(crate) async fn run(&self, id: &str, content: impl AsRef<[u8]>, options: &[&str]) -> Ended {
        let file = self.file(&format!("{id}.csv"), content).display().to_string();
        let arguments = ["run", &file, "--table", "people", "--id", id];
        self.baton(&[&arguments[..], options].concat()).await
    }

    pub(crate) fn rows(&self) -> Database {
        let in_folder = || format!("sqlite:{}", self.dir.path().join(".baton/baton.db").display());
        Database::parse(&self.database_url.clone().unwrap_or_else(in_folder)).unwrap()
    }

    /// Runs a statement in the database, before `baton` if need be.
    pub(crate) fn execute(&self, sql: &str) {
        std::fs::create_dir_all(self.dir.path().join(".baton")).unwrap();
        rows::execute(&self.rows(), sql);
    }

    /// How many people there are.
    pub(crate) fn people(&self) -> i64 {
        rows::number(&self.rows(), "SELECT count(*) AS value FROM people")
    }
}

/// Takes from a command what whoever runs the tests has set for `baton` and the SDKs.
fn forget_where(command: &mut Command) {
    for name in
        ["DATABASE_URL", "BATON_DATA_DIR", "BATON_TARGET", "BATON_CONFIG", "AWS_PROFILE", "AWS_ENDPOINT_URL"]
    {
        command.env_remove(name);
    }
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
}

/// A command, `baton` for one, at a terminal that `script` gives it. It takes the shell's place: a shell that stayed would
/// be interrupted with it, and its end be taken for the command's.
pub(crate) fn at_terminal(command_line: &str) -> Command {
    let mut command = Command::new("script");
    let command_line = format!("exec {command_line}");
    command.args(["-q", "-e", "-c", &command_line, "/dev/null"]).env("TERM", "xterm").env("SHELL", "/bin/sh");
    forget_where(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    command
}

/// `baton` in a terminal of its own, beside a test's stack.
pub(crate) async fn baton_beside(stack: &TestStack, arguments: &[&str]) -> Ended {
    let mut command = Command::new(binaries::path("baton"));
    command.args(arguments).arg("--data-dir").arg(stack.data_dir());
    forget_where(&mut command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ended::of(command.output().await.unwrap())
}

impl Ended {
    pub(crate) fn of(output: std::process::Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Fails the test unless it ended so, and these words stand on stderr.
    pub(crate) fn complains(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for words in words {
            assert!(self.stderr.contains(words), "{words:?} is missing in {}{}", self.stderr, self.stdout);
        }
        self
    }

    /// What it printed, as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Fails the test unless it ended so, and these words stand on stdout.
    pub(crate) fn expect(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for words in words {
            assert!(self.stdout.contains(words), "{words:?} is missing in {}{}", self.stdout, self.stderr);
        }
        self
    }
}
