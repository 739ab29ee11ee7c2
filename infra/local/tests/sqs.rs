//! SQS as its callers see it: on real time, and across the death of its process.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use local_stack::sqs::Sqs;
use serde_json::{Value, json};

#[path = "sqs/durability.rs"]
mod durability;
#[path = "sqs/long_poll.rs"]
mod long_poll;
#[path = "sqs/queue.rs"]
mod queue;

use queue::{create, open, send};

async fn receive(sqs: &Arc<Sqs>, url: &str, wait_s: u32) -> Vec<Value> {
    let request = json!({"QueueUrl": url, "WaitTimeSeconds": wait_s, "MaxNumberOfMessages": 10});
    let answer = sqs.call("ReceiveMessage", request).await.unwrap();
    answer.get("Messages").map(|messages| messages.as_array().unwrap().clone()).unwrap_or_default()
}
