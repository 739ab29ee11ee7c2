//! Imports whose stack has ended before them, and commands that come to the folder after it.

use e2e::{rows, wait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use worker::imports::ImportRow;

use crate::command_line::Up;
use crate::desk::{Desk, Ended};
use crate::shared_stack::{GATE, WAITING};

/// How many rows the file has: many enough for a load that is met in its middle.
const ROWS: u32 = 20_000;

fn row(desk: &Desk, id: &str) -> Option<ImportRow> {
    worker::imports::find(&mut desk.rows().connect().unwrap(), &id.parse().unwrap()).unwrap()
}

fn attempts(desk: &Desk, id: &str) -> i32 {
    row(desk, id).map_or(0, |row| row.attempt)
}

/// Starts an import that takes a while at its first attempt, and interrupts it in the middle of its load.
async fn interrupted_run(desk: &Desk, id: &str) {
    desk.execute(&format!(
        "CREATE TRIGGER slow BEFORE INSERT ON people WHEN (SELECT attempt FROM \"baton_jobs\" WHERE id = '{id}') = 1 \
         BEGIN SELECT length(hex(randomblob(50000))); END"
    ));
    let lines: String = (1..=ROWS).map(|number| format!("{number},a\n")).collect();
    let file = desk.file(&format!("{id}.csv"), format!("id,name\n{lines}")).display().to_string();
    let run = desk.command(&["run", &file, "--table", "people", "--id", id]).spawn().unwrap();
    let rows = async || row(desk, id).map_or(0, |row| row.rows_done);
    wait::until("rows to be on their way", rows, |rows| *rows > 0).await;
    let pid = Pid::from_raw(run.id().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    Ended::of(run.wait_with_output().await.unwrap()).complains(1, &[&format!("the import {id} is not lost")]);
    assert_eq!((desk.people(), attempts(desk, id)), (1, 1));
}

#[tokio::test]
async fn an_import_that_was_interrupted_is_brought_to_its_end_by_a_redrive_and_by_no_command_that_looks() {
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id bigint PRIMARY KEY, name text)");
    desk.run("done", "id,name\n0,z\n", &[]).await.expect(0, &["imported done.csv"]);
    interrupted_run(&desk, "rr").await;
    let commands: [(i32, &[&str]); 14] = [
        (0, &["show", "rr"]),
        (0, &["imports"]),
        (0, &["logs", "rr"]),
        (0, &["rejects", "rr"]),
        (0, &["doctor"]),
        (0, &["dlq", "list"]),
        (0, &["dlq", "redrive", "--all", "--yes"]),
        (0, &["dlq", "drop", "--all", "--yes"]),
        (2, &["cancel", "rr"]),
        (1, &["cancel", "done", "--yes"]),
        (0, &["redrive", "done"]),
        (2, &["redrive", "nobody"]),
        (0, &["redrive", "--all-failed"]),
        (0, &["redrive", "--all-failed", "--yes"]),
    ];
    for (code, arguments) in commands {
        let ended = desk.baton(arguments).await;
        assert_eq!((ended.code, attempts(&desk, "rr")), (Some(code), 1), "{arguments:?}: {ended:#?}");
    }

    let redriven = desk.baton(&["redrive", "rr", "--json"]).await;
    redriven.complains(0, &["rr was not finished here, and needs no redrive: this command goes on with it"]);
    let outcomes = redriven.json();
    let expected = json!({
        "import_id": "rr", "execution_arn": outcomes[0]["execution_arn"], "result": "succeeded", "status": "SUCCEEDED",
        "redrives": 0, "rows": ROWS, "attempt": 2, "error": null, "cause": null, "reason": null,
        "dead_letters_deleted": 0,
    });
    assert_eq!(outcomes, json!([expected]));
    assert_eq!(desk.people(), i64::from(ROWS) + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_often_as_stacks_end_an_import_keeps_its_retries_and_a_redrive_of_others_does_not_wait_for_it() {
    let desk = Desk::postgres("CREATE TABLE people (id int PRIMARY KEY, name text)");
    GATE.iter().for_each(|statement| desk.execute(statement));
    let file = desk.file("b.csv", "id\n1\n").display().to_string();
    let bad = desk.baton(&["run", &file, "--table", "others", "--id", "bad"]).await;
    bad.expect(1, &["Import.TableMissing"]);
    let file = desk.file("a.csv", "id,name\n1,a\n2,b\n").display().to_string();
    let waiting = async || rows::number(&desk.rows(), WAITING);
    // Once more than an interruption is retried.
    for stack in 0..7 {
        let up = Up::start(&desk).await;
        if stack == 0 {
            desk.baton(&["submit", &file, "--table", "people", "--id", "a"]).await.expect(0, &["a\n"]);
        }
        let claims = async || attempts(&desk, "a");
        wait::until("the worker to claim the import", claims, |attempts| *attempts == stack + 1).await;
        wait::until("the worker to wait at the gate", waiting, |workers| *workers == 1).await;
        let redriven = desk.baton(&["redrive", "a"]).await;
        redriven.expect(1, &["a: not redriven: it is running; `", "show a"]);
        assert_eq!(up.stop().await, Some(0));
    }
    assert_eq!(attempts(&desk, "a"), 7);

    desk.execute("CREATE TABLE others (id int PRIMARY KEY)");
    let others = desk.baton(&["redrive", "--all-failed", "--yes"]).await;
    others.expect(0, &["bad: SUCCEEDED, 1 row, attempt 2; its dead letter is deleted"]);
    others.complains(
        0,
        &["this command also goes on with the import a, which was sent here and is not finished"],
    );
    desk.execute("INSERT INTO gate VALUES (1)");
    let again = desk.baton(&["run", &file, "--table", "people", "--id", "a"]).await;
    again.expect(0, &["rows      2"]);
    assert!(!again.stderr.contains("also goes on"), "{}", again.stderr);
    assert_eq!(desk.people(), 2);
}
