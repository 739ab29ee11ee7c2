//! SQS, through the AWS SDK and optimised.

use serde_json::{Value, json};

use super::{CallOutcome, failure_of};
use crate::states::services::Services;

/// An operation of `aws-sdk:sqs`.
pub(super) async fn call(services: &Services, operation: &'static str, arguments: Value) -> CallOutcome {
    match (services.sqs)(operation, arguments).await {
        // An answer without content is an empty object.
        Ok(Value::Null) => CallOutcome::Succeeded(json!({})),
        Ok(output) => CallOutcome::Succeeded(output),
        Err(error) => CallOutcome::Failed(failure_of("Sqs", &error)),
    }
}

/// The optimised `sqs:sendMessage`: its `MessageBody` may be any JSON, which is sent as text.
pub(super) async fn send_message(services: &Services, mut arguments: Value) -> CallOutcome {
    if let Some(body) = arguments.get_mut("MessageBody")
        && !body.is_string()
    {
        *body = Value::String(body.to_string());
    }
    match (services.sqs)("SendMessage", arguments).await {
        Ok(output) => CallOutcome::Succeeded(output),
        Err(error) => CallOutcome::Failed(failure_of("SQS", &error)),
    }
}
