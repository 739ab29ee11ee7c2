//! Dead letters are sent back from their page.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};
use serde_json::json;

use super::Console;
use crate::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_moved_back_from_the_browser_and_its_import_succeeds() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = "s3://baton/uploads/山田.csv".parse().unwrap();
    let sent = stack.describe("late", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    let letters = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the dead letter", letters, |count| *count == 1).await;

    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.address("/dead-letters")).await;
    browser.sees("Import.SourceMissing").await;
    browser.finds_no_fault().await;
    stack.put("uploads/山田.csv", "id,name\n1,山田\n").await;
    browser.clicks_at("input[aria-label='Select late']").await;
    browser.clicks("Move back…").await;
    browser.sees("Move 1 dead letter back to the queue of imports?").await;
    assert_eq!(letters().await, 1, "nothing is done before it is confirmed");
    browser.finds_no_fault().await;
    browser.clicks("Move back").await;
    browser.sees("Moved 1 dead letter back to the queue of imports").await;
    browser.sees("No dead letters").await;
    browser.finds_no_fault().await;
    let look = async || stack.count("people");
    wait::until("the row", look, |count| *count == 1).await;
    stack.audit().await;
}
