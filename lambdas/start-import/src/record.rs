//! The edge: a record of an SQS event becomes a message with everything that the rest relies on.

use aws_lambda_events::event::sqs::SqsMessage;
use lambda_runtime::Diagnostic;
use statemachine::{Message, TraceHeader};

/// The event is not one that the function's queue sends. Nothing of the batch is touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenEvent {
    /// A field is missing that SQS always sets.
    #[error("a record of the event has no `{0}`: this is no event of SQS")]
    Missing(&'static str),
    /// The event source mapping reads another queue than the function is configured for.
    #[error("the event comes from {arn}, QUEUE_URL is {queue_url}")]
    OtherQueue {
        /// The queue that the event names.
        arn: String,
        /// The queue in the configuration.
        queue_url: String,
    },
}

impl From<BrokenEvent> for Diagnostic {
    fn from(error: BrokenEvent) -> Self {
        Self { error_type: "BrokenEvent".to_owned(), error_message: error.to_string() }
    }
}

/// The message that a record carries, once it is known to be one of the function's queue.
/// It belongs to the trace of its sender, or else of the invocation.
pub(crate) fn message_of(
    record: SqsMessage,
    queue_url: &str,
    of_invocation: Option<&TraceHeader>,
) -> Result<Message, BrokenEvent> {
    let set = |field: Option<String>, name| {
        field.filter(|value| !value.is_empty()).ok_or(BrokenEvent::Missing(name))
    };
    let id = set(record.message_id, "messageId")?;
    let receipt_handle = set(record.receipt_handle, "receiptHandle")?;
    let body = set(record.body, "body")?;
    let arn = set(record.event_source_arn, "eventSourceARN")?;
    // Executions would hold and delete their messages in a queue where they are not.
    if arn.rsplit(':').next() != queue_url.rsplit('/').next() {
        return Err(BrokenEvent::OtherQueue { arn, queue_url: queue_url.to_owned() });
    }
    // Standard queues know groups as well, for fairness; only a FIFO queue promises an order.
    let group_id = record.attributes.get("MessageGroupId").filter(|_| arn.ends_with(".fifo")).cloned();
    // Anybody who may send can write what they like there: what is no trace header names no trace.
    let of_message = record.attributes.get("AWSTraceHeader").and_then(|header| header.parse().ok());
    let trace_header = of_message.or_else(|| of_invocation.cloned());
    Ok(Message { id, body, receipt_handle, queue_url: queue_url.to_owned(), group_id, trace_header })
}
