//! The rules of SQS, each at moments that the test names: no test here waits.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Sqs;
use crate::wire::{AwsError, parse};

mod fifo;
mod queues;
mod receive;
mod redrive;
mod send;
mod visibility;

/// The moment at which the tests begin, in milliseconds.
const T0: i64 = 1_800_000_000_000;
const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const ENDPOINT: &str = "http://127.0.0.1:4566";

/// An SQS of its own.
struct Bench {
    sqs: Arc<Sqs>,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sqs = Sqs::open(directory.path(), ENDPOINT, "eu-central-1", "000000000000").unwrap();
        Self { sqs, _directory: directory }
    }

    fn with_queue(name: &str, attributes: Value) -> (Self, String) {
        let bench = Self::new();
        let url = bench.create(name, attributes);
        (bench, url)
    }

    fn create(&self, name: &str, attributes: Value) -> String {
        let mut request = json!({"QueueName": name});
        request["Attributes"] = attributes;
        let created = self.call(T0, "CreateQueue", request);
        text(&created, "QueueUrl")
    }

    fn try_call(&self, now: i64, operation: &str, body: Value) -> Result<Value, AwsError> {
        if operation != "ReceiveMessage" {
            return self.sqs.execute(operation, body, now);
        }
        let received = self.sqs.look(&parse(operation, body)?, now)?;
        Ok(Value::Array(received.messages))
    }

    #[track_caller]
    fn call(&self, now: i64, operation: &str, body: Value) -> Value {
        self.try_call(now, operation, body).unwrap()
    }

    /// What the operation is refused with: code and message.
    #[track_caller]
    fn refusal(&self, now: i64, operation: &str, body: Value) -> (String, String) {
        let error = self.try_call(now, operation, body).unwrap_err();
        (error.code, error.message)
    }

    #[track_caller]
    fn send(&self, now: i64, queue: &str, body: &str) -> Value {
        self.call(now, "SendMessage", json!({"QueueUrl": queue, "MessageBody": body}))
    }

    /// Receives up to ten messages with all that is known of them.
    #[track_caller]
    fn receive(&self, now: i64, queue: &str) -> Vec<Value> {
        let request = json!({
            "QueueUrl": queue, "MaxNumberOfMessages": 10,
            "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        self.call(now, "ReceiveMessage", request).as_array().unwrap().clone()
    }

    /// Receives the only message there is.
    #[track_caller]
    fn receive_one(&self, now: i64, queue: &str) -> Value {
        let messages = self.receive(now, queue);
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages[0].clone()
    }

    #[track_caller]
    fn bodies(&self, now: i64, queue: &str) -> Vec<String> {
        self.receive(now, queue).iter().map(|message| text(message, "Body")).collect()
    }

    #[track_caller]
    fn delete(&self, now: i64, queue: &str, message: &Value) -> Value {
        self.call(now, "DeleteMessage", handle_of(queue, message))
    }

    #[track_caller]
    fn hide(&self, now: i64, queue: &str, message: &Value, timeout_s: i64) -> Value {
        self.call(now, "ChangeMessageVisibility", hiding(queue, message, timeout_s))
    }

    /// How many messages are visible, in flight and delayed.
    #[track_caller]
    fn counts(&self, now: i64, queue: &str) -> [String; 3] {
        let names = ["", "NotVisible", "Delayed"].map(|kind| format!("ApproximateNumberOfMessages{kind}"));
        let found = self.call(now, "GetQueueAttributes", json!({"QueueUrl": queue, "AttributeNames": names}));
        names.map(|name| text(&found["Attributes"], &name))
    }
}

#[track_caller]
fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}")).to_owned()
}

#[track_caller]
fn attribute(message: &Value, name: &str) -> String {
    text(&message["Attributes"], name)
}

fn handle_of(queue: &str, message: &Value) -> Value {
    json!({"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]})
}

fn hiding(queue: &str, message: &Value, timeout_s: i64) -> Value {
    json!({"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": timeout_s})
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        value.as_object().map(Map::keys).into_iter().flatten().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
