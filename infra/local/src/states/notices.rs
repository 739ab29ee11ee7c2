//! The event that EventBridge would carry when an execution's status changes.
//!
//! Source: "Automating Step Functions event delivery with EventBridge", Step Functions developer guide.

use serde_json::{Value, json};

use super::execution::{Execution, Status};
use super::time::Timestamp;

/// More than this, escaped, and input or output is left out of the event, in bytes.
const MAX_PAYLOAD_BYTES: usize = 248 * 1024;

/// The event of an execution that has this status now.
pub(super) fn status_change(
    execution: &Execution,
    status: Status,
    input: &str,
    account: &str,
    event_id: &str,
    now: Timestamp,
) -> Value {
    let identity = &execution.identity;
    // A step can both start and close an execution; each event tells of its own moment.
    let closed = status != Status::Running;
    let stopped = execution.stopped.filter(|_| closed);
    let output = execution.output.as_ref().filter(|_| closed).map(Value::to_string);
    let output_bytes = output.as_deref().map_or(0, escaped_bytes);
    let has_output = output.is_some();
    let output = output.filter(|_| output_bytes <= MAX_PAYLOAD_BYTES);
    let includes_input = escaped_bytes(input) + output_bytes <= MAX_PAYLOAD_BYTES;
    let redrivable = match (closed, execution.redrivable(now)) {
        (true, Ok(())) => ("REDRIVABLE", Value::Null),
        (true, Err(reason)) => ("NOT_REDRIVABLE", reason.to_string().into()),
        (false, _) => ("NOT_REDRIVABLE", super::execution::NotRedrivable::Running.to_string().into()),
    };
    json!({
        "version": "0",
        "id": event_id,
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": account,
        "time": now.to_iso_seconds(),
        "region": identity.region,
        "resources": [identity.arn],
        "detail": {
            "executionArn": identity.arn,
            "stateMachineArn": identity.machine_arn,
            "stateMachineVersionArn": null,
            "stateMachineAliasArn": null,
            "name": identity.name,
            "status": status.as_str(),
            "startDate": execution.started.millis(),
            "stopDate": stopped.map(Timestamp::millis),
            "input": includes_input.then_some(input),
            "inputDetails": {"included": includes_input},
            "outputDetails": has_output.then(|| json!({"included": output.is_some()})),
            "output": output,
            "error": execution.error.as_ref().filter(|_| closed),
            "cause": execution.cause.as_ref().filter(|_| closed),
            "redriveCount": execution.redrive_count,
            "redriveDate": execution.redriven.map(Timestamp::millis),
            "redriveStatus": redrivable.0,
            "redriveStatusReason": redrivable.1,
        }
    })
}

fn escaped_bytes(text: &str) -> usize {
    super::limits::bytes_of(&Value::from(text))
}
