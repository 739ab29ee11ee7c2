//! `baton` as a new user meets it: the program itself, what it prints, how it ends.

mod printed;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::{rows, wait};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::desk::Desk;
use crate::mid_load;

fn example() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/people.csv").display().to_string()
}

#[tokio::test]
async fn the_first_command_of_the_readme_imports_the_example_and_says_where_it_is() {
    let desk = Desk::new();
    let ended = desk.baton(&["run", &example(), "--table", "people", "--create-table"]).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let expected = std::fs::read_to_string(example()).unwrap();
    let records = i64::try_from(csv_records(&expected)).unwrap();
    assert_eq!(rows::number(&desk.rows(), "SELECT count(*) AS value FROM people"), records);
    for words in ["imported people.csv", "rejects   0", "attempts  1", "baton.db", "baton show people-"] {
        assert!(ended.stdout.contains(words), "{words:?} is missing in {}", ended.stdout);
    }

    // What the report names works, though no stack is up any more.
    let id = ended.stdout.split("baton show ").nth(1).unwrap().trim().to_owned();
    let shown = desk.baton(&["show", &id]).await;
    assert_eq!(shown.code, Some(0), "{shown:#?}");
    for words in ["SUCCESS", "SUCCEEDED", "RunImport", "succeeded (exit code 0)", "message    deleted"] {
        assert!(shown.stdout.contains(words), "{words:?} is missing in {}", shown.stdout);
    }
    let listed = desk.baton(&["imports"]).await;
    assert!(listed.stdout.contains(&id), "{listed:#?}");
    // Task tokens and keys lie in the stack's folder.
    let stack = std::fs::metadata(desk.path().join(".baton/stack")).unwrap();
    assert_eq!(stack.permissions().mode() & 0o777, 0o700);
}

/// Records of a CSV without the header, counted by quotes: a line break inside quotes ends no record.
fn csv_records(csv: &str) -> usize {
    let mut in_quotes = false;
    let breaks = csv.bytes().filter(|byte| {
        in_quotes ^= *byte == b'"';
        *byte == b'\n' && !in_quotes
    });
    breaks.count() - 1
}

/// A worker's container ends after its report, and maybe after `run` has looked.
fn without_containers_end(mut picture: Value) -> Value {
    match &mut picture {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let is_end = matches!(name.as_str(), "exit_code" | "stopped_reason");
                *value = if is_end { Value::Null } else { without_containers_end(value.take()) };
            }
        }
        Value::Array(values) => {
            values.iter_mut().for_each(|value| *value = without_containers_end(value.take()))
        }
        _ => {}
    }
    picture
}

#[tokio::test]
async fn run_show_and_imports_print_json_for_programs() {
    let desk = Desk::new();
    let file = desk.file("a.csv", "id,name\n1,a\n2,b\n").display().to_string();
    let ran =
        desk.baton(&["run", &file, "--table", "people", "--create-table", "--id", "json-1", "--json"]).await;
    let picture: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(picture["import"]["status"], "SUCCESS");
    assert_eq!(picture["import"]["rows"], 2);
    assert_eq!(picture["execution"]["status"], "SUCCEEDED");
    assert_eq!(picture["message"]["fate"], "deleted");
    let shown: Value = serde_json::from_str(&desk.baton(&["show", "json-1", "--json"]).await.stdout).unwrap();
    assert_eq!(without_containers_end(shown), without_containers_end(picture.clone()));
    let listed: Value = serde_json::from_str(&desk.baton(&["imports", "--json"]).await.stdout).unwrap();
    assert_eq!(listed[0], picture["import"]);
}

#[tokio::test]
async fn a_failed_import_ends_with_1_and_shows_where_its_message_is() {
    let desk = Desk::new();
    let file = desk.file("bad.csv", "id,age\n1,20\n2,old\n").display().to_string();
    desk.baton(&[
        "run",
        &desk.file("a.csv", "id,age\n9,9\n").display().to_string(),
        "-t",
        "people",
        "--create-table",
    ])
    .await;
    let ended = desk.baton(&["run", &file, "--table", "people", "--id", "bad-1"]).await;
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    for words in [
        "failed to import bad.csv",
        "--max-rejects",
        "Import.TooManyRejects",
        "1 of 2 rows: 1 not_an_integer",
        "LINE  COLUMN  VALUE",
        "   3  age     \"old\"",
        "baton rejects bad-1",
        "dead-letter queue",
    ] {
        assert!(ended.stdout.contains(words), "{words:?} is missing in {}", ended.stdout);
    }
    let shown = desk.baton(&["show", "bad-1"]).await;
    for words in
        ["FAILURE", "FAILED", "Import.TooManyRejects", "put into the dead-letter queue imports-dead-letter"]
    {
        assert!(shown.stdout.contains(words), "{words:?} is missing in {}", shown.stdout);
    }
    assert_eq!(rows::number(&desk.rows(), "SELECT count(*) AS value FROM people"), 1);
}

#[tokio::test]
async fn a_table_that_does_not_exist_is_answered_with_the_nearest_names() {
    let desk = Desk::new();
    let file = desk.file("a.csv", "id\n1\n").display().to_string();
    desk.baton(&["run", &file, "--table", "people", "--create-table"]).await;
    let ended = desk.baton(&["run", &file, "--table", "poeple"]).await;
    assert_eq!(ended.code, Some(1));
    for words in ["Import.TableMissing", "poeple", "people", "--create-table"] {
        assert!(ended.stdout.contains(words), "{words:?} is missing in {}", ended.stdout);
    }
}

#[tokio::test]
async fn an_empty_file_fails_and_says_so() {
    let desk = Desk::new();
    let empty = desk.file("empty.csv", "").display().to_string();
    let ended = desk.baton(&["run", &empty, "--table", "people", "--create-table"]).await;
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains("empty"), "{ended:#?}");
    desk.baton(&[
        "run",
        &desk.file("a.csv", "id\n1\n").display().to_string(),
        "-t",
        "people",
        "--create-table",
    ])
    .await;
    let ended = desk.baton(&["run", &empty, "--table", "people"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains("Import.SourceUnreadable") && ended.stdout.contains("empty"), "{ended:#?}");
}

#[tokio::test]
async fn wrong_usage_ends_with_2_and_a_way_out() {
    let desk = Desk::new();
    let file = desk.file("a.csv", "id\n1\n").display().to_string();
    let cases: [(&[&str], &str); 18] = [
        (&["run", "nothing.csv", "--table", "t"], "cannot read nothing.csv"),
        (&["run", ".", "--table", "t"], "is a directory"),
        (&["run", "/dev/null", "--table", "t"], "save it as a file"),
        (&["run", &file], "--table"),
        (&["run", &file, "--table", "t", "--id", "a b"], "1 to 40 characters"),
        (&["run", &file, "--table", "t", "--database-url", "mysql://x"], "postgres://"),
        (&["run", &file, "--table", "t", "--key", "id"], "--on-conflict"),
        (&["run", &file, "--table", "t", "--no-header", "--map", "a=b"], "there is none"),
        (&["submit", &file, "--table", "t", "--rebuild-indexes", "--on-conflict", "skip"], "by an index"),
        (&["rejects", "no-such-import"], "baton imports"),
        (&["submit", &file, "--table", "t"], "baton up"),
        (&["show", "no-such-import"], "baton imports"),
        (&["imprts"], "imports"),
        (
            &["run", &file, "--table", "t", "--max-rejects", "-1"],
            "a limit of rejects is a number (20) or a part",
        ),
        (
            &["run", &file, "--table", "t", "--max-rejects", "-1%"],
            "a limit of rejects is a number (20) or a part",
        ),
        (&["run", &file, "--table", "t", "--limit", "-1"], "a number of rows is a whole number from 1"),
        (&["run", &file, "--table", "t", "--limit", "0"], "a number of rows is a whole number from 1"),
        (&["run", &file, "--table", "t", "--max-record-bytes", "-1"], "a number of bytes such as"),
    ];
    for (arguments, words) in cases {
        let ended = desk.baton(arguments).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:#?}");
        assert!(ended.stderr.contains(words), "{words:?} is missing for {arguments:?}: {ended:#?}");
        assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("-- -"), "{ended:#?}");
    }
}

#[tokio::test]
async fn the_options_of_an_import_are_grouped_as_one_looks_for_them() {
    let desk = Desk::new();
    for verb in ["run", "submit"] {
        let help = desk.baton(&[verb, "--help"]).await.stdout;
        let place =
            |words: &str| help.find(words).unwrap_or_else(|| panic!("{words:?} is missing in {help}"));
        let places = [
            "How the file is written:",
            "--encoding",
            "Which columns:",
            "--map",
            "What becomes of bad rows:",
            "--max-rejects",
            "How it is loaded:",
            "--dry-run",
            "Examples:",
        ]
        .map(place);
        assert!(places.is_sorted(), "{help}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let desk = Desk::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = desk.baton(&["up", "--port", &port]).await;
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stderr.contains(&port) && ended.stderr.contains("--port"), "{ended:#?}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_without_its_password() {
    let desk = Desk::new();
    let file = desk.file("a.csv", "id\n1\n").display().to_string();
    let url = "postgres://someone:hunter2@127.0.0.1:1/rows";
    let ended = desk.baton(&["run", &file, "--table", "t", "--database-url", url]).await;
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stderr.contains("127.0.0.1:1/rows"), "{ended:#?}");
    assert!(!ended.stderr.contains("hunter2"), "{ended:#?}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let desk = Desk::new();
    let file = desk.file("a.csv", "id\n1\n").display().to_string();
    // Nobody can make a folder there, not even root.
    let ended = desk.baton(&["run", &file, "--table", "t", "--data-dir", "/proc/baton"]).await;
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stderr.contains("/proc/baton") && ended.stderr.contains("--data-dir"), "{ended:#?}");
}

/// A stack that is up in a process of its own.
pub(crate) struct Up {
    child: Child,
    pub(crate) environment: Vec<(String, String)>,
}

impl Up {
    pub(crate) async fn start(desk: &Desk) -> Self {
        Self::start_with(desk, &[]).await
    }

    pub(crate) async fn start_with(desk: &Desk, options: &[&str]) -> Self {
        let arguments = [&["up", "--port", "0"], options].concat();
        let mut child = desk.command(&arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut environment = Vec::new();
        while environment.len() < 5 {
            let line = lines.next_line().await.unwrap().unwrap();
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            environment.push((name.to_owned(), value.to_owned()));
        }
        Self { child, environment }
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) async fn stop(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(pid).unwrap(),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        self.child.wait().await.unwrap().code()
    }
}

#[tokio::test]
async fn a_stack_that_is_up_takes_imports_from_other_processes_until_it_is_stopped() {
    let desk = Desk::new();
    let up = Up::start(&desk).await;
    let names: Vec<_> = up.environment.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[0], "AWS_ENDPOINT_URL");
    let file = desk.file("a.csv", "id,name\n1,a\n").display().to_string();
    let followed = desk.baton(&["submit", &file, "-t", "people", "--create-table", "--follow"]).await;
    assert_eq!(followed.code, Some(0), "{followed:#?}");

    let other = desk.file("b.csv", "id,name\n2,b\n").display().to_string();
    let sent = desk.baton(&["submit", &other, "-t", "people", "--id", "later"]).await;
    assert_eq!((sent.code, sent.stdout.trim()), (Some(0), "later"));
    let database = desk.rows();
    let look = async || rows::number(&database, "SELECT count(*) AS value FROM people");
    wait::until("the second file to be imported", look, |rows| *rows == 2).await;

    let third = desk.file("c.csv", "id,name\n3,c\n").display().to_string();
    let sent = desk.baton(&["submit", &third, "-t", "people", "--id", "json", "--json"]).await;
    let sent: Value = serde_json::from_str(&sent.stdout).unwrap();
    assert_eq!(sent["import_id"], "json");
    assert!(sent["execution_arn"].as_str().unwrap().contains(":execution:import:json-"), "{sent}");
    wait::until("the third file to be imported", look, |rows| *rows == 3).await;

    let elsewhere = desk.baton(&["run", &third, "-t", "people", "--database-url", "sqlite:other.db"]).await;
    elsewhere.complains(2, &["the stack that is up here imports into sqlite", "other.db; leave it out"]);

    let second = desk.baton(&["up", "--port", "0"]).await;
    assert_eq!(second.code, Some(2));
    assert!(second.stderr.contains("is up on .baton already"), "{second:#?}");
    assert_eq!(up.stop().await, Some(0));
}

#[tokio::test]
async fn a_stack_that_comes_up_prints_json_for_programs() {
    let desk = Desk::new();
    let mut child = desk.command(&["up", "--port", "0", "--json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut json = String::new();
    // The document ends with the brace that stands alone at the margin.
    while !json.ends_with("\n}\n") {
        json.push_str(&lines.next_line().await.unwrap().unwrap());
        json.push('\n');
    }
    let up: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(up["environment"]["AWS_ENDPOINT_URL"], up["endpoint"]);
    assert!(up["resources"]["queue_url"].as_str().unwrap().ends_with("/imports"), "{up}");
    assert_eq!(Up { child, environment: Vec::new() }.stop().await, Some(0));
}

#[tokio::test]
async fn an_import_survives_the_kill_of_the_stack_and_every_row_is_there_once() {
    let desk = Desk::new();
    let file = desk.file("many.csv", mid_load::file()).display().to_string();
    let up = Up::start(&desk).await;
    let database = desk.rows();
    rows::execute(&database, "CREATE TABLE people (id integer, name text)");
    mid_load::slow_down_the_first_attempt(&database);
    let sent = desk.baton(&["submit", &file, "-t", "people", "--id", "killed"]).await;
    assert_eq!(sent.code, Some(0), "{sent:#?}");
    let status = async || {
        let mut connection = database.connect().unwrap();
        let row = worker::imports::find(&mut connection, &"killed".parse().unwrap()).unwrap().unwrap();
        (row.status.as_str(), row.rows_done)
    };
    wait::until("rows to be on their way", status, |(status, rows)| *status == "RUNNING" && *rows > 0).await;
    up.kill().await;

    let up = Up::start(&desk).await;
    // The row may say SUCCESS before: the worker of the killed stack may have committed, and not been heard.
    let execution = async || {
        let shown = desk.baton(&["show", "killed", "--json"]).await;
        serde_json::from_str::<Value>(&shown.stdout).unwrap()["execution"]["status"].clone()
    };
    wait::until("the execution to end", execution, |status| status == "SUCCEEDED").await;
    assert_eq!(status().await.0, "SUCCESS");
    let rows = rows::number(&database, "SELECT count(DISTINCT id) AS value FROM people");
    assert_eq!(rows, i64::from(mid_load::ROWS));
    assert_eq!(rows, rows::number(&database, "SELECT count(*) AS value FROM people"));
    assert_eq!(up.stop().await, Some(0));
}
