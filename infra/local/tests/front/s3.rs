//! S3 through the stack's port, with AWS's own client.

use std::sync::{Arc, Mutex};

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use local_stack::wire::{AwsError, Call};
use serde_json::{Value, json};

use crate::stack::{Front, QUEUE_URL, SECRET};

/// A queue that keeps what is sent to it.
fn recording() -> (Call, Arc<Mutex<Vec<Value>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&sent);
    let call: Call = Arc::new(move |operation, message| {
        assert_eq!(operation, "SendMessage");
        assert_eq!(message["QueueUrl"], QUEUE_URL);
        events.lock().unwrap().push(serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap());
        Box::pin(async { Ok(json!({"MessageId": "m"})) })
    });
    (call, sent)
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_put_whole_or_in_part() {
    let (sqs, _) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    let body = ByteStream::from_static(b"id,name\n1,a\n");
    let put = s3.put_object().bucket("bucket").key("uploads/a b.csv").body(body).send().await.unwrap();
    let get = s3.get_object().bucket("bucket").key("uploads/a b.csv");
    let got = get.clone().if_match(put.e_tag().unwrap()).send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes().as_ref(), b"id,name\n1,a\n");
    let part = get.clone().range("bytes=8-").send().await.unwrap();
    assert_eq!(part.body.collect().await.unwrap().into_bytes().as_ref(), b"1,a\n");
    let error = get.if_match("\"another\"").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 412);

    let listed = s3.list_objects_v2().bucket("bucket").prefix("uploads/").send().await.unwrap();
    assert_eq!(
        listed.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(),
        ["uploads/a b.csv"]
    );
    s3.delete_object().bucket("bucket").key("uploads/a b.csv").send().await.unwrap();
    let error = s3.head_object().bucket("bucket").key("uploads/a b.csv").send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_not_found());
}

#[tokio::test]
async fn a_key_that_is_only_the_beginning_of_others_or_ends_with_a_slash_is_none_of_an_object() {
    let (sqs, _) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    let body = ByteStream::from_static(b"id\n1\n");
    s3.put_object().bucket("bucket").key("folder/a.csv").body(body).send().await.unwrap();
    for key in ["folder", "folder/a.csv/"] {
        let error = s3.get_object().bucket("bucket").key(key).send().await.unwrap_err();
        assert_eq!(error.code(), Some("NoSuchKey"), "{key}");
        let error = s3.head_object().bucket("bucket").key(key).send().await.unwrap_err();
        assert!(error.as_service_error().unwrap().is_not_found(), "{key}");
    }
    s3.get_object().bucket("bucket").key("folder/a.csv").send().await.unwrap();
}

#[tokio::test]
async fn a_version_is_none_of_a_bucket_without_versions_and_nothing_is_read_or_deleted_in_its_place() {
    let (sqs, _) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    let body = ByteStream::from_static(b"id\n1\n");
    s3.put_object().bucket("bucket").key("a.csv").body(body).send().await.unwrap();
    let get = s3.get_object().bucket("bucket").key("a.csv");
    assert_eq!(get.clone().version_id("x").send().await.unwrap_err().code(), Some("NoSuchVersion"));
    let head = s3.head_object().bucket("bucket").key("a.csv").version_id("x").send().await;
    assert_eq!(head.unwrap_err().raw_response().unwrap().status().as_u16(), 404);
    let delete = s3.delete_object().bucket("bucket").key("a.csv").version_id("x").send().await;
    assert_eq!(delete.unwrap_err().code(), Some("NoSuchVersion"));
    let copy = s3.copy_object().bucket("bucket").key("b.csv").copy_source("bucket/a.csv?versionId=x");
    assert_eq!(copy.send().await.unwrap_err().code(), Some("NoSuchVersion"));
    get.version_id("null").send().await.unwrap();
}

#[tokio::test]
async fn an_object_that_is_to_be_created_takes_the_place_of_none() {
    let (sqs, _) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    let put = |content: &'static str| {
        let body = ByteStream::from_static(content.as_bytes());
        s3.put_object().bucket("bucket").key("uploads/a.csv").if_none_match("*").body(body).send()
    };
    let status = |error: aws_sdk_s3::error::SdkError<_>| error.raw_response().unwrap().status().as_u16();
    // Two at once: one of them is refused, as one that comes while it is written or after it.
    let (one, other) = tokio::join!(put("one"), put("two"));
    let (kept, refused) = if one.is_ok() { ("one", other) } else { ("two", one) };
    assert!([409, 412].contains(&status(refused.unwrap_err())));
    assert_eq!(status(put("three").await.unwrap_err()), 412);
    let got = s3.get_object().bucket("bucket").key("uploads/a.csv").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes().as_ref(), kept.as_bytes());
    s3.delete_object().bucket("bucket").key("uploads/a.csv").send().await.unwrap();
    put("four").await.unwrap();
}

#[tokio::test]
async fn a_created_object_under_imports_is_announced_in_s3s_form() {
    let (sqs, sent) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    let key = "imports/people/名簿 1~.csv";
    let put = s3.put_object().bucket("bucket").key(key).body(ByteStream::from_static(b"id\n1\n"));
    let put = put.send().await.unwrap();
    s3.copy_object()
        .bucket("bucket")
        .key("imports/people/copy.csv")
        .copy_source("bucket/imports/people/%E5%90%8D%E7%B0%BF%201~.csv")
        .send()
        .await
        .unwrap();

    let upload =
        s3.create_multipart_upload().bucket("bucket").key("imports/people/parts.csv").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = s3.upload_part().bucket("bucket").key("imports/people/parts.csv").upload_id(id).part_number(1);
    let part = part.body(ByteStream::from_static(b"id\n2\n3\n")).send().await.unwrap();
    let part = CompletedPart::builder().part_number(1).e_tag(part.e_tag().unwrap()).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    s3.complete_multipart_upload()
        .bucket("bucket")
        .key("imports/people/parts.csv")
        .upload_id(id)
        .multipart_upload(parts)
        .send()
        .await
        .unwrap();

    let events = sent.lock().unwrap().clone();
    let records: Vec<&Value> = events.iter().map(|event| &event["Records"][0]).collect();
    let of_each =
        |pointer: &str| records.iter().map(|record| record.pointer(pointer).unwrap()).collect::<Vec<_>>();
    assert_eq!(
        of_each("/eventName"),
        ["ObjectCreated:Put", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload"]
    );
    assert_eq!(
        of_each("/s3/object/key"),
        ["imports/people/%E5%90%8D%E7%B0%BF+1%7E.csv", "imports/people/copy.csv", "imports/people/parts.csv"]
    );
    assert_eq!(of_each("/s3/object/size"), [&json!(5), &json!(5), &json!(7)]);
    let sequencers = of_each("/s3/object/sequencer");
    assert!(sequencers.is_sorted_by(|a, b| a.as_str() < b.as_str()), "{sequencers:?}");
    assert_eq!(records[0]["s3"]["object"]["eTag"], put.e_tag().unwrap().trim_matches('"'));
    assert_eq!(records[0]["s3"]["bucket"]["name"], "bucket");
    assert_eq!(records[0]["eventVersion"], "2.1");

    // What reads the events is the contract's own parser.
    let statemachine::Body::Import(import) = statemachine::parse_body(&events[0].to_string()).unwrap() else {
        panic!("no import in {}", events[0]);
    };
    assert_eq!(import.source.unwrap().to_string(), format!("s3://bucket/{key}"));
    assert_eq!(import.table.as_deref(), Some("people"));
}

#[tokio::test]
async fn a_compressed_file_is_announced_like_any_other() {
    let (sqs, sent) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    for key in ["imports/people/a.csv.gz", "imports/people/B.CSV.zst", "imports/people/C.CSV"] {
        s3.put_object().bucket("bucket").key(key).body(ByteStream::from_static(b"x")).send().await.unwrap();
    }
    assert_eq!(sent.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn objects_elsewhere_raise_no_event() {
    let (sqs, sent) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    let rejects = "imports/people/a.csv.s3-0123456789abcdef0123456789abcdef.1.rejects";
    for key in ["uploads/people.csv", "imports/people/readme.txt", "people.csv", rejects] {
        s3.put_object().bucket("bucket").key(key).body(ByteStream::from_static(b"x")).send().await.unwrap();
    }
    assert_eq!(*sent.lock().unwrap(), Vec::<Value>::new());
}

#[tokio::test]
async fn an_object_stands_though_it_could_not_be_announced() {
    let failing: Call = Arc::new(|_, _| {
        let error = AwsError { code: "InternalFailure".to_owned(), message: "disk".to_owned(), status: 500 };
        Box::pin(async { Err(error) })
    });
    let front = Front::start(failing).await;
    let s3 = front.s3(SECRET).await;
    s3.put_object()
        .bucket("bucket")
        .key("imports/people/a.csv")
        .body(ByteStream::from_static(b"x"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        s3.head_object().bucket("bucket").key("imports/people/a.csv").send().await.unwrap().content_length(),
        Some(1)
    );
}

#[tokio::test]
async fn a_request_with_a_wrong_signature_is_refused() {
    let (sqs, sent) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3("another secret").await;
    let put =
        s3.put_object().bucket("bucket").key("imports/people/a.csv").body(ByteStream::from_static(b"x"));
    assert_eq!(put.send().await.unwrap_err().code(), Some("SignatureDoesNotMatch"));
    assert!(sent.lock().unwrap().is_empty());
    let answer = front.http("GET /bucket/imports/people/a.csv HTTP/1.1", &[], "").await;
    assert_eq!(answer.status, 403, "{}", answer.body);
}

#[tokio::test]
async fn a_key_that_leads_out_of_its_bucket_is_refused() {
    let (sqs, _) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    for key in ["../bucket2/a.csv", "a/../../b.csv", "a//b.csv"] {
        let put = s3.put_object().bucket("bucket").key(key).body(ByteStream::from_static(b"x")).send().await;
        assert_eq!(put.unwrap_err().code(), Some("InvalidArgument"), "{key}");
        let copy =
            s3.copy_object().bucket("bucket").key("c.csv").copy_source(format!("bucket/{key}")).send().await;
        assert_eq!(copy.unwrap_err().code(), Some("InvalidArgument"), "{key}");
    }
    let error = s3
        .put_bucket_versioning()
        .bucket("bucket")
        .versioning_configuration(aws_sdk_s3::types::VersioningConfiguration::builder().build())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("NotImplemented"));
}

#[tokio::test]
async fn a_bucket_that_holds_objects_is_not_deleted() {
    let (sqs, _) = recording();
    let front = Front::start(sqs).await;
    let s3 = front.s3(SECRET).await;
    s3.put_object().bucket("bucket").key("a/b.csv").body(ByteStream::from_static(b"x")).send().await.unwrap();
    let error = s3.delete_bucket().bucket("bucket").send().await.unwrap_err();
    assert_eq!(error.code(), Some("BucketNotEmpty"));
    s3.delete_object().bucket("bucket").key("a/b.csv").send().await.unwrap();
    s3.delete_bucket().bucket("bucket").send().await.unwrap();
    let error = s3.delete_bucket().bucket("bucket").send().await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchBucket"));
}
