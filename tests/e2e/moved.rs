//! Folders and databases that change between two commands: renamed, copied, brought back from a backup.

use std::fs;
use std::io::Write as _;

use diesel::RunQueryDsl as _;
use e2e::wait;
use rustix::process::{Pid, Signal, kill_process};
use worker::db::Connection;

use crate::command_line::Up;
use crate::desk::{Desk, Ended};
use crate::stack_killed::{Lock, Stack, TASKS, submit};

const PEOPLE: &str = "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)";

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_a_folder_goes_on_where_the_folder_was_moved_to() {
    let desk = Desk::new();
    desk.run("failed", "id,name\n1,a\n", &[]).await.expect(1, &["Import.TableMissing"]);
    desk.execute(PEOPLE);
    let stack = Stack::of(Up::start(&desk).await).await;
    let tasks = Lock::of(&desk, TASKS);
    let execution = submit(&desk, "killed", "id,name\n2,b\n").await;
    stack.entered(&execution, "RunImport").await;
    stack.up.kill().await;
    drop(tasks);

    let moved = desk.path().join("moved");
    fs::rename(desk.path().join(".baton"), &moved).unwrap();
    desk.baton(&["imports", "--data-dir", "moved"]).await.expect(0, &["failed", "FAILURE"]);
    assert!(!desk.path().join(".baton").exists());
    let redriven = desk.baton(&["redrive", "failed", "killed", "--data-dir", "moved"]).await;
    redriven.expect(0, &["failed: SUCCEEDED, 1 row", "killed: SUCCEEDED, 1 row"]);
    fs::rename(&moved, desk.path().join(".baton")).unwrap();
    assert_eq!(desk.people(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_folder_of_a_stack_that_is_up_does_not_go_on_with_its_imports() {
    let desk = Desk::new();
    desk.execute(PEOPLE);
    let stack = Stack::of(Up::start(&desk).await).await;
    let tasks = Lock::of(&desk, TASKS);
    let execution = submit(&desk, "a", "id,name\n1,a\n").await;
    stack.entered(&execution, "RunImport").await;
    let copied = std::process::Command::new("cp")
        .args(["-r", ".baton", "copy"])
        .current_dir(desk.path())
        .status()
        .unwrap();
    assert!(copied.success());
    let refused = desk.baton(&["up", "--port", "0", "--data-dir", "copy"]).await;
    refused.complains(
        1,
        &[
            "are not finished (executions that run: 1, ",
            "the folder was copied from ",
            "/.baton, where a stack is up",
        ],
    );
    drop(tasks);
    assert_eq!(stack.ends(&execution).await, aws_sdk_sfn::types::ExecutionStatus::Succeeded);
    assert_eq!(desk.people(), 1);
    assert_eq!(stack.up.stop().await, Some(0));
}

#[tokio::test]
async fn a_database_that_was_renamed_is_the_same_and_a_copy_is_one_when_its_user_says_so() {
    let desk = Desk::new();
    let url = |name: &str| format!("sqlite:{}", desk.path().join(name).display());
    let (a, b, c) = (url("a.db"), url("b.db"), url("c.db"));
    for id in ["one", "two"] {
        desk.run(id, format!("id,name\n1,{id}\n"), &["--database-url", &a]).await.complains(1, &[]);
    }
    fs::rename(desk.path().join("a.db"), desk.path().join("b.db")).unwrap();
    let create = |url: &str| e2e::rows::execute(&worker::db::Database::parse(url).unwrap(), PEOPLE);
    create(&b);
    desk.baton(&["redrive", "one", "--database-url", &b]).await.expect(0, &["one: SUCCEEDED, 1 row"]);

    fs::copy(desk.path().join("b.db"), desk.path().join("c.db")).unwrap();
    let refused = desk.baton(&["redrive", "two", "--database-url", &c]).await;
    refused.expect(1, &["two: not redriven: its import is for sqlite ", "has moved", "up --database-moved"]);
    let letters = desk.baton(&["dlq", "show", "two", "--database-url", &c]).await;
    letters.expect(0, &["next      its import is for sqlite "]);
    assert!(!letters.stdout.contains("takes up"), "{letters:#?}");
    // It has an import of its own meanwhile.
    desk.run("own", "id,name\n7,c\n", &["--database-url", &c]).await.expect(0, &[]);
    desk.baton(&["redrive", "two", "--database-url", &c])
        .await
        .expect(1, &["two: not redriven: its import is for"]);
    let up = Up::start_with(&desk, &["--database-url", &c, "--database-moved"]).await;
    assert_eq!(up.stop().await, Some(0));
    // The row of the first one is there, so that the same key is one more.
    let redriven = desk.baton(&["redrive", "two", "--database-url", &c]).await;
    redriven.expect(1, &["two: FAILED again with Import.TooManyRejects"]);
}

#[tokio::test]
async fn show_tells_whose_an_import_is_that_another_database_knows() {
    let desk = Desk::new();
    let url = |name: &str| format!("sqlite:{}", desk.path().join(name).display());
    desk.run("one", "id,name\n1,a\n", &["--database-url", &url("a.db")]).await.complains(1, &[]);
    let shown = desk.baton(&["show", "one", "--database-url", &url("b.db")]).await;
    shown.complains(2, &["the import one is for sqlite ", "a.db: name that database"]);
    assert!(!shown.stderr.contains("redrive"), "{shown:#?}");
}

#[tokio::test]
async fn an_import_that_a_restored_database_has_not_heard_of_is_not_called_done() {
    let desk = Desk::new();
    let database = desk.path().join(".baton/baton.db");
    desk.run("one", "id,name\n1,a\n", &[]).await.expect(1, &["Import.TableMissing"]);
    desk.execute(PEOPLE);
    let backup = fs::read(&database).unwrap();
    desk.baton(&["redrive", "one"]).await.expect(0, &["one: SUCCEEDED"]);
    assert_eq!(desk.people(), 1);
    fs::write(&database, backup).unwrap();
    let undone = desk.baton(&["redrive", "one"]).await;
    undone.expect(1, &["one: not redriven: it has succeeded, but in the database it is FAILURE", "backup"]);
    let again = desk.run("one", "id,name\n1,a\n", &[]).await;
    again.expect(0, &["rows      1\n"]);
    assert_eq!(desk.people(), 1);
}

#[tokio::test]
async fn run_writes_into_no_database_that_only_the_stack_of_another_command_names() {
    let desk = Desk::postgres(PEOPLE);
    let up = Up::start(&desk).await;
    let file = desk.file("a.csv", "id,name\n1,a\n").display().to_string();
    let run = async |verb: &str| {
        let mut command = desk.command(&[verb, &file, "--table", "people"]);
        Ended::of(command.env_remove("DATABASE_URL").output().await.unwrap())
    };
    let words = ["the stack that is up here imports into postgres ", "name the database, or send the file"];
    run("run").await.complains(2, &words);
    assert_eq!(desk.people(), 0);
    run("submit").await.expect(0, &[]);
    assert_eq!(up.stop().await, Some(0));
}

#[tokio::test]
async fn a_variable_that_is_empty_counts_as_not_set() {
    let desk = Desk::new();
    let mut command = desk.command(&["run", "a.csv", "--table", "people", "--create-table"]);
    desk.file("a.csv", "id,name\n1,a\n");
    for name in ["BATON_CONFIG", "BATON_TARGET", "BATON_DATA_DIR", "DATABASE_URL"] {
        command.env(name, "");
    }
    // What is set for AWS is not meant for the stack that is here.
    for name in ["AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT"] {
        command.env(name, "true");
    }
    Ended::of(command.output().await.unwrap()).expect(0, &["rows      1\n"]);
}

#[tokio::test]
async fn a_file_that_is_written_after_a_table_was_made_for_it_is_not_imported() {
    let desk = Desk::new();
    let file = desk.file("numbers.csv", format!("id\n{}", "7\n".repeat(2_000_000)));
    let name = file.display().to_string();
    let command =
        desk.command(&["run", &name, "--table", "t", "--create-table", "--id", "a"]).spawn().unwrap();
    let pid = command.id().unwrap();
    let descriptors = std::path::PathBuf::from(format!("/proc/{pid}/fd"));
    let is_open = async || {
        let open = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        open.filter(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == file)).count()
    };
    wait::until("the file to be read", is_open, |open| *open > 0).await;
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(b"0007\n").unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    let ended = Ended::of(command.wait_with_output().await.unwrap());
    ended.complains(1, &["numbers.csv was changed while it was read and uploaded", "dropped the table t"]);
}

#[tokio::test]
async fn rejects_of_an_import_that_is_under_way_are_told_when_it_ends() {
    let desk = Desk::postgres(PEOPLE);
    desk.execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$",
    );
    desk.execute("CREATE TRIGGER wait BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION wait()");
    let mut holder = desk.rows().connect().unwrap();
    let Connection::Postgres(session) = &mut holder else { panic!("this is PostgreSQL") };
    diesel::sql_query("SELECT pg_advisory_lock(7)").execute(session).unwrap();
    let up = Up::start(&desk).await;
    let file = desk.file("a.csv", "id,name\nx,a\n1,b\n").display().to_string();
    desk.baton(&["submit", &file, "--table", "people", "--id", "a", "--max-rejects", "1"])
        .await
        .expect(0, &[]);
    let looked = async || desk.baton(&["rejects", "a", "--csv"]).await;
    let told = wait::until("the reject to be counted", looked, |ended| ended.code == Some(1)).await;
    told.complains(
        1,
        &["a is still under way, and 1 row has been rejected so far; they are told once it ends"],
    );
    desk.baton(&["rejects", "a"]).await.complains(0, &["is still under way"]);
    drop(holder);
    let kept = wait::until("the rejects file", looked, |ended| ended.stdout.contains("baton_line")).await;
    kept.expect(0, &["2,\"id: is no integer (not_an_integer)\",x,a"]);
    assert_eq!(up.stop().await, Some(0));
}
