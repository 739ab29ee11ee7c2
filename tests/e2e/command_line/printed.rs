//! The command lines that stand in what `baton` prints.

use std::process::Stdio;

use e2e::{Backend, binaries, wait};
use tokio::process::Command;

use super::Up;
use crate::console::Console;
use crate::desk::{Desk, Ended};

/// The command lines of `baton` that stand in what was printed.
fn command_lines(ended: &Ended) -> Vec<&str> {
    let quoted = ended.stdout.split('`').skip(1).step_by(2);
    let quoted = quoted.chain(ended.stderr.split('`').skip(1).step_by(2));
    quoted.filter(|words| words.contains("baton")).collect()
}

#[tokio::test]
async fn a_command_line_that_is_printed_can_be_typed_as_it_stands() {
    let desk = Desk::new();
    let program = binaries::path("baton").display().to_string();
    let file = desk.file("a.csv", "id\n1\n").display().to_string();
    let says = async |arguments: &[&str], verbs: &[&str]| {
        let ended = desk.baton(&[arguments, &["--data-dir", "elsewhere"]].concat()).await;
        let expected: Vec<_> =
            verbs.iter().map(|verb| format!("{program} {verb} --data-dir elsewhere")).collect();
        assert_eq!(command_lines(&ended), expected, "{arguments:?}: {ended:#?}");
    };
    let submit = ["submit", &file, "--table", "t", "--id", "a"];
    says(&submit, &["up", "run"]).await;
    says(&["imports"], &["run FILE --table TABLE"]).await;
    says(&["imports", "--status", "failure"], &["imports"]).await;
    for verb in ["show", "rejects", "logs", "cancel"] {
        says(&[verb, "nobody"], &["imports"]).await;
    }
    says(&["redrive", "nobody"], &["imports", "dlq list"]).await;
    says(&["redrive", "--all-failed"], &["imports"]).await;
    says(&["redrive", "nobody", "--no-wait"], &["up"]).await;
    says(&["dlq", "show", "nobody"], &["dlq list"]).await;

    let up = Up::start_with(&desk, &["--data-dir", "elsewhere"]).await;
    says(&submit, &["show a"]).await;
    let ended = async || desk.baton(&["show", "a", "--json", "--data-dir", "elsewhere"]).await.json();
    wait::until("the message to be dead-lettered", ended, |picture| {
        picture["message"]["fate"] == "dead_lettered"
    })
    .await;
    assert_eq!(up.stop().await, Some(0));
    says(&["rejects", "a"], &["show a"]).await;
    says(&["logs", "a", "--attempt", "7"], &["logs a"]).await;
    says(&["logs", "a", "--follow"], &["up"]).await;
    says(&["dlq", "drop", "a"], &["redrive ID"]).await;
    says(&["dlq", "redrive", "a"], &["up"]).await;
}

/// Fails the test unless these verbs stand on a page of a console on the folder, as command lines that can be typed.
async fn page_says(console: &Console, page: &str, verbs: &[&str]) {
    let shown = console.page(page).await;
    for verb in verbs {
        let line = format!("{} {verb} --data-dir 'else where'", binaries::path("baton").display());
        assert!(shown.contains(&line), "{line:?} is missing on {page}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_on_a_page_of_the_console_can_be_typed_as_it_stands() {
    let desk = Desk::new();
    let there = ["--data-dir", "else where"];
    let console = Console::start(desk.command(&there)).await;
    page_says(&console, "/imports", &["run FILE --table TABLE", "up"]).await;
    page_says(&console, "/upload", &["up"]).await;
    assert_eq!(console.stop().await, Some(0));

    let run = async |id: &str, content: &str| {
        let file = desk.file("a.csv", content).display().to_string();
        let run = ["run", &file, "--table", "t", "--create-table", "--id", id];
        desk.baton(&[&run[..], &there].concat()).await
    };
    run("good", "id\n1\n").await.expect(0, &["imported a.csv"]);
    run("bad", "id\n2\nx\n").await.expect(1, &["failed to import a.csv"]);
    let console = Console::start(desk.command(&there)).await;
    page_says(&console, "/imports/bad", &["redrive bad", "rejects bad", "logs bad", "up"]).await;
    assert_eq!(console.stop().await, Some(0));
    let rejects = format!("{} rejects bad --data-dir 'else where'", binaries::path("baton").display());
    typed(&desk, &rejects).await.expect(0, &["is no integer"]);
}

/// The command line behind `more`, in the report of an import.
fn more(ended: &Ended) -> &str {
    ended.stdout.split("more      ").nth(1).unwrap_or_else(|| panic!("{ended:#?}")).trim()
}

/// Types a command line at the desk.
async fn typed(desk: &Desk, command_line: &str) -> Ended {
    let mut shell = Command::new("sh");
    shell.args(["-c", command_line]).current_dir(desk.path()).env_remove("DATABASE_URL").stdin(Stdio::null());
    Ended::of(shell.output().await.unwrap())
}

#[tokio::test]
async fn a_command_line_that_is_printed_finds_the_database_that_was_typed_after_the_folder_has_had_another() {
    let desk = Desk::new();
    let file = desk.file("a.csv", "id\n1\n").display().to_string();
    let url = format!("sqlite:{}/my rows.db", desk.path().display());
    let run = |id| ["run", &file, "--table", "t", "--create-table", "--id", id];
    let there = desk.baton(&[&run("there")[..], &["--database-url", &url]].concat()).await;
    assert!(more(&there).ends_with(&format!(" show there --database-url '{url}'")), "{there:#?}");
    // What is in the environment is there for the next command, too.
    let by_environment = desk.command(&run("by-environment")).env("DATABASE_URL", &url).output().await;
    let by_environment = Ended::of(by_environment.unwrap());
    assert!(more(&by_environment).ends_with(" show by-environment"), "{by_environment:#?}");

    desk.baton(&run("here")).await.expect(0, &["imported a.csv"]);
    desk.baton(&["show", "there"]).await.complains(2, &["there is no import there"]);
    typed(&desk, more(&there)).await.expect(0, &["import     there  SUCCESS", "my rows.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_that_is_printed_has_a_word_in_the_place_of_a_password() {
    let desk = Desk::new();
    let file = desk.file("a.csv", "id\n1\n").display().to_string();
    let url = Backend::Postgres.new_database(desk.path());
    let with_password = url.replace("postgres://baton@", "postgres://baton:hunter2@");
    let run = ["run", &file, "--table", "t", "--create-table", "--id", "a", "--database-url", &with_password];
    let ended = desk.baton(&run).await;
    ended.expect(0, &["imported a.csv"]);
    let shown = url.replace("postgres://baton@", "postgres://baton:PASSWORD@");
    assert!(more(&ended).ends_with(&format!(" show a --database-url {shown}")), "{ended:#?}");
    assert!(!format!("{ended:?}").contains("hunter2"), "{ended:#?}");
}
