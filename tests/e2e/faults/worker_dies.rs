//! The worker is killed, at any moment. `.sync` sees its container's end, and another one begins.

use e2e::front::Answer;
use e2e::{Backend, TestStack, wait};
use rustix::process::{Resource, Rlimit, Signal, prlimit};

use super::{KEY, MANY, signal, submit, submit_to_slow_table, submit_to_stalled_link, succeeds};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_replaced_and_every_row_is_there_once() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let sent = submit_to_slow_table(&stack, "killed").await;
    signal(&stack, Signal::KILL);
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["States.TaskFailed"]);
    succeeds(stack, &sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_replaced_and_every_row_is_there_once_in_postgresql() {
    let stack = TestStack::with(Backend::Postgres).database_behind_link().start().await;
    let sent = submit_to_stalled_link(&stack, "killed").await;
    signal(&stack, Signal::KILL);
    // What was sent before arrives yet, and then the end of the connection.
    stack.link().resume();
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["States.TaskFailed"]);
    succeeds(stack, &sent, MANY, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_before_its_claim_leaves_no_trace_in_the_row() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    // The first beat comes before the claim.
    let held = stack.front().hold(|asked| asked.is("SendTaskHeartbeat"));
    let sent = submit(&stack, "unclaimed", 3).await;
    held.arrived().await;
    assert_eq!(stack.import(&sent.import_id), None);
    signal(&stack, Signal::KILL);
    succeeds(stack, &sent, 3, 1).await;
}

async fn survives_a_kill_before_the_report(backend: Backend) {
    let stack = TestStack::with(backend).behind_front().start().await;
    let held = stack.front().hold(|asked| asked.is("SendTaskSuccess"));
    let sent = submit(&stack, "unreported", 3).await;
    held.arrived().await;
    let row = stack.import(&sent.import_id).unwrap();
    assert_eq!(row.status.as_str(), "SUCCESS");
    signal(&stack, Signal::KILL);
    stack.ended(&sent.execution_arn).await;
    // The second worker has reported what the first one had committed, without a look at the file.
    let reads = stack.front().asked().into_iter().filter(|asked| asked.reads(KEY)).count();
    assert_eq!((reads, stack.import(&sent.import_id)), (1, Some(row)));
    drop(held);
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_between_commit_and_report_is_not_run_twice_over_the_rows() {
    survives_a_kill_before_the_report(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_between_commit_and_report_is_not_run_twice_in_postgresql() {
    survives_a_kill_before_the_report(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_after_its_report_changes_nothing() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    // The report is taken, and the worker does not hear of it: it is there yet, and asks again and again.
    stack.front().answer(|asked| asked.is("SendTaskSuccess"), Answer::LoseAnswer);
    let sent = submit(&stack, "reported", 3).await;
    stack.front().asked_times(1, |asked| asked.is("SendTaskSuccess")).await;
    signal(&stack, Signal::KILL);
    assert_eq!(stack.exit_codes_when(1).await, [Some(137)]);
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_report_was_taken_without_an_answer_leaves_and_nothing_is_run_again() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    stack.front().answer_times(1, |asked| asked.is("SendTaskSuccess"), Answer::LoseAnswer);
    let sent = submit(&stack, "unheard", 3).await;
    // Its second try finds a task that is over.
    assert_eq!(stack.exit_codes_when(1).await, [Some(3)]);
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_gets_no_memory_is_replaced() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    let held = stack.front().hold(|asked| asked.reads(KEY));
    let sent = submit(&stack, "starved", MANY).await;
    held.arrived().await;
    for worker in stack.workers() {
        // What it has it keeps; more it does not get.
        prlimit(Some(worker), Resource::Data, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
    }
    held.release();
    let ended = stack.exit_codes_when(1).await;
    assert_eq!(ended[0], Some(134), "aborted by itself: {ended:?}");
    wait::until("the second worker", async || stack.workers().len(), |count| *count == 1).await;
    succeeds(stack, &sent, MANY, 2).await;
}
