//! However an import ends, or does not: its lane goes on.

use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use e2e::{TestStack, rows, wait};
use local_stack::Limits;
use rustix::process::{Signal, kill_process};
use serde_json::json;
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use super::{held, send, start};
use crate::command_line::Up;
use crate::desk::{Desk, baton_beside};
use crate::stack_killed::{Lock, Stack, TASKS, submit};

/// The message of the one dead letter: its error, where it has one, and its group. It is taken from the queue.
async fn letter(stack: &TestStack) -> (Option<String>, String) {
    let queue = &stack.resources.dead_letter_queue_url;
    let receive = stack.sqs.receive_message().queue_url(queue).message_attribute_names("All");
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
    let letter = receive.wait_time_seconds(20).send().await.unwrap().messages.unwrap().pop().unwrap();
    let delete = stack.sqs.delete_message().queue_url(queue);
    delete.receipt_handle(letter.receipt_handle.unwrap()).send().await.unwrap();
    let error = letter.message_attributes.unwrap_or_default();
    let error = error.get("Error").and_then(|error| error.string_value.clone());
    (error, letter.attributes.unwrap()[&MessageSystemAttributeName::MessageGroupId].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_whose_worker_is_killed_goes_on() {
    let stack = start(1, |_| {}).await;
    // The first attempt at the first of them is met in the middle of its load.
    let trigger = "CREATE TRIGGER slow BEFORE INSERT ON people \
         WHEN (SELECT attempt FROM \"baton_jobs\" WHERE id = 'killed') = 1 \
         BEGIN SELECT length(hex(randomblob(50000))); END";
    rows::execute(&stack.database, trigger);
    let many: String = (10..20_000).map(|id| format!("{id},name\n")).collect();
    stack.put("uploads/many.csv", format!("id,name\n{many}")).await;
    let killed = send(&stack, "killed", "many.csv").await;
    let next = send(&stack, "next", "people.csv").await;
    let on_their_way = |row: &ImportRow| row.status == JobStatus::Running && row.rows_done > 0;
    stack.import_when(&killed.import_id, "rows to be on their way", on_their_way).await;
    for worker in stack.workers() {
        kill_process(worker, Signal::KILL).unwrap();
    }
    for sent in [&killed, &next] {
        assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    }
    assert_eq!(stack.import(&killed.import_id).unwrap().attempt, 2);
    assert!(held(&stack, &killed).await.1 <= held(&stack, &next).await.0, "the lane was held in between");
    assert_eq!(stack.count("people"), 19_992);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_fails_for_good_frees_its_lane() {
    let stack = start(1, |_| {}).await;
    let fails = send(&stack, "fails", "nothing.csv").await;
    let noise = stack.send("noise").await;
    let next = send(&stack, "next", "people.csv").await;
    assert_eq!(stack.ended(&next.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.ended(&fails.execution_arn).await.error.as_deref(), Some("Import.SourceMissing"));
    let noise = stack.ended(&stack.execution_arn(&format!("invalid-{noise}"))).await;
    assert_eq!(noise.error.as_deref(), Some("Message.Invalid"));
    for error in ["Import.SourceMissing", "Message.Invalid"] {
        assert_eq!(letter(&stack).await, (Some(error.to_owned()), "lane-0".to_owned()));
    }
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_end_nobody_is_told_frees_its_lane_when_its_hold_lapses() {
    let limits = Limits { max_receive_count: 3, ..Limits::default() };
    let stack = start(1, |config| config.limits = limits).await;
    stack.lose_events().await;
    let fails = send(&stack, "fails", "nothing.csv").await;
    let next = send(&stack, "next", "people.csv").await;
    assert_eq!(stack.ended(&fails.execution_arn).await.status, ExecutionStatus::Failed);
    // The hold is over, hours later.
    stack.set_visibility_timeout(3).await;
    stack.make_visible(&fails.execution_arn).await;
    assert_eq!(stack.ended(&next.execution_arn).await.status, ExecutionStatus::Succeeded);
    let queue = &stack.resources.dead_letter_queue_url;
    let brought = async || stack.messages(queue).await;
    wait::until("the queue itself to bring it there", brought, |count| *count == 1).await;
    // It has no word of its execution, which is found all the same.
    let listed = baton_beside(&stack, &["dlq", "list", "--json"]).await.json();
    let letter = &listed[0];
    assert_eq!((&letter["brought_by"], &letter["group_id"]), (&json!("redrive_policy"), &json!("lane-0")));
    assert_eq!(
        (&letter["error"], &letter["execution_arn"]),
        (&json!("Import.SourceMissing"), &json!(fails.execution_arn))
    );
    stack.put("uploads/nothing.csv", "id,name\n3,c\n").await;
    baton_beside(&stack, &["redrive", "fails"]).await.expect(0, &["fails"]);
    wait::until("its dead letter to be deleted", brought, |count| *count == 0).await;
    assert_eq!(stack.count("people"), 3);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_was_killed_goes_on_with_its_lanes() {
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id bigint PRIMARY KEY, name varchar(40) NOT NULL)");
    let stack = Stack::of(Up::start_with(&desk, &["--max-imports", "1"]).await).await;
    // No container starts.
    let lock = Lock::of(&desk, TASKS);
    let mut executions = Vec::new();
    for (id, csv) in [("one", "id,name\n1,a\n"), ("two", "id,name\n2,b\n"), ("three", "id,name\n3,c\n")] {
        executions.push(submit(&desk, id, csv).await);
    }
    stack.entered(&executions[0], "RunImport").await;
    stack.has_messages("import-lanes.fifo", 3).await;
    stack.up.kill().await;
    drop(lock);

    let refused = desk.baton(&["up", "--port", "0", "--max-imports", "0"]).await;
    refused.complains(1, &["messages lie in import-lanes.fifo, 3 of them", "--max-imports"]);
    // As the last time, since nothing else is said.
    let stack = Stack::of(Up::start(&desk).await).await;
    for execution in &executions {
        assert_eq!(stack.ends(execution).await, ExecutionStatus::Succeeded);
    }
    stack.has_messages("import-lanes.fifo", 0).await;
    assert_eq!(desk.people(), 3);
    assert_eq!(stack.up.stop().await, Some(0));
    // With nothing in the lanes they may go.
    let stack = Stack::of(Up::start_with(&desk, &["--max-imports", "0"]).await).await;
    let after = submit(&desk, "after", "id,name\n4,d\n").await;
    assert_eq!(stack.ends(&after).await, ExecutionStatus::Succeeded);
    assert_eq!(stack.up.stop().await, Some(0));
}
