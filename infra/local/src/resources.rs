//! What the stack is made of, by AWS's names for it. `baton` and the tests know the stack by these and nothing else, as
//! they would know a deployed one.

use serde::{Deserialize, Serialize};

/// The region that the embedded stack says it is in.
pub const REGION: &str = "ap-northeast-1";
/// The account that everything in the embedded stack belongs to.
pub const ACCOUNT: &str = "000000000000";

/// The name of the container that the import machine overrides.
pub(crate) const CONTAINER: &str = "worker";
/// The name of ECS's own default cluster.
pub(crate) const CLUSTER: &str = "default";
pub(crate) const TASK_FAMILY: &str = "import-worker";
pub(crate) const START_IMPORT: &str = "start-import";
pub(crate) const ASSIGN_LANE: &str = "assign-lane";
/// The rule that starts the dead-letter machine.
pub(crate) const RULE: &str = "import-ended-without-success";
pub(crate) const IMPORT_MACHINE: &str = "import";
pub(crate) const DEAD_LETTER_MACHINE: &str = "dead-letter";
pub(crate) const BUCKET: &str = "baton";
pub(crate) const WORKER_LOG_GROUP: &str = "/ecs/import-worker";
/// What the names of the group's streams begin with: `worker/worker/<task id>`.
pub(crate) const WORKER_LOG_PREFIX: &str = "worker";

/// What metrics in the log lines say they are published in. Here nobody publishes them.
pub(crate) const METRICS_NAMESPACE: &str = "Baton/local";

/// The parts of a running stack, deployed or embedded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Where messages are sent to.
    pub queue_url: String,
    /// Where the queue of lanes is that imports are started from, where there is a cap on imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane_queue_url: Option<String>,
    /// Where the queue of dead letters is.
    pub dead_letter_queue_url: String,
    /// The machine that runs one import.
    pub import_state_machine_arn: String,
    /// The machine that settles the message of a failed execution.
    pub dead_letter_state_machine_arn: String,
    /// The bucket that files are uploaded to.
    pub bucket: String,
    /// The ECS cluster that the worker's tasks run in.
    pub cluster_arn: String,
    /// The log group of CloudWatch Logs that has the worker's lines, a stream for each task:
    /// `worker/worker/<task id>`, as the `awslogs` driver names it with the prefix `worker`.
    pub worker_log_group: String,
}

impl Resources {
    /// The queue whose messages start imports: that of the lanes, where there are some. Held messages lie in it, and dead
    /// letters go back to it.
    #[must_use]
    pub fn import_queue_url(&self) -> &str {
        self.lane_queue_url.as_deref().unwrap_or(&self.queue_url)
    }

    /// The names of the embedded stack behind `endpoint` (`http://127.0.0.1:<port>`).
    pub(crate) fn embedded(endpoint: &str, queues: QueueNames) -> Self {
        let queue_url = |name| format!("{endpoint}/{ACCOUNT}/{name}");
        let machine = |name| format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}");
        Self {
            queue_url: queue_url(queues.sent_to),
            lane_queue_url: queues.lanes.map(queue_url),
            dead_letter_queue_url: queue_url(queues.dead_letters),
            import_state_machine_arn: machine(IMPORT_MACHINE),
            dead_letter_state_machine_arn: machine(DEAD_LETTER_MACHINE),
            bucket: BUCKET.to_owned(),
            cluster_arn: format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}"),
            worker_log_group: WORKER_LOG_GROUP.to_owned(),
        }
    }
}

/// What the queues are called: those of type FIFO end in `.fifo`, as SQS asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueNames {
    /// Where messages are sent to.
    pub(crate) sent_to: &'static str,
    /// The queue of lanes, where there are some.
    pub(crate) lanes: Option<&'static str>,
    /// What could not be imported.
    pub(crate) dead_letters: &'static str,
}

impl QueueNames {
    /// One queue of imports, and that of its dead letters.
    pub(crate) fn of_type(fifo: bool) -> Self {
        if fifo {
            Self { sent_to: "imports.fifo", lanes: None, dead_letters: "imports-dead-letter.fifo" }
        } else {
            Self { sent_to: "imports", lanes: None, dead_letters: "imports-dead-letter" }
        }
    }

    /// The queues where imports are capped: behind that which messages are sent to lies a FIFO queue with its own dead letters.
    pub(crate) fn with_lanes() -> Self {
        Self { lanes: Some(LANES), dead_letters: "import-lanes-dead-letter.fifo", ..Self::of_type(false) }
    }

    /// The queue whose messages start imports.
    pub(crate) fn imports(&self) -> &'static str {
        self.lanes.unwrap_or(self.sent_to)
    }
}

/// The queue of lanes.
pub(crate) const LANES: &str = "import-lanes.fifo";

/// The ARN of a queue of the embedded stack.
pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The ARN of the worker's task definition.
pub(crate) fn task_definition_arn() -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{TASK_FAMILY}:1")
}
