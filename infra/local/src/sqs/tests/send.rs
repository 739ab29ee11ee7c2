//! Sending: digests, limits, characters, batches.

use serde_json::{Value, json};

use super::{Bench, SECOND, T0, attribute, keys, text};

fn sending(url: &str, attributes: Value) -> Value {
    let mut request = json!({"QueueUrl": url, "MessageBody": "x"});
    request["MessageAttributes"] = attributes;
    request
}

#[test]
fn digests_are_those_that_clients_compute() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    let sent = bench.send(T0, &url, "grüezi");
    assert_eq!(text(&sent, "MD5OfMessageBody"), "690a55f27503a8b96004f1cc8b716530");
    let number = json!({"timestamp": {"DataType": "Number", "StringValue": "1493147359900"}});
    let sent = bench.call(T0, "SendMessage", sending(&url, number));
    assert_eq!(text(&sent, "MD5OfMessageAttributes"), "235c5c510d26fb653d073faed50ae77c");
    let all_kinds = json!({
        "n": {"DataType": "Number", "StringValue": "12.5"},
        "blob": {"DataType": "Binary.png", "BinaryValue": "AAH/"},
        "Error": {"DataType": "String", "StringValue": "Import.HeaderMismatch"},
    });
    let sent = bench.call(T0, "SendMessage", sending(&url, all_kinds.clone()));
    assert_eq!(text(&sent, "MD5OfMessageAttributes"), "a28d3ee589e56180d57fe98005d45553");
    let received = &bench.receive(T0, &url)[2];
    assert_eq!(received["MessageAttributes"], all_kinds);
    assert_eq!(text(received, "MD5OfMessageAttributes"), "a28d3ee589e56180d57fe98005d45553");
    assert_eq!(text(received, "MD5OfBody"), "9dd4e461268c8034f5c8564e155c67a6");
}

#[test]
fn a_trace_header_is_the_only_system_attribute_that_can_be_sent() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
    let with = |name: &str, value: &str| {
        let attribute = json!({"DataType": "String", "StringValue": value});
        json!({"QueueUrl": url, "MessageBody": "x", "MessageSystemAttributes": {name: attribute}})
    };
    let sent = bench.call(T0, "SendMessage", with("AWSTraceHeader", header));
    assert_eq!(text(&sent, "MD5OfMessageSystemAttributes"), "5f48eef650c1d0207456969c85af2fdd");
    let received = bench.receive_one(T0, &url);
    assert_eq!(attribute(&received, "AWSTraceHeader"), header);
    assert_eq!(received.get("MessageAttributes"), None);
    for refused in [with("SenderId", "me"), with("AWSTraceHeader", &"x".repeat(1025))] {
        assert_eq!(bench.refusal(T0, "SendMessage", refused).0, "InvalidParameterValue");
    }
}

#[test]
fn a_message_has_at_most_as_many_bytes_as_the_queue_allows_attributes_included() {
    let (bench, url) = Bench::with_queue("imports", json!({"MaximumMessageSize": "1024"}));
    bench.send(T0, &url, &"é".repeat(512));
    let too_long = json!({"QueueUrl": url, "MessageBody": "x".repeat(1025)});
    let (code, message) = bench.refusal(T0, "SendMessage", too_long);
    assert_eq!(code, "InvalidParameterValue");
    assert!(message.contains("1024"), "{message}");
    let with_attribute = |bytes: usize| {
        let attribute = json!({"DataType": "String", "StringValue": "value"});
        json!({"QueueUrl": url, "MessageBody": "x".repeat(bytes), "MessageAttributes": {"name": attribute}})
    };
    // name, String and value.
    bench.call(T0, "SendMessage", with_attribute(1024 - 15));
    let (code, _) = bench.refusal(T0, "SendMessage", with_attribute(1024 - 14));
    assert_eq!(code, "InvalidParameterValue");
    let (code, message) = bench.refusal(T0, "SendMessage", json!({"QueueUrl": url, "MessageBody": ""}));
    assert_eq!((code.as_str(), message.contains("MessageBody")), ("MissingParameter", true));
}

#[test]
fn only_characters_of_xml_can_be_sent() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    for allowed in ["\t\n\r ~", "\u{D7FF}", "\u{E000}\u{FFFD}", "\u{10000}\u{10FFFF}"] {
        bench.send(T0, &url, allowed);
    }
    for refused in ["\0", "\u{8}", "a\u{1F}", "\u{FFFE}", "\u{FFFF}"] {
        let (code, _) = bench.refusal(T0, "SendMessage", json!({"QueueUrl": url, "MessageBody": refused}));
        assert_eq!(code, "InvalidMessageContents", "{refused:?}");
        let attribute = json!({"name": {"DataType": "String", "StringValue": refused}});
        assert_eq!(bench.refusal(T0, "SendMessage", sending(&url, attribute)).0, "InvalidMessageContents");
    }
}

#[test]
fn message_attributes_that_sqs_does_not_know_are_refused() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    let string = json!({"DataType": "String", "StringValue": "x"});
    for name in ["", "a b", ".a", "a.", "a..b", "AWS.a", "amazon.a", &"a".repeat(257)] {
        let (code, _) = bench.refusal(T0, "SendMessage", sending(&url, json!({name: string})));
        assert_eq!(code, "InvalidParameterValue", "{name}");
    }
    for value in [
        json!({"DataType": "String"}),
        json!({"DataType": "String", "StringValue": ""}),
        json!({"DataType": "String", "BinaryValue": "AAAA"}),
        json!({"DataType": "Binary", "StringValue": "x"}),
        json!({"DataType": "Binary", "BinaryValue": "?"}),
        json!({"DataType": "Number", "StringValue": "twelve"}),
        json!({"DataType": "Number", "StringValue": "inf"}),
        json!({"DataType": "Float", "StringValue": "1"}),
        json!({"StringValue": "x"}),
    ] {
        let (code, _) = bench.refusal(T0, "SendMessage", sending(&url, json!({"name": value.clone()})));
        assert_eq!(code, "InvalidParameterValue", "{value}");
    }
    let list = json!({"name": {"DataType": "String", "StringListValues": ["x"]}});
    assert_eq!(bench.refusal(T0, "SendMessage", sending(&url, list)).0, "UnsupportedOperation");
    let eleven: serde_json::Map<String, Value> = (0..11).map(|n| (format!("a{n}"), string.clone())).collect();
    assert_eq!(bench.refusal(T0, "SendMessage", sending(&url, json!(eleven))).0, "InvalidParameterValue");
    assert_eq!(bench.counts(T0, &url), ["0", "0", "0"]);
}

#[test]
fn a_delayed_message_is_counted_as_such_until_it_can_be_received() {
    let (bench, url) = Bench::with_queue("imports", json!({"DelaySeconds": "10"}));
    bench.send(T0, &url, "the queue's delay");
    for (body, delay_s) in [("at once", 0), ("late", 900)] {
        bench.call(T0, "SendMessage", json!({"QueueUrl": url, "MessageBody": body, "DelaySeconds": delay_s}));
    }
    assert_eq!(bench.counts(T0, &url), ["1", "0", "2"]);
    assert_eq!(bench.bodies(T0 + 10 * SECOND - 1, &url), ["at once"]);
    assert_eq!(bench.bodies(T0 + 10 * SECOND, &url), ["the queue's delay"]);
    assert_eq!(bench.counts(T0 + 10 * SECOND, &url), ["0", "2", "1"]);
    for delay_s in [-1, 901] {
        let request = json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": delay_s});
        assert_eq!(bench.refusal(T0, "SendMessage", request).0, "InvalidParameterValue");
    }
}

#[test]
fn a_batch_answers_for_each_entry() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    let entries = json!([
        {"Id": "good", "MessageBody": "x", "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}}},
        {"Id": "bad", "MessageBody": "\u{1}"},
    ]);
    let answer = bench.call(T0, "SendMessageBatch", json!({"QueueUrl": url, "Entries": entries}));
    assert_eq!(
        keys(&answer["Successful"][0]),
        ["Id", "MD5OfMessageAttributes", "MD5OfMessageBody", "MessageId"]
    );
    assert_eq!(answer["Successful"][0]["Id"], "good");
    assert_eq!(keys(&answer["Failed"][0]), ["Code", "Id", "Message", "SenderFault"]);
    assert_eq!(answer["Failed"][0]["Code"], "InvalidMessageContents");
    assert_eq!(answer["Failed"][0]["SenderFault"], true);
    let received = bench.receive_one(T0, &url);
    assert_eq!(received["MessageId"], answer["Successful"][0]["MessageId"]);
}

#[test]
fn a_batch_that_is_wrong_as_a_whole_sends_nothing() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    let entry = |id: &str, bytes: usize| json!({"Id": id, "MessageBody": "x".repeat(bytes)});
    let eleven: Vec<Value> = (0..11).map(|n| entry(&n.to_string(), 1)).collect();
    for (entries, code) in [
        (json!([]), "EmptyBatchRequest"),
        (json!(eleven), "TooManyEntriesInBatchRequest"),
        (json!([entry("a", 1), entry("a", 1)]), "BatchEntryIdsNotDistinct"),
        (json!([entry("a b", 1)]), "InvalidBatchEntryId"),
        (json!([entry(&"a".repeat(81), 1)]), "InvalidBatchEntryId"),
        (json!([entry("a", 600_000), entry("b", 600_000)]), "BatchRequestTooLong"),
    ] {
        let request = json!({"QueueUrl": url, "Entries": entries});
        assert_eq!(bench.refusal(T0, "SendMessageBatch", request).0, code);
    }
    assert_eq!(bench.counts(T0, &url), ["0", "0", "0"]);
}
