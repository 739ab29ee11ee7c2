use serde_json::json;

use super::*;
use crate::link::Direction;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_speaks_through_the_front_and_the_link_and_is_found_while_it_does() {
    let setup = TestStack::with(Backend::Postgres).behind_front().database_behind_link();
    let stack = setup.worker_variable("RUST_LOG", "debug").start().await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,a\n").await;
    let held = stack.front().hold(|asked| asked.is("SendTaskSuccess"));
    let sent = stack.describe("roundabout", &source, "people", json!({})).await;
    held.arrived().await;
    assert_eq!(stack.workers().len(), 1);
    held.release();
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert!(stack.front().asked().iter().any(|asked| asked.reads("uploads/people.csv")));
    assert!(stack.link().passed(Direction::ToServer) > 0);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "a test ends its stack by `audit`")]
async fn a_test_that_ends_without_a_look_at_its_stack_fails() {
    TestStack::start_at_rest(Backend::Sqlite).await;
}
