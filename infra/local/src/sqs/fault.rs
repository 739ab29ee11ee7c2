//! What SQS answers when it refuses, in its own words where they are known.

use crate::wire::AwsError;

/// Why an operation ended without a result.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The caller asked for what cannot be.
    #[error(transparent)]
    Refused(#[from] AwsError),
    /// The stack's own file failed.
    #[error("the queues' file failed")]
    Database(#[from] diesel::result::Error),
}

impl From<Fault> for AwsError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Database(error) => Self::internal(format!("the queues' file failed: {error}")),
        }
    }
}

/// A value in an error message, cut: a message must not grow with what a caller sends.
pub(super) fn shown(value: &str) -> String {
    const LONGEST: usize = 1024;
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

pub(super) fn invalid_value(parameter: &str, value: impl std::fmt::Display, reason: &str) -> AwsError {
    let value = shown(&value.to_string());
    AwsError::client(
        "InvalidParameterValue",
        format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"),
    )
}

pub(super) fn missing_parameter(name: &str) -> AwsError {
    AwsError::client("MissingParameter", format!("The request must contain the parameter {name}."))
}

pub(super) fn queue_does_not_exist() -> AwsError {
    AwsError::client("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(super) fn unknown_attribute(name: &str) -> AwsError {
    AwsError::client("InvalidAttributeName", format!("Unknown Attribute {}.", shown(name)))
}

pub(super) fn invalid_attribute(name: &str, reason: &str) -> AwsError {
    let reason = if reason.is_empty() { String::new() } else { format!(" Reason: {reason}") };
    AwsError::client("InvalidAttributeValue", format!("Invalid value for the parameter {name}.{reason}"))
}

/// What AWS has and this stack has not.
pub(super) fn unsupported(what: &str) -> AwsError {
    let message = format!("baton's embedded stack does not implement {what}");
    AwsError::client("UnsupportedOperation", message)
}

/// The value of the `x-amzn-query-error` header for an error of SQS: the code it had before SQS spoke JSON, and whose
/// fault it is. Clients that know SQS from then (boto3, the AWS CLI, the Rust SDK) take the error's code from it.
/// `None` for what is not SQS's own, such as an operation that does not exist.
#[must_use]
pub fn query_error_code(error: &AwsError) -> Option<String> {
    let code = match error.code.as_str() {
        "UnknownOperationException" | "ValidationException" => return None,
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        "QueueNameExists" => "QueueAlreadyExists",
        "BatchEntryIdsNotDistinct" => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "BatchRequestTooLong" => "AWS.SimpleQueueService.BatchRequestTooLong",
        "EmptyBatchRequest" => "AWS.SimpleQueueService.EmptyBatchRequest",
        "InvalidBatchEntryId" => "AWS.SimpleQueueService.InvalidBatchEntryId",
        "MessageNotInflight" => "AWS.SimpleQueueService.MessageNotInflight",
        "PurgeQueueInProgress" => "AWS.SimpleQueueService.PurgeQueueInProgress",
        "TooManyEntriesInBatchRequest" => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "UnsupportedOperation" => "AWS.SimpleQueueService.UnsupportedOperation",
        own => own,
    };
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    Some(format!("{code};{fault}"))
}
