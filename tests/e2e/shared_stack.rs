//! A command on the stack of another command, which ends first.

use e2e::{rows, wait};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::command_line::Up;
use crate::desk::{Desk, Ended};

/// The rows of `people` wait until there is a row in `gate`.
pub(crate) const GATE: [&str; 3] = [
    "CREATE TABLE gate (opened int)",
    "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN NULL; END $$",
    "CREATE TRIGGER wait AFTER INSERT ON people FOR EACH STATEMENT EXECUTE FUNCTION wait()",
];

/// The statements of workers that wait at the gate.
pub(crate) const WAITING: &str = "SELECT count(*) AS value FROM pg_stat_activity WHERE datname = current_database() \
     AND state = 'active' AND query LIKE 'COPY%people%'";

#[tokio::test(flavor = "multi_thread")]
async fn a_submit_that_follows_says_what_goes_on_where_the_stack_that_it_joined_ends() {
    let desk = Desk::postgres("CREATE TABLE people (id int PRIMARY KEY, name text)");
    GATE.iter().for_each(|statement| desk.execute(statement));
    let up = Up::start(&desk).await;
    let file = desk.file("a.csv", "id,name\n1,a\n2,b\n").display().to_string();
    let submit = ["submit", &file, "--table", "people", "--id", "a", "--follow"];
    let submit = desk.command(&submit).spawn().unwrap();
    let waiting = async || rows::number(&desk.rows(), WAITING);
    wait::until("the worker to wait at the gate", waiting, |workers| *workers == 1).await;
    up.kill().await;
    let ended = Ended::of(submit.wait_with_output().await.unwrap());
    ended.complains(
        1,
        &["the stack that was up here has ended; what has not ended goes on with the next `", " show a"],
    );
    desk.execute("INSERT INTO gate VALUES (1)");
    // And so it does.
    desk.baton(&["redrive", "a"]).await.expect(0, &["a: "]);
    assert_eq!(desk.people(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_where_the_stack_that_it_joined_ends() {
    for is_killed in [false, true] {
        let desk = Desk::postgres("CREATE TABLE people (id int PRIMARY KEY, name text)");
        GATE.iter().for_each(|statement| desk.execute(statement));
        let up = Up::start(&desk).await;
        let file = desk.file("a.csv", "id,name\n1,a\n2,b\n").display().to_string();
        let run = desk.command(&["run", &file, "--table", "people", "--id", "a"]).spawn().unwrap();
        let waiting = async || rows::number(&desk.rows(), WAITING);
        wait::until("the worker to wait at the gate", waiting, |workers| *workers == 1).await;
        if is_killed {
            up.kill().await;
        } else {
            assert_eq!(up.stop().await, Some(0));
        }
        desk.execute("INSERT INTO gate VALUES (1)");
        let ended = Ended::of(run.wait_with_output().await.unwrap());
        ended.expect(0, &["imported a.csv", "rows      2", "message   deleted"]);
        ended.complains(0, &["the stack that was up here has ended; the import a goes on"]);
        assert_eq!(desk.people(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_is_followed_to_its_end_though_the_run_that_it_cancels_takes_its_stack_along() {
    let desk = Desk::postgres("CREATE TABLE people (id int PRIMARY KEY, name text)");
    GATE.iter().for_each(|statement| desk.execute(statement));
    let file = desk.file("a.csv", "id,name\n1,a\n2,b\n").display().to_string();
    let run = desk.command(&["run", &file, "--table", "people", "--id", "a"]).spawn().unwrap();
    let waiting = async || rows::number(&desk.rows(), WAITING);
    wait::until("the worker to wait at the gate", waiting, |workers| *workers == 1).await;
    let cancelled = Ended::of(desk.command(&["cancel", "a", "--yes"]).output().await.unwrap());
    cancelled.expect(
        0,
        &["a: cancelled; no row of it is in the table", "message   put into the dead-letter queue"],
    );
    Ended::of(run.wait_with_output().await.unwrap()).expect(1, &["Cancelled"]);
    assert_eq!(desk.people(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_names_the_imports_that_it_goes_on_with_those_in_a_lane_too() {
    for (cap, at_the_gate) in [(&[][..], 2), (&["--max-imports", "1"][..], 1)] {
        let desk = Desk::postgres("CREATE TABLE people (id int PRIMARY KEY, name text)");
        GATE.iter().for_each(|statement| desk.execute(statement));
        let up = Up::start_with(&desk, cap).await;
        for (id, row) in [("a", "1,a\n"), ("b", "2,b\n")] {
            let file = desk.file(&format!("{id}.csv"), format!("id,name\n{row}")).display().to_string();
            desk.baton(&["submit", &file, "--table", "people", "--id", id]).await.expect(0, &[id]);
        }
        let waiting = async || rows::number(&desk.rows(), WAITING);
        wait::until("workers to wait at the gate", waiting, |workers| *workers == at_the_gate).await;
        up.kill().await;

        let file = desk.file("c.csv", "id,name\n3,c\n").display().to_string();
        let mut run = desk.command(&["run", &file, "--table", "people", "--id", "c"]).spawn().unwrap();
        let mut said = BufReader::new(run.stderr.take().unwrap()).lines();
        let goes_on = loop {
            let line = said.next_line().await.unwrap().expect("it says so before it ends");
            if line.contains("goes on with") {
                break line;
            }
        };
        assert!(
            goes_on.contains("with the imports a, b, which were sent here and are not finished"),
            "{goes_on}"
        );
        desk.execute("INSERT INTO gate VALUES (1)");
        Ended::of(run.wait_with_output().await.unwrap()).expect(0, &["imported c.csv"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_begin_at_the_same_moment_share_one_stack() {
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)");
    let runs = (1..=6).map(|number| {
        let file =
            desk.file(&format!("{number}.csv"), format!("id,name\n{number},a\n")).display().to_string();
        let id = format!("run-{number}");
        desk.command(&["run", &file, "--table", "people", "--id", &id]).spawn().unwrap()
    });
    // All of them are started before one is waited for.
    for run in runs.collect::<Vec<_>>() {
        Ended::of(run.wait_with_output().await.unwrap()).expect(0, &["rows      1\n"]);
    }
    assert_eq!(desk.people(), 6);
}
