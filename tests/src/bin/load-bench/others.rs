//! What people load files with today: Django's `bulk_create`, pandas' `to_sql`, and pgloader, each as its documentation has
//! it. Each runs once, after the database's own program, and must leave the same in the table.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::answer::Answer;
use crate::arguments::Arguments;
use crate::contest::{Run, ratio};
use crate::data::{Content, File, Files, Keys, Recipe};
use crate::{child, postgres, sqlite};

const DJANGO: &str = include_str!("others/django_load.py");
const PANDAS: &str = include_str!("others/pandas_load.py");

/// A program of others.
#[derive(Clone, Copy)]
enum Other {
    Django,
    Pandas,
    PandasMulti,
    Pgloader,
}

impl Other {
    const ALL: [Self; 4] = [Self::Django, Self::Pandas, Self::PandasMulti, Self::Pgloader];

    fn name(self) -> &'static str {
        match self {
            Self::Django => "Django `bulk_create`, batches of 1,000",
            Self::Pandas => "pandas `to_sql`, chunks of 1,000",
            Self::PandasMulti => "pandas `to_sql`, chunks of 1,000, `method=\"multi\"`",
            Self::Pgloader => "pgloader",
        }
    }

    /// Why this cannot run here; `None` if it can.
    async fn is_missing(self, python: &Path, postgres: bool) -> Option<&'static str> {
        let imports = match (self, postgres) {
            (Self::Django, true) => "import django, psycopg",
            (Self::Django, false) => "import django",
            (Self::Pandas | Self::PandasMulti, true) => "import pandas, sqlalchemy, psycopg",
            (Self::Pandas | Self::PandasMulti, false) => "import pandas, sqlalchemy",
            (Self::Pgloader, true) => {
                let is_there = child::answers("pgloader", &["--version"]).await;
                return (!is_there).then_some("it is not installed");
            }
            (Self::Pgloader, false) => return Some("it reads SQLite and does not write it"),
        };
        let is_there = child::answers(python, &["-c", imports]).await;
        (!is_there)
            .then_some("this Python (`--python`) does not have it, or not what it needs for this database")
    }

    /// The call that loads a file into a database.
    fn command(self, python: &Path, url: &str, file: &File, dir: &Path) -> Command {
        let script = match self {
            Self::Django => write(dir, "django_load.py", DJANGO),
            Self::Pandas | Self::PandasMulti => write(dir, "pandas_load.py", PANDAS),
            Self::Pgloader => write(dir, "loaded.load", &pgloader_commands(url, file)),
        };
        if matches!(self, Self::Pgloader) {
            let mut command = Command::new("pgloader");
            command.arg("--root-dir").arg(dir).arg("--on-error-stop").arg(script);
            return command;
        }
        let mut command = Command::new(python);
        command.arg(script).arg(url).arg(&file.path);
        if matches!(self, Self::PandasMulti) {
            command.arg("multi");
        }
        command
    }
}

/// Runs each where it can, and returns what was left out and why.
pub(crate) async fn measure(arguments: &Arguments, files: &Files) -> Vec<String> {
    let mut left_out = Vec::new();
    let file = files.get(Recipe { keys: Keys::Random, content: Content::Whole, rows: arguments.rows });
    crate::said::say(&format!(
        "\n| what else loads files, {} rows, random UUID key | database | time | `\\copy`, `.import` = 1 |\n\
         |---|---|---:|---:|",
        arguments.rows
    ));
    if e2e::Backend::DurablePostgres.is_available() && child::answers("psql", &["--version"]).await {
        let arena = postgres::Arena::open(None).await;
        for other in Other::ALL {
            left_out.extend(on_postgres(&arena, other, arguments, files, &file).await);
        }
        arena.stack.stop().await;
    } else {
        left_out.push("others on PostgreSQL: it is not installed".to_owned());
    }
    if child::answers("sqlite3", &["--version"]).await {
        let arena = sqlite::Arena::open(files, None).await;
        for other in Other::ALL {
            left_out.extend(on_sqlite(&arena, other, arguments, files, &file).await);
        }
        arena.stack.stop().await;
    } else {
        left_out.push("others on SQLite: `sqlite3` is not installed".to_owned());
    }
    left_out
}

async fn on_postgres(
    arena: &postgres::Arena,
    other: Other,
    arguments: &Arguments,
    files: &Files,
    file: &File,
) -> Option<String> {
    if let Some(why) = other.is_missing(&arguments.python, true).await {
        return Some(format!("{} on PostgreSQL: {why}", other.name()));
    }
    arena.clear(true);
    arena.settle();
    let base = arena.copy(file).await;
    let expected = arena.answer();
    arena.clear(true);
    arena.settle();
    let command = other.command(&arguments.python, arena.stack.database_url(), file, files.dir());
    let ended = child::timed(command, arena.clocks).await;
    row(other, "PostgreSQL", &base, ended, || arena.answer(), &expected)
}

async fn on_sqlite(
    arena: &sqlite::Arena,
    other: Other,
    arguments: &Arguments,
    files: &Files,
    file: &File,
) -> Option<String> {
    if let Some(why) = other.is_missing(&arguments.python, false).await {
        return Some(format!("{} on SQLite: {why}", other.name()));
    }
    arena.clear_theirs(Keys::Random);
    let base = arena.import_theirs(file).await;
    let expected = arena.answer_theirs();
    match other {
        // Django writes a UUID as 32 digits. A column of type UUID makes numbers of those that look like one: `1e5`.
        Other::Django => arena.clear_theirs_as("CHAR(32)"),
        _ => arena.clear_theirs(Keys::Random),
    }
    let url = format!("sqlite:{}", arena.theirs.display());
    let command = other.command(&arguments.python, &url, file, files.dir());
    let ended = child::timed(command, crate::cpu::Clocks::default()).await;
    row(other, "SQLite", &base, ended, || arena.answer_theirs(), &expected)
}

/// Prints a row, or returns why there is none.
fn row(
    other: Other,
    database: &str,
    base: &Run,
    ended: Result<Run, String>,
    answer: impl FnOnce() -> Answer,
    expected: &Answer,
) -> Option<String> {
    let run = match ended {
        Ok(run) => run,
        Err(why) => return Some(format!("{} on {database}: it fails: {why}", other.name())),
    };
    assert_eq!(answer(), *expected, "{} on {database}: the table is as it should be", other.name());
    let (wall, ratio) = (run.wall.as_secs_f64(), ratio(base, &run));
    crate::said::say(&format!("| {} | {database} | {wall:.1} s | {ratio:.1} |", other.name()));
    None
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("there is room for a script");
    path
}

fn pgloader_commands(url: &str, file: &File) -> String {
    let url = url.replacen("postgres://", "postgresql://", 1);
    let columns = "id, name, quantity, price, born, active, seen, note";
    let fields = "id, name, quantity, price, born, active, seen, note [null if blanks]";
    format!(
        "LOAD CSV FROM '{}' ({fields})\n     INTO {url}\n     TARGET TABLE public.loaded ({columns})\n     \
         WITH skip header = 1, fields optionally enclosed by '\"', fields escaped by double-quote, \
         fields terminated by ',';\n",
        file.path.display()
    )
}
