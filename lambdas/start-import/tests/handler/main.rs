//! The handler against a server that speaks Step Functions' protocol (AWS JSON 1.0) and answers as scripted.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod documented;
mod step_functions;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_shared::BrokenEvent;
use serde_json::{Value, json};
use start_import::StartImport;
use start_import::config::Config;
use statemachine::TraceHeader;
use step_functions::{StepFunctions, Then};

const MACHINE: &str = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:import";
const DEAD_LETTER_MACHINE: &str = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:dead-letter";
const QUEUE: &str = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/imports";
const FIRST: &str = "059f36b4-87a3-44ab-83d2-661975830a7d";
const SECOND: &str = "2e1424d4-f796-459a-8184-9c92662be6da";

fn standard() -> Value {
    serde_json::from_str(include_str!("../events/standard.json")).unwrap()
}

fn fifo() -> Value {
    serde_json::from_str(include_str!("../events/fifo.json")).unwrap()
}

/// The standard event, with one record of this body.
fn event_of(body: &str) -> Value {
    let mut event = standard();
    event["Records"].as_array_mut().unwrap().truncate(1);
    event["Records"][0]["body"] = body.into();
    event
}

async fn invoke(server: &StepFunctions, queue: &str, event: Value) -> Result<Vec<String>, BrokenEvent> {
    invoke_in_trace(server, queue, event, None).await
}

async fn invoke_in_trace(
    server: &StepFunctions,
    queue: &str,
    event: Value,
    trace_header: Option<TraceHeader>,
) -> Result<Vec<String>, BrokenEvent> {
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    let config = Config {
        state_machine_arn: MACHINE.parse().unwrap(),
        dead_letter_state_machine_arn: DEAD_LETTER_MACHINE.parse().unwrap(),
        hold_seconds: 42_000,
        queue_url: queue.to_owned(),
        lanes: queue.contains("lanes"),
        log_filter: String::new(),
        metrics_namespace: None,
    };
    let (sfn, sqs) = server.clients().await;
    let function = StartImport::new(sfn, sqs, config);
    let response = function.handle(event, trace_header).await?;
    Ok(response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect())
}

/// The ids that Lambda is told to keep.
async fn kept(server: &StepFunctions, event: Value) -> Vec<String> {
    invoke(server, QUEUE, event).await.unwrap()
}

#[tokio::test]
async fn each_message_starts_its_execution_and_is_kept() {
    let server = StepFunctions::start(|_, _| Then::Started).await;
    assert_eq!(kept(&server, standard()).await, [FIRST, SECOND]);

    let mut calls = server.calls();
    calls.sort_by_key(|(_, body)| body["name"].to_string());
    assert_eq!(calls.len(), 2);
    let (operation, body) = &calls[0];
    assert_eq!(operation, "StartExecution");
    assert_eq!(body["stateMachineArn"], MACHINE);
    assert_eq!(body["name"], format!("17-{FIRST}"));
    let input: Value = serde_json::from_str(body["input"].as_str().unwrap()).unwrap();
    let message = json!({"id": FIRST, "body": "{\"import_id\": 17}", "queue_url": QUEUE,
        "receipt_handle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a1"});
    assert_eq!(input, json!({"import": {"import_id": "17"}, "message": message}));
    // A group on a standard queue is about fairness and no concern of the execution.
    let input: Value = serde_json::from_str(calls[1].1["input"].as_str().unwrap()).unwrap();
    assert_eq!((&input["import"]["table"], &input["message"]["group_id"]), (&json!("people"), &Value::Null));
}

#[tokio::test]
async fn a_message_goes_on_in_its_own_trace_or_in_that_of_the_invocation() {
    let own = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let invocation = "Root=1-67891233-abcdef012345678912345678;Sampled=0";
    for (of_message, of_invocation, expected) in [
        (Some(own), Some(invocation), Some(own)),
        (Some("Root=1; DROP"), Some(invocation), Some(invocation)),
        (None, Some(invocation), Some(invocation)),
        (Some(own), None, Some(own)),
        (Some("\u{1b}[31m"), None, None),
    ] {
        let server = StepFunctions::start(|_, _| Then::Started).await;
        let mut event = event_of(r#"{"import_id": 17}"#);
        if let Some(header) = of_message {
            event["Records"][0]["attributes"]["AWSTraceHeader"] = header.into();
        }
        let of_invocation = of_invocation.map(|header| header.parse().unwrap());
        invoke_in_trace(&server, QUEUE, event, of_invocation).await.unwrap();
        let calls = server.calls();
        let (_, body) = &calls[0];
        let input: Value = serde_json::from_str(body["input"].as_str().unwrap()).unwrap();
        // Step Functions prefers the header of the request to the field in it.
        let headers = server.trace_headers();
        for seen in
            [body["traceHeader"].as_str(), input["message"]["trace_header"].as_str(), headers[0].as_deref()]
        {
            assert_eq!(seen, expected, "{of_message:?} {body}");
        }
    }
}

#[tokio::test]
async fn a_redelivered_message_is_decided_by_the_status_of_its_execution() {
    for (status, is_kept) in [
        ("RUNNING", true),
        ("PENDING_REDRIVE", true),
        ("SUCCEEDED", false),
        ("FAILED", true),
        ("TIMED_OUT", true),
        ("ABORTED", true),
        ("A_STATUS_OF_TOMORROW", true),
    ] {
        let server = StepFunctions::start(move |operation, body| match operation {
            "StartExecution" => Then::Error(400, "ExecutionAlreadyExists"),
            "ChangeMessageVisibility" => Then::Done,
            _ if body["executionArn"].as_str().unwrap().contains(":execution:dead-letter:") => {
                Then::Error(400, "ExecutionDoesNotExist")
            }
            _ => Then::Status(status),
        })
        .await;
        let expected: &[&str] = if is_kept { &[FIRST] } else { &[] };
        assert_eq!(kept(&server, event_of(r#"{"import_id": 17}"#)).await, expected, "{status}");
        let arn = format!("arn:aws:states:ap-northeast-1:123456789012:execution:import:17-{FIRST}");
        assert_eq!(server.calls()[1], ("DescribeExecution".to_owned(), json!({"executionArn": arn})));
    }
}

#[tokio::test]
async fn a_message_that_comes_back_while_its_execution_runs_is_hidden_again() {
    for answer in ["held", "refused"] {
        let server = StepFunctions::start(move |operation, _| match operation {
            "StartExecution" => Then::Error(400, "ExecutionAlreadyExists"),
            "ChangeMessageVisibility" if answer == "held" => Then::Done,
            "ChangeMessageVisibility" => Then::Error(400, "ReceiptHandleIsInvalid"),
            _ => Then::Status("RUNNING"),
        })
        .await;
        assert_eq!(kept(&server, event_of(r#"{"import_id": 17}"#)).await, [FIRST], "{answer}");
        let hold = json!({"QueueUrl": QUEUE, "VisibilityTimeout": 42000,
            "ReceiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a1"});
        assert_eq!(server.calls()[2], ("ChangeMessageVisibility".to_owned(), hold));
    }
}

#[tokio::test]
async fn a_message_whose_execution_failed_is_decided_by_its_settling_execution() {
    for (settling, is_kept) in [
        (Then::Status("SUCCEEDED"), false),
        (Then::Status("RUNNING"), true),
        (Then::Status("FAILED"), true),
        (Then::Status("TIMED_OUT"), true),
        (Then::Status("ABORTED"), true),
        (Then::Error(400, "ExecutionDoesNotExist"), true),
        (Then::Error(400, "AccessDeniedException"), true),
    ] {
        let server = StepFunctions::start(move |operation, body| match operation {
            "StartExecution" => Then::Error(400, "ExecutionAlreadyExists"),
            _ if body["executionArn"].as_str().unwrap().contains(":execution:import:") => {
                Then::Status("FAILED")
            }
            _ => settling,
        })
        .await;
        let expected: &[&str] = if is_kept { &[FIRST] } else { &[] };
        assert_eq!(kept(&server, event_of(r#"{"import_id": 17}"#)).await, expected, "{settling:?}");
        let arn = format!("arn:aws:states:ap-northeast-1:123456789012:execution:dead-letter:17-{FIRST}");
        assert_eq!(server.calls()[2], ("DescribeExecution".to_owned(), json!({"executionArn": arn})));
    }
}

#[tokio::test]
async fn a_message_that_asks_for_no_import_starts_an_execution_that_says_so() {
    let server = StepFunctions::start(|_, _| Then::Started).await;
    assert_eq!(kept(&server, event_of("noise")).await, [FIRST]);
    let (_, body) = &server.calls()[0];
    assert_eq!(body["name"], format!("invalid-{FIRST}"));
    let input: Value = serde_json::from_str(body["input"].as_str().unwrap()).unwrap();
    assert!(input["invalid"]["reason"].as_str().unwrap().starts_with("the message is not JSON"));
    assert_eq!(input["message"]["body"], "noise");
}

#[tokio::test]
async fn the_test_of_a_new_notification_is_acknowledged_and_starts_nothing() {
    let server = StepFunctions::start(|_, _| Then::Started).await;
    let body = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"uploads"}"#;
    assert!(kept(&server, event_of(body)).await.is_empty());
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn a_message_too_large_for_an_executions_input_is_left_without_a_call() {
    let server = StepFunctions::start(|_, _| Then::Started).await;
    assert_eq!(kept(&server, event_of(&"x".repeat(300_000))).await, [FIRST]);
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn a_throttled_message_is_left_and_its_neighbour_is_not_affected() {
    let server = StepFunctions::start(|operation, body| {
        match (operation, body["name"].as_str().is_some_and(|name| name.starts_with("17-"))) {
            ("StartExecution", true) => Then::Error(400, "ThrottlingException"),
            ("StartExecution", false) => Then::Error(400, "ExecutionAlreadyExists"),
            _ => Then::Status("SUCCEEDED"),
        }
    })
    .await;
    assert_eq!(kept(&server, standard()).await, [FIRST]);
    let tries = server.calls().iter().filter(|(_, body)| body["name"] == format!("17-{FIRST}")).count();
    assert_eq!(tries, 3, "a throttled call is tried again, but not for long");
}

#[tokio::test]
async fn an_execution_that_cannot_be_looked_up_keeps_its_message() {
    let server = StepFunctions::start(|operation, _| match operation {
        "StartExecution" => Then::Error(400, "ExecutionAlreadyExists"),
        _ => Then::Error(400, "AccessDeniedException"),
    })
    .await;
    assert_eq!(kept(&server, standard()).await, [FIRST, SECOND]);
}

#[tokio::test]
async fn without_step_functions_every_message_is_left() {
    let server = StepFunctions::start(|_, _| Then::Error(503, "ServiceUnavailable")).await;
    assert_eq!(kept(&server, standard()).await, [FIRST, SECOND]);
}

#[tokio::test]
async fn the_same_message_twice_in_a_batch_is_started_once_and_found_running_once() {
    let server = StepFunctions::start(|operation, _| match operation {
        "StartExecution" => Then::StartedOnce,
        "ChangeMessageVisibility" => Then::Done,
        _ => Then::Status("RUNNING"),
    })
    .await;
    let mut event = event_of(r#"{"import_id": 17}"#);
    let twin = event["Records"][0].clone();
    event["Records"].as_array_mut().unwrap().push(twin);
    assert_eq!(kept(&server, event).await, [FIRST, FIRST]);
    assert_eq!(server.calls().iter().filter(|(operation, _)| operation == "DescribeExecution").count(), 1);
}

#[tokio::test]
async fn a_message_group_goes_on_after_an_acknowledged_message_only() {
    let name = |body: &Value| body["name"].as_str().unwrap_or_default().to_owned();
    let queue = format!("{QUEUE}.fifo");
    let ids = ["11d6ee51", "22d6ee51", "33d6ee51"].map(|id| format!("{id}-4cc7-4302-9e22-7cd8afdaadf5"));

    let server = StepFunctions::start(|_, _| Then::Started).await;
    assert_eq!(invoke(&server, &queue, fifo()).await.unwrap(), ids);
    let mut started: Vec<String> = server.calls().iter().map(|(_, body)| name(body)).collect();
    started.sort();
    assert_eq!(started, [format!("a-1-{}", ids[0]), format!("b-1-{}", ids[1])], "a-2 waits for a-1");

    let server = StepFunctions::start(move |operation, body| match operation {
        "StartExecution" if name(body).starts_with("a-1-") => Then::Error(400, "ExecutionAlreadyExists"),
        "StartExecution" => Then::Started,
        _ => Then::Status("SUCCEEDED"),
    })
    .await;
    assert_eq!(invoke(&server, &queue, fifo()).await.unwrap(), ids[1..], "a-1 is done, so a-2 is started");
    let input = server.calls().into_iter().find_map(|(_, body)| {
        let is_last = name(&body).starts_with("a-2-");
        is_last.then(|| serde_json::from_str::<Value>(body["input"].as_str().unwrap()).unwrap())
    });
    assert_eq!(input.unwrap()["message"]["group_id"], "a");
}

#[tokio::test]
async fn a_message_of_a_lane_has_its_execution_by_the_id_that_its_sender_knows() {
    let lanes = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/lanes.fifo";
    let own = "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5";
    // Moved into its lane; moved back into it; in a FIFO queue whose sender makes such ids himself.
    for (queue, given, expected) in [
        (lanes, format!("sent-{SECOND}"), SECOND),
        (lanes, SECOND.to_owned(), own),
        (&format!("{QUEUE}.fifo"), format!("sent-{SECOND}"), own),
    ] {
        let server = StepFunctions::start(|_, _| Then::Started).await;
        let mut event = fifo();
        event["Records"].as_array_mut().unwrap().truncate(1);
        let record = &mut event["Records"][0];
        record["attributes"]["MessageDeduplicationId"] = given.clone().into();
        let name = queue.rsplit('/').next().unwrap();
        record["eventSourceARN"] = format!("arn:aws:sqs:ap-northeast-1:123456789012:{name}").into();
        assert_eq!(invoke(&server, queue, event).await.unwrap(), [own]);
        let (_, body) = &server.calls()[0];
        assert_eq!(body["name"], format!("a-1-{expected}"), "{queue} {given}");
        let input: Value = serde_json::from_str(body["input"].as_str().unwrap()).unwrap();
        assert_eq!(
            input["message"]["id"], "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5",
            "the queue's own id of it"
        );
    }
}

#[tokio::test]
async fn an_event_that_is_not_the_queues_fails_as_a_whole_and_starts_nothing() {
    let server = StepFunctions::start(|_, _| Then::Started).await;
    for field in ["messageId", "receiptHandle", "body", "eventSourceARN"] {
        let mut event = standard();
        event["Records"][1].as_object_mut().unwrap().remove(field);
        assert_eq!(invoke(&server, QUEUE, event).await, Err(BrokenEvent::Missing(field)));
    }
    let error = invoke(&server, "https://sqs.example/1/others", standard()).await.unwrap_err();
    assert!(error.to_string().contains("QUEUE_URL is https://sqs.example/1/others"), "{error}");
    assert_eq!(server.calls(), []);
}
