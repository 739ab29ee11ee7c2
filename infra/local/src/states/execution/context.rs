//! The context object, `$states.context`. Source: "Accessing execution data from the Context object", Step Functions
//! developer guide.

use serde_json::{Value, json};

use super::{Current, Execution};

/// The context object while `current` is executed; `token` is the attempt's, where it has one.
pub(super) fn context(execution: &Execution, current: &Current, token: Option<&str>) -> Value {
    let identity = &execution.identity;
    let mut context = json!({
        "Execution": {
            "Id": identity.arn,
            "Input": execution.input,
            "Name": identity.name,
            "RoleArn": identity.role_arn,
            "StartTime": execution.started.to_iso(),
            "RedriveCount": execution.redrive_count,
        },
        "StateMachine": {"Id": identity.machine_arn, "Name": identity.machine_name},
        "State": {
            "Name": current.name,
            "EnteredTime": current.entered.to_iso(),
            "RetryCount": current.retries.iter().sum::<u32>(),
        },
    });
    if let Some(redriven) = execution.redriven {
        context["Execution"]["RedriveTime"] = redriven.to_iso().into();
    }
    if let Some(token) = token {
        context["Task"] = json!({"Token": token});
    }
    context
}
