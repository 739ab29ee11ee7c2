//! The event notification: "a CSV, as it is or compressed, was created under `imports/`" becomes a message. Which keys
//! these are is the contract's to say; objects elsewhere, such as those that `baton` itself uploads before it sends a
//! message that names them, and rejects files, are not announced.
//! Source of the form: "Event message structure", Amazon S3 user guide, version 2.1.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{SecondsFormat, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tracing::{error, info};
use uuid::Uuid;

use crate::wire::Call;

/// What S3 leaves as it is in the keys of events; a space becomes `+`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'*');

/// Where created objects are announced.
pub struct Notification {
    region: String,
    queue_url: String,
    sqs: Call,
    /// Of the last event. Events of one key are ordered by it.
    sequencer: AtomicU64,
}

/// An object that was created.
pub(super) struct Created {
    /// The event's name behind `ObjectCreated:`.
    pub(super) how: &'static str,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) size: i64,
    pub(super) e_tag: String,
}

impl Notification {
    /// Announces objects to this queue, with `SendMessage` of `sqs`.
    #[must_use]
    pub fn new(region: &str, queue_url: &str, sqs: Call) -> Self {
        Self {
            region: region.to_owned(),
            queue_url: queue_url.to_owned(),
            sqs,
            sequencer: AtomicU64::default(),
        }
    }

    /// Whether objects of this key are announced.
    pub(super) fn concerns(key: &str) -> bool {
        statemachine::is_import_key(key)
    }

    /// Sends the event. The object has been created whatever becomes of it.
    pub(super) async fn announce(&self, created: Created) {
        let body = self.event(&created).to_string();
        let message = json!({"QueueUrl": self.queue_url, "MessageBody": body});
        let Created { bucket, key, .. } = created;
        match (self.sqs)("SendMessage", message).await {
            Ok(_) => info!("Announced s3://{bucket}/{key} to {}", self.queue_url),
            Err(error) => error!("Failed to announce s3://{bucket}/{key} to {}: {error}", self.queue_url),
        }
    }

    fn event(&self, created: &Created) -> Value {
        let Created { how, bucket, key, size, e_tag } = created;
        let key = utf8_percent_encode(key, ENCODED).to_string().replace("%20", "+");
        json!({"Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            "eventName": format!("ObjectCreated:{how}"),
            "userIdentity": {"principalId": "local"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {
                "x-amz-request-id": Uuid::new_v4().simple().to_string(),
                "x-amz-id-2": "local",
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "imports",
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": "local"},
                    "arn": format!("arn:aws:s3:::{bucket}"),
                },
                "object": {"key": key, "size": size, "eTag": e_tag, "sequencer": self.next_sequencer()},
            },
        }]})
    }

    /// The time, so that the order outlives a restart; never the same twice.
    fn next_sequencer(&self) -> String {
        let now = u64::try_from(Utc::now().timestamp_micros()).unwrap_or_default();
        let next = |last: u64| Some(now.max(last + 1));
        let last = self.sequencer.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        // The closure never declines, so this is what was stored before.
        format!("{:016X}", now.max(last.unwrap_or_else(|last| last) + 1))
    }
}
