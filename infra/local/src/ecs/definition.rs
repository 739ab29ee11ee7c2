//! What a task runs: the stack's own programs, registered at set-up.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

/// A task definition with one container, which is a program on this machine.
#[derive(Clone)]
pub struct TaskDefinition {
    /// The definition's name.
    pub family: String,
    /// The container's name, as overrides name it.
    pub container: String,
    /// The program. It is run without arguments, in the stack's working directory.
    pub command: PathBuf,
    /// The container's variables. They may hold secrets: they are shown by `DescribeTaskDefinition`, as on AWS, and
    /// nowhere else.
    pub environment: Vec<(String, String)>,
    /// Where each task's output is kept, as `<task id>.log`. The directory exists.
    pub log_dir: PathBuf,
    /// The log group that says it has this output, and what the names of its streams begin with: the options of `awslogs`.
    pub log_group: String,
    /// See `log_group`: a task's stream is `<prefix>/<container>/<task id>`.
    pub log_stream_prefix: String,
    /// How long a task that is asked to stop may take before it is killed; 30 s on AWS, unless told otherwise.
    pub stop_timeout: Duration,
}

impl TaskDefinition {
    /// What AWS takes where a definition has no `stopTimeout`.
    pub const STOP_TIMEOUT: Duration = Duration::from_secs(30);

    /// The definition as `DescribeTaskDefinition` shows it.
    pub(super) fn to_json(&self, arn: &str, region: &str) -> Value {
        let environment: Vec<Value> =
            self.environment.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        json!({
            "taskDefinitionArn": arn,
            "family": self.family,
            "revision": 1,
            "status": "ACTIVE",
            "networkMode": "awsvpc",
            "compatibilities": ["EC2", "FARGATE"],
            "volumes": [],
            "placementConstraints": [],
            "containerDefinitions": [{
                "name": self.container,
                "image": "local",
                "essential": true,
                "entryPoint": [self.command.to_string_lossy()],
                "environment": environment,
                "mountPoints": [],
                "volumesFrom": [],
                "portMappings": [],
                "stopTimeout": self.stop_timeout.as_secs(),
                "logConfiguration": {"logDriver": "awslogs", "options": {
                    "awslogs-group": self.log_group,
                    "awslogs-region": region,
                    "awslogs-stream-prefix": self.log_stream_prefix,
                }},
            }],
        })
    }
}
