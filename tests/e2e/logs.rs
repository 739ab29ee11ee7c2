//! `baton logs`: what the workers of one import said.

use std::process::Stdio;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, binaries, wait};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::desk::baton_beside;

/// A stack with an import that has failed twice, because its table is missing.
async fn failed_twice(id: &str) -> TestStack {
    let stack = TestStack::start(Backend::Sqlite).await;
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n").await;
    let sent = stack.describe(id, &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    baton_beside(&stack, &["redrive", id]).await.expect(1, &["FAILED again"]);
    stack
}

fn json_lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_attempt_logged_is_shown_apart() {
    let stack = failed_twice("people-1").await;
    let all = baton_beside(&stack, &["logs", "people-1"]).await;
    all.expect(
        0,
        &[
            "attempt 1  Import.TableMissing  ",
            "attempt 2  Import.TableMissing  ",
            "error_name=Import.TableMissing",
        ],
    );
    let (first, second) = all.stdout.split_once("\n\nattempt 2").unwrap();
    for part in [first, second] {
        assert_eq!(part.matches("Claimed the import as attempt").count(), 1, "{part}");
        assert_eq!(part.matches("The job failed").count(), 1, "{part}");
    }
    let one = baton_beside(&stack, &["logs", "people-1", "--attempt", "2"]).await;
    one.expect(0, &["attempt 2  ", "Claimed the import as attempt 2"]);
    assert!(!one.stdout.contains("attempt 1"), "{one:#?}");
    baton_beside(&stack, &["logs", "people-1", "--attempt", "3"])
        .await
        .complains(0, &["no lines of an attempt 3 were found"]);
    // Another import's lines are not among them.
    baton_beside(&stack, &["logs", "people"]).await.complains(2, &["there is no import people here"]);

    let lines = json_lines(&baton_beside(&stack, &["logs", "people-1", "--json"]).await.stdout);
    let attempts: Vec<_> = lines.iter().map(|line| line["attempt"].as_u64().unwrap()).collect();
    assert!(
        attempts.is_sorted() && attempts.first() == Some(&1) && attempts.last() == Some(&2),
        "{attempts:?}"
    );
    let failed = lines.iter().find(|line| line["message"] == "The job failed").unwrap();
    assert_eq!(
        (&failed["level"], &failed["fields"]["error_name"]),
        (&json!("ERROR"), &json!("Import.TableMissing"))
    );
    let last = json_lines(&baton_beside(&stack, &["logs", "people-1", "--json", "--tail", "1"]).await.stdout);
    let of = |attempt: u64| lines.iter().rfind(|line| line["attempt"] == attempt).unwrap().clone();
    assert_eq!(last, [of(1), of(2)]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_the_log_group_no_longer_has_are_said_to_be_gone() {
    let stack = failed_twice("people-1").await;
    let lines = json_lines(&baton_beside(&stack, &["logs", "people-1", "--json"]).await.stdout);
    let id = lines[0]["task_arn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    std::fs::remove_file(stack.data_dir().join(format!("stack/logs/{id}.log"))).unwrap();
    let left = baton_beside(&stack, &["logs", "people-1"]).await;
    let gone = format!("/ecs/import-worker does not have, or no longer has, the lines of the task {id}");
    left.expect(0, &[&gone, "attempt 2  Import.TableMissing", "Claimed the import as attempt 2"]);
    baton_beside(&stack, &["logs", "people-1", "--json"]).await.complains(0, &[&gone]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_no_container_was_started_for_has_no_lines() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.feed_function(false).await;
    let file = stack.data_dir().join("people.csv");
    std::fs::write(&file, "id,name\n1,a\n").unwrap();
    let file = file.display().to_string();
    let submitted = baton_beside(&stack, &["submit", &file, "--table", "people", "--id", "waits"]).await;
    submitted.expect(0, &["waits"]);
    baton_beside(&stack, &["logs", "waits"])
        .await
        .complains(0, &["no container of waits has been started yet"]);
    baton_beside(&stack, &["logs", "nothing"]).await.complains(2, &["there is no import nothing"]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_followed_until_the_import_has_ended() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    stack.create_people();
    let held = stack.front().hold(|asked| asked.is("SendTaskSuccess"));
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n").await;
    let sent = stack.describe("followed", &source, "people", json!({})).await;
    held.arrived().await;
    let mut baton = Command::new(binaries::path("baton"));
    baton.args(["logs", "followed", "--follow", "--data-dir"]).arg(stack.data_dir());
    baton.env_remove("DATABASE_URL").stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut baton = baton.spawn().unwrap();
    let mut lines = BufReader::new(baton.stdout.take().unwrap()).lines();
    let mut seen = String::new();
    while !seen.contains("Claimed the import as attempt 1") {
        let line = tokio::time::timeout(wait::DEADLINE, lines.next_line()).await.expect("a line comes");
        seen.push_str(&line.unwrap().expect("it goes on while the import runs"));
    }
    assert!(!seen.contains("Reported the end"), "{seen}");
    held.release();
    stack.ended(&sent.execution_arn).await;
    while let Some(line) = lines.next_line().await.unwrap() {
        seen.push_str(&line);
    }
    assert!(seen.contains("Reported the end of the job"), "{seen}");
    assert_eq!(seen.matches("Claimed the import").count(), 1, "{seen}");
    assert!(baton.wait().await.unwrap().success());
    stack.audit().await;
}
