//! `RunTask` and `StopTask`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::task::{Container, Stop, Tag, Task, now};
use super::tasks::{Idempotency, Insertion};
use super::{CLUSTER, Ecs, TaskDefinition, internal, invalid, lock, no_such_task, tasks};
use crate::wire::{AwsError, parse};

/// "A total of 8192 characters are allowed for overrides. This limit includes the JSON formatting characters"
/// (`API_RunTask`).
const MAX_OVERRIDES: usize = 8192;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RunTask {
    cluster: Option<String>,
    task_definition: String,
    count: Option<u32>,
    launch_type: Option<LaunchType>,
    #[serde(default)]
    capacity_provider_strategy: Vec<CapacityProvider>,
    network_configuration: Option<NetworkConfiguration>,
    #[serde(default)]
    overrides: Overrides,
    started_by: Option<String>,
    group: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default, rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: bool,
    propagate_tags: Option<PropagateTags>,
    client_token: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum LaunchType {
    Fargate,
    Ec2,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CapacityProvider {
    capacity_provider: String,
    #[serde(default)]
    weight: u32,
    #[serde(default)]
    base: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NetworkConfiguration {
    awsvpc_configuration: Option<AwsvpcConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AwsvpcConfiguration {
    subnets: Vec<String>,
    #[serde(default)]
    security_groups: Vec<String>,
    assign_public_ip: Option<AssignPublicIp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum AssignPublicIp {
    Enabled,
    Disabled,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PropagateTags {
    TaskDefinition,
    None,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Overrides {
    #[serde(default)]
    container_overrides: Vec<ContainerOverride>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContainerOverride {
    name: String,
    #[serde(default)]
    environment: Vec<Variable>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StopTask {
    cluster: Option<String>,
    task: String,
    reason: Option<String>,
}

impl Ecs {
    pub(super) fn run_task(self: &Arc<Self>, body: Value) -> Result<Value, AwsError> {
        let digest = format!("{:x}", Sha256::digest(body.to_string()));
        let request: RunTask = parse("RunTask", body)?;
        self.check_cluster(request.cluster.as_deref())?;
        let definition = self
            .definition(&request.task_definition)
            .ok_or_else(|| AwsError::client("ClientException", "TaskDefinition not found."))?;
        request.check(&definition)?;
        let task = self.new_task(&request, &definition)?;
        let idempotency = request.client_token.map(|token| Idempotency { token, digest });

        // Under one lock, so that a task either starts before the service shuts down, or not at all.
        let mut running = lock(&self.running);
        if running.is_shutting_down {
            return Err(AwsError::client("ClientException", "The embedded stack is shutting down."));
        }
        if running.most.is_some_and(|most| running.by_arn.len() >= most) {
            return Ok(
                json!({"tasks": [], "failures": [{"arn": self.cluster_arn(), "reason": "RESOURCE:CPU"}]}),
            );
        }
        let task = match tasks::insert(&self.store, &definition.family, &task, idempotency.as_ref())
            .map_err(internal)?
        {
            Insertion::Repeated(earlier) => *earlier,
            Insertion::Conflict => {
                let message = "The client token was used for another request.";
                return Err(AwsError::client("ConflictException", message));
            }
            Insertion::Inserted => {
                let variables = request.overrides.container_overrides.into_iter().flat_map(|c| c.environment);
                let variables = variables.map(|variable| (variable.name, variable.value)).collect();
                let supervised = self.supervise(task.task_arn.clone(), definition, variables);
                running.by_arn.insert(task.task_arn.clone(), supervised);
                task
            }
        };
        Ok(json!({"tasks": [task.to_json(true)?], "failures": []}))
    }

    pub(super) fn stop_task(&self, body: Value) -> Result<Value, AwsError> {
        let request: StopTask = parse("StopTask", body)?;
        self.check_cluster(request.cluster.as_deref())?;
        let arn = self.task_arn(&request.task);
        let running = lock(&self.running);
        let stop = Stop::by_user(request.reason);
        let task = tasks::change(&self.store, &arn, |task| task.stop(stop)).map_err(internal)?;
        let task = task.ok_or_else(no_such_task)?;
        if let Some(running) = running.by_arn.get(&arn) {
            running.stop();
        }
        Ok(json!({"task": task.to_json(true)?}))
    }

    fn new_task(&self, request: &RunTask, definition: &TaskDefinition) -> Result<Task, AwsError> {
        let id = Uuid::new_v4().simple().to_string();
        let task_arn = self.task_arn(&id);
        let provider =
            request.capacity_provider_strategy.iter().max_by_key(|provider| (provider.base, provider.weight));
        let launch_type = match (request.launch_type, provider) {
            (Some(LaunchType::Ec2), _) => Some("EC2"),
            (Some(LaunchType::Fargate), _) => Some("FARGATE"),
            (None, Some(provider)) => provider.capacity_provider.starts_with("FARGATE").then_some("FARGATE"),
            (None, None) => Some("EC2"),
        };
        let mut overrides = serde_json::to_value(&request.overrides).map_err(AwsError::internal)?;
        overrides["inferenceAcceleratorOverrides"] = json!([]);
        let mut tags = request.tags.clone();
        if request.enable_ecs_managed_tags {
            tags.push(Tag { key: "aws:ecs:clusterName".to_owned(), value: CLUSTER.to_owned() });
        }
        Ok(Task {
            cluster_arn: self.cluster_arn(),
            task_definition_arn: self.definition_arn(&definition.family),
            group: request.group.clone().unwrap_or_else(|| format!("family:{}", definition.family)),
            started_by: request.started_by.clone(),
            launch_type: launch_type.map(str::to_owned),
            capacity_provider_name: provider.map(|provider| provider.capacity_provider.clone()),
            last_status: "PROVISIONING".to_owned(),
            desired_status: "RUNNING".to_owned(),
            version: 1,
            attachments: request
                .network_configuration
                .iter()
                .map(NetworkConfiguration::to_attachment)
                .collect(),
            containers: vec![Container {
                container_arn: self.arn(&format!("container/{CLUSTER}/{id}/{}", Uuid::new_v4())),
                task_arn: task_arn.clone(),
                name: definition.container.clone(),
                image: "local".to_owned(),
                last_status: "PENDING".to_owned(),
                exit_code: None,
                reason: None,
                runtime_id: None,
            }],
            overrides,
            tags,
            enable_execute_command: false,
            created_at: now(),
            started_at: None,
            stopping_at: None,
            execution_stopped_at: None,
            stopped_at: None,
            stop_code: None,
            stopped_reason: None,
            task_arn,
        })
    }
}

impl RunTask {
    fn check(&self, definition: &TaskDefinition) -> Result<(), AwsError> {
        if self.count.is_some_and(|count| count != 1) {
            return Err(invalid("baton's embedded stack starts one task at a time: count must be 1"));
        }
        if self.launch_type.is_some() && !self.capacity_provider_strategy.is_empty() {
            return Err(invalid("Specify either a launch type or a capacity provider strategy, not both."));
        }
        if self.client_token.as_ref().is_some_and(|token| token.len() > 64) {
            return Err(invalid("The client token has more than 64 characters."));
        }
        if self.started_by.as_ref().is_some_and(|name| name.chars().count() > 128) {
            return Err(invalid("startedBy has more than 128 characters."));
        }
        let overrides = serde_json::to_string(&self.overrides).map_err(AwsError::internal)?;
        if overrides.chars().count() > MAX_OVERRIDES {
            return Err(invalid("Container Overrides length must be at most 8192"));
        }
        for container in &self.overrides.container_overrides {
            if container.name != definition.container {
                let name = &container.name;
                let message =
                    format!("Override for container named {name} is not a container in the TaskDefinition.");
                return Err(invalid(message));
            }
            for Variable { name, value } in &container.environment {
                if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                    return Err(invalid("An environment variable in the overrides cannot be set."));
                }
            }
        }
        // AWS takes tags from a task definition or from none; definitions have no tags here.
        match self.propagate_tags {
            None | Some(PropagateTags::None | PropagateTags::TaskDefinition) => Ok(()),
        }
    }
}

impl NetworkConfiguration {
    /// The network interface that AWS would attach: a record of what was asked for, without effect.
    fn to_attachment(&self) -> Value {
        let mut details = Vec::new();
        if let Some(awsvpc) = &self.awsvpc_configuration {
            details.extend(awsvpc.subnets.iter().map(|id| json!({"name": "subnetId", "value": id})));
            details.extend(
                awsvpc.security_groups.iter().map(|id| json!({"name": "securityGroupId", "value": id})),
            );
            let public = match awsvpc.assign_public_ip {
                Some(AssignPublicIp::Enabled) => "ENABLED",
                Some(AssignPublicIp::Disabled) | None => "DISABLED",
            };
            details.push(json!({"name": "assignPublicIp", "value": public}));
        }
        let id = Uuid::new_v4().to_string();
        json!({"id": id, "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details})
    }
}
