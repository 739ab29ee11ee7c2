//! What holds for every page: it asks nobody else, logs no error, and fits a phone.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};
use serde_json::json;
use worker::ledger::JobStatus;

use super::Console;
use crate::browser::Browser;

/// Names that would show where a page is not careful.
const ROWS: &str = "id,name\n1,<script>alert(1)</script>\n2,\"<img src=x onerror=alert(2)>\"\nx,\u{202e}gpj.<b>exe\n\
                    一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十,山田\n";

/// A stack with an import that runs no more, one that failed with rejects, one whose file is missing, and noise.
async fn lived_in() -> TestStack {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let good = stack.put("uploads/good/顧客マスタ.csv", "id,name\n7,山田\n8,佐藤\n").await;
    let good = stack.describe("good", &good, "people", json!({})).await;
    stack.ended(&good.execution_arn).await;
    let bad = stack.put("uploads/bad/<b>bad.csv", ROWS).await;
    let bad = stack.describe("bad", &bad, "people", json!({})).await;
    assert_eq!(stack.ended(&bad.execution_arn).await.status, ExecutionStatus::Failed);
    let missing = "s3://baton/uploads/missing/a.csv".parse().unwrap();
    let missing = stack.describe("missing", &missing, "people", json!({})).await;
    stack.ended(&missing.execution_arn).await;
    stack.send("<script>alert(3)</script>").await;
    let letters = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the dead letters", letters, |count| *count == 3).await;
    assert_eq!(stack.import(&bad.import_id).unwrap().status, JobStatus::Failure);
    stack
}

const PAGES: [&str; 9] = [
    "/",
    "/imports",
    "/imports?status=FAILURE&text=nothing",
    "/imports/good",
    "/imports/bad",
    "/imports/missing",
    "/upload",
    "/upload?again=bad",
    "/dead-letters",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_page_asks_another_host_logs_an_error_or_is_wider_than_a_phone() {
    let stack = lived_in().await;
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    for scheme in ["light", "dark"] {
        browser.likes(scheme).await;
        for page in PAGES {
            browser.go(&console.address(page)).await;
            browser.sees("Baton 0").await;
            browser.finds_no_fault().await;
            browser.on_phone().await;
            browser.finds_no_fault().await;
            browser.at_desk().await;
        }
        assert_eq!(browser.is_dark().await, scheme == "dark");
    }
    for _ in 0..3 {
        stack.dead_letter().await;
    }
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_a_file_is_text_on_every_page_and_nothing_of_it_runs() {
    let stack = lived_in().await;
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    for page in PAGES {
        browser.go(&console.address(page)).await;
        browser.sees("Baton 0").await;
        // What ran would be a dialogue, which WebDriver does not let pass unseen, or an element that no page has.
        assert_eq!(browser.count("main script:not([src]), main img, main b").await, 0, "{page}");
        browser.finds_no_fault().await;
    }
    browser.go(&console.address("/imports/bad")).await;
    browser.sees("\\u{202e}gpj.<b>exe").await;
    for _ in 0..3 {
        stack.dead_letter().await;
    }
    stack.audit().await;
}
