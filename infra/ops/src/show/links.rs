//! Where the AWS console shows what belongs to an import, of a target that is at AWS.

use local_stack::Resources;
use serde::Serialize;

use crate::show::message::MessageFate;
use crate::show::picture::Picture;
use crate::target::{Target, links};

/// A page of the AWS console.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What it shows.
    pub shows: &'static str,
    /// Its address.
    pub url: String,
}

/// The pages for what the picture has; none where the target is not at AWS.
pub fn of(target: &Target, picture: &Picture) -> Vec<Link> {
    let Some(execution) = picture.execution.as_ref().filter(|_| target.place.is_at_aws()) else {
        return Vec::new();
    };
    let attempts = execution.states.iter().flat_map(|state| &state.attempts);
    let tasks: Vec<_> = attempts.filter_map(|attempt| attempt.task_arn.as_deref()).collect();
    let is_dead_lettered = matches!(picture.message, Some(MessageFate::DeadLettered { .. }));
    all(&target.resources, &execution.arn, &tasks, is_dead_lettered)
}

fn all(resources: &Resources, execution_arn: &str, tasks: &[&str], is_dead_lettered: bool) -> Vec<Link> {
    let queue = if is_dead_lettered { &resources.dead_letter_queue_url } else { &resources.queue_url };
    let mut found = vec![
        ("execution", links::execution(execution_arn)),
        (if is_dead_lettered { "dead letters" } else { "queue" }, links::queue(execution_arn, queue)),
    ];
    for task in tasks {
        // As the `awslogs` driver names it, with the prefix `worker` and the container `worker`.
        let stream = format!("worker/worker/{}", task.rsplit('/').next().unwrap_or_default());
        found.push(("task", links::task(task)));
        found.push(("log", links::log_stream(task, &resources.worker_log_group, &stream)));
    }
    found.into_iter().filter_map(|(shows, url)| url.map(|url| Link { shows, url })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_at_aws_has_links_to_its_execution_queue_tasks_and_logs() {
        let arn = |rest: &str| format!("arn:aws:{rest}");
        let resources = Resources {
            queue_url: "https://sqs/1/imports".to_owned(),
            lane_queue_url: None,
            dead_letter_queue_url: "https://sqs/1/dead".to_owned(),
            import_state_machine_arn: arn("states:eu-west-1:123456789012:stateMachine:import"),
            dead_letter_state_machine_arn: arn("states:eu-west-1:123456789012:stateMachine:dead-letter"),
            bucket: "imports".to_owned(),
            cluster_arn: arn("ecs:eu-west-1:123456789012:cluster/imports"),
            worker_log_group: "/ecs/import-worker".to_owned(),
        };
        let execution = arn("states:eu-west-1:123456789012:execution:import:people-1-m");
        let task = arn("ecs:eu-west-1:123456789012:task/imports/0f1e");
        let found = all(&resources, &execution, &[&task], true);
        let shown: Vec<_> = found.iter().map(|link| link.shows).collect();
        assert_eq!(shown, ["execution", "dead letters", "task", "log"]);
        assert!(found[0].url.ends_with(&execution), "{found:?}");
        assert!(found[1].url.ends_with("1%2Fdead"), "{found:?}");
        assert!(found[3].url.ends_with("worker$252Fworker$252F0f1e"), "{found:?}");
        assert_eq!(all(&resources, &execution, &[], false)[1].shows, "queue");
    }
}
