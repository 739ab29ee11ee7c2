//! The Lambda on its bad days: throttled, hanging, dying in the middle of a batch, refused by Step Functions.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use e2e::{Backend, Sent, TestStack, http, wait};
use local_stack::Limits;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{PEOPLE, impatient, is_empty};

fn short() -> Limits {
    Limits { function_timeout: Duration::from_secs(2), ..impatient() }
}

/// Sends a message for each of these imports while the function is not fed, and then feeds it: one batch brings all.
async fn send_together(stack: &TestStack, import_ids: &[&str]) -> Vec<Sent> {
    stack.create_people();
    let source = stack.put("uploads/people.csv", PEOPLE).await;
    stack.feed_function(false).await;
    let mut sent = Vec::new();
    for import_id in import_ids {
        sent.push(stack.describe(import_id, &source, "people", json!({"on_conflict": "skip"})).await);
    }
    stack.feed_function(true).await;
    sent
}

async fn all_succeed(stack: &TestStack, sent: &[Sent]) {
    for sent in sent {
        assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
        assert_eq!(stack.import(&sent.import_id).unwrap().attempt, 1);
    }
    is_empty(stack).await;
    assert_eq!(stack.executions().await, sent.len());
    assert_eq!(stack.count("people"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_function_leaves_its_messages_and_takes_them_when_it_may() {
    let stack = TestStack::start_with(Backend::Sqlite, short()).await;
    stack.throttle_function(true).await;
    let sent = send_together(&stack, &["first", "second"]).await;
    let queue = stack.resources.queue_url.clone();
    let hidden = async || stack.hidden_messages(&queue).await;
    wait::until("the messages to be received", hidden, |count| *count == 2).await;
    assert_eq!(stack.executions().await, 0);
    stack.throttle_function(false).await;
    all_succeed(&stack, &sent).await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_hangs_is_killed_and_its_messages_come_back() {
    let stack = TestStack::start_with(Backend::Sqlite, short()).await;
    stack.invoke_function(json!({"Records": []})).await;
    let hanging = stack.functions();
    assert_eq!(hanging.len(), 1);
    kill_process(hanging[0], Signal::STOP).unwrap();
    let sent = send_together(&stack, &["first", "second"]).await;
    all_succeed(&stack, &sent).await;
    assert!(!stack.functions().contains(&hanging[0]), "it was killed");
    stack.audit().await;
}

/// What stands between the function and Step Functions: it passes on all calls but those that start this import.
struct Between {
    endpoint: String,
    stack: Arc<OnceLock<String>>,
    trouble: watch::Sender<Trouble>,
    held: watch::Receiver<bool>,
    server: JoinHandle<()>,
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    Refuse(&'static str),
    /// Never answers, and passes nothing on.
    Hold,
}

impl Between {
    async fn start(import_id: &'static str, trouble: Trouble) -> Self {
        let (trouble, current) = watch::channel(trouble);
        let (is_held, held) = watch::channel(false);
        let stack = Arc::new(OnceLock::<String>::new());
        let behind = Arc::clone(&stack);
        let app = Router::new().fallback(move |headers: HeaderMap, body: String| async move {
            let header = |name: &str| headers[name].to_str().unwrap().to_owned();
            let (target, authorization) = (header("x-amz-target"), header("authorization"));
            let request: Value = serde_json::from_str(&body).unwrap();
            let is_chosen = target.ends_with(".StartExecution")
                && request["name"].as_str().unwrap_or_default().starts_with(&format!("{import_id}-"));
            let trouble = if is_chosen { *current.borrow() } else { Trouble::None };
            let (status, answer) = match trouble {
                Trouble::None => {
                    let headers = [("x-amz-target", target.as_str()), ("authorization", &authorization)];
                    http::request(behind.get().unwrap(), "POST", "/", &headers, &body).await
                }
                Trouble::Refuse(code) => (400, json!({"__type": code, "message": "not now"})),
                Trouble::Hold => {
                    is_held.send_replace(true);
                    std::future::pending().await
                }
            };
            (StatusCode::from_u16(status).unwrap(), answer.to_string()).into_response()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { endpoint, stack, trouble, held, server }
    }

    /// A stack whose function calls Step Functions through this.
    async fn stack(&self) -> TestStack {
        let stack = TestStack::start_as(Backend::Sqlite, |config| {
            config.limits = short();
            config.function_environment.push(("AWS_ENDPOINT_URL_SFN".to_owned(), self.endpoint.clone()));
        })
        .await;
        self.stack.set(stack.endpoint().to_owned()).unwrap();
        stack
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_dies_in_the_middle_of_a_batch_loses_no_message_and_starts_none_twice() {
    let between = Between::start("second", Trouble::Hold).await;
    let stack = between.stack().await;
    let sent = send_together(&stack, &["first", "second", "third"]).await;
    between.held.clone().wait_for(|held| *held).await.unwrap();
    for sent in [&sent[0], &sent[2]] {
        stack.entered(&sent.execution_arn, "RunImport").await;
    }
    between.trouble.send_replace(Trouble::None);
    for function in stack.functions() {
        kill_process(function, Signal::KILL).unwrap();
    }
    all_succeed(&stack, &sent).await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_is_refused_leaves_its_message_and_no_other() {
    for refusal in ["AccessDeniedException", "ThrottlingException"] {
        let between = Between::start("second", Trouble::Refuse(refusal)).await;
        let stack = between.stack().await;
        let sent = send_together(&stack, &["first", "second", "third"]).await;
        for sent in [&sent[0], &sent[2]] {
            assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
        }
        let message_id = sent[1].execution_arn.rsplit(":second-").next().unwrap();
        let decided = async || stack.decisions(message_id);
        wait::until("the refused one to be left", decided, |seen| !seen.is_empty()).await;
        assert_eq!(stack.decisions(message_id)[0], "left");
        between.trouble.send_replace(Trouble::None);
        all_succeed(&stack, &sent).await;
        stack.audit().await;
    }
}
