//! SendMessage and SendMessageBatch.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::attributes::{MAX_DELAY_S, MAX_MESSAGE_BYTES};
use super::batch;
use super::contents::{check_characters, check_id};
use super::fault::{Fault, invalid_value, missing_parameter};
use super::message::{Stored, sequence_number};
use super::message_attributes::{MessageAttributes, WireAttributes, md5_of};
use super::queue::{Call, Queue};
use super::schema::deduplications;
use crate::wire::AwsError;

/// For how long a FIFO queue knows a deduplication id.
const DEDUPLICATION_MS: i64 = 5 * 60 * 1000;
/// A trace header has three short fields; nobody needs more.
const MAX_TRACE_HEADER_BYTES: usize = 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SendMessage {
    queue_url: String,
    message_body: String,
    delay_seconds: Option<i64>,
    message_attributes: Option<WireAttributes>,
    message_system_attributes: Option<WireAttributes>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SendMessageBatch {
    queue_url: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    id: String,
    message_body: String,
    delay_seconds: Option<i64>,
    message_attributes: Option<WireAttributes>,
    message_system_attributes: Option<WireAttributes>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

/// What a sender wants sent, unproven.
struct Draft {
    body: String,
    delay_s: Option<i64>,
    attributes: Option<WireAttributes>,
    system_attributes: Option<WireAttributes>,
    deduplication_id: Option<String>,
    group_id: Option<String>,
}

/// What can be sent.
struct Outgoing {
    body: String,
    delay_s: i64,
    attributes: MessageAttributes,
    trace_header: Option<String>,
    md5_of_system_attributes: Option<String>,
    deduplication_id: Option<String>,
    group_id: Option<String>,
}

pub(super) fn send_message(call: &mut Call, request: SendMessage) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    let draft = Draft {
        body: request.message_body,
        delay_s: request.delay_seconds,
        attributes: request.message_attributes,
        system_attributes: request.message_system_attributes,
        deduplication_id: request.message_deduplication_id,
        group_id: request.message_group_id,
    };
    let outgoing = Outgoing::check(&queue, draft)?;
    Ok(Value::Object(outgoing.send(call, &queue)?))
}

pub(super) fn send_message_batch(call: &mut Call, request: SendMessageBatch) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    batch::check("SendMessageBatch", request.entries.iter().map(|entry| entry.id.as_str()))?;
    let mut bytes = 0;
    let mut messages = Vec::new();
    for entry in request.entries {
        let draft = Draft {
            body: entry.message_body,
            delay_s: entry.delay_seconds,
            attributes: entry.message_attributes,
            system_attributes: entry.message_system_attributes,
            deduplication_id: entry.message_deduplication_id,
            group_id: entry.message_group_id,
        };
        bytes += draft.body.len();
        let outgoing = Outgoing::check(&queue, draft);
        bytes += outgoing.as_ref().map_or(0, |outgoing| outgoing.attributes.bytes());
        messages.push((entry.id, outgoing));
    }
    if exceeds(bytes, MAX_MESSAGE_BYTES) {
        let message = format!(
            "Batch requests cannot be longer than {MAX_MESSAGE_BYTES} bytes. You have sent {bytes} bytes."
        );
        return Err(AwsError::client("BatchRequestTooLong", message).into());
    }
    let mut results = batch::Results::default();
    for (id, outgoing) in messages {
        let sent = outgoing.map_err(Fault::from).and_then(|outgoing| outgoing.send(call, &queue));
        results.add(&id, sent)?;
    }
    Ok(results.into_value())
}

impl Outgoing {
    fn check(queue: &Queue, draft: Draft) -> Result<Self, AwsError> {
        let fifo = queue.attributes.fifo;
        if draft.body.is_empty() {
            return Err(missing_parameter("MessageBody"));
        }
        let delay_s = check_delay(queue, draft.delay_s)?;
        let (trace_header, md5_of_system_attributes) = check_system_attributes(draft.system_attributes)?;
        let attributes = MessageAttributes::parse(draft.attributes.unwrap_or_default())?;
        let limit = queue.attributes.maximum_message_bytes;
        if exceeds(draft.body.len() + attributes.bytes(), limit) {
            let message = format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
            );
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        check_characters(&draft.body)?;
        match &draft.group_id {
            // A standard queue takes it too, to be fair between groups; with one stack's load there is no unfairness.
            Some(group_id) => check_id("MessageGroupId", group_id)?,
            None if fifo => return Err(missing_parameter("MessageGroupId")),
            None => {}
        }
        let deduplication_id = match draft.deduplication_id {
            Some(id) if fifo => {
                check_id("MessageDeduplicationId", &id)?;
                Some(id)
            }
            Some(id) => {
                let reason = "The request include parameter that is not valid for this queue type.";
                return Err(invalid_value("MessageDeduplicationId", id, reason));
            }
            None if queue.attributes.content_based_deduplication => {
                Some(format!("{:x}", Sha256::digest(draft.body.as_bytes())))
            }
            None if fifo => {
                return Err(AwsError::client(
                    "InvalidParameterValue",
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
                     explicitly",
                ));
            }
            None => None,
        };
        Ok(Self {
            body: draft.body,
            delay_s,
            attributes,
            trace_header,
            md5_of_system_attributes,
            deduplication_id,
            group_id: draft.group_id,
        })
    }

    fn send(self, call: &mut Call, queue: &Queue) -> Result<Map<String, Value>, Fault> {
        let mut answer = Map::new();
        answer.insert("MD5OfMessageBody".to_owned(), json!(md5_of(&self.body)));
        if let Some(md5) = self.attributes.md5() {
            answer.insert("MD5OfMessageAttributes".to_owned(), json!(md5));
        }
        if let Some(md5) = &self.md5_of_system_attributes {
            answer.insert("MD5OfMessageSystemAttributes".to_owned(), json!(md5));
        }
        let known = match &self.deduplication_id {
            Some(id) => find_duplicate(call, queue, id)?,
            None => None,
        };
        let (message_id, sequence) = match known {
            Some(known) => known,
            None => self.store(call, queue)?,
        };
        answer.insert("MessageId".to_owned(), json!(message_id));
        if queue.attributes.fifo {
            answer.insert("SequenceNumber".to_owned(), json!(sequence_number(sequence)));
        }
        Ok(answer)
    }

    fn store(self, call: &mut Call, queue: &Queue) -> Result<(String, i64), Fault> {
        let stored = Stored {
            queue_id: queue.id,
            message_id: uuid::Uuid::new_v4().to_string(),
            attributes: self.attributes.to_json(),
            body: self.body,
            trace_header: self.trace_header,
            group_id: self.group_id,
            deduplication_id: self.deduplication_id,
            sent_at: call.now,
            visible_at: call.now + self.delay_s * 1000,
            first_received_at: None,
            receive_count: 0,
            receives_here: 0,
            receipt: None,
            source_arn: None,
        };
        let sequence = stored.insert(call)?;
        if let Some(id) = &stored.deduplication_id {
            diesel::insert_into(deduplications::table)
                .values((
                    deduplications::queue_id.eq(queue.id),
                    deduplications::deduplication_id.eq(id),
                    deduplications::message_id.eq(&stored.message_id),
                    deduplications::sequence.eq(sequence),
                    deduplications::sent_at.eq(call.now),
                ))
                .execute(call.db)?;
        }
        Ok((stored.message_id, sequence))
    }
}

/// The message that was sent with this deduplication id in the last five minutes. It may be gone from the queue.
fn find_duplicate(call: &mut Call, queue: &Queue, id: &str) -> Result<Option<(String, i64)>, Fault> {
    diesel::delete(deduplications::table)
        .filter(deduplications::sent_at.le(call.now - DEDUPLICATION_MS))
        .execute(call.db)?;
    let known = deduplications::table
        .find((queue.id, id))
        .select((deduplications::message_id, deduplications::sequence))
        .first(call.db)
        .optional()?;
    Ok(known)
}

fn check_delay(queue: &Queue, asked: Option<i64>) -> Result<i64, AwsError> {
    let Some(delay_s) = asked else {
        return Ok(queue.attributes.delay_s);
    };
    if !(0..=MAX_DELAY_S).contains(&delay_s) {
        return Err(invalid_value("DelaySeconds", delay_s, "DelaySeconds must be >= 0 and <= 900."));
    }
    if queue.attributes.fifo && delay_s > 0 {
        let reason = "The request include parameter that is not valid for this queue type.";
        return Err(invalid_value("DelaySeconds", delay_s, reason));
    }
    Ok(if queue.attributes.fifo { queue.attributes.delay_s } else { delay_s })
}

/// The only system attribute that can be sent is a trace header: its text and its digest.
fn check_system_attributes(
    wire: Option<WireAttributes>,
) -> Result<(Option<String>, Option<String>), AwsError> {
    let attributes = MessageAttributes::parse(wire.unwrap_or_default())?;
    if attributes.is_empty() {
        return Ok((None, None));
    }
    let md5 = attributes.md5();
    let header =
        attributes.into_only_text("AWSTraceHeader").filter(|text| text.len() <= MAX_TRACE_HEADER_BYTES);
    match header {
        Some(header) => Ok((Some(header), md5)),
        None => Err(AwsError::client(
            "InvalidParameterValue",
            "The only message system attribute that can be sent is AWSTraceHeader, a String with an X-Ray trace header.",
        )),
    }
}

fn exceeds(bytes: usize, limit: i64) -> bool {
    i64::try_from(bytes).map_or(true, |bytes| bytes > limit)
}
