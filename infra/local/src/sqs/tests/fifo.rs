//! FIFO queues: order within a group, one receive at a time, no message twice.

use serde_json::{Value, json};

use super::{Bench, SECOND, T0, attribute, handle_of, hiding, text};

fn bench() -> (Bench, String) {
    Bench::with_queue("imports.fifo", json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"}))
}

fn letter(url: &str, group: &str, body: &str) -> Value {
    json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group})
}

fn send(bench: &Bench, now: i64, url: &str, group: &str, body: &str) -> Value {
    bench.call(now, "SendMessage", letter(url, group, body))
}

fn receive_one(bench: &Bench, now: i64, url: &str) -> Option<Value> {
    let request = json!({"QueueUrl": url, "MessageSystemAttributeNames": ["All"]});
    bench.call(now, "ReceiveMessage", request).as_array().unwrap().first().cloned()
}

#[test]
fn a_group_is_delivered_in_order_one_receive_at_a_time() {
    let (bench, url) = bench();
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")] {
        send(&bench, T0, &url, group, body);
    }
    let first = receive_one(&bench, T0, &url).unwrap();
    assert_eq!(first["Body"], "a1");
    assert_eq!(receive_one(&bench, T0, &url).unwrap()["Body"], "b1", "a is blocked, b is not");
    assert_eq!(receive_one(&bench, T0, &url), None);
    bench.delete(T0, &url, &first);
    assert_eq!(bench.bodies(T0, &url), ["a2", "a3"], "one receive may take several of a group");
    assert_eq!(bench.bodies(T0 + 29 * SECOND, &url), Vec::<String>::new());
}

#[test]
fn a_group_stays_blocked_while_any_of_its_messages_is_in_flight() {
    let (bench, url) = bench();
    for body in ["1", "2", "3"] {
        send(&bench, T0, &url, "a", body);
    }
    let request = json!({"QueueUrl": url, "MaxNumberOfMessages": 2});
    let messages = bench.call(T0, "ReceiveMessage", request);
    bench.hide(T0, &url, &messages[0], 0);
    assert_eq!(receive_one(&bench, T0, &url), None, "2 is in flight");
    bench.hide(T0, &url, &messages[1], 0);
    assert_eq!(bench.bodies(T0, &url), ["1", "2", "3"]);
}

#[test]
fn a_failed_message_comes_back_before_its_followers() {
    let (bench, url) = bench();
    for body in ["1", "2"] {
        send(&bench, T0, &url, "a", body);
    }
    receive_one(&bench, T0, &url).unwrap();
    assert_eq!(bench.bodies(T0 + 30 * SECOND, &url), ["1", "2"]);
}

#[test]
fn the_same_message_within_five_minutes_is_accepted_and_delivered_once() {
    let (bench, url) = bench();
    let first = send(&bench, T0, &url, "a", "same");
    let received = receive_one(&bench, T0, &url).unwrap();
    let sha256 = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5";
    assert_eq!(attribute(&received, "MessageDeduplicationId"), sha256);
    bench.delete(T0, &url, &received);
    let again = send(&bench, T0 + 300 * SECOND - 1, &url, "a", "same");
    assert_eq!(again, first, "the same id and sequence number, although the message is gone");
    assert_eq!(bench.counts(T0 + 300 * SECOND - 1, &url), ["0", "0", "0"]);
    let later = send(&bench, T0 + 300 * SECOND, &url, "a", "same");
    assert_ne!(later["MessageId"], first["MessageId"]);
    assert_eq!(bench.counts(T0 + 300 * SECOND, &url), ["1", "0", "0"]);
}

#[test]
fn an_explicit_deduplication_id_overrides_the_content() {
    let (bench, url) = bench();
    for (id, body) in [("1", "same"), ("2", "same"), ("1", "other")] {
        let mut request = letter(&url, "a", body);
        request["MessageDeduplicationId"] = json!(id);
        bench.call(T0, "SendMessage", request);
    }
    assert_eq!(bench.bodies(T0, &url), ["same", "same"]);
}

#[test]
fn sequence_numbers_have_20_digits_and_increase() {
    let (bench, url) = bench();
    let first = text(&send(&bench, T0, &url, "a", "1"), "SequenceNumber");
    let second = text(&send(&bench, T0, &url, "b", "2"), "SequenceNumber");
    assert_eq!((first.len(), second.len()), (20, 20));
    assert!(first < second);
    let received = bench.receive(T0, &url);
    assert_eq!(attribute(&received[0], "SequenceNumber"), first);
    assert_eq!(attribute(&received[0], "MessageGroupId"), "a");
}

#[test]
fn a_fifo_message_needs_a_group_and_a_deduplication_id_and_takes_no_delay() {
    let (bench, url) = Bench::with_queue("plain.fifo", json!({"FifoQueue": "true"}));
    let standard = bench.create("standard", json!({}));
    let full = |url: &str| json!({"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "a", "MessageDeduplicationId": "1"});
    let without = |name: &str| {
        let mut request = full(&url);
        request.as_object_mut().unwrap().shift_remove(name);
        request
    };
    let with = |name: &str, value: Value| {
        let mut request = full(&url);
        request[name] = value;
        request
    };
    for (request, code) in [
        (without("MessageGroupId"), "MissingParameter"),
        (without("MessageDeduplicationId"), "InvalidParameterValue"),
        (with("DelaySeconds", json!(1)), "InvalidParameterValue"),
        (with("MessageGroupId", json!("a b")), "InvalidParameterValue"),
        (with("MessageGroupId", json!("a".repeat(129))), "InvalidParameterValue"),
        (with("MessageDeduplicationId", json!("")), "InvalidParameterValue"),
        (full(&standard), "InvalidParameterValue"),
    ] {
        assert_eq!(bench.refusal(T0, "SendMessage", request.clone()).0, code, "{request}");
    }
    bench.call(T0, "SendMessage", full(&url));
    // A standard queue takes a group, and delivers it in parallel.
    for body in ["1", "2"] {
        bench.call(T0, "SendMessage", letter(&standard, "a", body));
    }
    assert!(receive_one(&bench, T0, &standard).is_some());
    assert_eq!(attribute(&bench.receive_one(T0, &standard), "MessageGroupId"), "a");
}

#[test]
fn a_handle_is_worth_nothing_once_the_message_is_visible_again() {
    let (bench, url) = bench();
    send(&bench, T0, &url, "a", "x");
    let message = receive_one(&bench, T0, &url).unwrap();
    let late = T0 + 30 * SECOND;
    let expired = |now| {
        let (code, text) = bench.refusal(now, "DeleteMessage", handle_of(&url, &message));
        assert_eq!(code, "InvalidParameterValue");
        assert!(text.ends_with("Reason: The receipt handle has expired."), "{text}");
    };
    expired(late);
    let (code, _) = bench.refusal(late, "ChangeMessageVisibility", hiding(&url, &message, 60));
    assert_eq!(code, "MessageNotInflight");
    let second = receive_one(&bench, late, &url).unwrap();
    expired(late);
    bench.delete(late, &url, &second);
    assert_eq!(bench.delete(late, &url, &second), json!({}), "what is gone can be deleted again");
}

#[test]
fn the_queues_delay_holds_for_messages_that_are_there_already() {
    let (bench, url) = bench();
    send(&bench, T0, &url, "a", "1");
    let set = json!({"QueueUrl": url, "Attributes": {"DelaySeconds": "10"}});
    bench.call(T0 + SECOND, "SetQueueAttributes", set);
    send(&bench, T0 + SECOND, &url, "a", "2");
    assert_eq!(bench.bodies(T0 + 10 * SECOND - 1, &url), Vec::<String>::new());
    assert_eq!(receive_one(&bench, T0 + 10 * SECOND, &url).unwrap()["Body"], "1");
}

#[test]
fn a_dead_letter_frees_its_group_and_starts_anew() {
    let (bench, dead) = Bench::with_queue("dead.fifo", json!({"FifoQueue": "true"}));
    let policy = json!({"deadLetterTargetArn": bench.sqs.queue_arn("dead.fifo"), "maxReceiveCount": 1});
    let url = bench.create(
        "imports.fifo",
        json!({
            "FifoQueue": "true", "ContentBasedDeduplication": "true", "RedrivePolicy": policy.to_string(),
        }),
    );
    let sent = send(&bench, T0, &url, "a", "poison");
    send(&bench, T0, &url, "a", "healthy");
    receive_one(&bench, T0, &url).unwrap();
    let later = T0 + 30 * SECOND;
    assert_eq!(receive_one(&bench, later, &url).unwrap()["Body"], "healthy");
    let letter = bench.receive_one(later, &dead);
    assert_eq!(letter["MessageId"], sent["MessageId"]);
    assert_eq!(attribute(&letter, "MessageGroupId"), "a");
    assert_eq!(attribute(&letter, "MessageDeduplicationId"), text(&sent, "MessageId"));
    assert_eq!(attribute(&letter, "SentTimestamp"), later.to_string());
    assert_eq!(attribute(&letter, "DeadLetterQueueSourceArn"), bench.sqs.queue_arn("imports.fifo"));
}
