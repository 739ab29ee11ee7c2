//! A file is chosen, checked and imported.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use e2e::{Backend, TestStack, rows, wait};
use local_stack::Limits;
use serde_json::json;
use worker::ledger::JobStatus;

use super::{Console, file, import_at, options, uploads};
use crate::browser::Browser;

/// Rows with mistakes, and with what a page must not take for its own.
const BAD: &str = "id,name\n1,山田\nx,<script>alert(1)</script>\n3,佐藤\n<script>alert(1)</script>,鈴木\n";

/// Waits until the import has succeeded.
async fn succeeded(stack: &TestStack, import_id: &str) {
    let is_done = |row: &worker::imports::ImportRow| row.status == JobStatus::Success;
    stack.import_when(&import_id.parse().unwrap(), "the import to succeed", is_done).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_shows_the_rejects_before_anything_is_written_and_the_import_reuses_the_object() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.address("/upload")).await;
    browser.chooses_file("#file", &file(&stack, "people.csv", BAD)).await;
    // The name of the file is that of a table.
    assert_eq!(browser.value("#table").await.as_deref(), Some("people"));
    browser.finds_no_fault().await;
    browser.clicks("Check first").await;
    browser.sees("2 rows would be rejected.").await;
    browser.sees("The limit is 0: the import for real would fail, and write nothing.").await;
    let table = browser.text("#check table").await.unwrap();
    let table: Vec<_> = table.split_whitespace().collect();
    let table = table.join(" ");
    for words in ["3 id x is no integer", "5 id <script>alert(1)</script> is no integer"] {
        assert!(table.contains(words), "{words:?} is missing in {table}");
    }
    browser.finds_no_fault().await;
    assert_eq!(stack.count("people"), 0, "a check writes nothing");
    let checked = uploads(&stack).await;

    browser.clicks("Import the other 2 rows").await;
    let import_id = import_at(&browser).await;
    succeeded(&stack, &import_id).await;
    assert_eq!((stack.count("people"), options(&stack, &import_id)), (2, json!({"max_rejects": 2})));
    let source = stack.import(&import_id.parse().unwrap()).unwrap().source;
    assert!(checked.iter().any(|key| source.ends_with(key)), "{source} is not among {checked:?}");
    let is_file = |key: &&String| !key.ends_with(".rejects");
    assert_eq!(uploads(&stack).await.iter().filter(is_file).count(), 1, "it was uploaded once");
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bar_of_an_import_moves_and_it_ends_on_the_page_by_itself() {
    let limits = Limits { heartbeat_interval: Duration::from_millis(200), ..Limits::default() };
    let stack = TestStack::start_with(Backend::Postgres, limits).await;
    // The import stands still at two rows until this test lets it go on. Long rows: a part of the file is read meanwhile.
    rows::execute(&stack.database, "CREATE TABLE letters (id bigint PRIMARY KEY, body text)");
    let function = "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock(new.id); RETURN new; END'";
    rows::execute(&stack.database, function);
    let trigger = "CREATE TRIGGER gate BEFORE INSERT ON letters
        FOR EACH ROW WHEN (new.id IN (200, 400)) EXECUTE FUNCTION gate()";
    rows::execute(&stack.database, trigger);
    let mut gates = stack.database.connect().unwrap();
    gates.batch_execute("SELECT pg_advisory_lock(200), pg_advisory_lock(400)").unwrap();
    let body = "手紙".repeat(12_000);
    let csv: String = (0..600).map(|id| format!("{id},{body}\n")).collect();
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.address("/upload")).await;
    browser.fills("#table", "letters").await;
    browser.chooses_file("#file", &file(&stack, "letters.csv", format!("id,body\n{csv}"))).await;
    browser.clicks("Check first").await;
    browser.arrives("the check", |place| place.starts_with("/upload/check/")).await;

    let look =
        async || browser.attribute("#check progress", "value").await.map_or(0, |v| v.parse::<u64>().unwrap());
    let begun = wait::until("the bar to move", look, |value| *value > 0).await;
    gates.batch_execute("SELECT pg_advisory_unlock(200)").unwrap();
    wait::until("the bar to move on", look, |value| *value > begun).await;
    assert_eq!(browser.text("#check .notice").await, None, "the bar has moved before the end");
    gates.batch_execute("SELECT pg_advisory_unlock(400)").unwrap();
    browser.sees("Every row fits.").await;
    browser.finds_no_fault().await;
    browser.clicks("Import for real").await;
    let import_id = import_at(&browser).await;
    succeeded(&stack, &import_id).await;
    assert_eq!(stack.count("letters"), 600);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_upload_is_said_at_its_field_and_the_file_is_sent_once() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.address("/upload")).await;
    browser.chooses_file("#file", &file(&stack, "people.csv", "id;name\n1;山田\n")).await;
    browser.clicks("How the file is written").await;
    browser.fills("#delimiter", "semicolon").await;
    browser.fills("#max_rejects", "half").await;
    browser.clicks("Import now").await;
    browser.sees("What is wrong:").await;
    let said = browser.text("#delimiter ~ .problem").await.unwrap();
    assert!(said.contains("cannot be the delimiter"), "{said}");
    let said = browser.text("#max_rejects ~ .problem").await.unwrap();
    assert!(said.contains("a limit of rejects is a number"), "{said}");
    browser.sees("people.csv is here already").await;
    assert_eq!(browser.value("#delimiter").await.as_deref(), Some("semicolon"), "what was typed is kept");
    browser.finds_no_fault().await;

    browser.fills("#delimiter", ";").await;
    browser.fills("#max_rejects", "0").await;
    browser.clicks("Import now").await;
    let import_id = import_at(&browser).await;
    succeeded(&stack, &import_id).await;
    assert_eq!((stack.count("people"), uploads(&stack).await.len()), (1, 1));
    assert_eq!(options(&stack, &import_id), json!({"delimiter": ";"}));
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_makes_a_missing_table_only_when_that_was_agreed_to() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.address("/upload")).await;
    browser.chooses_file("#file", &file(&stack, "顧客.csv", "番号,氏名\n1,山田\n2,佐藤\n")).await;
    browser.fills("#table", "顧客").await;
    browser.clicks_at("#create_table").await;
    browser.clicks("Check first").await;
    browser.sees("Make the table 顧客?").await;
    browser.sees("\"番号\" integer").await;
    browser.finds_no_fault().await;
    let tables = "SELECT count(*) AS value FROM sqlite_master WHERE name = '顧客'";
    assert_eq!(rows::number(&stack.database, tables), 0);
    browser.clicks("Make it, and check the file").await;
    browser.sees("Every row fits.").await;
    assert_eq!(stack.count("顧客"), 0);
    browser.clicks("Import for real").await;
    succeeded(&stack, &import_at(&browser).await).await;
    assert_eq!(stack.count("顧客"), 2);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_fails_says_why_and_its_form_comes_back_to_be_changed() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.address("/upload")).await;
    browser.chooses_file("#file", &file(&stack, "people.csv", "id,氏名\n1,山田\n")).await;
    browser.fills("#max_rejects", "1%").await;
    browser.clicks("Check first").await;
    browser.sees("The import for real would fail: Import.HeaderMismatch").await;
    browser.sees("What helps: say which column a name means with --map").await;
    browser.finds_no_fault().await;
    browser.clicks("Change the options").await;
    browser.sees("people.csv is here already").await;
    assert_eq!(browser.value("#max_rejects").await.as_deref(), Some("1%"), "not the check's own limit");
    browser.clicks("Which columns").await;
    browser.fills("#map", "氏名=name").await;
    browser.clicks("Check first").await;
    browser.sees("Every row fits.").await;
    browser.clicks("Import for real").await;
    let import_id = import_at(&browser).await;
    succeeded(&stack, &import_id).await;
    let expected = json!({"max_rejects": "1%", "map": {"氏名": "name"}});
    assert_eq!((stack.count("people"), options(&stack, &import_id)), (1, expected));
    // The message of the check that failed.
    stack.dead_letter().await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_on_the_page_is_imported() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.address("/upload")).await;
    let dropped = file(&stack, "people.csv", "id,name\n1,山田\n2,佐藤\n");
    // One that misses its place takes nobody's.
    browser.drops_file("h1", &dropped).await;
    assert_eq!(browser.value("#table").await.as_deref(), Some(""));
    browser.drops_file(".drop", &dropped).await;
    assert_eq!(browser.value("#table").await.as_deref(), Some("people"), "its name is that of a table");
    browser.clicks("Import now").await;
    let import_id = import_at(&browser).await;
    succeeded(&stack, &import_id).await;
    assert_eq!(stack.count("people"), 2);
    browser.finds_no_fault().await;
    stack.audit().await;
}
