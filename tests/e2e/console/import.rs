//! The page of one import.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::stack::Sent;
use e2e::{Backend, Gate, TestStack, http, wait};
use serde_json::json;

use super::Console;
use crate::dead_letters::letters_are;
use crate::target::Operator;

const BAD: &str = "id,name\n1,山田\nx<script>alert(1)</script>,=1+1\n-5,a\u{202e}b\ny,-7\n";

/// An import whose file has two rows that are no people.
async fn rejected(stack: &TestStack) -> Sent {
    stack.create_people();
    let source = stack.put("uploads/bad.csv", BAD).await;
    let sent = stack.describe("bad-1", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    letters_are(stack, 1).await;
    sent
}

/// An import whose table is missing.
async fn without_table(stack: &TestStack) -> Sent {
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n2,b\n").await;
    let sent = stack.describe("people-1", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Failed);
    letters_are(stack, 1).await;
    sent
}

fn has_all(page: &str, words: &[&str]) {
    for words in words {
        assert!(page.contains(words), "{words:?} is missing in {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_failed_import_shows_its_states_its_rejects_and_its_history_and_no_secret() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = rejected(&stack).await;
    let console = Console::beside(&stack).await;
    let look = async || console.page("/imports/bad-1").await;
    // The worker's last line, and its end, come after its report.
    let has_left = |page: &String| {
        page.contains("Reported the end of the job") && page.contains("Essential container in task exited")
    };
    let page = wait::until("the worker to leave", look, has_left).await;
    has_all(
        &page,
        &[
            "Import.TooManyRejects",
            "bad.csv",
            // The picture, in words.
            "CheckMessage: succeeded.",
            "RunImport: failed",
            "DeleteMessage: not reached.",
            "RunImport to DeleteMessage: not taken",
            // The rejects, with the cell at fault.
            "<mark class=\"cell\" title=\"id\">x&lt;script&gt;alert(1)&lt;/script",
            "is no integer",
            "2 of 4 rows",
            "exit code 1",
            "TaskScheduled",
            "ecs:runTask.sync",
            "/imports/bad-1/redrive?execution=bad-1-",
        ],
    );
    assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{page}");
    let secrets = secrets(&stack, &sent).await;
    for path in ["/imports/bad-1", "/imports/bad-1?order=oldest", "/imports/bad-1?fragment=import"] {
        let page = console.page(path).await;
        assert!(page.contains("(not shown)"), "{path}: {page}");
        for secret in &secrets {
            assert!(!page.contains(secret), "{secret} on {path}: {page}");
        }
    }
    let none = http::send(&console.url, "GET", "/imports/nobody", &[], "").await;
    assert!(none.status == 404 && none.body.contains("There is no import nobody"), "{none:#?}");
    let other = http::send(&console.url, "GET", "/imports/bad-1?execution=other-1-m", &[], "").await;
    assert_eq!(other.status, 404, "{other:#?}");
    stack.stop().await;
}

/// The task token of an execution, and the URL of the database.
async fn secrets(stack: &TestStack, sent: &Sent) -> Vec<String> {
    let history = stack.sfn.get_execution_history().execution_arn(&sent.execution_arn).send().await.unwrap();
    let parameters = history.events.iter().find_map(|event| {
        let scheduled = event.task_scheduled_event_details.as_ref()?;
        (scheduled.resource_type == "ecs")
            .then(|| serde_json::from_str::<serde_json::Value>(&scheduled.parameters).unwrap())
    });
    let environment = &parameters.unwrap()["Overrides"]["ContainerOverrides"][0]["Environment"];
    let token =
        environment.as_array().unwrap().iter().find(|variable| variable["Name"] == "TASK_TOKEN").unwrap();
    vec![token["Value"].as_str().unwrap().to_owned(), stack.database_url().to_owned()]
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_are_had_as_bytes_and_for_a_spreadsheet_in_which_no_cell_is_a_formula() {
    let stack = TestStack::start(Backend::Sqlite).await;
    rejected(&stack).await;
    let console = Console::beside(&stack).await;
    let sheet = http::send(&console.url, "GET", "/imports/bad-1/rejects.csv", &[], "").await;
    assert_eq!(sheet.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        sheet.header("content-disposition").starts_with("attachment; filename=\"bad-1-rejects.csv\""),
        "{sheet:#?}"
    );
    has_all(
        &sheet.body,
        &[
            "\u{feff}\"baton_line\",\"baton_reason\",\"id\",\"name\"\r\n",
            "\"x<script>alert(1)</script>\",\"'=1+1\"\r\n",
            "\"y\",\"-7\"\r\n",
        ],
    );
    let original = http::send(&console.url, "GET", "/imports/bad-1/rejects.original", &[], "").await;
    assert_eq!(
        (original.status, original.header("content-type"), original.header("x-content-type-options")),
        (200, "application/octet-stream", "nosniff")
    );
    let object =
        stack.s3.get_object().bucket("baton").key("uploads/bad.csv.bad-1.1.rejects").send().await.unwrap();
    assert_eq!(original.body.as_bytes(), &*object.body.collect().await.unwrap().into_bytes());
    assert!(original.body.contains(",=1+1\n"), "{original:#?}");

    stack.s3.delete_object().bucket("baton").key("uploads/bad.csv.bad-1.1.rejects").send().await.unwrap();
    let gone = http::send(&console.url, "GET", "/imports/bad-1/rejects.csv", &[], "").await;
    assert!(gone.status == 404 && gone.body.contains("not there any more"), "{gone:#?}");
    has_all(&console.page("/imports/bad-1").await, &["not there any more", "is no integer"]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_import_is_redriven_from_its_page_which_tells_every_retry_and_pages_its_history() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = without_table(&stack).await;
    let console = Console::beside(&stack).await;
    let name = sent.execution_arn.rsplit(':').next().unwrap().to_owned();
    let fields = [("execution", name.as_str())];
    let ask = async || console.page(&format!("/imports/people-1/redrive?execution={name}")).await;
    // Which state has failed is known once all of the history is.
    let is_known = |asked: &String| asked.contains("<strong>RunImport</strong>");
    let asked = wait::until("the history to be read", ask, is_known).await;
    has_all(
        &asked,
        &[
            "Run this import again?",
            "<strong>RunImport</strong>",
            "Import.TableMissing",
            "in 13 days",
            "name=\"csrf\"",
        ],
    );
    let redrives = async || {
        let described =
            stack.sfn.describe_execution().execution_arn(&sent.execution_arn).send().await.unwrap();
        (described.redrive_count.unwrap(), described.status)
    };
    assert_eq!(redrives().await.0, 0, "asking changes nothing");
    // Until its history has more than a page.
    for redrive in 1..=8 {
        let told = console.follow("/imports/people-1/redrive", &fields).await;
        has_all(&told, &["was redriven"]);
        let end = (redrive, ExecutionStatus::Failed);
        wait::until("the redrive to fail", redrives, |now| *now == end).await;
    }
    let page = console.page("/imports/people-1").await;
    has_all(&page, &["failed · 8 redrives", "8 times", "Earlier events", "ExecutionFailed"]);
    assert!(!page.contains("data-name=\"Id\"><div class=\"cell\">1</div>"), "{page}");
    let next = page.split("href=\"").find(|rest| rest.contains(">Earlier events<")).unwrap();
    let next = next.split(['#', '"']).next().unwrap().replace("&amp;", "&");
    has_all(
        &console.page(&next).await,
        &["data-name=\"Id\"><div class=\"cell\">1</div>", "ExecutionStarted"],
    );

    stack.create_people();
    console.follow("/imports/people-1/redrive", &fields).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    // The console stays with it, and deletes the dead letter.
    letters_are(&stack, 0).await;
    assert_eq!(stack.count("people"), 2);
    let page = console.page("/imports/people-1").await;
    has_all(&page, &["Imported: succeeded.", "deleted", "success"]);
    assert!(!page.contains("Redrive …") && !page.contains("data-live="), "nothing moves any more: {page}");
    let again =
        http::send(&console.url, "GET", &format!("/imports/people-1/redrive?execution={name}"), &[], "")
            .await;
    assert!(again.status == 400 && again.body.contains("it has succeeded already"), "{again:#?}");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_import_is_cancelled_from_its_page_and_what_cannot_be_says_why() {
    let gate = Gate::shut();
    let stack = TestStack::with(Backend::Sqlite).config(|config| gate.before(config)).start().await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n2,b\n").await;
    let sent = stack.describe("people-1", &source, "people", json!({})).await;
    let console = Console::beside(&stack).await;
    let look = async || http::send(&console.url, "GET", "/imports/people-1", &[], "").await.body;
    // Nobody has registered it: it is known by the name of its execution.
    // Its picture and its events are asked for one after the other.
    let runs = |page: &String| page.contains("TaskSubmitted") && page.contains("RunImport: running.");
    let page = wait::until("its container to start", look, runs).await;
    has_all(&page, &["Cancel …", "data-live=\"/imports/people-1?fragment=import\""]);
    let asked = console.page("/imports/people-1/cancel").await;
    has_all(&asked, &["Cancel this import?", "no row of it is in the table", "dead-letter queue", "14 days"]);
    let told = console.follow("/imports/people-1/cancel", &[]).await;
    // The answer waits for the end for a while, which a busy machine exceeds.
    let has_ended = told.contains("people-1: cancelled; no row of it is in the table");
    assert!(has_ended || told.contains("people-1: it was stopped; its worker is about to leave"), "{told}");
    wait::until("its page to tell the end", look, |page| page.contains("RunImport: stopped")).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Aborted);
    letters_are(&stack, 1).await;

    let again = http::send(&console.url, "GET", "/imports/people-1/cancel", &[], "").await;
    assert!(again.status == 400 && again.body.contains("its execution has ended"), "{again:#?}");
    gate.open();
    let name = sent.execution_arn.rsplit(':').next().unwrap();
    console.follow("/imports/people-1/redrive", &[("execution", name)]).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.count("people"), 2);
    letters_are(&stack, 0).await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_does_not_wait_for_a_long_history_and_tells_the_rest_when_it_is_read() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    without_table(&stack).await;
    let front = stack.front();
    let operator = Operator::with(&stack, Some(front.endpoint()), stack.database_url());
    let console = Console::start(operator.command(&[])).await;
    let held = front.hold(|asked| asked.is("GetExecutionHistory"));
    let page = console.first_look("/imports/people-1").await;
    has_all(&page, &["Import.TableMissing", "The history is long and is being read", "data-live="]);
    assert!(!page.contains("RunImport: failed") && !page.contains("dead-letter queue imports"), "{page}");
    held.arrived().await;
    held.release();
    let page = console.page("/imports/people-1").await;
    has_all(&page, &["RunImport: failed", "put into the dead-letter queue imports-dead-letter"]);
    stack.dead_letter().await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_of_a_check_imports_once_however_often_it_is_pressed() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let source = stack.put("uploads/people-1/people.csv", "id,name\n1,a\n2,b\n").await;
    let sent = stack.describe("people-1", &source, "people", json!({"dry_run": true})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.count("people"), 0);
    let console = Console::beside(&stack).await;
    let first = console.follow("/upload/check/people-1", &[]).await;
    has_all(&first, &["is on its way as people-1i"]);
    let id = "people-1i".parse().unwrap();
    stack.import_when(&id, "the import", |row| row.status == worker::ledger::JobStatus::Success).await;
    let again = console.follow("/upload/check/people-1", &[]).await;
    has_all(&again, &["people.csv was sent before, as people-1i; nothing was sent now."]);
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}
