//! How containers ended. One that ended by itself is in the execution's history for as long as that is kept, one that
//! reported in `import_attempts`; ECS, which forgets a stopped task after about an hour, is asked for the rest.

use std::collections::HashMap;

use aws_sdk_ecs::types::Task;
use serde_json::Value;

use crate::error::words_of_aws;
use crate::target::Target;

/// The most tasks that `DescribeTasks` takes.
const TASKS: usize = 100;

/// The end of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerEnd {
    pub(crate) exit_code: Option<i32>,
    /// Why the task was stopped, and what is known of the container's own end.
    pub(crate) stopped_reason: Option<String>,
}

impl ContainerEnd {
    /// From the cause of `States.TaskFailed`, which is the ECS task as JSON. It has the container's environment and with it
    /// the task token: nothing else is taken from it.
    pub(crate) fn in_cause(cause: &str) -> Option<Self> {
        let task: Value = serde_json::from_str(cause).ok().filter(Value::is_object)?;
        let container = &task["Containers"][0];
        let reasons = [task["StoppedReason"].as_str(), container["Reason"].as_str()];
        Some(Self {
            exit_code: container["ExitCode"].as_i64().and_then(|code| code.try_into().ok()),
            stopped_reason: joined(reasons),
        })
    }

    fn of(task: &Task) -> Self {
        let container = task.containers().first();
        let reasons =
            [task.stopped_reason.as_deref(), container.and_then(|container| container.reason.as_deref())];
        Self {
            exit_code: container.and_then(|container| container.exit_code),
            stopped_reason: joined(reasons),
        }
    }

    /// The end for a person.
    pub(crate) fn describe(&self) -> String {
        let code = self.exit_code.map(|code| format!("exit code {code}"));
        let told: Vec<_> = self.stopped_reason.iter().cloned().chain(code).collect();
        told.join(", ")
    }
}

/// The task's reason and the container's, of which a container that never started has one twice.
fn joined(reasons: [Option<&str>; 2]) -> Option<String> {
    match reasons {
        [Some(task), Some(container)] if task != container => Some(format!("{task}: {container}")),
        [task, container] => task.or(container).map(str::to_owned),
    }
}

/// What ECS remembers of these tasks, by their ARNs. Where it cannot be asked nothing is known, which keeps nobody from the
/// rest of the picture.
pub(crate) async fn remembered(target: &Target, arns: &[String]) -> HashMap<String, ContainerEnd> {
    let mut ends = HashMap::new();
    for some in arns.chunks(TASKS) {
        let asked = target
            .ecs
            .describe_tasks()
            .cluster(&target.resources.cluster_arn)
            .set_tasks(Some(some.to_vec()))
            .send()
            .await;
        match asked {
            Ok(described) => ends.extend(described.tasks().iter().filter_map(|task| {
                let is_stopped = task.last_status.as_deref() == Some("STOPPED");
                let arn = task.task_arn.clone().filter(|_| is_stopped)?;
                Some((arn, ContainerEnd::of(task)))
            })),
            Err(error) => {
                tracing::warn!(error = words_of_aws(&error), "Could not ask ECS for its tasks");
            }
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read_from_the_task_in_the_cause() {
        let end = |cause: &str| ContainerEnd::in_cause(cause).unwrap().describe();
        let killed = r#"{"StoppedReason":"Essential container in task exited","Containers":[{"ExitCode":137,"Reason":"killed"}],
            "Overrides":{"ContainerOverrides":[{"Environment":[{"Name":"TASK_TOKEN","Value":"secret"}]}]}}"#;
        assert_eq!(end(killed), "Essential container in task exited: killed, exit code 137");
        let never = r#"{"StoppedReason":"CannotPullContainerError: x","Containers":[{"Reason":"CannotPullContainerError: x"}]}"#;
        assert_eq!(end(never), "CannotPullContainerError: x");
        assert_eq!(ContainerEnd::in_cause("the worker's own cause"), None);
        assert_eq!(ContainerEnd::in_cause("{\"cut"), None);
    }
}
