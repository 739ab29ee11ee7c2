//! What becomes of one message. Whatever fails here concerns this message alone, and errs on the side of keeping it.

use std::fmt;

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::types::ExecutionStatus;
use statemachine::{Body, ExecutionInput, ExecutionName, Message, parse_body};
use tracing::info;

use crate::config::StateMachineArn;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Lambda deletes it: there is nothing left to do.
    Acknowledged,
    /// Its execution has it.
    Held,
    /// It comes again after its visibility timeout, and in the end to the dead-letter queue.
    Left,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acknowledged => "acknowledged",
            Self::Held => "held",
            Self::Left => "left",
        })
    }
}

/// Decides on one message, and writes its line into the log.
pub(crate) async fn decide(client: &Client, machine: &StateMachineArn, message: Message) -> Decision {
    let message_id = message.id.clone();
    let input = match parse_body(&message.body) {
        Ok(Body::Import(import)) => ExecutionInput::of_import(import, message),
        Ok(Body::S3TestEvent) => {
            let decision = Decision::Acknowledged;
            info!(
                message.id = message_id,
                decision = %decision,
                "Message {message_id} is {decision}: S3 tests a new notification"
            );
            return decision;
        }
        Err(invalid) => ExecutionInput::of_invalid(invalid, message),
    };
    let import_id = input.import.as_ref().map(|import| import.import_id.as_str());
    let name = input.name();
    let (decision, why) = match input.to_json() {
        Ok(json) => start(client, machine, &name, json).await,
        Err(too_large) => (Decision::Left, too_large.to_string()),
    };
    info!(
        message.id = message_id,
        import.id = import_id,
        execution.name = name.as_str(),
        decision = %decision,
        "Message {message_id} is {decision}: {why}"
    );
    decision
}

/// Says in the log that a message was not looked at, because an earlier one of its group stays in the queue.
pub(crate) fn leave_behind(message_id: &str) {
    let decision = Decision::Left;
    info!(
        message.id = message_id,
        decision = %decision,
        "Message {message_id} is {decision}: an earlier message of its group stays in the queue"
    );
}

async fn start(
    client: &Client,
    machine: &StateMachineArn,
    name: &ExecutionName,
    input: String,
) -> (Decision, String) {
    let started =
        client.start_execution().state_machine_arn(machine.as_str()).name(name.as_str()).input(input).send();
    match started.await {
        Ok(_) => (Decision::Held, "its execution runs".to_owned()),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_execution_already_exists()) => {
            known(client, &machine.execution(name.as_str())).await
        }
        Err(error) => (Decision::Left, format!("StartExecution failed: {}", code(&error))),
    }
}

/// The message was here before: what its execution has come to decides.
async fn known(client: &Client, execution_arn: &str) -> (Decision, String) {
    let execution = match client.describe_execution().execution_arn(execution_arn).send().await {
        Ok(execution) => execution,
        Err(error) => return (Decision::Left, format!("DescribeExecution failed: {}", code(&error))),
    };
    let status = execution.status();
    let decision = match status {
        ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Decision::Held,
        ExecutionStatus::Succeeded => Decision::Acknowledged,
        // FAILED, TIMED_OUT, ABORTED: dead-lettered by the status-change event or, if that was lost, by the queue.
        _ => Decision::Left,
    };
    (decision, format!("its execution is {status}", status = status.as_str()))
}

/// The name of an error. Its message is left out: it may quote the request.
fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(service) => {
            service.err().code().unwrap_or("an error without a name").to_owned()
        }
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(_) => "no connection".to_owned(),
        SdkError::ResponseError(_) => "an answer that cannot be read".to_owned(),
        _ => "the request could not be built".to_owned(),
    }
}
