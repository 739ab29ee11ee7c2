//! SQS: queues and messages in one file, with SQS's rules for visibility, order, redrive and retention. Whatever a call
//! answered is on disk before it answers; time is an argument of every rule, and only [`Sqs::call`] reads the clock.
//!
//! What differs from AWS:
//! - It is not distributed: every receive sees every message, counts are exact, a deletion or a purge is done when it
//!   is answered, and a standard queue keeps the order in which messages became visible.
//! - There is no limit of 120,000 messages in flight, no throttling, no encryption, no policy; one account sends all.
//! - A message move task is over when its start is answered.
//! - Refused by name: every operation that [`Sqs::call`] does not list, receiving with `ReceiveRequestAttemptId`, tags,
//!   the rate of a move task, and the values of queue attributes that would change what is said here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::store::Store;
use crate::wire::{AwsError, parse};
use fault::Fault;
use names::Names;
use queue::Call;
use receive::{ReceiveMessage, Received, receive_message};

mod attributes;
mod batch;
mod contents;
mod delete;
mod fault;
mod message;
mod message_attributes;
mod move_tasks;
mod names;
mod queue;
mod queues;
mod receipt;
mod receive;
mod schema;
mod send;
#[cfg(test)]
mod tests;
mod visibility;

pub use attributes::{QueueAttributes, RedrivePolicy};
pub use fault::query_error_code;

/// The namespace of SQS's error names on the wire.
pub const NAMESPACE: &str = "com.amazonaws.sqs";

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqs");

/// The queues of one stack.
pub struct Sqs {
    store: Store,
    names: Names,
    /// Rings when messages may have become visible, in whichever queue: receives that wait look again. The queues and
    /// the waiting are few enough for one bell.
    bell: Notify,
}

impl Sqs {
    /// Opens `dir/sqs.db`. `endpoint`, such as `http://127.0.0.1:4566`, begins the queues' URLs.
    ///
    /// # Errors
    /// If the file cannot be opened or brought up to date.
    pub fn open(dir: &Path, endpoint: &str, region: &str, account: &str) -> anyhow::Result<Arc<Self>> {
        let store = Store::open(&dir.join("sqs.db"), MIGRATIONS)?;
        let names = Names::new(endpoint, region, account);
        Ok(Arc::new(Self { store, names, bell: Notify::new() }))
    }

    /// The ARN that a queue of this name has, or would have.
    #[must_use]
    pub fn queue_arn(&self, name: &str) -> String {
        self.names.arn(name)
    }

    /// The URL that a queue of this name has, or would have.
    #[must_use]
    pub fn queue_url(&self, name: &str) -> String {
        self.names.url(name)
    }

    /// Creates a queue for the stack's own set-up, or gives the one that exists these attributes. Returns its URL.
    ///
    /// # Errors
    /// If a name or an attribute is not allowed, the dead-letter queue does not exist, or the queue exists and is of
    /// the other type.
    pub fn create_queue(&self, name: &str, attributes: &QueueAttributes) -> Result<String, AwsError> {
        attributes.check()?;
        self.transaction(now(), |call| queues::ensure_queue(call, name, attributes))?;
        self.bell.notify_waiters();
        Ok(self.names.url(name))
    }

    /// Performs one operation of the AWS JSON protocol, such as `SendMessage`, with its request as on the wire, and
    /// returns the response. A receive with a wait returns as soon as there is a message.
    ///
    /// # Errors
    /// What SQS answers where it refuses; see [`query_error_code`].
    pub async fn call(self: &Arc<Self>, operation: &str, body: Value) -> Result<Value, AwsError> {
        if operation == "ReceiveMessage" {
            return self.receive(parse(operation, body)?).await;
        }
        let name = operation.to_owned();
        let answer = self.blocking(move |sqs| sqs.execute(&name, body, now())).await?;
        if !operation.starts_with("Get") && !operation.starts_with("List") {
            self.bell.notify_waiters();
        }
        Ok(answer)
    }

    async fn receive(self: &Arc<Self>, request: ReceiveMessage) -> Result<Value, AwsError> {
        let started = Instant::now();
        let request = Arc::new(request);
        loop {
            // Before the look, so that no message slips in between the look and the wait.
            let bell = self.bell.notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            let looked_at = now();
            let received = {
                let request = Arc::clone(&request);
                self.blocking(move |sqs| sqs.look(&request, looked_at)).await?
            };
            if received.dead_lettered {
                self.bell.notify_waiters();
            }
            let deadline = started + seconds(received.wait_s);
            if !received.messages.is_empty() {
                return Ok(json!({"Messages": received.messages}));
            }
            if Instant::now() >= deadline {
                return Ok(json!({}));
            }
            let next_visible = received.next_visible_at.map(|at| Instant::now() + milliseconds(at - now()));
            let wake_at = next_visible.map_or(deadline, |at| at.min(deadline));
            tokio::select! {
                () = bell => {}
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }

    fn look(&self, request: &ReceiveMessage, now: i64) -> Result<Received, AwsError> {
        self.transaction(now, |call| receive_message(call, request))
    }

    /// Runs work on the file where it holds up no other task.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, AwsError> + Send + 'static,
    ) -> Result<T, AwsError> {
        let sqs = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&sqs)).await.map_err(AwsError::internal)?
    }

    fn transaction<T>(
        &self,
        now: i64,
        work: impl FnOnce(&mut Call) -> Result<T, Fault>,
    ) -> Result<T, AwsError> {
        let names = &self.names;
        self.store.transaction(|db| work(&mut Call { db, names, now })).map_err(AwsError::from)
    }

    /// Performs one operation, other than a receive, at the moment `now`, in milliseconds since 1970.
    fn execute(&self, operation: &str, body: Value, now: i64) -> Result<Value, AwsError> {
        self.transaction(now, |call| match operation {
            "ChangeMessageVisibility" => {
                visibility::change_message_visibility(call, &parse(operation, body)?)
            }
            "ChangeMessageVisibilityBatch" => {
                visibility::change_message_visibility_batch(call, &parse(operation, body)?)
            }
            "CreateQueue" => queues::create_queue(call, &parse(operation, body)?),
            "DeleteMessage" => delete::delete_message(call, &parse(operation, body)?),
            "DeleteMessageBatch" => delete::delete_message_batch(call, &parse(operation, body)?),
            "GetQueueAttributes" => queues::get_queue_attributes(call, &parse(operation, body)?),
            "GetQueueUrl" => queues::get_queue_url(call, &parse(operation, body)?),
            "ListMessageMoveTasks" => move_tasks::list_message_move_tasks(call, &parse(operation, body)?),
            "ListQueues" => queues::list_queues(call, &parse(operation, body)?),
            "PurgeQueue" => queues::purge_queue(call, &parse(operation, body)?),
            "SendMessage" => send::send_message(call, parse(operation, body)?),
            "SendMessageBatch" => send::send_message_batch(call, parse(operation, body)?),
            "SetQueueAttributes" => queues::set_queue_attributes(call, &parse(operation, body)?),
            "StartMessageMoveTask" => move_tasks::start_message_move_task(call, &parse(operation, body)?),
            _ => Err(AwsError::not_implemented("sqs", operation).into()),
        })
    }
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

fn seconds(seconds: i64) -> Duration {
    milliseconds(seconds * 1000)
}

/// At least one, so that no rounding makes a wait spin.
fn milliseconds(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0).max(1))
}
