//! The one seam to the services beside this one: what a Task state calls. Requests and answers are the JSON of each
//! service's own wire.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::wire::AwsError;

/// A future that may move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A service's operations: the operation's name and its request give the answer.
pub type Call = Arc<dyn Fn(&'static str, Value) -> BoxFuture<Result<Value, AwsError>> + Send + Sync>;

/// What Task states can reach.
#[derive(Clone)]
pub struct Services {
    /// SQS: PascalCase fields.
    pub sqs: Call,
    /// ECS: camelCase fields.
    pub ecs: Call,
    /// Waits until the ECS task of this ARN has stopped, and gives it as `DescribeTasks` does: camelCase fields.
    pub ecs_stopped: Arc<dyn Fn(String) -> BoxFuture<Value> + Send + Sync>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}
