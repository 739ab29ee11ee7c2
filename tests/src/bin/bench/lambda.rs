//! The Lambda by itself: the size of its binary, its start-up, and a batch of 10 messages; the runtime API is this
//! program, Step Functions is an embedded stack at rest.

use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::routing::{get, post};
use e2e::{Backend, TestStack, binaries};
use local_stack::REGION;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;

const STARTS: usize = 9;
const BATCHES: usize = 25;

/// What the function does at the runtime API.
enum Call {
    Next(tokio::sync::oneshot::Sender<Value>),
    Response(Value),
}

pub(crate) async fn measure() {
    let size = std::fs::metadata(binaries::path("start-import")).unwrap().len();
    #[expect(clippy::cast_precision_loss, reason = "a size to look at")]
    crate::table::figure("the Lambda's binary", &format!("{:.1} MB", size as f64 / 1e6));

    // A stack at rest starts executions and lets them lie, so that nothing but the function is at work.
    let stack = TestStack::start_at_rest(Backend::Sqlite).await;
    let mut starts = Vec::new();
    let mut batches = Vec::new();
    for start in 0..STARTS {
        let (api, mut calls) = runtime_api().await;
        let started = Instant::now();
        let mut function = function(&stack, &api);
        let mut next = await_next(&mut calls).await;
        starts.push(started.elapsed());
        if start + 1 == STARTS {
            for batch in 0..BATCHES {
                let (took, following) = handle(&mut calls, next, batch).await;
                batches.push(took);
                next = following;
            }
        }
        function.kill().await.expect("the function can be stopped");
        drop(next);
    }
    crate::table::row("the Lambda's start-up, process start to first poll", starts);
    crate::table::row("the Lambda's batch of 10 messages, all started", batches);
    stack.stop().await;
}

async fn handle(
    calls: &mut mpsc::Receiver<Call>,
    next: tokio::sync::oneshot::Sender<Value>,
    batch: usize,
) -> (Duration, tokio::sync::oneshot::Sender<Value>) {
    let started = Instant::now();
    next.send(event(batch)).expect("the function waits for an event");
    let Some(Call::Response(response)) = calls.recv().await else {
        panic_at("the function answers the event")
    };
    let took = started.elapsed();
    assert_eq!(
        response["batchItemFailures"].as_array().map(Vec::len),
        Some(10),
        "every message is held: {response}"
    );
    (took, await_next(calls).await)
}

async fn await_next(calls: &mut mpsc::Receiver<Call>) -> tokio::sync::oneshot::Sender<Value> {
    match tokio::time::timeout(Duration::from_secs(30), calls.recv()).await {
        Ok(Some(Call::Next(reply))) => reply,
        _ => panic_at("the function asks for an event"),
    }
}

#[expect(clippy::panic, reason = "a benchmark that cannot run says where and stops")]
fn panic_at(expected: &str) -> ! {
    panic!("expected that {expected}")
}

fn event(batch: usize) -> Value {
    let record = |number: usize| {
        json!({
            "messageId": format!("00000000-0000-4000-8000-{batch:06}{number:06}"),
            "receiptHandle": "handle",
            "body": format!("{{\"import_id\": \"bench-{batch}-{number}\"}}"),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "md5OfBody": "00000000000000000000000000000000",
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:000000000000:imports"),
            "awsRegion": REGION,
        })
    };
    json!({"Records": (0..10).map(record).collect::<Vec<_>>()})
}

fn function(stack: &TestStack, runtime_api: &str) -> tokio::process::Child {
    Command::new(binaries::path("start-import"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "start-import")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_ENDPOINT_URL", stack.endpoint())
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", &stack.credentials().access_key)
        .env("AWS_SECRET_ACCESS_KEY", &stack.credentials().secret_key)
        .env("STATE_MACHINE_ARN", &stack.resources.import_state_machine_arn)
        .env("DEAD_LETTER_STATE_MACHINE_ARN", &stack.resources.dead_letter_state_machine_arn)
        .env("HOLD_SECONDS", "42000")
        .env("QUEUE_URL", &stack.resources.queue_url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the function starts")
}

/// A runtime API for one function: its address, and what the function does there.
async fn runtime_api() -> (String, mpsc::Receiver<Call>) {
    let (calls, received) = mpsc::channel(4);
    let next = get(async |State(calls): State<mpsc::Sender<Call>>| {
        let (reply, event) = tokio::sync::oneshot::channel();
        let _ = calls.send(Call::Next(reply)).await;
        let event = event.await.unwrap_or_default();
        let deadline = (chrono::Utc::now().timestamp_millis() + 60_000).to_string();
        let header = HeaderName::from_static;
        let headers = [
            (header("lambda-runtime-aws-request-id"), uuid::Uuid::new_v4().to_string()),
            (header("lambda-runtime-deadline-ms"), deadline),
            (
                header("lambda-runtime-invoked-function-arn"),
                "arn:aws:lambda:::function:start-import".to_owned(),
            ),
        ];
        (headers, event.to_string())
    });
    let response =
        post(async |State(calls): State<mpsc::Sender<Call>>, Path(_id): Path<String>, body: String| {
            let _ = calls.send(Call::Response(serde_json::from_str(&body).unwrap_or_default())).await;
            axum::http::StatusCode::ACCEPTED
        });
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", next)
        .route("/2018-06-01/runtime/invocation/{id}/response", response)
        .with_state(calls);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let address = listener.local_addr().expect("a listener has an address").to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, received)
}
