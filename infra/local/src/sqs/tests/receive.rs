//! Receiving: what is told, what is hidden, what is dropped.

use serde_json::{Value, json};

use super::{Bench, SECOND, T0, attribute, keys, text};

#[test]
fn a_message_tells_only_what_was_asked_for() {
    let (bench, url) = Bench::with_queue("imports", json!({"VisibilityTimeout": "0"}));
    bench.send(T0, &url, "x");
    let ask = |extra: Value| {
        let mut request = json!({"QueueUrl": url});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        bench.call(T0 + 7, "ReceiveMessage", request)[0].clone()
    };
    assert_eq!(keys(&ask(json!({}))), ["Body", "MD5OfBody", "MessageId", "ReceiptHandle"]);
    // The old and the new name of the same parameter.
    let one = ask(json!({"AttributeNames": ["SentTimestamp", "QueueArn"]}));
    assert_eq!(one["Attributes"], json!({"SentTimestamp": T0.to_string()}));
    let all = ask(json!({"MessageSystemAttributeNames": ["All"]}));
    assert_eq!(
        all["Attributes"],
        json!({
            "ApproximateFirstReceiveTimestamp": (T0 + 7).to_string(),
            "ApproximateReceiveCount": "3",
            "SenderId": "000000000000",
            "SentTimestamp": T0.to_string(),
        })
    );
    for name in ["AttributeNames", "MessageSystemAttributeNames"] {
        let request = json!({"QueueUrl": url, name: ["Nonsense"]});
        assert_eq!(bench.refusal(T0, "ReceiveMessage", request).0, "InvalidAttributeName");
    }
}

#[test]
fn message_attributes_are_chosen_by_name_and_prefix_and_digested_as_chosen() {
    let (bench, url) = Bench::with_queue("imports", json!({"VisibilityTimeout": "0"}));
    let number = json!({"DataType": "Number", "StringValue": "1493147359900"});
    let attributes = json!({"timestamp": number, "origin.host": number, "origin.user": number});
    let request = json!({"QueueUrl": url, "MessageBody": "x", "MessageAttributes": attributes});
    bench.call(T0, "SendMessage", request);
    let chosen = |asked: Value| {
        let request = json!({"QueueUrl": url, "MessageAttributeNames": asked});
        bench.call(T0, "ReceiveMessage", request)[0].clone()
    };
    for (asked, expected) in [
        (json!(["All"]), vec!["origin.host", "origin.user", "timestamp"]),
        (json!([".*"]), vec!["origin.host", "origin.user", "timestamp"]),
        (json!(["origin.*"]), vec!["origin.host", "origin.user"]),
        (json!(["timestamp", "missing"]), vec!["timestamp"]),
        (json!([]), vec![]),
    ] {
        assert_eq!(keys(&chosen(asked.clone())["MessageAttributes"]), expected, "{asked}");
    }
    let digest = text(&chosen(json!(["timestamp"])), "MD5OfMessageAttributes");
    assert_eq!(digest, "235c5c510d26fb653d073faed50ae77c");
    assert_eq!(chosen(json!(["missing"])).get("MD5OfMessageAttributes"), None);
}

#[test]
fn a_received_message_is_hidden_for_the_visibility_timeout() {
    let (bench, url) = Bench::with_queue("imports", json!({"VisibilityTimeout": "60"}));
    bench.send(T0, &url, "x");
    let first = bench.receive_one(T0, &url);
    assert_eq!(bench.counts(T0, &url), ["0", "1", "0"]);
    assert_eq!(bench.bodies(T0 + 60 * SECOND - 1, &url), Vec::<String>::new());
    let second = bench.receive_one(T0 + 60 * SECOND, &url);
    assert_eq!(second["MessageId"], first["MessageId"]);
    assert_ne!(second["ReceiptHandle"], first["ReceiptHandle"]);
    assert_eq!(attribute(&second, "ApproximateReceiveCount"), "2");
    assert_eq!(attribute(&second, "ApproximateFirstReceiveTimestamp"), T0.to_string());
    let shorter = json!({"QueueUrl": url, "VisibilityTimeout": 5});
    let third = bench.call(T0 + 120 * SECOND, "ReceiveMessage", shorter);
    assert_eq!(third.as_array().unwrap().len(), 1);
    assert_eq!(bench.bodies(T0 + 125 * SECOND, &url), ["x"]);
}

#[test]
fn a_receive_takes_at_most_as_many_messages_as_it_asks_for_and_one_by_default() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    for body in ["a", "b", "c", "d"] {
        bench.send(T0, &url, body);
    }
    let received = |extra: Value| {
        let mut request = json!({"QueueUrl": url});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let messages = bench.call(T0, "ReceiveMessage", request);
        messages.as_array().unwrap().iter().map(|message| text(message, "Body")).collect::<Vec<_>>()
    };
    assert_eq!(received(json!({})), ["a"]);
    assert_eq!(received(json!({"MaxNumberOfMessages": 2})), ["b", "c"]);
    assert_eq!(received(json!({"MaxNumberOfMessages": 10})), ["d"]);
    for (name, value) in [
        ("MaxNumberOfMessages", 0),
        ("MaxNumberOfMessages", 11),
        ("VisibilityTimeout", -1),
        ("VisibilityTimeout", 43_201),
        ("WaitTimeSeconds", 21),
    ] {
        let (code, message) = bench.refusal(T0, "ReceiveMessage", json!({"QueueUrl": url, name: value}));
        assert_eq!(code, "InvalidParameterValue");
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn a_message_that_was_hidden_goes_behind_those_that_waited() {
    let (bench, url) = Bench::with_queue("imports", json!({"VisibilityTimeout": "10"}));
    bench.send(T0, &url, "failing");
    bench.receive_one(T0, &url);
    bench.send(T0 + SECOND, &url, "waiting");
    assert_eq!(bench.bodies(T0 + 10 * SECOND, &url), ["waiting", "failing"]);
}

#[test]
fn a_message_is_dropped_when_its_retention_is_over_in_flight_or_not() {
    let (bench, url) = Bench::with_queue("imports", json!({"MessageRetentionPeriod": "60"}));
    bench.send(T0, &url, "in flight");
    let received = bench.receive_one(T0, &url);
    bench.send(T0, &url, "visible");
    bench.send(T0 + 1, &url, "younger");
    assert_eq!(bench.counts(T0 + 60 * SECOND - 1, &url), ["3", "0", "0"]);
    assert_eq!(bench.bodies(T0 + 60 * SECOND, &url), ["younger"]);
    bench.delete(T0 + 60 * SECOND, &url, &received);
    assert_eq!(bench.counts(T0 + 60 * SECOND + 1, &url), ["0", "0", "0"]);
}
