//! The operations that only read, and the one that takes a task definition away.

use serde::Deserialize;
use serde_json::{Value, json};

use super::tasks::Filter;
use super::{Ecs, internal, invalid, lock, tasks};
use crate::wire::{AwsError, parse};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DescribeTasks {
    cluster: Option<String>,
    tasks: Vec<String>,
    #[serde(default)]
    include: Vec<TaskField>,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum TaskField {
    Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListTasks {
    cluster: Option<String>,
    family: Option<String>,
    started_by: Option<String>,
    #[serde(default)]
    desired_status: DesiredStatus,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DesiredStatus {
    #[default]
    Running,
    Stopped,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeTaskDefinition {
    task_definition: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListClusters {
    #[serde(rename = "maxResults")]
    _max_results: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DescribeClusters {
    #[serde(default)]
    clusters: Vec<String>,
}

impl Ecs {
    pub(super) fn describe_tasks(&self, body: Value) -> Result<Value, AwsError> {
        let request: DescribeTasks = parse("DescribeTasks", body)?;
        self.check_cluster(request.cluster.as_deref())?;
        if request.tasks.is_empty() || request.tasks.len() > 100 {
            return Err(invalid("Tasks must have 1 to 100 entries."));
        }
        let with_tags = request.include.contains(&TaskField::Tags);
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for reference in &request.tasks {
            let arn = self.task_arn(reference);
            match tasks::load(&self.store, &arn).map_err(internal)? {
                Some(task) => found.push(task.to_json(with_tags)?),
                None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
            }
        }
        Ok(json!({"tasks": found, "failures": failures}))
    }

    pub(super) fn list_tasks(&self, body: Value) -> Result<Value, AwsError> {
        let request: ListTasks = parse("ListTasks", body)?;
        self.check_cluster(request.cluster.as_deref())?;
        let size = request.max_results.unwrap_or(100);
        if !(1..=100).contains(&size) {
            return Err(invalid("maxResults must be 1 to 100."));
        }
        let after = match &request.next_token {
            Some(token) => token.parse().map_err(|_| invalid("Invalid token."))?,
            None => 0,
        };
        let desired_status = match request.desired_status {
            DesiredStatus::Running => "RUNNING",
            DesiredStatus::Stopped => "STOPPED",
        };
        let filter = Filter { desired_status, family: request.family, started_by: request.started_by };
        let (arns, next) = tasks::page(&self.store, &filter, after, size).map_err(internal)?;
        let mut answer = json!({"taskArns": arns});
        if let Some(next) = next {
            answer["nextToken"] = next.to_string().into();
        }
        Ok(answer)
    }

    pub(super) fn describe_task_definition(&self, body: Value) -> Result<Value, AwsError> {
        let request: DescribeTaskDefinition = parse("DescribeTaskDefinition", body)?;
        let definition = self
            .definition(&request.task_definition)
            .ok_or_else(|| AwsError::client("ClientException", "Unable to describe task definition."))?;
        let arn = self.definition_arn(&definition.family);
        Ok(json!({"taskDefinition": definition.to_json(&arn, &self.region), "tags": []}))
    }

    /// Takes a definition away: no task starts from it until the stack, which registers it, starts again.
    pub(super) fn deregister_task_definition(&self, body: Value) -> Result<Value, AwsError> {
        let request: DescribeTaskDefinition = parse("DeregisterTaskDefinition", body)?;
        let definition = self
            .definition(&request.task_definition)
            .ok_or_else(|| AwsError::client("ClientException", "Unable to describe task definition."))?;
        lock(&self.definitions).remove(&definition.family);
        let mut json = definition.to_json(&self.definition_arn(&definition.family), &self.region);
        json["status"] = "INACTIVE".into();
        Ok(json!({"taskDefinition": json}))
    }

    pub(super) fn list_clusters(&self, body: Value) -> Result<Value, AwsError> {
        let ListClusters { .. } = parse("ListClusters", body)?;
        Ok(json!({"clusterArns": [self.cluster_arn()]}))
    }

    pub(super) fn describe_clusters(&self, body: Value) -> Result<Value, AwsError> {
        let request: DescribeClusters = parse("DescribeClusters", body)?;
        let (known, unknown): (Vec<String>, Vec<String>) =
            request.clusters.into_iter().partition(|cluster| self.check_cluster(Some(cluster)).is_ok());
        let failures: Vec<Value> =
            unknown.iter().map(|arn| json!({"arn": arn, "reason": "MISSING"})).collect();
        if known.is_empty() && !failures.is_empty() {
            return Ok(json!({"clusters": [], "failures": failures}));
        }
        let running = tasks::count_unfinished(&self.store).map_err(internal)?;
        let cluster = json!({
            "clusterArn": self.cluster_arn(),
            "clusterName": super::CLUSTER,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": running,
            "pendingTasksCount": 0,
            "activeServicesCount": 0,
        });
        Ok(json!({"clusters": [cluster], "failures": failures}))
    }
}
