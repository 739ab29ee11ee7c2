//! What happened on the way: the failures of an execution's attempts, and how the containers ended.

use aws_sdk_ecs::types::DesiredStatus;
use aws_sdk_sfn::types::HistoryEvent;

use super::TestStack;
use crate::wait;

impl TestStack {
    /// The errors of the attempts at `RunImport` so far, in their order: the worker's own names, or those of Step Functions.
    pub async fn errors(&self, execution_arn: &str) -> Vec<String> {
        let asked = self.sfn.get_execution_history().execution_arn(execution_arn).max_results(1000);
        // An execution that has not started has no history.
        let events = asked.send().await.map(|history| history.events).unwrap_or_default();
        events.iter().filter_map(error_of).collect()
    }

    /// Waits until so many attempts have failed, and returns their errors.
    pub async fn errors_when(&self, execution_arn: &str, count: usize) -> Vec<String> {
        let look = async || self.errors(execution_arn).await;
        wait::until("attempts to fail", look, |errors| errors.len() >= count).await
    }

    /// What the workers, and the Lambda, have logged so far.
    #[must_use]
    pub fn logs(&self) -> String {
        let files = std::fs::read_dir(self.data_dir().join("stack/logs")).expect("the stack keeps logs");
        let logs = files.flatten().filter_map(|file| std::fs::read_to_string(file.path()).ok());
        logs.collect::<Vec<_>>().join("\n")
    }

    /// The exit codes of all containers that have ended, in the order of their beginning.
    pub async fn exit_codes(&self) -> Vec<Option<i32>> {
        let cluster = &self.resources.cluster_arn;
        let asked = self.ecs.list_tasks().cluster(cluster).desired_status(DesiredStatus::Stopped);
        let tasks = asked.send().await.expect("tasks can be listed").task_arns.unwrap_or_default();
        if tasks.is_empty() {
            return Vec::new();
        }
        let described = self.ecs.describe_tasks().cluster(cluster).set_tasks(Some(tasks)).send().await;
        let mut tasks = described.expect("tasks can be described").tasks.unwrap_or_default();
        tasks.retain(|task| task.last_status.as_deref() == Some("STOPPED"));
        tasks.sort_by_key(|task| task.created_at);
        tasks.iter().map(|task| task.containers().first().and_then(|container| container.exit_code)).collect()
    }

    /// Waits until so many containers have ended, and returns their exit codes.
    pub async fn exit_codes_when(&self, count: usize) -> Vec<Option<i32>> {
        let look = async || self.exit_codes().await;
        wait::until("containers to end", look, |codes| codes.len() >= count).await
    }
}

fn error_of(event: &HistoryEvent) -> Option<String> {
    let failed = event.task_failed_event_details.as_ref().and_then(|details| details.error.clone());
    let timed_out = event.task_timed_out_event_details.as_ref().and_then(|details| details.error.clone());
    failed.or(timed_out)
}
