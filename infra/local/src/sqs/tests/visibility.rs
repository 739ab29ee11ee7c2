//! Receipt handles: deleting, hiding for longer or shorter, and handles that are worth nothing.

use serde_json::{Value, json};

use super::{Bench, HOUR, SECOND, T0, handle_of, hiding};

#[test]
fn a_deleted_message_is_gone_and_deleting_it_again_succeeds() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.send(T0, &url, "x");
    let message = bench.receive_one(T0, &url);
    assert_eq!(bench.delete(T0, &url, &message), json!({}));
    assert_eq!(bench.delete(T0, &url, &message), json!({}));
    assert_eq!(bench.counts(T0, &url), ["0", "0", "0"]);
}

#[test]
fn an_old_handle_deletes_as_long_as_nobody_received_the_message_again() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.send(T0, &url, "x");
    let message = bench.receive_one(T0, &url);
    bench.delete(T0 + HOUR, &url, &message);
    assert_eq!(bench.counts(T0 + HOUR, &url), ["0", "0", "0"]);
}

#[test]
fn a_superseded_handle_is_accepted_and_deletes_nothing() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.send(T0, &url, "x");
    let first = bench.receive_one(T0, &url);
    let second = bench.receive_one(T0 + 30 * SECOND, &url);
    assert_eq!(bench.delete(T0 + 31 * SECOND, &url, &first), json!({}));
    assert_eq!(bench.counts(T0 + 31 * SECOND, &url), ["0", "1", "0"]);
    let (code, _) = bench.refusal(T0 + 31 * SECOND, "ChangeMessageVisibility", hiding(&url, &first, 0));
    assert_eq!(code, "InvalidParameterValue");
    bench.delete(T0 + 31 * SECOND, &url, &second);
    assert_eq!(bench.counts(T0 + 31 * SECOND, &url), ["0", "0", "0"]);
}

#[test]
fn a_message_in_flight_can_be_hidden_for_longer_or_given_back() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.send(T0, &url, "x");
    let message = bench.receive_one(T0, &url);
    assert_eq!(bench.hide(T0 + 29 * SECOND, &url, &message, 60), json!({}));
    assert_eq!(bench.counts(T0 + 88 * SECOND, &url), ["0", "1", "0"]);
    bench.hide(T0 + 88 * SECOND, &url, &message, 0);
    assert_eq!(bench.counts(T0 + 88 * SECOND, &url), ["1", "0", "0"]);
    let again = hiding(&url, &message, 60);
    assert_eq!(bench.refusal(T0 + 88 * SECOND, "ChangeMessageVisibility", again).0, "MessageNotInflight");
    let received = bench.receive_one(T0 + 89 * SECOND, &url);
    assert_eq!(received["MessageId"], message["MessageId"]);
}

#[test]
fn a_message_is_hidden_for_at_most_12_hours_since_it_was_received() {
    let (bench, url) = Bench::with_queue("imports", json!({"VisibilityTimeout": "43200"}));
    bench.send(T0, &url, "x");
    let message = bench.receive_one(T0, &url);
    bench.hide(T0 + SECOND, &url, &message, 43_199);
    let (code, text) = bench.refusal(T0 + SECOND, "ChangeMessageVisibility", hiding(&url, &message, 43_200));
    assert_eq!(code, "InvalidParameterValue");
    let reason = "Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
    assert!(text.ends_with(reason), "{text}");
    let (code, _) = bench.refusal(T0, "ChangeMessageVisibility", hiding(&url, &message, 43_201));
    assert_eq!(code, "InvalidParameterValue");
    // The next receive begins anew.
    let message = bench.receive_one(T0 + 12 * HOUR, &url);
    bench.hide(T0 + 13 * HOUR, &url, &message, 11 * 3600);
    assert_eq!(bench.counts(T0 + 24 * HOUR - 1, &url), ["0", "1", "0"]);
}

#[test]
fn a_handle_expires_12_hours_after_its_receive() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.send(T0, &url, "x");
    let message = bench.receive_one(T0, &url);
    let (code, text) = bench.refusal(T0 + 12 * HOUR + 1, "DeleteMessage", handle_of(&url, &message));
    assert_eq!(code, "InvalidParameterValue");
    assert!(text.ends_with("Reason: The receipt handle has expired."), "{text}");
    bench.delete(T0 + 12 * HOUR, &url, &message);
    assert_eq!(bench.counts(T0 + 12 * HOUR, &url), ["0", "0", "0"]);
}

#[test]
fn a_deleted_message_cannot_be_hidden() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.send(T0, &url, "x");
    let message = bench.receive_one(T0, &url);
    bench.delete(T0, &url, &message);
    let (code, text) = bench.refusal(T0, "ChangeMessageVisibility", hiding(&url, &message, 60));
    assert_eq!(code, "InvalidParameterValue");
    assert!(text.contains("does not exist or is not available"), "{text}");
}

#[test]
fn a_handle_that_is_none_or_of_another_queue_is_refused() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    let other = bench.create("other", json!({}));
    bench.send(T0, &url, "x");
    let of_imports = bench.receive_one(T0, &url)["ReceiptHandle"].clone();
    let cases = [json!(""), json!("x"), json!("MSAx"), json!("A".repeat(100_000)), of_imports];
    for handle in cases {
        let message = json!({"ReceiptHandle": handle});
        let (code, text) = bench.refusal(T0, "DeleteMessage", handle_of(&other, &message));
        assert_eq!(code, "ReceiptHandleIsInvalid");
        assert!(text.len() < 2000, "an error does not grow with its cause");
        let (code, _) = bench.refusal(T0, "ChangeMessageVisibility", hiding(&other, &message, 1));
        assert_eq!(code, "ReceiptHandleIsInvalid");
    }
}

#[test]
fn batches_of_handles_answer_for_each() {
    let (bench, url) = Bench::with_queue("imports", json!({}));
    bench.send(T0, &url, "a");
    bench.send(T0, &url, "b");
    let messages = bench.receive(T0, &url);
    let entry = |id: &str, handle: &Value| json!({"Id": id, "ReceiptHandle": handle, "VisibilityTimeout": 0});
    let entries = json!([entry("good", &messages[0]["ReceiptHandle"]), entry("bad", &json!("nonsense"))]);
    let answer = bench.call(T0, "ChangeMessageVisibilityBatch", json!({"QueueUrl": url, "Entries": entries}));
    assert_eq!(answer["Successful"], json!([{"Id": "good"}]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    assert_eq!(bench.counts(T0, &url), ["1", "1", "0"]);
    let entry = |id: &str, message: &Value| json!({"Id": id, "ReceiptHandle": message["ReceiptHandle"]});
    let entries = json!([entry("a", &messages[0]), entry("b", &messages[1])]);
    let answer = bench.call(T0, "DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entries}));
    assert_eq!(answer, json!({"Successful": [{"Id": "a"}, {"Id": "b"}]}));
    assert_eq!(bench.counts(T0, &url), ["0", "0", "0"]);
}
