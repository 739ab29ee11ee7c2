//! The edge of an event: whether it is one that the function's queue sends.

use lambda_runtime::Diagnostic;

/// The event is not one that the function's queue sends. Nothing of the batch is touched: Lambda keeps all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenEvent {
    /// A field is missing that SQS always sets.
    #[error("a record of the event has no `{0}`: this is no event of SQS")]
    Missing(&'static str),
    /// What SQS has taken cannot be sent on.
    #[error("an attribute of a record is none that SQS takes")]
    Attribute,
    /// The event source mapping reads a FIFO queue, it may be that of the lanes itself.
    #[error("the event comes from {arn}: the groups of a FIFO queue are its senders' own")]
    FifoQueue {
        /// The queue that the event names.
        arn: String,
    },
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

/// A field of a record that SQS always sets.
///
/// # Errors
/// [`BrokenEvent::Missing`] where it is not there, or empty.
pub fn set(field: Option<String>, name: &'static str) -> Result<String, BrokenEvent> {
    field.filter(|value| !value.is_empty()).ok_or(BrokenEvent::Missing(name))
}

/// The URL of a queue, as a variable has it.
///
/// # Errors
/// What is wrong with it, to go on from the variable's name.
pub fn url(text: &str) -> Result<String, String> {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    if is_url { Ok(text.to_owned()) } else { Err(format!("is {text:?}, not a URL")) }
}
