//! ECS: a task is a child process on this machine. One cluster, `default`; the task definitions are registered by the
//! stack itself; tasks and their ends are kept on disk, for 14 days after the end.
//!
//! Differences from AWS: network configuration, capacity and tags are recorded and shown, but have no effect. A task has
//! one container and one revision of its definition. There is no image to pull and no agent: a task goes from
//! `PROVISIONING` to `RUNNING` to `STOPPED`. Overrides may set a container's environment, nothing else. `startedBy`,
//! tags and the idempotency token are taken as they are; a token is remembered as long as its task.

mod definition;
mod describe;
mod leftovers;
mod run_task;
mod supervisor;
mod task;
mod tasks;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use serde_json::Value;
use tracing::error;

pub use definition::TaskDefinition;
use supervisor::Running;
use task::Stop;

use crate::process::BaseEnvironment;
use crate::store::Store;
use crate::wire::AwsError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/ecs");

/// The variable by which a child can be told as a task's own, whoever its parent has become.
const TASK_ARN: &str = "ECS_TASK_ARN";
/// The process of the stack that has started the task, which is its parent for as long as it lives.
const AGENT_PID: &str = "ECS_AGENT_PID";

/// The cluster's name: the one that AWS takes where a request names none.
const CLUSTER: &str = "default";

/// The service.
pub struct Ecs {
    store: Store,
    region: String,
    account: String,
    base: BaseEnvironment,
    definitions: Mutex<HashMap<String, Arc<TaskDefinition>>>,
    running: Mutex<Tasks>,
}

/// The tasks that have not stopped, by ARN.
#[derive(Default)]
struct Tasks {
    by_arn: HashMap<String, Running>,
    is_shutting_down: bool,
    /// How many there may be; any number where it is not said.
    most: Option<usize>,
}

impl Ecs {
    /// Opens the service with its file in `dir`. Tasks that were running when the stack was killed are killed, and
    /// recorded as stopped. `base` is what every task gets of the stack's own environment.
    ///
    /// # Errors
    /// Where the file cannot be opened or written.
    pub fn open(dir: &Path, region: &str, account: &str, base: BaseEnvironment) -> anyhow::Result<Arc<Self>> {
        let store = Store::open(&dir.join("ecs.sqlite3"), MIGRATIONS)?;
        leftovers::settle(&store).context("failed to settle the tasks of the stack's last run")?;
        tasks::prune(&store).context("failed to prune old tasks")?;
        Ok(Arc::new(Self {
            store,
            region: region.to_owned(),
            account: account.to_owned(),
            base,
            definitions: Mutex::default(),
            running: Mutex::default(),
        }))
    }

    /// Forgets tasks that stopped more than 14 days ago.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn prune(&self) -> anyhow::Result<()> {
        tasks::prune(&self.store)
    }

    /// Registers a task definition, in place of one of the same family. Returns its ARN.
    pub fn register(&self, definition: TaskDefinition) -> String {
        let arn = self.definition_arn(&definition.family);
        lock(&self.definitions).insert(definition.family.clone(), Arc::new(definition));
        arn
    }

    /// Gives the cluster room for so many tasks: `RunTask` answers any more with the failure `RESOURCE:CPU`, as a cluster
    /// of container instances does. None: any number.
    pub fn limit_tasks(&self, most: Option<usize>) {
        lock(&self.running).most = most;
    }

    /// The ARN of the cluster.
    #[must_use]
    pub fn cluster_arn(&self) -> String {
        self.arn(&format!("cluster/{CLUSTER}"))
    }

    /// Answers one call of AWS JSON 1.1.
    ///
    /// # Errors
    /// The error as ECS names it.
    pub async fn call(self: &Arc<Self>, operation: &str, body: Value) -> Result<Value, AwsError> {
        match operation {
            "RunTask" => self.run_task(body),
            "StopTask" => self.stop_task(body),
            "DescribeTasks" => self.describe_tasks(body),
            "ListTasks" => self.list_tasks(body),
            "DeregisterTaskDefinition" => self.deregister_task_definition(body),
            "DescribeTaskDefinition" => self.describe_task_definition(body),
            "ListClusters" => self.list_clusters(body),
            "DescribeClusters" => self.describe_clusters(body),
            _ => Err(AwsError::not_implemented("ecs", operation)),
        }
    }

    /// Waits until the task has stopped, and returns it as `DescribeTasks` would.
    ///
    /// # Errors
    /// `InvalidParameterException` where there is no such task; `InternalFailure` where its end could not be recorded.
    pub async fn stopped(&self, task_arn: &str) -> Result<Value, AwsError> {
        let running = lock(&self.running).by_arn.get(task_arn).map(Running::end);
        if let Some(end) = running {
            end.await;
        }
        let task = tasks::load(&self.store, task_arn).map_err(internal)?.ok_or_else(no_such_task)?;
        if !task.is_stopped() {
            return Err(AwsError::internal(format!("the end of {task_arn} could not be recorded")));
        }
        task.to_json(true)
    }

    /// Stops all tasks, asking first, and returns when the last has ended. No task starts any more.
    pub async fn shutdown(&self) {
        for end in self.stop_all() {
            end.await;
        }
    }

    /// Has every task stopped, and returns what comes when each has.
    fn stop_all(&self) -> Vec<impl Future<Output = ()> + use<>> {
        let mut tasks = lock(&self.running);
        tasks.is_shutting_down = true;
        let stop = |(arn, running): (&String, &Running)| {
            if let Err(error) = tasks::change(&self.store, arn, |task| task.stop(Stop::shutdown())) {
                error!(task.arn = arn, "Failed to record that task {arn} is to stop: {error:#}");
            }
            running.stop();
            running.end()
        };
        tasks.by_arn.iter().map(stop).collect()
    }

    fn definition_arn(&self, family: &str) -> String {
        self.arn(&format!("task-definition/{family}:1"))
    }

    fn arn(&self, resource: &str) -> String {
        format!("arn:aws:ecs:{}:{}:{resource}", self.region, self.account)
    }

    /// The ARN of a task that is named by its ARN or its id.
    fn task_arn(&self, reference: &str) -> String {
        if reference.starts_with("arn:") {
            reference.to_owned()
        } else {
            self.arn(&format!("task/{CLUSTER}/{reference}"))
        }
    }

    /// Holds a request to the one cluster there is.
    fn check_cluster(&self, cluster: Option<&str>) -> Result<(), AwsError> {
        match cluster {
            None | Some(CLUSTER) => Ok(()),
            Some(arn) if arn == self.cluster_arn() => Ok(()),
            Some(_) => Err(AwsError::client("ClusterNotFoundException", "Cluster not found.")),
        }
    }

    /// The definition that is named by its family, with or without revision, or its ARN.
    fn definition(&self, reference: &str) -> Option<Arc<TaskDefinition>> {
        let prefix = self.arn("task-definition/");
        let name = reference.strip_prefix(&prefix).unwrap_or(reference);
        let family = name.strip_suffix(":1").unwrap_or(name);
        lock(&self.definitions).get(family).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these locks guard is changed in one step: it is sound behind a poisoned lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::needless_pass_by_value, reason = "to be named in map_err")]
fn internal(error: anyhow::Error) -> AwsError {
    AwsError::internal(format!("{error:#}"))
}

fn no_such_task() -> AwsError {
    AwsError::client("InvalidParameterException", "The referenced task was not found.")
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidParameterException", message)
}
