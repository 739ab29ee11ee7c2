//! Everything by keyboard alone.

use e2e::{Backend, TestStack, rows, wait};
use thirtyfour::Key;

use super::{Console, file, import_at};
use crate::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_checked_imported_and_redriven_from_its_dead_letter_by_keyboard_alone() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let (console, browser) = (Console::beside(&stack).await, Browser::open().await);
    browser.go(&console.url).await;
    browser.tabs_to("Upload").await;
    browser.presses(Key::Enter).await;
    browser.arrives("the upload", |place| place == "/upload").await;
    // A browser's own dialogue for files belongs to no page: the file is given as the dialogue would.
    browser.tabs_to("Drop a CSV file here").await;
    browser.chooses_file("#file", &file(&stack, "people.csv", "id,name\n1,山田\n2,佐藤\n")).await;
    browser.tabs_to("Max rejects").await;
    browser.types("1").await;
    browser.tabs_to("Check first").await;
    browser.presses(Key::Enter).await;
    browser.sees("Every row fits.").await;

    // A cause that the check could not see yet: the import for real fails.
    rows::execute(&stack.database, "ALTER TABLE people RENAME TO hidden");
    browser.tabs_to("Import for real").await;
    browser.presses(Key::Space).await;
    let import_id = import_at(&browser).await;
    let letters = async || stack.messages(&stack.resources.dead_letter_queue_url).await;
    wait::until("the dead letter", letters, |count| *count == 1).await;
    rows::execute(&stack.database, "ALTER TABLE hidden RENAME TO people");

    browser.tabs_to("Dead letters").await;
    browser.presses(Key::Enter).await;
    browser.tabs_to(&format!("Select {import_id}")).await;
    browser.presses(Key::Space).await;
    // From the end of the page, its beginning is next.
    browser.tabs_to("Redrive executions…").await;
    browser.presses(Key::Enter).await;
    browser.sees("Redrive the execution of 1 dead letter?").await;
    browser.tabs_to("Redrive").await;
    browser.presses(Key::Enter).await;
    browser.sees("Redrove 1 execution").await;
    wait::until("the rows", async || stack.count("people"), |count| *count == 2).await;
    browser.finds_no_fault().await;
    stack.audit().await;
}
