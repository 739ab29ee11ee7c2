//! `ecs:runTask.sync`: a task is started, waited for until it has stopped, and stopped where nobody waits any longer.

use serde_json::{Value, json};

use super::{CallOutcome, case};
use crate::states::execution::Failure;
use crate::states::limits::{MAX_CAUSE_CHARS, cut};
use crate::states::services::Services;
use crate::wire::AwsError;

/// Starts a task. The envelope of `RunTask` is what `TaskSubmitted` records.
pub(super) async fn run_task(services: &Services, arguments: Value) -> CallOutcome {
    let mut request = case::camel(arguments);
    if let Some(request) = request.as_object_mut() {
        request.insert("startedBy".to_owned(), "AWS Step Functions".into());
    }
    let envelope = match (services.ecs)("RunTask", request).await {
        Ok(envelope) => outside(envelope),
        Err(error) => {
            let cause = format!("{} (Service: ECS, Status Code: {})", error.message, error.status);
            return CallOutcome::Failed(Failure::new(format!("ECS.{}", error.code), cause));
        }
    };
    let has_failures = envelope["Failures"].as_array().is_some_and(|failures| !failures.is_empty());
    if has_failures || envelope["Tasks"][0]["TaskArn"].as_str().is_none() {
        return CallOutcome::Failed(Failure::new("AmazonECS.Unknown", envelope.to_string()));
    }
    CallOutcome::Submitted(envelope)
}

/// Waits until the task has stopped. It has succeeded if every container, essential or not, exited with 0.
pub(super) async fn watch_task(services: &Services, submitted: &Value) -> CallOutcome {
    let Some(arn) = submitted["Tasks"][0]["TaskArn"].as_str() else {
        return CallOutcome::Failed(Failure::new("States.Runtime", "the envelope names no task"));
    };
    let task = match (services.ecs_stopped)(arn.to_owned()).await {
        Ok(task) => outside(task),
        // What became of the task will not be known: as good as dead.
        Err(error) => return CallOutcome::Failed(Failure::new("States.TaskFailed", error.to_string())),
    };
    let containers = task["Containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let succeeded = !containers.is_empty()
        && containers.iter().all(|container| container["ExitCode"].as_i64() == Some(0));
    if succeeded {
        CallOutcome::Succeeded(task)
    } else {
        let cause = task.to_string();
        CallOutcome::Failed(Failure::new("States.TaskFailed", cut(&cause, MAX_CAUSE_CHARS)))
    }
}

/// Stops the task, with the reason that AWS gives.
pub(super) async fn stop_task(
    services: &Services,
    submitted: &Value,
    execution_arn: &str,
) -> Result<(), AwsError> {
    let task = &submitted["Tasks"][0];
    let reason = format!(
        "The Task state in AWS Step Functions execution [{execution_arn}] which was managing this resource was aborted"
    );
    let request = json!({"cluster": task["ClusterArn"], "task": task["TaskArn"], "reason": reason});
    (services.ecs)("StopTask", request).await.map(|_| ())
}

/// An answer of ECS as Step Functions shows it: PascalCase, times in milliseconds.
fn outside(answer: Value) -> Value {
    case::with_times(case::pascal(answer), "At", &|seconds| case::millis(seconds).into())
}
