//! The Runtime API and the event source, with a function that is a process of its own (`child/function.rs`).
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local_stack::credentials::Credentials;
use local_stack::lambda::{EventSource, EventSourceMapping, FunctionConfig, InvokeError, Lambda};
use local_stack::process::BaseEnvironment;
use local_stack::wire::{AwsError, Call};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

fn config(dir: &Path, command: PathBuf, timeout: Duration) -> FunctionConfig {
    FunctionConfig {
        name: "start-import".to_owned(),
        command,
        environment: vec![
            ("OWN".to_owned(), "variable".to_owned()),
            ("AWS_REGION".to_owned(), "a lie".to_owned()),
        ],
        base: BaseEnvironment::default(),
        timeout,
        memory_megabytes: 128,
        region: "ap-northeast-1".to_owned(),
        account: "123456789012".to_owned(),
        credentials: Credentials { access_key: "key".to_owned(), secret_key: "secret".to_owned() },
        log: dir.join("function.log"),
    }
}

fn script(dir: &Path, text: &str) -> PathBuf {
    let command = dir.join("bootstrap");
    fs::write(&command, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&command, fs::Permissions::from_mode(0o700)).unwrap();
    command
}

fn function(timeout: Duration) -> (TempDir, Arc<Lambda>) {
    let dir = tempfile::tempdir().unwrap();
    let command = script(dir.path(), &format!("exec '{}' function", env!("CARGO_BIN_EXE_local-stack-child")));
    let lambda = Lambda::open(config(dir.path(), command, timeout));
    (dir, lambda)
}

async fn invoke(lambda: &Arc<Lambda>, event: Value) -> Result<Value, InvokeError> {
    tokio::time::timeout(Duration::from_secs(30), lambda.invoke(event)).await.unwrap()
}

#[tokio::test]
async fn a_function_gets_the_event_and_all_that_lambda_tells() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    let before = chrono_ms();
    let told = invoke(&lambda, json!({"do": "tell"})).await.unwrap();
    assert_eq!(told["invocation"], 1);
    assert_eq!(told["arn"], "arn:aws:lambda:ap-northeast-1:123456789012:function:start-import");
    let left = told["deadline_ms"].as_u64().unwrap() - before;
    assert!((10_000..30_000).contains(&left), "{left} ms");
    assert!(told["trace_id"].as_str().unwrap().starts_with("Root=1-"));
    let variables =
        ["name", "region", "access_key", "own", "memory"].map(|name| told[name].as_str().unwrap());
    assert_eq!(variables, ["start-import", "ap-northeast-1", "key", "variable", "128"]);

    let told = invoke(&lambda, json!({"do": "tell"})).await.unwrap();
    assert_eq!(told["invocation"], 2, "the same process serves the next event");
    lambda.shutdown().await;
    let refused = invoke(&lambda, json!({"do": "tell"})).await.unwrap_err();
    assert!(refused.to_string().contains("shutting down"), "{refused}");
}

fn chrono_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_millis().try_into().unwrap()
}

#[tokio::test]
async fn an_error_of_the_function_is_passed_on_and_the_function_lives() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    let error = invoke(&lambda, json!({"do": "fail"})).await.unwrap_err();
    assert_eq!(error, InvokeError::FunctionError(json!({"errorType": "Sorry", "errorMessage": "cannot"})));
    let error = invoke(&lambda, json!({"do": "speak no JSON"})).await.unwrap_err();
    assert!(matches!(error, InvokeError::FunctionError(_)), "{error:?}");
    assert_eq!(invoke(&lambda, json!({"do": "tell"})).await.unwrap()["invocation"], 3);
}

#[tokio::test]
async fn only_the_id_of_the_invocation_in_hand_can_be_answered() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    let status = invoke(&lambda, json!({"do": "answer under another id"})).await.unwrap();
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert_eq!(invoke(&lambda, json!({"do": "tell"})).await.unwrap()["invocation"], 2);
}

#[tokio::test]
async fn a_function_that_dies_or_forgets_its_event_is_started_anew() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    for order in ["die", "forget"] {
        let error = invoke(&lambda, json!({"do": order})).await.unwrap_err();
        assert!(matches!(error, InvokeError::Died(_)), "{order}: {error:?}");
        assert_eq!(invoke(&lambda, json!({"do": "tell"})).await.unwrap()["invocation"], 1, "{order}");
    }
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed() {
    let (_dir, lambda) = function(Duration::from_secs(1));
    let error = invoke(&lambda, json!({"do": "hang"})).await.unwrap_err();
    assert_eq!(error, InvokeError::TimedOut(Duration::from_secs(1)));
    assert_eq!(invoke(&lambda, json!({"do": "tell"})).await.unwrap()["invocation"], 1);
}

#[tokio::test]
async fn a_function_that_cannot_be_started_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let lambda = Lambda::open(config(dir.path(), dir.path().join("missing"), Duration::from_secs(1)));
    let error = invoke(&lambda, json!({})).await.unwrap_err().to_string();
    assert!(error.contains("failed to start") && error.contains("missing"), "{error}");

    let lambda = Lambda::open(config(dir.path(), script(dir.path(), "exit 3"), Duration::from_secs(1)));
    let error = invoke(&lambda, json!({})).await.unwrap_err().to_string();
    assert_eq!(error, "the function died: exit status 3");
}

/// A queue that hands out these answers to `ReceiveMessage` one after the other, then nothing for ever, and tells what
/// else it is asked.
fn queue(receives: Vec<Result<Value, AwsError>>) -> (Call, mpsc::UnboundedReceiver<(&'static str, Value)>) {
    let receives = Arc::new(Mutex::new(receives.into_iter()));
    let (calls, seen) = mpsc::unbounded_channel();
    let call: Call = Arc::new(move |operation, body| {
        let receives = Arc::clone(&receives);
        calls.send((operation, body)).unwrap();
        Box::pin(async move {
            if operation != "ReceiveMessage" {
                return Ok(json!({"Successful": [], "Failed": []}));
            }
            let next = receives.lock().unwrap().next();
            match next {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    });
    (call, seen)
}

fn messages(orders: &[Value]) -> Value {
    let messages: Vec<Value> = orders
        .iter()
        .enumerate()
        .map(|(index, order)| {
            json!({"MessageId": format!("m{index}"), "ReceiptHandle": format!("h{index}"), "Body": order.to_string(),
                "MD5OfBody": "d", "Attributes": {"ApproximateReceiveCount": "1"}})
        })
        .collect();
    json!({"Messages": messages})
}

fn feed(lambda: &Arc<Lambda>, sqs: Call) -> Arc<EventSourceMapping> {
    let source = EventSource {
        queue_url: "http://localhost/1/imports".to_owned(),
        queue_arn: "arn:aws:sqs:ap-northeast-1:123456789012:imports".to_owned(),
        region: "ap-northeast-1".to_owned(),
        batch_size: 10,
    };
    EventSourceMapping::start(source, Arc::clone(lambda), sqs)
}

/// The next call that is none of `ReceiveMessage`, and how many of those came before it.
async fn next_other(
    seen: &mut mpsc::UnboundedReceiver<(&'static str, Value)>,
) -> (usize, &'static str, Value) {
    let mut receives = 0;
    loop {
        let (operation, body) =
            tokio::time::timeout(Duration::from_secs(30), seen.recv()).await.unwrap().unwrap();
        if operation != "ReceiveMessage" {
            return (receives, operation, body);
        }
        receives += 1;
    }
}

#[tokio::test]
async fn what_the_function_does_not_keep_is_deleted() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    let keep = json!({"do": "answer", "answer": {"batchItemFailures": [{"itemIdentifier": "m1"}]}});
    let orders = [keep, json!({}), json!({})];
    let (sqs, mut seen) = queue(vec![Ok(json!({})), Ok(messages(&orders))]);
    let mapping = feed(&lambda, sqs);

    let (operation, body) = seen.recv().await.unwrap();
    assert_eq!(operation, "ReceiveMessage");
    assert_eq!(body["WaitTimeSeconds"], 20);
    assert_eq!(body["MaxNumberOfMessages"], 10);
    assert_eq!(body["MessageSystemAttributeNames"], json!(["All"]));
    let (_, operation, body) = next_other(&mut seen).await;
    assert_eq!(operation, "DeleteMessageBatch");
    let entries = json!([{"Id": "0", "ReceiptHandle": "h0"}, {"Id": "1", "ReceiptHandle": "h2"}]);
    assert_eq!(body, json!({"QueueUrl": "http://localhost/1/imports", "Entries": entries}));
    tokio::time::timeout(Duration::from_secs(30), mapping.shutdown()).await.unwrap();
    lambda.shutdown().await;
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_is_kept_as_a_whole() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    let answer = |answer: Value| Ok(messages(&[json!({"do": "answer", "answer": answer}), json!({})]));
    let (sqs, mut seen) = queue(vec![
        Ok(messages(&[json!({"do": "fail"}), json!({})])),
        answer(json!({"batchItemFailures": [{"itemIdentifier": "unknown"}]})),
        answer(json!({"batchItemFailures": []})),
    ]);
    let mapping = feed(&lambda, sqs);
    let (receives, operation, body) = next_other(&mut seen).await;
    assert_eq!(
        (receives, operation),
        (3, "DeleteMessageBatch"),
        "nothing is deleted of the first two batches"
    );
    assert_eq!(body["Entries"].as_array().unwrap().len(), 2);
    mapping.shutdown().await;
}

#[tokio::test]
async fn a_queue_that_fails_is_asked_again() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    let error = AwsError { code: "InternalFailure".to_owned(), message: "disk".to_owned(), status: 500 };
    let done = json!({"do": "answer", "answer": {}});
    let (sqs, mut seen) = queue(vec![Err(error), Ok(messages(&[done]))]);
    let mapping = feed(&lambda, sqs);
    assert_eq!(next_other(&mut seen).await.1, "DeleteMessageBatch");
    mapping.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_settles_the_batch_in_hand_and_receives_no_other() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    let done = json!({"do": "answer", "answer": {}});
    let (sqs, mut seen) = queue(vec![Ok(messages(std::slice::from_ref(&done))), Ok(messages(&[done]))]);
    let mapping = feed(&lambda, sqs);
    assert_eq!(seen.recv().await.unwrap().0, "ReceiveMessage");
    // The batch is in hand: the function is only just being started.
    mapping.shutdown().await;
    assert_eq!(seen.recv().await.unwrap().0, "DeleteMessageBatch");
    assert!(seen.try_recv().is_err(), "nothing more was asked of the queue");
}

/// Tells when it is dropped.
struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // Nobody listens any more once the test is over.
        let _ = self.0.send("given up");
    }
}

#[tokio::test]
async fn a_mapping_that_is_disabled_receives_nothing_until_it_is_enabled() {
    let (_dir, lambda) = function(Duration::from_secs(10));
    let (calls, mut seen) = mpsc::unbounded_channel();
    let sqs: Call = Arc::new(move |operation, _| {
        calls.send(operation).unwrap();
        let dropped = Dropped(calls.clone());
        Box::pin(async move {
            let _dropped = dropped;
            std::future::pending().await
        })
    });
    let mapping = feed(&lambda, sqs);
    assert_eq!(seen.recv().await, Some("ReceiveMessage"));
    mapping.enable(false);
    assert_eq!(seen.recv().await, Some("given up"));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(seen.try_recv().is_err(), "nothing is asked of the queue");
    mapping.enable(true);
    assert_eq!(seen.recv().await, Some("ReceiveMessage"));
    tokio::time::timeout(Duration::from_secs(30), mapping.shutdown()).await.unwrap();
}
