//! An import that failed: what its page shows, and that it is mended from there.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};
use serde_json::json;

use super::Console;
use crate::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_import_shows_its_graph_and_rejects_and_is_redriven_when_its_cause_is_mended() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source =
        stack.put("uploads/顧客.csv", "id,name\n1,山田\n二,佐藤\n3,<script>alert(1)</script>\n").await;
    let sent = stack.describe("customers", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    let letters = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the dead letter", letters, |count| *count == 1).await;

    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.url).await;
    browser.sees("Import.TooManyRejects").await;
    browser.clicks("customers").await;
    browser.arrives("the page of the import", |place| place == "/imports/customers").await;
    let is_failed = |words: &str| words.contains("RunImport") && words.contains("failed");
    browser.sees_in("svg.graph g.state.failed", "the state that failed", is_failed).await;
    let reached = browser.count("svg.graph g.state.succeeded").await;
    assert_eq!(reached, 2, "CheckMessage and HoldMessage");
    let rejects = browser.text("#rejects table").await.unwrap();
    assert!(rejects.contains("二") && rejects.contains("id"), "{rejects}");
    let at_fault = browser.text("#rejects table mark").await;
    assert!(at_fault.as_ref().is_some_and(|cell| cell.starts_with('二')), "{at_fault:?}");
    browser.finds_no_fault().await;

    stack.put("uploads/顧客.csv", "id,name\n1,山田\n2,佐藤\n3,<script>alert(1)</script>\n").await;
    browser.clicks("Redrive …").await;
    browser.sees("Run this import again?").await;
    assert_eq!(stack.count("people"), 0, "nothing is done before it is confirmed");
    browser.finds_no_fault().await;
    browser.clicks("Redrive").await;
    browser.sees("was redriven: it goes on where it failed").await;
    // The page comes to the end by itself.
    browser.sees_in("main .status", "success", |words| words.contains("success")).await;
    browser.sees_in("svg.graph", "the end", |_| true).await;
    let look = async || browser.count("svg.graph g.state.failed").await;
    wait::until("no state to be failed any more", look, |count| *count == 0).await;
    browser.finds_no_fault().await;
    assert_eq!(stack.count("people"), 3);
    stack.audit().await;
}
