//! SQS as its callers see it: on real time, and across the death of its process.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;
use std::sync::Arc;

use local_stack::sqs::Sqs;
use serde_json::{Value, json};

#[path = "sqs/durability.rs"]
mod durability;
#[path = "sqs/long_poll.rs"]
mod long_poll;

fn open(directory: &Path) -> Arc<Sqs> {
    Sqs::open(directory, "http://127.0.0.1:4566", "eu-central-1", "000000000000").unwrap()
}

async fn create(sqs: &Arc<Sqs>, name: &str, attributes: Value) -> String {
    let request = json!({"QueueName": name, "Attributes": attributes});
    let created = sqs.call("CreateQueue", request).await.unwrap();
    created["QueueUrl"].as_str().unwrap().to_owned()
}

async fn send(sqs: &Arc<Sqs>, url: &str, body: &str) -> Value {
    sqs.call("SendMessage", json!({"QueueUrl": url, "MessageBody": body})).await.unwrap()
}

async fn receive(sqs: &Arc<Sqs>, url: &str, wait_s: u32) -> Vec<Value> {
    let request = json!({"QueueUrl": url, "WaitTimeSeconds": wait_s, "MaxNumberOfMessages": 10});
    let answer = sqs.call("ReceiveMessage", request).await.unwrap();
    answer.get("Messages").map(|messages| messages.as_array().unwrap().clone()).unwrap_or_default()
}
