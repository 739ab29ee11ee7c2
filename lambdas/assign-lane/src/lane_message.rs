//! A record of an SQS event as it goes on to the queue of lanes: the body and the attributes of its sender as they were, its
//! lane as group, and its own id in its deduplication id, so that a record that comes twice is one message there.

use std::num::NonZeroU32;

use aws_lambda_events::event::sqs::{SqsMessage, SqsMessageAttribute};
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use lambda_shared::{BrokenEvent, set};
use statemachine::TraceHeader;

use crate::lane::{self, Asks};

/// How many messages a request may have, and how many bytes all of them together. Source: `SendMessageBatch`, SQS API
/// reference.
const MAX_ENTRIES: usize = 10;
const MAX_BATCH_BYTES: usize = 1_048_576;

/// A message on its way into its lane.
#[derive(Clone, Debug)]
pub(crate) struct LaneMessage {
    pub(crate) message_id: String,
    pub(crate) asks: Asks,
    body: String,
    attributes: Vec<(String, MessageAttributeValue)>,
    trace_header: Option<String>,
    trace: Option<TraceHeader>,
    /// What SQS counts: the body, and name, type and value of each attribute.
    bytes: usize,
}

impl LaneMessage {
    pub(crate) fn of(record: SqsMessage, lanes: NonZeroU32) -> Result<Self, BrokenEvent> {
        let message_id = set(record.message_id, "messageId")?;
        let body = set(record.body, "body")?;
        let arn = set(record.event_source_arn, "eventSourceARN")?;
        if arn.ends_with(".fifo") {
            return Err(BrokenEvent::FifoQueue { arn });
        }
        let mut bytes = body.len();
        let mut attributes = Vec::new();
        for (name, given) in record.message_attributes {
            bytes += name.len();
            attributes.push((name, attribute(given, &mut bytes)?));
        }
        let asks = lane::of(&message_id, &body, lanes);
        let trace_header = record.attributes.get("AWSTraceHeader").cloned();
        let trace = trace_header.as_ref().and_then(|header| header.parse().ok());
        Ok(Self { message_id, asks, body, attributes, trace_header, trace, bytes })
    }

    /// The trace that it belongs to, where its header names one.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.trace.as_ref().map(TraceHeader::trace_id)
    }

    /// The message as an entry of a request, where it asks for something.
    fn entry(&self, id: usize) -> Option<SendMessageBatchRequestEntry> {
        let Asks::For { lane, .. } = &self.asks else { return None };
        let mut entry = SendMessageBatchRequestEntry::builder()
            .id(id.to_string())
            .message_body(&self.body)
            .message_group_id(lane)
            .message_deduplication_id(statemachine::lane::deduplication_id(&self.message_id));
        for (name, value) in &self.attributes {
            entry = entry.message_attributes(name, value.clone());
        }
        if let Some(header) = &self.trace_header {
            let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header);
            let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
            entry = entry.message_system_attributes(name, value.build().ok()?);
        }
        entry.build().ok()
    }
}

fn attribute(given: SqsMessageAttribute, bytes: &mut usize) -> Result<MessageAttributeValue, BrokenEvent> {
    let data_type = given.data_type.ok_or(BrokenEvent::Attribute)?;
    let binary = given.binary_value.map(|data| data.0);
    *bytes += data_type.len();
    *bytes += given.string_value.as_ref().map_or(0, String::len) + binary.as_ref().map_or(0, Vec::len);
    MessageAttributeValue::builder()
        .data_type(data_type)
        .set_string_value(given.string_value)
        .set_binary_value(binary.map(Blob::new))
        .build()
        .map_err(|_| BrokenEvent::Attribute)
}

/// Requests that SQS takes: ten messages at most, and a MiB at most, which a batch of ten from a queue may well exceed.
/// The id of an entry is the place of its message.
pub(crate) fn requests(messages: &[LaneMessage]) -> Vec<Vec<SendMessageBatchRequestEntry>> {
    let mut requests: Vec<Vec<_>> = Vec::new();
    let mut room = 0;
    for (place, message) in messages.iter().enumerate() {
        let Some(entry) = message.entry(place) else { continue };
        match requests.last_mut() {
            Some(last) if last.len() < MAX_ENTRIES && message.bytes <= room => last.push(entry),
            _ => {
                room = MAX_BATCH_BYTES;
                requests.push(vec![entry]);
            }
        }
        room = room.saturating_sub(message.bytes);
    }
    requests
}
