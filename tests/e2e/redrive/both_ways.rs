//! The execution is redriven and its dead letter moved back: in either order, and at once.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};
use serde_json::{Value, json};
use worker::ledger::JobStatus;

use super::{failed, nowhere};
use crate::desk::baton_beside;

/// The JSON of `baton redrive`, by import.
fn result<'a>(outcomes: &'a Value, import_id: &str) -> &'a str {
    let all = outcomes.as_array().unwrap();
    let found = all.iter().find(|outcome| outcome["import_id"] == import_id);
    found.unwrap_or_else(|| panic!("{import_id} is missing in {outcomes:#}"))["result"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_moves_the_dead_letter_and_redrives_the_execution_gets_the_rows_once() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let sent = failed(&stack, "both", &nowhere("both"), "people").await;
    stack.put("uploads/both.csv", "id,name\n1,a\n").await;
    let moved = baton_beside(&stack, &["dlq", "redrive", "both", "--json"]).await.json();
    let name = format!("both-{}", moved["messages"][0]["new_message_id"].as_str().unwrap());
    assert_eq!(stack.ended(&stack.execution_arn(&name)).await.status, ExecutionStatus::Succeeded);
    let planned = baton_beside(&stack, &["redrive", "--all-failed"]).await;
    planned.complains(0, &["no failed execution is to be redriven"]);
    for arguments in [&["--all-failed", "--yes"][..], &["--error", "Import.SourceMissing", "--yes"]] {
        let bulk = baton_beside(&stack, &[&["redrive", "--json"], arguments].concat()).await;
        assert_eq!(bulk.expect(0, &[]).json(), json!([]));
    }
    let again = baton_beside(&stack, &["redrive", "both"]).await;
    again.expect(0, &["both: it has succeeded already; nothing is left to do\n"]);
    let again = baton_beside(&stack, &["redrive", "both", "--json"]).await.expect(0, &[]).json();
    assert_eq!(result(&again, "both"), "had_succeeded");
    let first = stack.ended(&sent.execution_arn).await;
    assert_eq!((first.status, first.redrive_count), (ExecutionStatus::Failed, Some(0)));
    // Whoever asks Step Functions itself gets no second import, either.
    stack.sfn.redrive_execution().execution_arn(&sent.execution_arn).send().await.unwrap();
    let redriven =
        async || stack.sfn.describe_execution().execution_arn(&sent.execution_arn).send().await.unwrap();
    let first = wait::until("its end", redriven, |first| first.status == ExecutionStatus::Succeeded).await;
    assert!(first.output.unwrap().contains(r#""outcome":"DUPLICATE""#));
    assert_eq!(stack.count("people"), 1);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_was_left_is_acknowledged_when_it_is_moved_and_deleted_by_the_next_redrive() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let mut sent = Vec::new();
    for id in ["a", "b"] {
        sent.push(failed(&stack, id, &nowhere(id), "people").await);
    }
    stack.put("uploads/a.csv", "id,name\n1,a\n").await;
    stack.put("uploads/b.csv", "id,name\n2,b\n").await;
    let left = baton_beside(&stack, &["redrive", "a", "b", "--no-wait", "--json"]).await.json();
    assert_eq!((result(&left, "a"), result(&left, "b")), ("redriven", "redriven"));
    for sent in &sent {
        assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    }
    assert_eq!(stack.messages(&stack.resources.dead_letter_queue_url).await, 2);

    let moved = baton_beside(&stack, &["dlq", "redrive", "a", "--json"]).await.json();
    let name = format!("a-{}", moved["messages"][0]["new_message_id"].as_str().unwrap());
    let second = stack.ended(&stack.execution_arn(&name)).await;
    assert_eq!(second.status, ExecutionStatus::Succeeded);
    assert!(second.output.unwrap().contains(r#""outcome":"DUPLICATE""#));
    let again = baton_beside(&stack, &["redrive", "b", "--json"]).await.json();
    assert_eq!(result(&again, "b"), "had_succeeded");
    assert_eq!(again[0]["dead_letters_deleted"], 1);
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_redrive_deletes_the_dead_letters_of_imports_that_other_messages_have_brought_since() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    for id in ["a", "b"] {
        failed(&stack, id, &nowhere(id), "people").await;
    }
    stack.put("uploads/a.csv", "id,name\n1,a\n").await;
    let second = stack.describe("a", &nowhere("a"), "people", json!({})).await;
    assert_eq!(stack.ended(&second.execution_arn).await.status, ExecutionStatus::Succeeded);

    let planned = baton_beside(&stack, &["redrive", "--all-failed"]).await;
    let of_one =
        "of 1 execution whose import has succeeded since, the dead letter would be deleted, if there is one";
    planned.complains(2, &[of_one, "1 execution would be redriven:", "--yes redrives them"]);
    assert_eq!(stack.messages(&stack.resources.dead_letter_queue_url).await, 2);
    let bulk = baton_beside(&stack, &["redrive", "--all-failed", "--yes"]).await;
    bulk.complains(1, &["deleted 1 dead letter: its import has succeeded since", "redriving 1 execution:"]);
    assert_eq!(stack.messages(&stack.resources.dead_letter_queue_url).await, 1);
    let planned = baton_beside(&stack, &["redrive", "--all-failed"]).await;
    planned.complains(2, &[of_one]);
    stack.dead_letter().await;
    assert_eq!(stack.count("people"), 1);
    stack.audit().await;
}

async fn both_at_once(backend: Backend) {
    let stack = TestStack::start(backend).await;
    stack.create_people();
    let ids: Vec<String> = (0..4).map(|number| format!("at-once-{number}")).collect();
    for id in &ids {
        failed(&stack, id, &nowhere(id), "people").await;
    }
    for (number, id) in ids.iter().enumerate() {
        stack.put(&format!("uploads/{id}.csv"), format!("id,name\n{number},a\n")).await;
    }
    let mut redrive = vec!["redrive", "--json"];
    redrive.extend(ids.iter().map(String::as_str));
    let (redriven, _, again) = tokio::join!(
        baton_beside(&stack, &redrive),
        baton_beside(&stack, &["dlq", "redrive", "--all", "--yes"]),
        baton_beside(&stack, &redrive),
    );
    // Each says what it found: an execution that another command has redriven may be running.
    for outcomes in [redriven.json(), again.json()] {
        for outcome in outcomes.as_array().unwrap() {
            let (result, status) = (outcome["result"].as_str().unwrap(), &outcome["status"]);
            let is_well = matches!(result, "succeeded" | "had_succeeded");
            assert!(is_well || (result == "not_redriven" && status == "RUNNING"), "{outcome:#}");
        }
    }
    let running = async || {
        let machine = &stack.resources.import_state_machine_arn;
        let running =
            stack.sfn.list_executions().state_machine_arn(machine).status_filter(ExecutionStatus::Running);
        let running = running.send().await.unwrap().executions.len() as u64;
        running + stack.messages(&stack.resources.queue_url).await
    };
    wait::until("all to end", running, |count| *count == 0).await;
    // What one of them held while the others looked.
    baton_beside(&stack, &redrive).await.expect(0, &[]);
    for id in &ids {
        let import_id = id.parse().unwrap();
        let row = stack.import_when(&import_id, "success", |row| row.status == JobStatus::Success).await;
        assert_eq!(row.rows_done, 1);
    }
    assert_eq!(stack.count("people"), 4);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redriving_and_moving_the_dead_letters_at_once_brings_the_rows_once() {
    both_at_once(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redriving_and_moving_the_dead_letters_at_once_brings_the_rows_once_in_postgresql() {
    both_at_once(Backend::Postgres).await;
}
