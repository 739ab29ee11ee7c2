//! The function before the lanes dies when SQS has its messages and it does not know yet.

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::front::Answer;
use e2e::{Front, Gate, TestStack, rows, wait};
use rustix::process::{Signal, kill_process};
use worker::db::Database;

use super::{lanes, send, start};
use crate::messages::impatient;

/// Lets the five minutes pass in which SQS knows a deduplication id.
fn forget_deduplication(stack: &TestStack) {
    let file = stack.data_dir().join("stack/sqs.db");
    let file = Database::parse(&format!("sqlite:{}", file.display())).unwrap();
    rows::execute(&file, "DELETE FROM deduplications");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_moved_twice_is_imported_once_however_late_the_second_comes() {
    for is_late in [false, true] {
        let front = Front::start().await;
        let gate = Gate::shut();
        let stack = start(1, |config| {
            config.limits = impatient();
            config
                .function_environment
                .push(("AWS_ENDPOINT_URL_SQS".to_owned(), front.endpoint().to_owned()));
            gate.before(config);
        })
        .await;
        front.pass_to(stack.endpoint());
        let sends = |asked: &e2e::front::Asked| asked.operation == "AmazonSQS.SendMessageBatch";
        front.answer_times(1, sends, Answer::StallBody { after: 0 });
        let sent = send(&stack, "once", "people.csv").await;
        let moved = async || stack.messages(lanes(&stack)).await;
        wait::until("the message to be in its lane", moved, |count| *count == 1).await;
        stack.entered(&sent.execution_arn, "RunImport").await;
        if is_late {
            forget_deduplication(&stack);
        }
        for function in stack.lane_functions() {
            kill_process(function, Signal::KILL).unwrap();
        }
        // It comes again, and is moved again.
        let left = async || stack.messages(&stack.resources.queue_url).await;
        wait::until("the queue to be empty", left, |count| *count == 0).await;
        front.asked_times(2, sends).await;
        assert_eq!(stack.messages(lanes(&stack)).await, if is_late { 2 } else { 1 });
        gate.open();
        assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
        wait::until("the lane to be empty", moved, |count| *count == 0).await;
        assert_eq!(stack.executions().await, 1, "late: {is_late}");
        assert_eq!((stack.count("people"), stack.import(&sent.import_id).unwrap().attempt), (2, 1));
        stack.audit().await;
    }
}
