//! A server that speaks as much of Step Functions and SQS as the function calls: the seam is the network.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use aws_sdk_sfn::config::{Credentials, Region};
use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use start_import::PATIENCE;
use tokio::task::JoinHandle;

/// How a call is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// The execution starts.
    Started,
    /// The execution starts at the first call of its name, and exists at the next.
    StartedOnce,
    /// With nothing to tell.
    Done,
    /// The execution is described with this status.
    Status(&'static str),
    /// An error of this HTTP status and name.
    Error(u16, &'static str),
}

type Calls = Arc<Mutex<Vec<(String, Value, Option<String>)>>>;

pub(crate) struct StepFunctions {
    url: String,
    calls: Calls,
    server: JoinHandle<()>,
}

impl StepFunctions {
    /// Starts a server that answers each call (operation, body) as `script` says.
    pub(crate) async fn start(script: impl Fn(&str, &Value) -> Then + Clone + Send + Sync + 'static) -> Self {
        let calls = Calls::default();
        let seen = Arc::clone(&calls);
        let names = Arc::new(Mutex::new(HashSet::new()));
        let app = Router::new().fallback(move |headers: HeaderMap, body: String| async move {
            let target = headers["x-amz-target"].to_str().unwrap();
            let (_, operation) = target.split_once('.').unwrap();
            let body: Value = serde_json::from_str(&body).unwrap();
            let trace = headers.get("x-amzn-trace-id").map(|header| header.to_str().unwrap().to_owned());
            seen.lock().unwrap().push((operation.to_owned(), body.clone(), trace));
            match script(operation, &body) {
                Then::StartedOnce if !names.lock().unwrap().insert(body["name"].to_string()) => {
                    answer(400, &json!({"__type": "ExecutionAlreadyExists"}))
                }
                Then::Started | Then::StartedOnce => {
                    answer(200, &json!({"executionArn": "arn", "startDate": 1.0}))
                }
                Then::Done => answer(200, &json!({})),
                Then::Status(status) => answer(
                    200,
                    &json!({"executionArn": body["executionArn"], "stateMachineArn": "arn", "startDate": 1.0,
                        "status": status}),
                ),
                Then::Error(status, code) => answer(
                    status,
                    &json!({"__type": format!("com.amazonaws.states#{code}"), "message": "scripted"}),
                ),
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, calls, server }
    }

    /// The function's own clients, on this server.
    pub(crate) async fn clients(&self) -> (aws_sdk_sfn::Client, aws_sdk_sqs::Client) {
        let config = lambda_shared::loader(PATIENCE)
            .endpoint_url(&self.url)
            .region(Region::from_static("ap-northeast-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .load()
            .await;
        (aws_sdk_sfn::Client::new(&config), aws_sdk_sqs::Client::new(&config))
    }

    /// The calls so far, as (operation, body).
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(operation, body, _)| (operation.clone(), body.clone())).collect()
    }

    /// The trace headers of the calls so far.
    pub(crate) fn trace_headers(&self) -> Vec<Option<String>> {
        self.calls.lock().unwrap().iter().map(|(_, _, header)| header.clone()).collect()
    }
}

impl Drop for StepFunctions {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
}
