//! A server that speaks as much of SQS as the function calls: the seam is the network.

use std::sync::{Arc, Mutex};

use assign_lane::PATIENCE;
use aws_sdk_sqs::config::{Credentials, Region};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// Every entry is taken.
    Taken,
    /// Every entry is taken but those of these ids.
    Refused(Vec<String>),
    /// An error of this HTTP status and name.
    Error(u16, &'static str),
    /// With what is no answer of SQS.
    Nothing,
}

type Requests = Arc<Mutex<Vec<Value>>>;

pub(crate) struct Sqs {
    url: String,
    requests: Requests,
    server: JoinHandle<()>,
}

impl Sqs {
    /// Starts a server that answers each `SendMessageBatch` as `script` says.
    pub(crate) async fn start(script: impl Fn(&Value) -> Then + Clone + Send + Sync + 'static) -> Self {
        let requests = Requests::default();
        let seen = Arc::clone(&requests);
        let app = Router::new()
            .fallback(move |headers: HeaderMap, body: String| async move {
                assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessageBatch");
                let request: Value = serde_json::from_str(&body).unwrap();
                seen.lock().unwrap().push(request.clone());
                match script(&request) {
                    Then::Taken => taken(&request, &[]),
                    Then::Refused(ids) => taken(&request, &ids),
                    Then::Error(status, code) => {
                        answer(status, &json!({"__type": format!("com.amazonaws.sqs#{code}")}))
                    }
                    Then::Nothing => answer(200, &json!([])),
                }
            })
            .layer(DefaultBodyLimit::max(2 * 1024 * 1024));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, requests, server }
    }

    /// The function's own client, on this server.
    pub(crate) async fn client(&self) -> aws_sdk_sqs::Client {
        let config = lambda_shared::loader(PATIENCE)
            .endpoint_url(&self.url)
            .region(Region::from_static("ap-northeast-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .load()
            .await;
        aws_sdk_sqs::Client::new(&config)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Sqs {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn taken(request: &Value, refused: &[String]) -> Response {
    let entries = request["Entries"].as_array().unwrap();
    let is_refused = |entry: &&Value| refused.iter().any(|id| entry["Id"] == id.as_str());
    let successful: Vec<_> = entries
        .iter()
        .filter(|entry| !is_refused(entry))
        .map(|entry| json!({"Id": entry["Id"], "MessageId": "new", "MD5OfMessageBody": ""}))
        .collect();
    let failed: Vec<_> = entries
        .iter()
        .filter(is_refused)
        .map(|entry| json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}))
        .collect();
    answer(200, &json!({"Successful": successful, "Failed": failed}))
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
}
