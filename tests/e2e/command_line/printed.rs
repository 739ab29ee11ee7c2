//! The command lines that stand in what `baton` prints.

use e2e::{binaries, wait};

use super::Up;
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
    says(&["redrive", "nobody", "--no-wait"], &["up", "run"]).await;
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
