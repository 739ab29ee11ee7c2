//! Commands that are interrupted while they bring a file on its way, or straight after.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use e2e::{rows, wait};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use worker::imports::ImportRow;

use crate::command_line::Up;
use crate::desk::{Desk, Ended};
use crate::shared_stack::{GATE, WAITING};

/// More than can be uploaded within the deadline of a test.
const HUGE: u64 = 4 << 30;
/// How long a command may take to end that was interrupted.
const AT_ONCE: Duration = Duration::from_secs(20);

fn interrupt(command: &Child) {
    let pid = Pid::from_raw(command.id().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

/// Waits for the end of a command that was interrupted, which comes at once.
async fn end(command: Child) -> Ended {
    Ended::of(tokio::time::timeout(AT_ONCE, command.wait_with_output()).await.unwrap().unwrap())
}

fn row(desk: &Desk, id: &str) -> Option<ImportRow> {
    worker::imports::find(&mut desk.rows().connect().unwrap(), &id.parse().unwrap()).unwrap()
}

/// The files below a folder, those that are no object yet included.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path.display().to_string()) }
    }
    found
}

/// Nothing is left: no object nor a part of one, no table, no import.
async fn nothing_is_left(desk: &Desk) {
    let objects = async || files(&desk.path().join(".baton/stack/s3"));
    wait::until("no part of the file to be left", objects, Vec::is_empty).await;
    let table = "SELECT count(*) AS value FROM sqlite_schema WHERE name = 't'";
    assert_eq!(rows::number(&desk.rows(), table), 0);
    assert!(row(desk, "a").is_none());
    desk.baton(&["imports"]).await.complains(0, &["no imports yet"]);
}

#[tokio::test]
async fn an_upload_that_is_interrupted_ends_at_once_and_leaves_neither_object_nor_table() {
    for verb in ["run", "submit"] {
        let desk = Desk::new();
        let up = if verb == "submit" { Some(Up::start(&desk).await) } else { None };
        // All is text from its first row on, so that no more of it is looked at.
        let file = desk.file("huge.csv", format!("name\n{}", "a name\n".repeat(1_000_000)));
        OpenOptions::new().write(true).open(&file).unwrap().set_len(HUGE).unwrap();
        let file = file.display().to_string();
        let arguments = [verb, &file, "--table", "t", "--create-table", "--id", "a"];
        let command = desk.command(&arguments).spawn().unwrap();
        let parts = async || files(&desk.path().join(".baton/stack/s3"));
        wait::until("the upload to begin", parts, |files| !files.is_empty()).await;
        interrupt(&command);
        let ended = end(command).await;
        ended
            .complains(1, &["made the missing table", "dropped the table t, which was made for this import"]);
        let last = "error: interrupted before the import was begun; nothing of its file is left in S3";
        assert_eq!(ended.stderr.lines().last(), Some(last), "{ended:#?}");
        nothing_is_left(&desk).await;
        if let Some(up) = up {
            assert_eq!(up.stop().await, Some(0));
        }
    }
}

#[tokio::test]
async fn a_file_that_is_written_while_it_is_uploaded_is_not_imported() {
    let desk = Desk::new();
    let file = desk.file("growing.csv", format!("name\n{}", "a name\n".repeat(1_000_000)));
    OpenOptions::new().write(true).open(&file).unwrap().set_len(HUGE / 32).unwrap();
    let name = file.display().to_string();
    let command =
        desk.command(&["run", &name, "--table", "t", "--create-table", "--id", "a"]).spawn().unwrap();
    let parts = async || files(&desk.path().join(".baton/stack/s3"));
    wait::until("the upload to begin", parts, |files| !files.is_empty()).await;
    let pid = Pid::from_raw(command.id().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    OpenOptions::new().append(true).open(&file).unwrap().write_all(b"another\n").unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    let ended = Ended::of(command.wait_with_output().await.unwrap());
    ended.complains(
        1,
        &[
            "growing.csv was changed while it was read and uploaded, and may be cut off",
            "dropped the table t",
        ],
    );
    let objects = files(&desk.path().join(".baton/stack/s3"));
    assert!(!objects.iter().any(|name| name.ends_with("growing.csv")), "{objects:?}");
    assert!(row(&desk, "a").is_none());
}

#[tokio::test]
async fn a_look_at_all_of_a_file_that_is_interrupted_ends_at_once_and_makes_no_table() {
    let desk = Desk::new();
    let file = desk.file("large.csv", format!("id\n{}", "1234567\n".repeat(12_000_000)));
    let name = file.display().to_string();
    let mut command =
        desk.command(&["run", &name, "--table", "t", "--create-table", "--id", "a"]).spawn().unwrap();
    let mut said = BufReader::new(command.stderr.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).await.unwrap();
    assert!(first.starts_with("target: "), "{first}");
    let open = format!("/proc/{}/fd", command.id().unwrap());
    let is_open = async || {
        let mut files = std::fs::read_dir(&open).unwrap().flatten();
        files.any(|entry| std::fs::read_link(entry.path()).is_ok_and(|path| path == file))
    };
    wait::until("the file to be read", is_open, |is_open| *is_open).await;
    interrupt(&command);
    assert_eq!(end(command).await.code, Some(1));
    let mut rest = String::new();
    said.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("error: interrupted before the import was begun"), "{rest}");
    nothing_is_left(&desk).await;
}

/// The command line in a sentence that has these words.
fn command_line<'a>(ended: &'a Ended, words: &str) -> &'a str {
    let quoted = ended.stderr.split('`').skip(1).step_by(2).find(|quoted| quoted.contains(words));
    quoted.unwrap_or_else(|| panic!("{words:?} is missing in {ended:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_interrupted_as_soon_as_its_import_is_known_names_a_command_that_ends_it() {
    let desk = Desk::postgres("CREATE TABLE people (id int PRIMARY KEY, name text)");
    GATE.iter().for_each(|statement| desk.execute(statement));
    let file = desk.file("a.csv", "id,name\n1,a\n").display().to_string();
    desk.baton(&["imports"]).await.complains(0, &["no imports yet"]);
    for id in ["a", "b", "c"] {
        let run = desk.command(&["run", &file, "--table", "people", "--id", id]).spawn().unwrap();
        wait::until("the import to be registered", async || row(&desk, id), Option::is_some).await;
        interrupt(&run);
        let ended = end(run).await;
        ended.complains(1, &[&format!("interrupted; the import {id} is not lost"), "` ends it\n"]);
        let shown = desk.baton(&["show", id]).await;
        shown.expect(0, &["RUNNING", "no stack is up, so it rests; the next `", " up` goes on with it"]);
        let mut cancel = Command::new("sh");
        cancel.args(["-c", &format!("{} --yes", command_line(&ended, " cancel "))]).current_dir(desk.path());
        let cancelled = Ended::of(cancel.output().await.unwrap());
        cancelled.expect(0, &[&format!("{id}: cancelled; no row of it is in the table")]);
    }
    assert_eq!(desk.people(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_interrupted_while_its_message_waits_in_a_lane_says_that_it_can_be_ended_later() {
    let desk = Desk::postgres("CREATE TABLE people (id int PRIMARY KEY, name text)");
    GATE.iter().for_each(|statement| desk.execute(statement));
    let up = Up::start_with(&desk, &["--max-imports", "1"]).await;
    let file = desk.file("a.csv", "id,name\n1,a\n").display().to_string();
    desk.baton(&["submit", &file, "--table", "people", "--id", "first"]).await.expect(0, &["first"]);
    let waiting = async || rows::number(&desk.rows(), WAITING);
    wait::until("the first worker to wait at the gate", waiting, |workers| *workers == 1).await;
    let run = desk.command(&["run", &file, "--table", "people", "--id", "second"]).spawn().unwrap();
    wait::until("the import to be registered", async || row(&desk, "second"), Option::is_some).await;
    interrupt(&run);
    let ended = end(run).await;
    ended.complains(1, &["the stack that is up here goes on with the import second"]);
    ended.complains(
        1,
        &["its message waits for its turn, and `", " cancel second` ends it once it has begun\n"],
    );
    assert_eq!(up.stop().await, Some(0));
}
