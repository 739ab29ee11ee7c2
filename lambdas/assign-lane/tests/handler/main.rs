//! The handler against a server that speaks SQS's protocol (AWS JSON 1.0) and answers as scripted.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod sqs;

use assign_lane::AssignLane;
use assign_lane::config::Config;
use aws_lambda_events::event::sqs::SqsEvent;
use lambda_shared::BrokenEvent;
use serde_json::{Value, json};
use sqs::{Sqs, Then};

const LANES: &str = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/lanes.fifo";

fn record(id: &str, body: &str) -> Value {
    json!({
        "messageId": id, "receiptHandle": "AQEB", "body": body, "eventSource": "aws:sqs",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1573251510774"},
        "messageAttributes": {}, "awsRegion": "ap-northeast-1",
        "eventSourceARN": "arn:aws:sqs:ap-northeast-1:123456789012:imports"
    })
}

fn imports(count: usize) -> Vec<Value> {
    (0..count).map(|n| record(&format!("id-{n}"), &format!(r#"{{"import_id": "p-{n}"}}"#))).collect()
}

async fn invoke(server: &Sqs, records: &[Value]) -> Result<Vec<String>, BrokenEvent> {
    let event: SqsEvent = serde_json::from_value(json!({"Records": records})).unwrap();
    let config = Config {
        lane_queue_url: LANES.to_owned(),
        maximum_imports: 3.try_into().unwrap(),
        log_filter: String::new(),
    };
    let response = AssignLane::new(server.client().await, config).handle(event).await?;
    Ok(response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect())
}

#[tokio::test]
async fn a_batch_goes_into_its_lanes_with_one_request_as_it_was_sent() {
    let server = Sqs::start(|_| Then::Taken).await;
    let mut records = imports(2);
    records[0]["attributes"]["AWSTraceHeader"] = "Root=1-5759e988-bd862e3fe1be46a994272793".into();
    records[0]["messageAttributes"] = json!({
        "Who": {"stringValue": "me", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "Raw": {"binaryValue": "AAEC", "stringListValues": [], "binaryListValues": [], "dataType": "Binary.x"}});
    records.push(record("id-2", r#"{"import_id": "p-0"}"#));
    records.push(record("id-3", "noise"));
    assert!(invoke(&server, &records).await.unwrap().is_empty());

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["QueueUrl"], LANES);
    let entries = requests[0]["Entries"].as_array().unwrap();
    let lane = |n: usize| entries[n]["MessageGroupId"].as_str().unwrap();
    assert_eq!(
        entries[0],
        json!({"Id": "0", "MessageBody": r#"{"import_id": "p-0"}"#, "MessageGroupId": lane(0),
            "MessageDeduplicationId": "sent-id-0",
            "MessageAttributes": {"Who": {"DataType": "String", "StringValue": "me"},
                "Raw": {"DataType": "Binary.x", "BinaryValue": "AAEC"}},
            "MessageSystemAttributes": {"AWSTraceHeader":
                {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}})
    );
    assert_eq!(lane(2), lane(0), "two messages for one import are in one lane");
    assert_eq!(entries[3]["MessageBody"], "noise", "what cannot be understood is for its execution to say");
    assert!((0..4).all(|n| ["lane-0", "lane-1", "lane-2"].contains(&lane(n))));
}

#[tokio::test]
async fn each_message_is_kept_or_not_by_its_own_result() {
    let refused = |request: &Value| {
        let entries = request["Entries"].as_array().unwrap();
        let ids = entries.iter().filter(|entry| entry["MessageDeduplicationId"] == "sent-id-1");
        Then::Refused(ids.map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect())
    };
    let server = Sqs::start(refused).await;
    assert_eq!(invoke(&server, &imports(3)).await.unwrap(), ["id-1"]);
}

#[tokio::test]
async fn without_an_answer_every_message_is_kept() {
    for then in
        [Then::Error(400, "ThrottlingException"), Then::Error(503, "ServiceUnavailable"), Then::Nothing]
    {
        let server = Sqs::start(move |_| then.clone()).await;
        assert_eq!(invoke(&server, &imports(2)).await.unwrap(), ["id-0", "id-1"]);
    }
}

#[tokio::test]
async fn a_batch_that_is_larger_than_a_request_is_parted_and_one_part_fails_alone() {
    // Ten of 400,000 bytes: SQS takes 1,048,576 in one request, so that two of them fit.
    let large = |request: &Value| {
        let bytes: usize = request["Entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["MessageBody"].as_str().unwrap().len())
            .sum();
        assert!(bytes <= 1_048_576);
        let has_first = request["Entries"].as_array().unwrap().iter().any(|entry| entry["Id"] == "0");
        if has_first { Then::Error(400, "BatchRequestTooLong") } else { Then::Taken }
    };
    let server = Sqs::start(large).await;
    let records: Vec<_> = (0..10).map(|n| record(&format!("id-{n}"), &"x".repeat(400_000))).collect();
    assert_eq!(invoke(&server, &records).await.unwrap(), ["id-0", "id-1"]);
    assert_eq!(server.requests().len(), 5);

    let server = Sqs::start(|_| Then::Taken).await;
    assert!(invoke(&server, &imports(25)).await.unwrap().is_empty());
    let mut sizes: Vec<_> =
        server.requests().iter().map(|request| request["Entries"].as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10], "ten messages make a request");

    // A message as large as SQS takes them, attributes counted, goes alone.
    let server = Sqs::start(|_| Then::Taken).await;
    let mut whole = record("whole", &"x".repeat(1_048_576 - 20));
    whole["messageAttributes"] = json!({"Name": {"stringValue": "0123456789", "dataType": "String"}});
    assert!(invoke(&server, &[whole, imports(1).remove(0)]).await.unwrap().is_empty());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_test_of_a_new_notification_is_acknowledged_and_sent_nowhere() {
    let server = Sqs::start(|_| Then::Taken).await;
    let body = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"uploads"}"#;
    assert!(invoke(&server, &[record("id", body)]).await.unwrap().is_empty());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_event_of_a_fifo_queue_or_of_none_fails_as_a_whole() {
    let server = Sqs::start(|_| Then::Taken).await;
    let mut of_lanes = imports(2);
    let arn = "arn:aws:sqs:ap-northeast-1:123456789012:lanes.fifo";
    of_lanes[1]["eventSourceARN"] = arn.into();
    // Fed with what it has sent itself, the function would never come to rest.
    assert_eq!(invoke(&server, &of_lanes).await, Err(BrokenEvent::FifoQueue { arn: arn.to_owned() }));
    for field in ["messageId", "body", "eventSourceARN"] {
        let mut records = imports(2);
        records[1].as_object_mut().unwrap().remove(field);
        assert_eq!(invoke(&server, &records).await, Err(BrokenEvent::Missing(field)));
    }
    assert!(server.requests().is_empty());
}
