//! Dead letters, and their way back.

use serde_json::{Value, json};

use super::{Bench, HOUR, SECOND, T0, attribute, text};

/// A queue that lets a message be received twice, and its dead-letter queue.
fn bench() -> (Bench, String, String) {
    let (bench, dead) = Bench::with_queue("dead", json!({}));
    let policy = json!({"deadLetterTargetArn": bench.sqs.queue_arn("dead"), "maxReceiveCount": 2});
    let url = bench.create("imports", json!({"RedrivePolicy": policy.to_string()}));
    (bench, url, dead)
}

/// Receives the only message in vain until the redrive policy moves it.
fn fail(bench: &Bench, url: &str) -> i64 {
    let times = [T0, T0 + 30 * SECOND];
    for now in times {
        bench.receive_one(now, url);
    }
    assert_eq!(bench.bodies(T0 + 60 * SECOND, url), Vec::<String>::new());
    T0 + 60 * SECOND
}

fn tasks(bench: &Bench, now: i64, most: i64) -> Value {
    let request = json!({"SourceArn": bench.sqs.queue_arn("dead"), "MaxResults": most});
    bench.call(now, "ListMessageMoveTasks", request)["Results"].clone()
}

#[test]
fn a_message_received_too_often_is_moved_and_stays_the_same() {
    let (bench, url, dead) = bench();
    let request = json!({"QueueUrl": url, "MessageBody": "x", "MessageAttributes": {
        "a": {"DataType": "String", "StringValue": "b"},
    }});
    let sent = bench.call(T0, "SendMessage", request);
    let now = fail(&bench, &url);
    assert_eq!(bench.counts(now, &url), ["0", "0", "0"]);
    let letter = bench.receive_one(now, &dead);
    assert_eq!(letter["MessageId"], sent["MessageId"]);
    assert_eq!(letter["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(attribute(&letter, "DeadLetterQueueSourceArn"), bench.sqs.queue_arn("imports"));
    assert_eq!(attribute(&letter, "SentTimestamp"), T0.to_string());
    assert_eq!(attribute(&letter, "ApproximateReceiveCount"), "3", "it counts across queues");
}

#[test]
fn a_receive_passes_over_what_it_moves() {
    let (bench, url, dead) = bench();
    bench.send(T0, &url, "poison");
    for now in [T0, T0 + 30 * SECOND] {
        bench.receive_one(now, &url);
    }
    bench.send(T0 + 60 * SECOND, &url, "healthy");
    let request = json!({"QueueUrl": url});
    let received = bench.call(T0 + 60 * SECOND, "ReceiveMessage", request);
    assert_eq!(text(&received[0], "Body"), "healthy");
    assert_eq!(bench.bodies(T0 + 60 * SECOND, &dead), ["poison"]);
}

#[test]
fn a_dead_letter_keeps_its_age() {
    let (bench, url, dead) = bench();
    bench.call(
        T0,
        "SetQueueAttributes",
        json!({"QueueUrl": dead, "Attributes": {"MessageRetentionPeriod": "3600"}}),
    );
    bench.send(T0, &url, "x");
    fail(&bench, &url);
    assert_eq!(bench.counts(T0 + HOUR - 1, &dead), ["1", "0", "0"]);
    assert_eq!(bench.counts(T0 + HOUR, &dead), ["0", "0", "0"]);
}

#[test]
fn dead_letters_go_back_to_their_source_as_new_messages() {
    let (bench, url, dead) = bench();
    let sent = bench.send(T0, &url, "x");
    let now = fail(&bench, &url);
    let started = bench.call(now, "StartMessageMoveTask", json!({"SourceArn": bench.sqs.queue_arn("dead")}));
    assert!(!text(&started, "TaskHandle").is_empty());
    assert_eq!(bench.counts(now, &dead), ["0", "0", "0"]);
    let back = bench.receive_one(now, &url);
    assert_ne!(back["MessageId"], sent["MessageId"]);
    assert_eq!(back["Body"], "x");
    assert_eq!(attribute(&back, "SentTimestamp"), now.to_string());
    assert_eq!(attribute(&back, "ApproximateReceiveCount"), "1");
    assert_eq!(back["Attributes"].get("DeadLetterQueueSourceArn"), None);
    assert_eq!(
        tasks(&bench, now, 10),
        json!([{
            "Status": "COMPLETED",
            "SourceArn": bench.sqs.queue_arn("dead"),
            "ApproximateNumberOfMessagesMoved": 1,
            "ApproximateNumberOfMessagesToMove": 1,
            "StartedTimestamp": now,
        }])
    );
}

#[test]
fn a_letter_that_was_sent_to_the_dead_letter_queue_needs_a_destination() {
    let (bench, url, dead) = bench();
    bench.send(T0, &dead, "sent by the dead-letter machine");
    let (source, destination) = (bench.sqs.queue_arn("dead"), bench.sqs.queue_arn("imports"));
    bench.call(T0, "StartMessageMoveTask", json!({"SourceArn": source}));
    assert_eq!(bench.counts(T0, &dead), ["1", "0", "0"]);
    let request = json!({"SourceArn": source, "DestinationArn": destination});
    bench.call(T0 + 1, "StartMessageMoveTask", request);
    assert_eq!(bench.bodies(T0 + 1, &url), ["sent by the dead-letter machine"]);
    let tasks = tasks(&bench, T0 + 1, 10);
    assert_eq!(tasks[0]["Status"], "COMPLETED");
    assert_eq!(tasks[0]["DestinationArn"], json!(destination));
    assert_eq!(tasks[1]["Status"], "FAILED");
    assert_eq!(tasks[1]["FailureReason"], "CouldNotDetermineMessageSource");
    assert_eq!(tasks[1]["ApproximateNumberOfMessagesMoved"], 0);
}

#[test]
fn letters_in_flight_are_left_where_they_are() {
    let (bench, url, dead) = bench();
    bench.send(T0, &dead, "looked at");
    bench.receive_one(T0, &dead);
    for n in 0..250 {
        bench.send(T0, &dead, &n.to_string());
    }
    let arns =
        json!({"SourceArn": bench.sqs.queue_arn("dead"), "DestinationArn": bench.sqs.queue_arn("imports")});
    bench.call(T0, "StartMessageMoveTask", arns);
    assert_eq!(bench.counts(T0, &dead), ["0", "1", "0"]);
    assert_eq!(bench.counts(T0, &url), ["250", "0", "0"]);
    assert_eq!(bench.bodies(T0, &url)[..3], ["0", "1", "2"]);
}

#[test]
fn a_move_task_starts_at_a_dead_letter_queue_and_ends_at_another_queue() {
    let (bench, _, _) = bench();
    bench.create("other.fifo", json!({"FifoQueue": "true"}));
    let arn = |name: &str| bench.sqs.queue_arn(name);
    for (request, code) in [
        (json!({"SourceArn": arn("missing")}), "ResourceNotFoundException"),
        (json!({"SourceArn": "dead"}), "ResourceNotFoundException"),
        (json!({"SourceArn": arn("imports")}), "InvalidParameterValue"),
        (json!({"SourceArn": arn("dead"), "DestinationArn": arn("missing")}), "ResourceNotFoundException"),
        (json!({"SourceArn": arn("dead"), "DestinationArn": arn("dead")}), "InvalidParameterValue"),
        (json!({"SourceArn": arn("dead"), "DestinationArn": arn("other.fifo")}), "InvalidParameterValue"),
        (json!({"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 5}), "ValidationException"),
    ] {
        assert_eq!(bench.refusal(T0, "StartMessageMoveTask", request.clone()).0, code, "{request}");
    }
    assert_eq!(tasks(&bench, T0, 10), json!([]));
    let missing = json!({"SourceArn": arn("missing")});
    assert_eq!(bench.refusal(T0, "ListMessageMoveTasks", missing).0, "ResourceNotFoundException");
}

#[test]
fn the_last_ten_move_tasks_are_remembered() {
    let (bench, _, _) = bench();
    for n in 0..12 {
        bench.call(T0 + n, "StartMessageMoveTask", json!({"SourceArn": bench.sqs.queue_arn("dead")}));
    }
    let listed = tasks(&bench, T0 + 20, 10);
    assert_eq!(listed.as_array().unwrap().len(), 10);
    assert_eq!(listed[0]["StartedTimestamp"], T0 + 11);
    let newest = bench.call(T0, "ListMessageMoveTasks", json!({"SourceArn": bench.sqs.queue_arn("dead")}));
    assert_eq!(newest["Results"], json!([listed[0]]), "one by default");
}
