//! A Step Functions that takes the three calls of a task token over the real wire, writes them down, and answers as the
//! test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sfn::config::{Credentials, SharedCredentialsProvider};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a test waits for a call that must come.
const DEADLINE: Duration = Duration::from_secs(20);

/// How a call is answered.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Taken,
    /// An error of the service, by its name.
    Error(&'static str),
    /// An answer that does not come from the service itself.
    Unavailable,
}

/// A call: its operation and its body.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) body: Value,
}

type Script = Box<dyn Fn(&Call, usize) -> Answer + Send + Sync>;

/// The server. It ends with the test's runtime.
pub(crate) struct StepFunctions {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    calls: Mutex<Vec<Call>>,
    arrived: Notify,
    script: Script,
}

impl StepFunctions {
    /// Starts one that answers by `script`: given a call and how many of its operation there were before.
    pub(crate) async fn answering(script: impl Fn(&Call, usize) -> Answer + Send + Sync + 'static) -> Self {
        let shared =
            Arc::new(Shared { calls: Mutex::default(), arrived: Notify::new(), script: Box::new(script) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/", post(take)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Starts one that takes every call.
    pub(crate) async fn start() -> Self {
        Self::answering(|_, _| Answer::Taken).await
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn client(&self) -> aws_sdk_sfn::Client {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(worker::aws::http_client())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "a", "b", None, None, "test",
            )))
            .endpoint_url(&self.url)
            .build();
        worker::aws::step_functions(&config)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// The calls that end the task.
    pub(crate) fn reports(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.operation != "SendTaskHeartbeat").collect()
    }

    pub(crate) fn beats(&self) -> usize {
        self.calls().len() - self.reports().len()
    }

    /// Waits until there were `count` beats.
    pub(crate) async fn wait_for_beats(&self, count: usize) {
        let enough = async {
            loop {
                let arrived = self.shared.arrived.notified();
                if self.beats() >= count {
                    return;
                }
                arrived.await;
            }
        };
        let waited = timeout(DEADLINE, enough).await;
        assert!(waited.is_ok(), "waited for {count} beats, saw {:?}", self.calls());
    }

    /// Waits until no call has come for `quiet`.
    pub(crate) async fn wait_for_quiet(&self, quiet: Duration) {
        let silence = async { while timeout(quiet, self.shared.arrived.notified()).await.is_ok() {} };
        assert!(timeout(DEADLINE, silence).await.is_ok(), "the calls go on: {}", self.calls().len());
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.strip_prefix("AWSStepFunctions.").unwrap().to_owned();
    let call = Call { operation, body: serde_json::from_slice(&body).unwrap() };
    let before = {
        let mut calls = shared.calls.lock().unwrap();
        calls.push(call.clone());
        calls.iter().filter(|earlier| earlier.operation == call.operation).count() - 1
    };
    let answer = (shared.script)(&call, before);
    shared.arrived.notify_waiters();
    match answer {
        Answer::Taken => (StatusCode::OK, "{}".to_owned()),
        // Some of the service's messages repeat the token; what comes of it is part of the tests.
        Answer::Error(name) => (
            StatusCode::BAD_REQUEST,
            json!({"__type": name, "message": format!("Invalid Token: '{}'", call.body["taskToken"])})
                .to_string(),
        ),
        Answer::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "<html>busy</html>".to_owned()),
    }
}
