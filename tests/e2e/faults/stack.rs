//! The embedded stack itself ends and begins again.

use e2e::{Backend, TestStack};

use super::{MANY, submit_to_slow_table, succeeds};

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_when_the_stack_is_started_again() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = submit_to_slow_table(&stack, "restarted").await;
    let stack = Box::pin(stack.restart()).await;
    succeeds(stack, &sent, MANY, 2).await;
}
