//! Lambda's Runtime API, version 2018-06-01, for one process: next, response, error, init/error.
//! Source: "Using the Lambda runtime API for custom runtimes", Lambda developer guide.
//!
//! Only the id of the invocation in hand opens the ways to answer it; ids are random and are told to nobody but the
//! process that asked for work.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::InvokeError;
use crate::listen::without_delay;

/// How long a process may take to ask for work for the first time, as on AWS.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer of a function, as on AWS.
const MAX_RESPONSE: usize = 6 * 1024 * 1024;

/// The server. It ends with this handle.
pub(super) struct RuntimeApi {
    address: SocketAddr,
    work: mpsc::Sender<Work>,
    exchange: Arc<Exchange>,
    server: JoinHandle<()>,
}

/// What the handlers share.
struct Exchange {
    function_arn: String,
    work: tokio::sync::Mutex<mpsc::Receiver<Work>>,
    in_hand: Mutex<Option<InHand>>,
    init_error: Mutex<Option<Value>>,
}

/// An invocation that waits for the process to ask for it.
struct Work {
    payload: String,
    timeout: Duration,
    taken: oneshot::Sender<()>,
    reply: Reply,
}

/// The invocation that the process has.
struct InHand {
    request_id: String,
    reply: Reply,
}

type Reply = oneshot::Sender<Result<Value, InvokeError>>;

impl RuntimeApi {
    pub(super) async fn start(function_arn: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("failed to open the Runtime API")?;
        let address = listener.local_addr().context("failed to open the Runtime API")?;
        let (work, waiting) = mpsc::channel(1);
        let exchange = Arc::new(Exchange {
            function_arn,
            work: tokio::sync::Mutex::new(waiting),
            in_hand: Mutex::default(),
            init_error: Mutex::default(),
        });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(middleware::from_fn(no_web_page))
            .layer(DefaultBodyLimit::max(MAX_RESPONSE))
            .with_state(Arc::clone(&exchange));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(without_delay(listener), routes).await {
                tracing::error!("The Runtime API failed: {error}");
            }
        });
        Ok(Self { address, work, exchange, server })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands the process an event and waits for its answer. The time counts from the moment that the process takes it.
    pub(super) async fn invoke(&self, payload: String, timeout: Duration) -> Result<Value, InvokeError> {
        let silent = || InvokeError::Died("the function does not ask for work".to_owned());
        let (taken, is_taken) = oneshot::channel();
        let (reply, answer) = oneshot::channel();
        self.work.send(Work { payload, timeout, taken, reply }).await.map_err(|_| silent())?;
        let init = tokio::time::timeout(INIT_TIMEOUT, is_taken).await;
        init.map_err(|_| silent())?.map_err(|_| silent())?;
        match tokio::time::timeout(timeout, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(silent())),
            Err(_) => Err(InvokeError::TimedOut(timeout)),
        }
    }

    /// What the process said before it gave up its start.
    pub(super) fn init_error(&self) -> Option<Value> {
        lock(&self.exchange.init_error).take()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A page in the user's browser could ask for work by guessing the port: the answer would be lost to the function.
async fn no_web_page(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

async fn next(State(exchange): State<Arc<Exchange>>) -> Response {
    if let Some(InHand { reply, .. }) = lock(&exchange.in_hand).take() {
        let _ = reply.send(Err(InvokeError::Died("it asked for more work without an answer".to_owned())));
    }
    let Some(Work { payload, timeout, taken, reply }) = exchange.work.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let request_id = Uuid::new_v4().to_string();
    *lock(&exchange.in_hand) = Some(InHand { request_id: request_id.clone(), reply });
    // Nobody to tell: the caller has given up, and is about to end this process.
    let _ = taken.send(());
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let trace = Uuid::new_v4().simple().to_string();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", request_id),
        ("lambda-runtime-deadline-ms", (since_epoch + timeout).as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", exchange.function_arn.clone()),
        (
            "lambda-runtime-trace-id",
            format!(
                "Root=1-{:08x}-{};Parent={};Sampled=0",
                since_epoch.as_secs(),
                &trace[..24],
                &trace[16..]
            ),
        ),
    ];
    (headers, payload).into_response()
}

async fn response(State(exchange): State<Arc<Exchange>>, Path(id): Path<String>, body: Bytes) -> Response {
    answer(&exchange, &id, || {
        serde_json::from_slice(&body).map_err(|_| {
            InvokeError::FunctionError(json!({
                "errorType": "Runtime.MarshalError",
                "errorMessage": "the function's answer is no JSON",
            }))
        })
    })
}

async fn error(State(exchange): State<Arc<Exchange>>, Path(id): Path<String>, body: Bytes) -> Response {
    answer(&exchange, &id, || Err(InvokeError::FunctionError(error_of(&body))))
}

async fn init_error(State(exchange): State<Arc<Exchange>>, body: Bytes) -> Response {
    *lock(&exchange.init_error) = Some(error_of(&body));
    accepted()
}

fn answer(exchange: &Exchange, id: &str, result: impl FnOnce() -> Result<Value, InvokeError>) -> Response {
    let answered = lock(&exchange.in_hand).take_if(|in_hand| in_hand.request_id == id);
    let Some(InHand { reply, .. }) = answered else {
        let error = json!({"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"});
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], error.to_string())
            .into_response();
    };
    let _ = reply.send(result());
    accepted()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], r#"{"status":"OK"}"#).into_response()
}

fn error_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(
        |_| json!({"errorType": "Runtime.Unknown", "errorMessage": "an error without a body"}),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
