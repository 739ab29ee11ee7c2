//! The embedded stack itself ends and begins again.

use e2e::{Backend, TestStack};

use super::{MANY, in_the_load, submit, succeeds};

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_when_the_stack_is_started_again() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = submit(&stack, "restarted", MANY).await;
    in_the_load(&stack, &sent).await;
    let stack = stack.restart().await;
    succeeds(stack, &sent, MANY, 2).await;
}
