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
pub(crate) const FUNCTION: &str = "start-import";
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
    /// Where the queue of imports is.
    pub queue_url: String,
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
    /// The names of the embedded stack behind `endpoint` (`http://127.0.0.1:<port>`).
    pub(crate) fn embedded(endpoint: &str, queues: QueueNames) -> Self {
        let queue_url = |name| format!("{endpoint}/{ACCOUNT}/{name}");
        let machine = |name| format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}");
        Self {
            queue_url: queue_url(queues.imports),
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
    pub(crate) imports: &'static str,
    pub(crate) dead_letters: &'static str,
}

impl QueueNames {
    pub(crate) fn of_type(fifo: bool) -> Self {
        if fifo {
            Self { imports: "imports.fifo", dead_letters: "imports-dead-letter.fifo" }
        } else {
            Self { imports: "imports", dead_letters: "imports-dead-letter" }
        }
    }
}

/// The ARN of a queue of the embedded stack.
pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The ARN of the worker's task definition.
pub(crate) fn task_definition_arn() -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{TASK_FAMILY}:1")
}
