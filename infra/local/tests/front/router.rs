//! The ways in, and who is let in.

use std::sync::Arc;

use local_stack::wire::Call;
use serde_json::{Value, json};

use crate::stack::{Answer, Front, KEY};

async fn front() -> Front {
    let nothing: Call = Arc::new(|_, _| Box::pin(std::future::pending()));
    Front::start(nothing).await
}

fn authorization(key: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential={key}/20261123/r/sqs/aws4_request, SignedHeaders=host, Signature=0")
}

async fn post(front: &Front, target: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let authorization = authorization(KEY);
    let mut headers = vec![("x-amz-target", target), ("authorization", &authorization)];
    headers.extend(more);
    front.http("POST / HTTP/1.1", &headers, body).await
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn each_target_leads_to_its_service() {
    let front = front().await;
    for (prefix, service, version) in [
        ("AmazonSQS", "sqs", "1.0"),
        ("AWSStepFunctions", "states", "1.0"),
        ("AmazonEC2ContainerServiceV20141113", "ecs", "1.1"),
        ("Logs_20140328", "logs", "1.1"),
    ] {
        let answer = post(&front, &format!("{prefix}.Do"), &[], r#"{"a":1}"#).await;
        assert_eq!(answer.status, 200);
        assert_eq!(json_of(&answer), json!({"service": service, "operation": "Do", "body": {"a": 1}}));
        assert!(
            answer.head.contains(&format!("content-type: application/x-amz-json-{version}")),
            "{}",
            answer.head
        );
        assert!(answer.head.contains("x-amzn-requestid: "), "{}", answer.head);
    }
    let answer = post(&front, "DynamoDB_20120810.GetItem", &[], "{}").await;
    assert_eq!(
        (answer.status, &json_of(&answer)["__type"]),
        (400, &json!("com.amazon.coral.service#UnknownOperationException"))
    );
}

#[tokio::test]
async fn an_error_has_the_form_of_its_service() {
    let front = front().await;
    let answer = post(&front, "AmazonSQS.Refuse", &[], "{}").await;
    assert_eq!(answer.status, 400);
    assert_eq!(json_of(&answer), json!({"__type": "com.amazonaws.sqs#Refused", "message": "as asked"}));
    assert!(answer.head.contains("x-amzn-query-error: Refused;Sender"), "{}", answer.head);
    let answer = post(&front, "AWSStepFunctions.Refuse", &[], "{}").await;
    assert!(!answer.head.contains("x-amzn-query-error"), "{}", answer.head);
    let answer = post(&front, "AmazonSQS.Do", &[], "no JSON: secret").await;
    assert_eq!(json_of(&answer)["__type"], "com.amazonaws.sqs#SerializationException");
    assert!(!answer.body.contains("secret"), "{}", answer.body);
}

#[tokio::test]
async fn a_web_page_and_a_stranger_are_not_let_in() {
    let front = front().await;
    let lambda = "GET /2015-03-31/functions HTTP/1.1";
    let own = authorization(KEY);
    let other = authorization("AKIAOTHER");
    for (headers, status, code) in [
        (vec![], 403, "MissingAuthenticationToken"),
        (vec![("authorization", other.as_str())], 403, "UnrecognizedClientException"),
        (
            vec![("authorization", own.as_str()), ("origin", "http://evil.example")],
            403,
            "AccessDeniedException",
        ),
    ] {
        let mut targeted = headers.clone();
        targeted.push(("x-amz-target", "AmazonSQS.Do"));
        let answer = front.http("POST / HTTP/1.1", &targeted, "{}").await;
        assert_eq!(
            (answer.status, json_of(&answer)["__type"].as_str().unwrap().ends_with(code)),
            (status, true)
        );
        let answer = front.http(lambda, &headers, "").await;
        assert_eq!((answer.status, answer.head.contains(code)), (status, true), "{}", answer.head);
    }
}

#[tokio::test]
async fn a_body_may_have_2_mib() {
    let front = front().await;
    let body = |size: usize| format!(r#""{}""#, "x".repeat(size - 2));
    assert_eq!(post(&front, "AmazonSQS.Do", &[], &body(2 * 1024 * 1024)).await.status, 200);
    assert_eq!(post(&front, "AmazonSQS.Do", &[], &body(2 * 1024 * 1024 + 1)).await.status, 413);
}

#[tokio::test]
async fn the_function_and_its_mapping_are_shown_and_the_function_can_be_invoked() {
    let front = front().await;
    let own = authorization(KEY);
    let call = async |line: &str, more: &[(&str, &str)], body: &str| {
        let mut headers = vec![("authorization", own.as_str())];
        headers.extend(more);
        front.http(&format!("{line} HTTP/1.1"), &headers, body).await
    };
    let listed = json_of(&call("GET /2015-03-31/functions/", &[], "").await);
    let arn = "arn:aws:lambda:ap-northeast-1:123456789012:function:start-import";
    assert_eq!(listed["Functions"][0]["FunctionArn"], arn);
    let encoded = arn.replace(':', "%3A");
    let got = json_of(&call(&format!("GET /2015-03-31/functions/{encoded}/configuration"), &[], "").await);
    assert_eq!(got["Environment"]["Variables"], json!({"OWN": "variable"}));
    let got = json_of(&call("GET /2015-03-31/functions/start-import", &[], "").await);
    assert_eq!(got["Configuration"]["Timeout"], 10);

    let missing = call("GET /2015-03-31/functions/other", &[], "").await;
    assert_eq!(
        (missing.status, missing.head.contains("x-amzn-errortype: ResourceNotFoundException")),
        (404, true)
    );
    let refused = call("DELETE /2015-03-31/functions/start-import", &[], "").await;
    assert!(refused.body.contains("does not implement lambda:DELETE"), "{}", refused.body);

    let mappings =
        json_of(&call("GET /2015-03-31/event-source-mappings?FunctionName=start-import", &[], "").await);
    let mapping = &mappings["EventSourceMappings"][0];
    assert_eq!((&mapping["State"], &mapping["BatchSize"]), (&json!("Enabled"), &json!(10)));
    let uuid = mapping["UUID"].as_str().unwrap();
    let same = json_of(&call(&format!("GET /2015-03-31/event-source-mappings/{uuid}"), &[], "").await);
    assert_eq!(&same, mapping);
    let change = format!("PUT /2015-03-31/event-source-mappings/{uuid}");
    for (enabled, state) in [(false, "Disabled"), (true, "Enabled")] {
        let changed = json_of(&call(&change, &[], &json!({"Enabled": enabled}).to_string()).await);
        assert_eq!((&changed["State"], &changed["UUID"]), (&json!(state), &json!(uuid)));
    }
    assert_eq!(call(&change, &[], r#"{"BatchSize": 1}"#).await.status, 400, "nothing else can be changed");
    let none = json_of(&call("GET /2015-03-31/event-source-mappings/?FunctionName=other", &[], "").await);
    assert_eq!(none["EventSourceMappings"], json!([]));

    let invoke = "POST /2015-03-31/functions/start-import/invocations";
    let failed = call(invoke, &[], "{}").await;
    assert_eq!(failed.status, 200);
    assert!(failed.head.contains("x-amz-function-error: Unhandled"), "{}", failed.head);
    assert_eq!(json_of(&failed)["errorType"], "Runtime.ExitError");
    let reserve = "PUT /2017-10-31/functions/start-import/concurrency";
    assert_eq!(call(reserve, &[], r#"{"ReservedConcurrentExecutions": 2}"#).await.status, 400);
    assert_eq!(call(reserve, &[], r#"{"ReservedConcurrentExecutions": 0}"#).await.status, 200);
    let throttled = call(invoke, &[], "{}").await;
    assert_eq!(throttled.status, 429);
    assert!(throttled.head.contains("x-amzn-errortype: TooManyRequestsException"), "{}", throttled.head);
    assert_eq!(call("DELETE /2017-10-31/functions/start-import/concurrency", &[], "").await.status, 204);
    assert_eq!(call(invoke, &[], "{}").await.status, 200);
    let asynchronous = call(invoke, &[("x-amz-invocation-type", "Event")], "{}").await;
    assert_eq!(asynchronous.status, 400);
    assert!(call(invoke, &[], "noise").await.head.contains("InvalidRequestContentException"));
}
