//! What a Task state's resource does: the call to the service beside this one, and its outcome in the words that Step
//! Functions has for it.

mod case;
mod ecs;
mod sfn;
mod sqs;

use serde_json::Value;

pub(crate) use self::sfn::call_itself;
use super::definition::Resource;
use super::execution::Failure;
use super::services::Services;
use crate::wire::AwsError;

/// What became of a call, or of a job.
pub(crate) enum CallOutcome {
    /// A job runs; it is to be waited for.
    Submitted(Value),
    /// It is done, with this result.
    Succeeded(Value),
    /// It failed.
    Failed(Failure),
}

/// Calls SQS or ECS. What is a call to this service itself is not for here: see [`call_itself`].
pub(crate) async fn invoke(services: &Services, resource: Resource, arguments: Value) -> CallOutcome {
    match resource {
        Resource::SqsChangeMessageVisibility => {
            sqs::call(services, "ChangeMessageVisibility", arguments).await
        }
        Resource::SqsDeleteMessage => sqs::call(services, "DeleteMessage", arguments).await,
        Resource::SqsSendMessage => sqs::send_message(services, arguments).await,
        Resource::EcsRunTaskSync => ecs::run_task(services, arguments).await,
        Resource::SfnDescribeExecution | Resource::SfnStartExecution => CallOutcome::Failed(Failure::new(
            "States.Runtime",
            "Step Functions itself is not called through the seam",
        )),
    }
}

/// Waits for a job that was submitted.
pub(crate) async fn watch(services: &Services, resource: Resource, submitted: &Value) -> CallOutcome {
    match resource {
        Resource::EcsRunTaskSync => ecs::watch_task(services, submitted).await,
        _ => CallOutcome::Failed(Failure::new("States.Runtime", "there is no job to wait for")),
    }
}

/// Stops a job that nobody waits for any longer. As on AWS, a failure to do so is nobody's failure.
pub(crate) async fn cancel(
    services: &Services,
    resource: Resource,
    submitted: &Value,
    execution_arn: &str,
) -> Result<(), AwsError> {
    match resource {
        Resource::EcsRunTaskSync => ecs::stop_task(services, submitted, execution_arn).await,
        _ => Ok(()),
    }
}

/// The failure of a call through `aws-sdk:` or an optimised integration: the service's prefix, then the error's code, which
/// ends in `Exception` whether or not the service's own does.
fn failure_of(prefix: &str, error: &AwsError) -> Failure {
    let suffix = if error.code.ends_with("Exception") { "" } else { "Exception" };
    let cause = format!("{} (Service: {prefix}, Status Code: {})", error.message, error.status);
    Failure::new(format!("{prefix}.{}{suffix}", error.code), cause)
}
