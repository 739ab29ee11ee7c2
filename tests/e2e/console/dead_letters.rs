//! The page of dead letters.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack, wait};

use super::Console;
use crate::dead_letters::{letters_are, missing};

/// The ids of the messages on a page, as its boxes have them.
fn ids(page: &str) -> Vec<&str> {
    let parts = page.split("name=\"id\" value=\"").skip(1);
    parts.map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_redriven_moved_back_and_dropped_in_the_console_after_it_said_what_that_means() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    let arn = missing(&stack, "a").await;
    missing(&stack, "b").await;
    missing(&stack, "c").await;
    stack.send("noise <script>alert(1)</script>").await;
    letters_are(&stack, 4).await;
    let console = Console::beside(&stack).await;
    let page = console.page("/dead-letters").await;
    let ids = ids(&page).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let [a, b, c, noise] = ids.as_slice() else { panic!("{ids:?}") };
    for words in ["Import.SourceMissing", "Message.Invalid", "href=\"/imports/a\"", "asks for no import"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let some = console.page("/dead-letters?error=Message.Invalid").await;
    assert!(some.contains(noise) && !some.contains(a), "{some}");
    let whole = console.page(&format!("/dead-letters/{noise}")).await;
    assert!(whole.contains("noise &lt;script&gt;alert(1)&lt;/script&gt;"), "{whole}");

    // Asking changes nothing.
    let asked = console.post("/dead-letters/ask/drop", &[("id", c), ("id", noise)]).await;
    assert_eq!(asked.status, 200, "{asked:#?}");
    for words in ["Drop 2 dead letters?", "The messages are lost", "/dead-letters/do/drop"] {
        assert!(asked.body.contains(words), "{words}: {}", asked.body);
    }
    assert_eq!(console.post("/dead-letters/ask/drop", &[]).await.status, 400);
    let gone = console.post("/dead-letters/ask/move", &[("id", "gone")]).await;
    assert!(gone.status == 404 && gone.body.contains("there is no dead letter gone"), "{gone:#?}");
    letters_are(&stack, 4).await;

    let dropped = console.follow("/dead-letters/do/drop", &[("id", c), ("id", noise)]).await;
    assert!(dropped.contains("Dropped 2 dead letters"), "{dropped}");
    letters_are(&stack, 2).await;

    for file in ["a", "b"] {
        stack.put(&format!("uploads/{file}.csv"), format!("id,name\n{},x\n", file.as_bytes()[0])).await;
    }
    let redriven = console.follow("/dead-letters/do/redrive", &[("id", a)]).await;
    assert!(redriven.contains("Redrove 1 execution") && redriven.contains("a: redriven"), "{redriven}");
    assert_eq!(stack.ended(&arn).await.status, ExecutionStatus::Succeeded);
    // The console stays with it, and deletes the dead letter.
    letters_are(&stack, 1).await;

    let moved = console.follow("/dead-letters/do/move", &[("id", b), ("id", "gone")]).await;
    for words in ["Moved 1 dead letter back", "moved as", "1 dead letter could not be had"] {
        assert!(moved.contains(words), "{words}: {moved}");
    }
    let people = async || stack.count("people");
    wait::until("both files to be imported", people, |count| *count == 2).await;
    letters_are(&stack, 0).await;
    assert!(console.page("/dead-letters").await.contains("No dead letters"));
    stack.audit().await;
}
