//! What an operator sees and does where there are lanes.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{TestStack, wait};
use serde_json::json;

use super::{PEOPLE, lane_of, lanes, send, start};
use crate::command_line::Up;
use crate::desk::{Desk, baton_beside};

async fn dead_letters(stack: &TestStack, expected: u64) {
    let look = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("dead letters", look, |count| *count == expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_go_back_into_their_lanes() {
    let stack = start(3, |_| {}).await;
    let mut failed = Vec::new();
    for id in ["a", "b", "c"] {
        failed.push(send(&stack, id, "later.csv").await);
        let execution = &failed.last().unwrap().execution_arn;
        assert_eq!(stack.ended(execution).await.status, ExecutionStatus::Failed);
    }
    dead_letters(&stack, 3).await;
    stack.put("uploads/later.csv", PEOPLE).await;

    // One by one, and the rest by SQS itself.
    let moved = baton_beside(&stack, &["dlq", "redrive", "a", "--json"]).await.json();
    let new_id = moved["messages"][0]["new_message_id"].as_str().unwrap();
    let execution_arn = stack.execution_arn(&format!("a-{new_id}"));
    assert_eq!(stack.ended(&execution_arn).await.status, ExecutionStatus::Succeeded);
    let again = e2e::Sent { execution_arn, ..failed[0].clone() };
    assert_eq!(lane_of(&stack, &again).await, lane_of(&stack, &failed[0]).await);
    let all = baton_beside(&stack, &["dlq", "redrive", "--all", "--yes", "--json"]).await;
    assert_eq!(all.json(), json!({"moved": 2, "messages": []}));
    for id in ["b", "c"] {
        let success = |row: &worker::imports::ImportRow| row.status.as_str() == "SUCCESS";
        stack.import_when(&id.parse().unwrap(), "success", success).await;
    }
    let left = async || stack.messages(lanes(&stack)).await;
    wait::until("the lanes to be empty", left, |count| *count == 0).await;
    assert_eq!(stack.executions().await, 6, "each has started another execution");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_that_stand_behind_others_of_their_lane_are_said_to_be_there() {
    let stack = start(1, |_| {}).await;
    for number in 1..=11 {
        send(&stack, &format!("f-{number}"), "nothing.csv").await;
    }
    dead_letters(&stack, 11).await;
    let behind = "1 more message is in the queue and cannot be seen: ";
    baton_beside(&stack, &["dlq", "list"]).await.complains(0, &[behind]);
    let seen = baton_beside(&stack, &["dlq", "list", "--json"]).await.json();
    let seen: Vec<_> = seen.as_array().unwrap().iter().map(|letter| letter["import_id"].clone()).collect();
    assert_eq!(seen.len(), 10);
    let last = (1..=11).map(|number| format!("f-{number}")).find(|id| !seen.contains(&json!(id))).unwrap();
    let shown = baton_beside(&stack, &["dlq", "show", &last]).await;
    shown.complains(2, &[&format!("there is no dead letter {last} among those that can be seen; "), behind]);
    let planned = baton_beside(&stack, &["dlq", "redrive", "--all"]).await;
    planned.complains(2, &["would move 11 messages back", behind]);
    let dropped = baton_beside(&stack, &["dlq", "drop", "--all", "--yes"]).await;
    dropped.complains(0, &["dropping 10 messages", behind]);
    baton_beside(&stack, &["dlq", "drop", &last, "--yes"]).await.expect(0, &["dropped"]);
    dead_letters(&stack, 0).await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_of_the_execution_runs_beside_the_lanes() {
    let stack = start(1, |_| {}).await;
    let failed = send(&stack, "failed", "later.csv").await;
    assert_eq!(stack.ended(&failed.execution_arn).await.status, ExecutionStatus::Failed);
    dead_letters(&stack, 1).await;
    stack.put("uploads/later.csv", PEOPLE).await;
    // The lane is another's.
    stack.feed_function(false).await;
    send(&stack, "waits", "people.csv").await;
    let left = async || stack.messages(lanes(&stack)).await;
    wait::until("the other to be in the lane", left, |count| *count == 1).await;
    let redriven = baton_beside(&stack, &["redrive", "failed"]).await;
    redriven.expect(0, &["failed"]);
    assert_eq!(stack.import(&failed.import_id).unwrap().status.as_str(), "SUCCESS");
    dead_letters(&stack, 0).await;
    stack.feed_function(true).await;
    stack.audit().await;
}

#[tokio::test]
async fn submitting_following_and_the_doctor_are_the_same_with_lanes() {
    let desk = Desk::new();
    let up = Up::start_with(&desk, &["--max-imports", "2"]).await;
    let file = desk.file("a.csv", "id,name\n1,a\n").display().to_string();
    let followed = desk.baton(&["submit", &file, "-t", "people", "--create-table", "--follow"]).await;
    followed.expect(0, &["people"]);
    let shown = desk.baton(&["doctor"]).await;
    shown.expect(0, &["import-lanes.fifo: 0 visible", "into lanes", "function:assign-lane, Enabled"]);
    assert_eq!(up.stop().await, Some(0));
    // In a stack of its own, with as many lanes as the last.
    let run = desk.run("run", "id,name\n2,b\n", &[]).await;
    run.expect(0, &["run"]);
    let log = std::fs::read_to_string(desk.path().join(".baton/stack/logs/assign-lane.log")).unwrap();
    assert!(log.contains(r#""import_id":"run""#), "{log}");
    assert_eq!(desk.people(), 2);
}
