//! A receive that waits is woken at once. Each wait is given 20 seconds and far less to end: a wake that is missed fails.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{create, open, receive, send};

const SOON: Duration = Duration::from_secs(10);

/// Begins a receive of 20 seconds, and does `then` once it waits.
async fn woken_by(sqs: &Arc<local_stack::sqs::Sqs>, url: &str, then: impl Future<Output = ()>) -> Vec<Value> {
    let waiting = receive(sqs, url, 20);
    tokio::pin!(waiting);
    // Far longer than a look at the queue takes, so that the receive is waiting by then; were it not, the test would
    // pass all the same.
    let early = timeout(Duration::from_millis(100), &mut waiting).await;
    assert!(early.is_err(), "there was nothing to receive: {early:?}");
    then.await;
    timeout(SOON, waiting).await.unwrap()
}

#[tokio::test]
async fn a_waiting_receive_is_woken_by_a_message() {
    let directory = tempfile::tempdir().unwrap();
    let sqs = open(directory.path());
    let url = create(&sqs, "imports", json!({})).await;
    let received = woken_by(&sqs, &url, async {
        send(&sqs, &url, "x").await;
    })
    .await;
    assert_eq!(received[0]["Body"], "x");
}

#[tokio::test]
async fn a_waiting_receive_is_woken_by_a_message_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let sqs = open(directory.path());
    let url = create(&sqs, "imports", json!({})).await;
    send(&sqs, &url, "x").await;
    let held = receive(&sqs, &url, 0).await.remove(0);
    let received = woken_by(&sqs, &url, async {
        let request =
            json!({"QueueUrl": url, "ReceiptHandle": held["ReceiptHandle"], "VisibilityTimeout": 0});
        sqs.call("ChangeMessageVisibility", request).await.unwrap();
    })
    .await;
    assert_eq!(received[0]["MessageId"], held["MessageId"]);
}

#[tokio::test]
async fn a_waiting_receive_sees_a_delay_and_a_visibility_timeout_end() {
    let directory = tempfile::tempdir().unwrap();
    let sqs = open(directory.path());
    let url = create(&sqs, "imports", json!({"VisibilityTimeout": "1"})).await;
    let mut hidden_at = Instant::now();
    let request = json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 1});
    sqs.call("SendMessage", request).await.unwrap();
    for _ in 0..2 {
        let received = timeout(SOON, receive(&sqs, &url, 20)).await.unwrap();
        assert_eq!(received[0]["Body"], "x");
        // The wall clock, which the queue goes by, may differ from this one by a little.
        assert!(hidden_at.elapsed() > Duration::from_millis(900), "{:?}", hidden_at.elapsed());
        hidden_at = Instant::now();
    }
}

#[tokio::test]
async fn a_receive_that_waits_at_a_dead_letter_queue_is_woken_by_a_redrive() {
    let directory = tempfile::tempdir().unwrap();
    let sqs = open(directory.path());
    let dead = create(&sqs, "dead", json!({})).await;
    let policy = json!({"deadLetterTargetArn": sqs.queue_arn("dead"), "maxReceiveCount": 1}).to_string();
    let url = create(&sqs, "imports", json!({"VisibilityTimeout": "0", "RedrivePolicy": policy})).await;
    send(&sqs, &url, "poison").await;
    assert_eq!(receive(&sqs, &url, 0).await.len(), 1);
    let received = woken_by(&sqs, &dead, async {
        assert_eq!(receive(&sqs, &url, 0).await, Vec::<Value>::new());
    })
    .await;
    assert_eq!(received[0]["Body"], "poison");
}

#[tokio::test]
async fn a_blocked_group_is_received_when_its_message_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let sqs = open(directory.path());
    let attributes = json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"});
    let url = create(&sqs, "imports.fifo", attributes).await;
    let letter = |body: &str| json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": "a"});
    sqs.call("SendMessage", letter("first")).await.unwrap();
    let first = receive(&sqs, &url, 0).await.remove(0);
    sqs.call("SendMessage", letter("second")).await.unwrap();
    let received = woken_by(&sqs, &url, async {
        let handle = json!({"QueueUrl": url, "ReceiptHandle": first["ReceiptHandle"]});
        sqs.call("DeleteMessage", handle).await.unwrap();
    })
    .await;
    assert_eq!(received[0]["Body"], "second");
}

#[tokio::test]
async fn one_message_wakes_many_receives_and_reaches_one() {
    let directory = tempfile::tempdir().unwrap();
    let sqs = open(directory.path());
    let url = create(&sqs, "imports", json!({})).await;
    let receives: Vec<_> = (0..5)
        .map(|_| {
            let (sqs, url) = (Arc::clone(&sqs), url.clone());
            tokio::spawn(async move { receive(&sqs, &url, 2).await.len() })
        })
        .collect();
    send(&sqs, &url, "x").await;
    let mut received = 0;
    for receive in receives {
        received += timeout(SOON, receive).await.unwrap().unwrap();
    }
    assert_eq!(received, 1);
}

#[tokio::test]
async fn an_empty_queue_is_answered_when_the_wait_is_over_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let sqs = open(directory.path());
    let url = create(&sqs, "imports", json!({"ReceiveMessageWaitTimeSeconds": "1"})).await;
    let started = Instant::now();
    let answer = timeout(SOON, sqs.call("ReceiveMessage", json!({"QueueUrl": url}))).await.unwrap().unwrap();
    assert_eq!(answer, json!({}));
    assert!(started.elapsed() >= Duration::from_secs(1));
    let at_once = json!({"QueueUrl": url, "WaitTimeSeconds": 0});
    assert_eq!(timeout(SOON, sqs.call("ReceiveMessage", at_once)).await.unwrap().unwrap(), json!({}));
}
