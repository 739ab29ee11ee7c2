//! The one seam to the services beside this one: what a Task state calls. Requests and answers are the JSON of each
//! service's own wire.

use std::fmt;
use std::sync::Arc;

use crate::wire::{Answer, Call};

/// What Task states can reach.
#[derive(Clone)]
pub struct Services {
    /// SQS: PascalCase fields.
    pub sqs: Call,
    /// ECS: camelCase fields.
    pub ecs: Call,
    /// Waits until the ECS task of this ARN has stopped, and gives it as `DescribeTasks` does: camelCase fields.
    pub ecs_stopped: Arc<dyn Fn(String) -> Answer + Send + Sync>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}
