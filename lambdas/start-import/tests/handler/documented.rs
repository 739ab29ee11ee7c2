//! Events as AWS's documentation has them, word for word. The files beside name their pages.

use serde_json::{Value, json};

use crate::step_functions::{StepFunctions, Then};
use crate::{FIRST, SECOND, invoke};

const QUEUE: &str = "https://sqs.us-east-2.amazonaws.com/123456789012/my-queue";
const FIFO_QUEUE: &str = "https://sqs.us-east-2.amazonaws.com/123456789012/fifo.fifo";

fn sqs(queue_type: &str) -> Value {
    let events: Value = serde_json::from_str(include_str!("../events/documented-sqs.json")).unwrap();
    events[queue_type].clone()
}

fn s3(kind: &str) -> Value {
    let messages: Value = serde_json::from_str(include_str!("../events/documented-s3.json")).unwrap();
    messages[kind].clone()
}

/// What becomes of a message with this body: the ids that Lambda is told to keep, and the inputs of executions.
async fn of_body(body: &Value) -> (Vec<String>, Vec<Value>) {
    let server = StepFunctions::start(|_, _| Then::Started).await;
    let mut event = sqs("standard");
    event["Records"].as_array_mut().unwrap().truncate(1);
    event["Records"][0]["body"] = body.to_string().into();
    (invoke(&server, QUEUE, event).await.unwrap(), inputs(&server))
}

fn inputs(server: &StepFunctions) -> Vec<Value> {
    let input = |body: Value| serde_json::from_str(body["input"].as_str().unwrap()).unwrap();
    server.calls().into_iter().map(|(_, body)| input(body)).collect()
}

#[tokio::test]
async fn the_documented_event_of_a_standard_queue_is_handled() {
    let server = StepFunctions::start(|_, _| Then::Started).await;
    assert_eq!(invoke(&server, QUEUE, sqs("standard")).await.unwrap(), [FIRST, SECOND]);
    // Its messages are noise, which is seen and explained.
    for input in inputs(&server) {
        assert!(
            input["invalid"]["reason"].as_str().unwrap().starts_with("the message is not JSON"),
            "{input}"
        );
        assert_eq!(
            (&input["message"]["body"], &input["message"]["queue_url"]),
            (&"test".into(), &QUEUE.into())
        );
    }
}

#[tokio::test]
async fn the_documented_event_of_a_fifo_queue_is_handled() {
    let server = StepFunctions::start(|_, _| Then::Started).await;
    let id = "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5";
    assert_eq!(invoke(&server, FIFO_QUEUE, sqs("fifo")).await.unwrap(), [id]);
    let message = json!({"id": id, "body": "Test message.", "queue_url": FIFO_QUEUE, "group_id": "1",
        "receipt_handle": "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw..."});
    assert_eq!(inputs(&server)[0]["message"], message);
}

#[tokio::test]
async fn the_documented_notification_of_an_object_starts_its_import() {
    let mut notification = s3("put");
    // As the page says of "red flower.jpg".
    notification["Records"][0]["s3"]["object"]["key"] = "imports/people/red+flower.csv".into();
    let (kept, inputs) = of_body(&notification).await;
    assert_eq!((kept, inputs.len()), (vec![FIRST.to_owned()], 1));
    let import = &inputs[0]["import"];
    assert_eq!(import["source"], "s3://mybucket/imports/people/red flower.csv");
    assert_eq!(import["table"], "people");
    assert_eq!(import["version_id"], "096fKKXTRTtl3on89fVO.nfljtsv6qko");
}

#[tokio::test]
async fn the_documented_notification_of_a_picture_is_seen_and_explained() {
    let (kept, inputs) = of_body(&s3("put")).await;
    assert_eq!(kept, [FIRST]);
    let reason = inputs[0]["invalid"]["reason"].as_str().unwrap();
    assert!(reason.contains("imports/<table>/<name>.csv") && reason.contains("HappyFace.jpg"), "{reason}");
}

#[tokio::test]
async fn the_documented_test_message_of_s3_is_acknowledged_and_starts_nothing() {
    assert_eq!(of_body(&s3("test")).await, (Vec::new(), Vec::new()));
}
