//! Task tokens: success, failure, heartbeat. A token is the right to end a task; it never reaches a log or a message.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::check_failure;
use crate::states::States;
use crate::states::chance::is_well_formed_token;
use crate::states::execution::{Event, Failure, Refused};
use crate::states::limits::{MAX_DATA_BYTES, parse_json};
use crate::wire::{AwsError, parse};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Success {
    task_token: String,
    output: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Failed {
    task_token: String,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Heartbeat {
    task_token: String,
}

impl States {
    pub(super) fn send_task_success(self: &Arc<Self>, body: Value) -> Result<Value, AwsError> {
        let Success { task_token, output } = parse("SendTaskSuccess", body)?;
        if output.len() > MAX_DATA_BYTES {
            let message = format!("Invalid Output: it has more than {MAX_DATA_BYTES} bytes");
            return Err(AwsError::client("InvalidOutput", message));
        }
        let Some(output) = parse_json(&output) else {
            return Err(AwsError::client("InvalidOutput", "Invalid Output: it is not JSON that can be kept"));
        };
        self.of_token(&task_token, &Event::TokenSuccess { token: task_token.clone(), output })
    }

    pub(super) fn send_task_failure(self: &Arc<Self>, body: Value) -> Result<Value, AwsError> {
        let Failed { task_token, error, cause } = parse("SendTaskFailure", body)?;
        check_failure(error.as_deref(), cause.as_deref())?;
        let (token, failure) = (task_token.clone(), Failure { error, cause });
        let event = if self.stopped.is_cancelled() {
            Event::TokenInterrupted { token, failure }
        } else {
            Event::TokenFailure { token, failure }
        };
        self.of_token(&task_token, &event)
    }

    pub(super) fn send_task_heartbeat(self: &Arc<Self>, body: Value) -> Result<Value, AwsError> {
        let Heartbeat { task_token } = parse("SendTaskHeartbeat", body)?;
        self.of_token(&task_token, &Event::Heartbeat { token: task_token.clone() })
    }

    fn of_token(self: &Arc<Self>, token: &str, event: &Event) -> Result<Value, AwsError> {
        if !is_well_formed_token(token) {
            return Err(AwsError::client("InvalidToken", "Invalid Token: 'Invalid token'"));
        }
        let gone =
            || AwsError::client("TaskDoesNotExist", "Task Does Not Exist: 'Provided task does not exist'");
        let arn = self.repository.owner_of_token(token)?.ok_or_else(gone)?;
        let stepped = self.feed(&arn, event)?.ok_or_else(gone)?;
        match stepped.refused {
            Some(Refused::TaskTimedOut) => {
                Err(AwsError::client("TaskTimedOut", format!("Task Timed Out: '{}'", Refused::TaskTimedOut)))
            }
            _ => Ok(json!({})),
        }
    }
}
