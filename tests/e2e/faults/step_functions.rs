//! Step Functions does not take the worker's calls for a while. The work goes on.

use std::time::Duration;

use e2e::front::{Answer, Asked};
use e2e::{Backend, TestStack, wait};
use local_stack::Limits;
use worker::ledger::JobStatus;

use super::{KEY, submit, succeeds};

fn by_the_worker(asked: &Asked) -> bool {
    asked.is("SendTaskHeartbeat") || asked.is("SendTaskSuccess") || asked.is("SendTaskFailure")
}

/// A heartbeat that outlasts the trouble: Step Functions cannot know that beats were sent.
fn limits() -> Limits {
    Limits {
        heartbeat: Duration::from_secs(600),
        heartbeat_interval: Duration::from_millis(50),
        ..Limits::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttling_step_functions_does_not_stop_the_work_and_gets_its_report_later() {
    let stack = TestStack::with(Backend::Sqlite).limits(limits()).behind_front().start().await;
    let throttle = Answer::Error { status: 400, code: "ThrottlingException" };
    stack.front().answer(by_the_worker, throttle);
    let held = stack.front().hold(|asked| asked.reads(KEY));
    let sent = submit(&stack, "throttled", 3).await;
    // Some before there is a row to be written, and the work goes on all the same.
    stack.front().asked_times(3, |asked| asked.is("SendTaskHeartbeat")).await;
    held.release();
    stack.front().asked_times(3, |asked| asked.is("SendTaskSuccess")).await;
    assert_eq!(stack.import(&sent.import_id).unwrap().status, JobStatus::Success);
    stack.front().no_more();
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_functions_that_cannot_be_reached_does_not_stop_the_work_and_gets_its_report_later() {
    let setup = TestStack::with(Backend::Postgres).limits(limits()).step_functions_behind_link();
    let stack = setup.start().await;
    let held = stack.front().hold(|asked| asked.reads(KEY));
    let sent = submit(&stack, "unreachable", 3).await;
    held.arrived().await;
    let link = stack.step_functions_link();
    link.refuse().await;
    link.cut();
    let logs = async || stack.logs();
    wait::until("beats to fail", logs, |logs| logs.matches("Could not beat").count() >= 3).await;
    held.release();
    let committed = |row: &worker::imports::ImportRow| row.status == JobStatus::Success;
    stack.import_when(&sent.import_id, "the import to be committed", committed).await;
    let logs = async || stack.logs();
    wait::until("the report to fail", logs, |logs| logs.contains("Could not report")).await;
    link.accept();
    succeeds(stack, &sent, 3, 1).await;
}
