use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use axum::body::Bytes;

use super::*;
use crate::{Backend, TestStack};

const KEY: &str = "uploads/a.csv";

/// A stack, its front, and a client of S3 that knows only the front and tries once.
async fn behind_front() -> (TestStack, aws_sdk_s3::Client) {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    let config = stack.s3.config().to_builder().endpoint_url(stack.front().endpoint()).force_path_style(true);
    let config = config.retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled());
    (stack, aws_sdk_s3::Client::from_conf(config.build()))
}

async fn read(s3: &aws_sdk_s3::Client) -> Result<Bytes, Option<String>> {
    let response = s3.get_object().bucket("baton").key(KEY).send().await;
    let response = response.map_err(|error| error.code().map(str::to_owned))?;
    response.body.collect().await.map(|body| body.into_bytes()).map_err(|_| None)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_pass_as_they_are_and_chosen_ones_are_answered_in_their_services_form() {
    let (stack, s3) = behind_front().await;
    let front = stack.front();
    // The signature of this covers the host and the body.
    s3.put_object().bucket("baton").key(KEY).body(ByteStream::from_static(b"id\n1\n")).send().await.unwrap();
    assert_eq!(read(&s3).await.unwrap(), "id\n1\n");

    front.answer_times(1, |asked| asked.reads(KEY), Answer::Error { status: 503, code: "SlowDown" });
    assert_eq!(read(&s3).await.unwrap_err().as_deref(), Some("SlowDown"));
    assert_eq!(read(&s3).await.unwrap(), "id\n1\n");

    front.answer(|asked| asked.reads(KEY), Answer::CutBody { after: 3 });
    assert_eq!(read(&s3).await, Err(None));
    front.no_more();
    assert_eq!(read(&s3).await.unwrap(), "id\n1\n");
    front.asked_times(4, |asked| asked.reads(KEY)).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_or_stalled_comes_when_it_may() {
    let (stack, s3) = behind_front().await;
    let front = stack.front();
    stack.put(KEY, "id\n1\n").await;
    let held = front.hold(|asked| asked.reads(KEY));
    let reading = tokio::spawn({
        let s3 = s3.clone();
        async move { read(&s3).await }
    });
    held.arrived().await;
    assert!(!reading.is_finished());
    held.release();
    assert_eq!(reading.await.unwrap().unwrap(), "id\n1\n");

    front.answer_times(1, |asked| asked.reads(KEY), Answer::StallBody { after: 3 });
    let mut body = s3.get_object().bucket("baton").key(KEY).send().await.unwrap().body;
    assert_eq!(body.next().await.unwrap().unwrap(), "id\n");
    assert!(tokio::time::timeout(Duration::from_millis(50), body.next()).await.is_err());
    stack.stop().await;
}
