//! The wire: AWS JSON 1.0, `X-Amz-Target: AWSStepFunctions.<operation>`. Shapes and error names are those of the
//! service's model; what is not implemented is refused by name.

mod executions;
mod history;
mod machines;
mod tokens;

use std::sync::Arc;

use serde_json::Value;

use super::States;
use crate::wire::AwsError;

/// The longest list on one page, and its length where the caller does not say.
const MAX_PAGE: i64 = 1000;
const DEFAULT_PAGE: i64 = 100;

impl States {
    /// Answers one operation.
    ///
    /// # Errors
    /// [`AwsError`], as AWS has it.
    pub async fn call(self: &Arc<Self>, operation: &str, body: Value) -> Result<Value, AwsError> {
        match operation {
            "StartExecution" => self.start_execution(body),
            "DescribeExecution" => self.describe_execution(body),
            "ListExecutions" => self.list_executions(body),
            "StopExecution" => self.stop_execution(body),
            "RedriveExecution" => self.redrive_execution(body),
            "GetExecutionHistory" => self.get_execution_history(body),
            "SendTaskSuccess" => self.send_task_success(body),
            "SendTaskFailure" => self.send_task_failure(body),
            "SendTaskHeartbeat" => self.send_task_heartbeat(body),
            "DescribeStateMachine" => self.describe_state_machine(body),
            "DescribeStateMachineForExecution" => self.describe_state_machine_for_execution(body),
            "ListStateMachines" => self.list_state_machines(body),
            "ValidateStateMachineDefinition" => machines::validate_definition(body),
            other => Err(AwsError::not_implemented("states", other)),
        }
    }

    /// Refuses an ARN that is none of a state machine here.
    fn check_machine_arn(&self, arn: &str) -> Result<(), AwsError> {
        self.check_arn(arn, "stateMachine", 1)
    }

    /// Refuses an ARN that is none of an execution here.
    fn check_execution_arn(&self, arn: &str) -> Result<(), AwsError> {
        self.check_arn(arn, "execution", 2)
    }

    fn check_arn(&self, arn: &str, kind: &str, names: usize) -> Result<(), AwsError> {
        let invalid =
            || AwsError::client("InvalidArn", format!("Invalid Arn: '{}'", super::limits::cut(arn, 256)));
        let rest = arn.strip_prefix("arn:aws:states:").ok_or_else(invalid)?;
        let parts: Vec<&str> = rest.split(':').collect();
        match parts.as_slice() {
            [_, _, found, rest @ ..] if *found == kind && rest.len() == names => {
                if rest.iter().all(|name| is_name(name)) { Ok(()) } else { Err(invalid()) }
            }
            _ => Err(invalid()),
        }
    }
}

/// Whether this can be the name of a machine or of an execution: 1 to 80 characters, without those that AWS excludes.
pub(super) fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| {
        !c.is_whitespace()
            && !c.is_control()
            && !"<>{}[]?*\"#%\\^|~`$&,;:/".contains(c)
            && !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{10ffff}')
    };
    (1..=80).contains(&name.chars().count()) && name.chars().all(is_allowed)
}

/// How many items a page has; 0 asks for the usual number.
fn page_size(asked: Option<i64>) -> Result<i64, AwsError> {
    match asked {
        None | Some(0) => Ok(DEFAULT_PAGE),
        Some(size) if (1..=MAX_PAGE).contains(&size) => Ok(size),
        Some(size) => Err(invalid(format!("maxResults is {size}, which is not from 0 to {MAX_PAGE}"))),
    }
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("ValidationException", message)
}

fn invalid_page() -> AwsError {
    AwsError::client("InvalidToken", "Invalid Token: 'nextToken is none of this list'")
}

/// Refuses an error or a cause that is longer than the model allows.
fn check_failure(error: Option<&str>, cause: Option<&str>) -> Result<(), AwsError> {
    use super::limits::{MAX_CAUSE_CHARS, MAX_ERROR_CHARS};
    for (field, text, most) in [("error", error, MAX_ERROR_CHARS), ("cause", cause, MAX_CAUSE_CHARS)] {
        if text.is_some_and(|text| text.chars().count() > most) {
            return Err(invalid(format!("{field} has more than {most} characters")));
        }
    }
    Ok(())
}

/// Adds a field where there is something to say.
fn put(answer: &mut Value, field: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        answer[field] = value.into();
    }
}
