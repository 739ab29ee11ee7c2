//! A cap on imports that run at once: lanes of a FIFO queue behind the one that messages are sent to.

mod faults;
mod moved_twice;
mod operator;

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue,
};
use e2e::{Backend, Gate, Sent, TestStack, rows, wait};
use local_stack::Config;
use serde_json::json;
use statemachine::{Outcome, Report};

const PEOPLE: &str = "id,name\n1,a\n2,b\n";

/// A stack in which so many imports run at once.
async fn start(maximum_imports: u32, change: impl FnOnce(&mut Config)) -> TestStack {
    let stack = TestStack::start_as(Backend::Sqlite, |config| {
        config.maximum_imports = maximum_imports;
        change(config);
    })
    .await;
    stack.create_people();
    stack.put("uploads/people.csv", PEOPLE).await;
    stack
}

/// Asks for an import of `uploads/<file>`, of rows that may be there already.
async fn send(stack: &TestStack, import_id: &str, file: &str) -> Sent {
    let source = format!("s3://baton/uploads/{file}").parse().unwrap();
    stack.describe(import_id, &source, "people", json!({"on_conflict": "skip"})).await
}

fn lanes(stack: &TestStack) -> &str {
    stack.resources.lane_queue_url.as_deref().unwrap()
}

/// The lane of an execution, as its message has it.
async fn lane_of(stack: &TestStack, sent: &Sent) -> String {
    stack.message_of(&sent.execution_arn).await["group_id"].as_str().unwrap().to_owned()
}

/// When an import's lane was taken by it, and when it was let go: the start of its execution, and that of the deletion of
/// its message.
async fn held(stack: &TestStack, sent: &Sent) -> (SystemTime, SystemTime) {
    let events = stack.history(&sent.execution_arn).await;
    let deletion = events.iter().find(|event| {
        event.state_entered_event_details.as_ref().is_some_and(|details| details.name == "DeleteMessage")
    });
    let time = |timestamp: &aws_sdk_sfn::primitives::DateTime| SystemTime::try_from(*timestamp).unwrap();
    (time(&events[0].timestamp), time(&deletion.unwrap().timestamp))
}

/// How many tasks ECS runs.
async fn tasks(stack: &TestStack) -> usize {
    stack.ecs.list_tasks().send().await.unwrap().task_arns.unwrap_or_default().len()
}

/// How many imports run, by their rows.
fn running(stack: &TestStack) -> i64 {
    rows::number(&stack.database, "SELECT count(*) AS value FROM \"baton_jobs\" WHERE status = 'RUNNING'")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twelve_imports_three_run_at_a_time_and_all_of_them_to_the_end() {
    let gate = Gate::shut();
    let stack = start(3, |config| gate.before(config)).await;
    let mut sent = Vec::new();
    for n in 0..12 {
        sent.push(send(&stack, &format!("p-{n}"), "people.csv").await);
    }
    wait::until("three containers", async || tasks(&stack).await, |count| *count == 3).await;
    let moved =
        async || (stack.messages(&stack.resources.queue_url).await, stack.messages(lanes(&stack)).await);
    wait::until("all messages to be in their lanes", moved, |count| *count == (0, 12)).await;
    // Nine wait, and SQS gives none of them to whoever asks.
    let receive = stack.sqs.receive_message().queue_url(lanes(&stack)).max_number_of_messages(10);
    let more = receive.wait_time_seconds(1).send().await.unwrap().messages.unwrap_or_default();
    assert_eq!((more.len(), stack.hidden_messages(lanes(&stack)).await), (0, 3));
    assert_eq!((stack.executions().await, tasks(&stack).await), (3, 3));

    gate.open();
    let mut most = 0;
    let all_done = "SELECT count(*) AS value FROM \"baton_jobs\" WHERE status = 'SUCCESS'";
    let look = async || {
        most = most.max(running(&stack));
        rows::number(&stack.database, all_done)
    };
    wait::until("all imports to have succeeded", look, |done| *done == 12).await;
    assert!(most <= 3, "{most} imports ran at once");
    let mut of_lane: BTreeMap<String, Vec<(SystemTime, SystemTime)>> = BTreeMap::new();
    for sent in &sent {
        assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
        of_lane.entry(lane_of(&stack, sent).await).or_default().push(held(&stack, sent).await);
    }
    assert_eq!(of_lane.keys().collect::<Vec<_>>(), ["lane-0", "lane-1", "lane-2"]);
    // Whatever was seen above: no two imports of a lane overlap at any time.
    for (lane, mut times) in of_lane {
        times.sort();
        assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{lane}: {times:?}");
    }
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_messages_for_one_import_follow_one_another_in_one_lane() {
    let gate = Gate::shut();
    let stack = start(20, |config| gate.before(config)).await;
    let first = send(&stack, "twice", "people.csv").await;
    stack.entered(&first.execution_arn, "RunImport").await;
    let second = send(&stack, "twice", "people.csv").await;
    let moved = async || stack.messages(lanes(&stack)).await;
    wait::until("the second message to be in its lane", moved, |count| *count == 2).await;
    gate.open();
    let mut outcomes = Vec::new();
    for sent in [&first, &second] {
        let report: Report =
            serde_json::from_str(&stack.ended(&sent.execution_arn).await.output.unwrap()).unwrap();
        outcomes.push(report.outcome);
    }
    assert_eq!(outcomes, [Outcome::Done, Outcome::Duplicate], "in the order in which they were moved");
    assert_eq!(lane_of(&stack, &first).await, lane_of(&stack, &second).await);
    assert!(held(&stack, &first).await.1 <= held(&stack, &second).await.0);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sender_gave_its_message_is_there_in_its_lane() {
    let stack = start(3, |_| {}).await;
    stack.feed_function(false).await;
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let text = MessageAttributeValue::builder().data_type("String").string_value("me").build().unwrap();
    let header =
        MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build().unwrap();
    let body = r#"{"import_id": "kept"}"#;
    let send = stack.sqs.send_message().queue_url(&stack.resources.queue_url).message_body(body);
    let send = send.message_attributes("Who", text);
    let send = send.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, header);
    let sent_id = send.send().await.unwrap().message_id.unwrap();

    let receive = stack.sqs.receive_message().queue_url(lanes(&stack)).message_attribute_names("All");
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    let received = receive.wait_time_seconds(20).visibility_timeout(0).send().await.unwrap();
    let message = received.messages.unwrap().pop().unwrap();
    let attributes = message.attributes.unwrap();
    assert_eq!(message.body.as_deref(), Some(body));
    assert_eq!(message.message_attributes.unwrap()["Who"].string_value(), Some("me"));
    assert_eq!(attributes[&MessageSystemAttributeName::AwsTraceHeader], trace);
    assert_eq!(attributes[&MessageSystemAttributeName::MessageDeduplicationId], format!("sent-{sent_id}"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_uploaded_to_s3_goes_through_the_lanes() {
    let stack = start(3, |_| {}).await;
    stack.put("imports/people/uploaded.csv", PEOPLE).await;
    let machine = &stack.resources.import_state_machine_arn;
    let look = async || {
        let listed = stack.sfn.list_executions().state_machine_arn(machine);
        listed.status_filter(ExecutionStatus::Succeeded).send().await.unwrap().executions.pop()
    };
    let execution = wait::until("the import", look, Option::is_some).await.unwrap();
    let message = stack.message_of(&execution.execution_arn).await;
    assert!(message["group_id"].as_str().unwrap().starts_with("lane-"), "{message}");
    assert_eq!(message["queue_url"], lanes(&stack));
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}
