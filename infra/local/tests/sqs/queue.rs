//! Calls of SQS in this process.

use std::path::Path;
use std::sync::Arc;

use local_stack::sqs::Sqs;
use serde_json::{Value, json};

pub(crate) fn open(directory: &Path) -> Arc<Sqs> {
    Sqs::open(directory, "http://127.0.0.1:4566", "eu-central-1", "000000000000").unwrap()
}

pub(crate) async fn create(sqs: &Arc<Sqs>, name: &str, attributes: Value) -> String {
    let request = json!({"QueueName": name, "Attributes": attributes});
    let created = sqs.call("CreateQueue", request).await.unwrap();
    created["QueueUrl"].as_str().unwrap().to_owned()
}

pub(crate) async fn send(sqs: &Arc<Sqs>, url: &str, body: &str) -> Value {
    sqs.call("SendMessage", json!({"QueueUrl": url, "MessageBody": body})).await.unwrap()
}
