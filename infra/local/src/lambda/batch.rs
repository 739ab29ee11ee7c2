//! A batch of messages: as the event that a function gets, and as the function's answer says what becomes of it.
//! Sources: "Using Lambda with Amazon SQS" and "Implementing partial batch responses", Lambda developer guide.

use serde_json::{Map, Value, json};

/// Messages as `ReceiveMessage` returned them.
pub(super) struct Batch(Vec<Value>);

/// What becomes of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settlement {
    /// The receipt handles of the messages that are deleted.
    pub(super) deleted: Vec<String>,
    /// Why the whole batch counts as failed, if it does.
    pub(super) failure: Option<&'static str>,
}

impl Batch {
    /// The messages in an answer of `ReceiveMessage`. `None` where there are none.
    pub(super) fn received(mut answer: Value) -> Option<Self> {
        match answer.get_mut("Messages").map(Value::take) {
            Some(Value::Array(messages)) if !messages.is_empty() => Some(Self(messages)),
            _ => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The event.
    pub(super) fn to_event(&self, queue_arn: &str, region: &str) -> Value {
        let records: Vec<Value> = self.0.iter().map(|message| record(message, queue_arn, region)).collect();
        json!({"Records": records})
    }

    /// What the function's answer says, with `ReportBatchItemFailures` on.
    pub(super) fn settle(&self, answer: &Value) -> Settlement {
        match self.failed_ids(answer) {
            Ok(failed) => {
                let kept = |message: &&Value| !failed.contains(&text(message, "MessageId"));
                let deleted = self.0.iter().filter(kept);
                let deleted = deleted.map(|message| text(message, "ReceiptHandle").to_owned()).collect();
                Settlement { deleted, failure: None }
            }
            Err(failure) => Settlement { deleted: Vec::new(), failure: Some(failure) },
        }
    }

    fn failed_ids<'a>(&self, answer: &'a Value) -> Result<Vec<&'a str>, &'static str> {
        let failures = match answer {
            // "An empty batchItemFailures list, a null list, an empty EventResponse, a null EventResponse": success.
            Value::Null => return Ok(Vec::new()),
            Value::Object(answer) => match answer.get("batchItemFailures") {
                None | Some(Value::Null) => return Ok(Vec::new()),
                Some(Value::Array(failures)) => failures,
                Some(_) => return Err("batchItemFailures is no list"),
            },
            _ => return Err("the answer is no object"),
        };
        let known = |id: &str| self.0.iter().any(|message| text(message, "MessageId") == id);
        failures
            .iter()
            .map(|failure| match failure.get("itemIdentifier").and_then(Value::as_str) {
                Some("") => Err("an itemIdentifier is empty"),
                Some(id) if known(id) => Ok(id),
                Some(_) => Err("an itemIdentifier is no message of the batch"),
                None => Err("a failure has no itemIdentifier"),
            })
            .collect()
    }
}

fn record(message: &Value, queue_arn: &str, region: &str) -> Value {
    let attributes = message.get("Attributes").cloned().unwrap_or_else(|| json!({}));
    let of_sender = message.get("MessageAttributes").and_then(Value::as_object);
    let message_attributes: Map<String, Value> =
        of_sender.into_iter().flatten().map(|(name, value)| (name.clone(), attribute(value))).collect();
    let mut record = json!({
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": attributes,
        "messageAttributes": message_attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    });
    if let Some(digest) = message.get("MD5OfMessageAttributes") {
        record["md5OfMessageAttributes"] = digest.clone();
    }
    record
}

fn attribute(value: &Value) -> Value {
    let mut attribute = Map::new();
    for (name, field) in [("stringValue", "StringValue"), ("binaryValue", "BinaryValue")] {
        if let Some(value) = value.get(field) {
            attribute.insert(name.to_owned(), value.clone());
        }
    }
    attribute.insert("stringListValues".to_owned(), json!([]));
    attribute.insert("binaryListValues".to_owned(), json!([]));
    attribute.insert("dataType".to_owned(), value["DataType"].clone());
    Value::Object(attribute)
}

fn text<'a>(message: &'a Value, field: &str) -> &'a str {
    message.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let message =
            |id: &str| json!({"MessageId": id, "ReceiptHandle": format!("handle of {id}"), "Body": "{}"});
        Batch::received(json!({"Messages": [message("a"), message("b")]})).unwrap()
    }

    #[test]
    fn an_answer_without_failures_deletes_the_whole_batch() {
        for answer in
            [json!({"batchItemFailures": []}), json!({"batchItemFailures": null}), json!({}), json!(null)]
        {
            let settlement = batch().settle(&answer);
            assert_eq!(settlement.failure, None, "{answer}");
            assert_eq!(settlement.deleted, ["handle of a", "handle of b"], "{answer}");
        }
    }

    #[test]
    fn messages_that_are_named_are_kept() {
        let settlement = batch().settle(&json!({"batchItemFailures": [{"itemIdentifier": "a"}]}));
        assert_eq!(settlement, Settlement { deleted: vec!["handle of b".to_owned()], failure: None });
    }

    #[test]
    fn an_answer_that_cannot_be_understood_deletes_nothing() {
        let naming =
            |id: Value| json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": id}]});
        for answer in [
            naming(json!("")),
            naming(json!(null)),
            naming(json!("c")),
            json!({"batchItemFailures": [{"itemidentifier": "a"}]}),
            json!({"batchItemFailures": "a"}),
            json!("ok"),
        ] {
            let settlement = batch().settle(&answer);
            assert!(settlement.failure.is_some() && settlement.deleted.is_empty(), "{answer}");
        }
    }

    #[test]
    fn a_message_becomes_a_record_of_the_documented_form() {
        let message = json!({"MessageId": "m", "ReceiptHandle": "h", "Body": "b", "MD5OfBody": "d",
            "MD5OfMessageAttributes": "e", "Attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
            "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "1"}}});
        let batch = Batch::received(json!({"Messages": [message]})).unwrap();
        let expected = json!({"messageId": "m", "receiptHandle": "h", "body": "b",
            "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
            "messageAttributes": {"n": {"stringValue": "1", "stringListValues": [], "binaryListValues": [],
                "dataType": "Number"}},
            "md5OfBody": "d", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:r:1:q", "awsRegion": "r",
            "md5OfMessageAttributes": "e"});
        assert_eq!(batch.to_event("arn:aws:sqs:r:1:q", "r"), json!({"Records": [expected]}));
    }
}
