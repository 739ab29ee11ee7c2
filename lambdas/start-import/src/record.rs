//! The edge: a record of an SQS event becomes a message with everything that the rest relies on.

use aws_lambda_events::event::sqs::SqsMessage;
use lambda_shared::{BrokenEvent, set};
use statemachine::{Message, TraceHeader, lane};

use crate::config::Config;

/// The message that a record carries, once it is known to be one of the function's queue.
/// It belongs to the trace of its sender, or else of the invocation.
pub(crate) fn message_of(
    record: SqsMessage,
    config: &Config,
    of_invocation: Option<&TraceHeader>,
) -> Result<Message, BrokenEvent> {
    let queue_url = &config.queue_url;
    let id = set(record.message_id, "messageId")?;
    let receipt_handle = set(record.receipt_handle, "receiptHandle")?;
    let body = set(record.body, "body")?;
    let arn = set(record.event_source_arn, "eventSourceARN")?;
    // Executions would hold and delete their messages in a queue where they are not.
    if arn.rsplit(':').next() != queue_url.rsplit('/').next() {
        return Err(BrokenEvent::OtherQueue { arn, queue_url: queue_url.clone() });
    }
    // Standard queues know groups as well, for fairness; only a FIFO queue promises an order.
    let group_id = record.attributes.get("MessageGroupId").filter(|_| arn.ends_with(".fifo")).cloned();
    // Only in the queue of lanes: of another queue the deduplication ids are its senders' own.
    let deduplication_id = record.attributes.get("MessageDeduplicationId").filter(|_| config.lanes);
    let sent_id = deduplication_id.and_then(|id| lane::sent_id(id)).map(str::to_owned);
    // Anybody who may send can write what they like there: what is no trace header names no trace.
    let of_message = record.attributes.get("AWSTraceHeader").and_then(|header| header.parse().ok());
    let trace_header = of_message.or_else(|| of_invocation.cloned());
    Ok(Message { id, body, receipt_handle, queue_url: queue_url.clone(), group_id, sent_id, trace_header })
}
