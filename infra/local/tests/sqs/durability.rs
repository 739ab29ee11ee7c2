//! A restart loses nothing: neither messages nor who holds them.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;

use super::{create, open, receive, send};

#[tokio::test]
async fn messages_handles_and_counts_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let sqs = open(directory.path());
    let url = create(&sqs, "imports", json!({"VisibilityTimeout": "600"})).await;
    let held = send(&sqs, &url, "held").await;
    let message = receive(&sqs, &url, 0).await.remove(0);
    let waiting = send(&sqs, &url, "waiting").await;
    drop(sqs);

    let sqs = open(directory.path());
    let received = receive(&sqs, &url, 0).await;
    assert_eq!(received.len(), 1, "what was in flight still is: {received:?}");
    assert_eq!(received[0]["MessageId"], waiting["MessageId"]);
    assert_eq!(message["MessageId"], held["MessageId"]);
    let handle = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
    sqs.call("DeleteMessage", handle).await.unwrap();
    let ask = json!({"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessagesNotVisible"]});
    let counts = sqs.call("GetQueueAttributes", ask).await.unwrap();
    assert_eq!(counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "1");
}

#[tokio::test]
async fn every_message_whose_send_was_answered_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut victim = Command::new(env!("CARGO_BIN_EXE_local-stack-child"))
        .arg("messages")
        .arg(directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut answered = HashSet::new();
    let mut note = |line: &str| {
        answered.insert(line.to_owned());
        answered.len()
    };
    while note(&lines.next().unwrap().unwrap()) < 50 {}
    victim.kill().unwrap();
    victim.wait().unwrap();
    // What it could still say before it died.
    for line in lines {
        note(&line.unwrap());
    }

    let sqs = open(directory.path());
    let url = create(&sqs, "imports", json!({})).await;
    loop {
        let received = receive(&sqs, &url, 0).await;
        if received.is_empty() {
            break;
        }
        for message in received {
            answered.remove(message["MessageId"].as_str().unwrap());
        }
    }
    assert!(answered.is_empty(), "lost: {answered:?}");
}
