//! S3 refuses, breaks off, is away, or has another object by now. (A file that is not there at all: `messages.rs`.)

use e2e::front::Answer;
use e2e::{Backend, TestStack};

use super::{KEY, MANY, fails_at_once, people, submit, succeeds};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_may_not_be_read_fails_the_import_for_good() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    stack.front().answer(|asked| asked.reads(KEY), Answer::Error { status: 403, code: "AccessDenied" });
    let sent = submit(&stack, "denied", 3).await;
    fails_at_once(stack, &sent, "Import.SourceDenied").await;
}

async fn resumes(backend: Backend) {
    const AFTER: u64 = 100_000;
    let stack = TestStack::with(backend).behind_front().start().await;
    stack.front().answer_times(2, |asked| asked.reads(KEY), Answer::CutBody { after: AFTER });
    let sent = submit(&stack, "cut", MANY).await;
    stack.ended(&sent.execution_arn).await;
    let reads = stack.front().asked().into_iter().filter(|asked| asked.reads(KEY));
    let ranges: Vec<_> = reads.map(|asked| asked.range).collect();
    let [None, Some(second), Some(third)] = &ranges[..] else { panic!("{ranges:?}") };
    let start = |range: &str| -> u64 {
        range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap()
    };
    // What was on its way when the connection broke may be lost with it.
    let (second, third) = (start(second), start(third));
    assert!(0 < second && second <= AFTER && second < third && third <= second + AFTER, "{ranges:?}");
    succeeds(stack, &sent, MANY, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_cut_off_is_read_on_from_where_it_was_cut() {
    resumes(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_cut_off_is_read_on_from_where_it_was_cut_into_postgresql() {
    resumes(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_replaced_while_it_is_read_fails_the_import_for_good() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    stack.front().answer_times(1, |asked| asked.reads(KEY), Answer::CutBody { after: 100_000 });
    let held = stack.front().hold(|asked| asked.reads(KEY) && asked.range.is_some());
    let sent = submit(&stack, "replaced", MANY).await;
    held.arrived().await;
    // As long as the first one, so that nothing but the object itself tells them apart.
    stack.put(KEY, people(MANY).replace("name of", "eman of")).await;
    held.release();
    fails_at_once(stack, &sent, "Import.SourceChanged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttling_s3_is_asked_again_by_the_same_worker() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    let slow_down = Answer::Error { status: 503, code: "SlowDown" };
    stack.front().answer_times(4, |asked| asked.reads(KEY), slow_down);
    let sent = submit(&stack, "throttled", 3).await;
    succeeds(stack, &sent, 3, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_that_is_away_for_longer_is_left_to_the_next_attempt() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    stack.front().answer(|asked| asked.reads(KEY), Answer::CutBody { after: 0 });
    let sent = submit(&stack, "away", 3).await;
    assert_eq!(stack.errors_when(&sent.execution_arn, 1).await, ["Import.SourceUnavailable"]);
    stack.front().no_more();
    succeeds(stack, &sent, 3, 2).await;
}
