//! The event source mapping: receives from the queue, invokes the function, deletes what the function does not keep. One
//! poller, one batch at a time, so that the order of a FIFO queue's groups is kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::Lambda;
use super::batch::Batch;
use crate::wire::Call;

/// The pause after a poll or an invocation that failed, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The queue that feeds a function.
#[derive(Clone)]
pub struct EventSource {
    /// The queue's URL.
    pub queue_url: String,
    /// The queue's ARN, as events name it.
    pub queue_arn: String,
    /// The region that events name.
    pub region: String,
    /// How many messages an event has at most; 1 to 10.
    pub batch_size: u8,
}

/// A mapping at work.
pub struct EventSourceMapping {
    uuid: String,
    source: EventSource,
    poller: Arc<Poller>,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct Poller {
    source: EventSource,
    function: Arc<Lambda>,
    sqs: Call,
    closing: CancellationToken,
    enabled: watch::Sender<bool>,
    last_result: Mutex<&'static str>,
}

impl EventSourceMapping {
    /// Begins to feed `function` from the queue, with operations of `sqs`.
    #[must_use]
    pub fn start(source: EventSource, function: Arc<Lambda>, sqs: Call) -> Arc<Self> {
        let mapping = Self::new(source, function, sqs);
        let task = tokio::spawn(Arc::clone(&mapping.poller).poll());
        Arc::new(Self { task: Mutex::new(Some(task)), ..mapping })
    }

    /// A mapping that is there and feeds nothing.
    #[must_use]
    pub fn disabled(source: EventSource, function: Arc<Lambda>, sqs: Call) -> Arc<Self> {
        let mapping = Self::new(source, function, sqs);
        mapping.poller.closing.cancel();
        Arc::new(mapping)
    }

    fn new(source: EventSource, function: Arc<Lambda>, sqs: Call) -> Self {
        let poller = Arc::new(Poller {
            source: source.clone(),
            function,
            sqs,
            closing: CancellationToken::new(),
            enabled: watch::Sender::new(true),
            last_result: Mutex::new("No records processed"),
        });
        Self { uuid: Uuid::new_v4().to_string(), source, poller, task: Mutex::default() }
    }

    /// Receives nothing more, and returns when the batch in hand is settled.
    pub async fn shutdown(&self) {
        self.poller.closing.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            error!("The poller of {} failed: {error}", self.source.queue_arn);
        }
    }

    /// Goes on with receiving, or receives nothing until it is told to. The batch in hand is seen through.
    pub fn enable(&self, enabled: bool) {
        self.poller.enabled.send_replace(enabled);
    }

    pub(super) fn uuid(&self) -> &str {
        &self.uuid
    }

    pub(super) fn queue_arn(&self) -> &str {
        &self.source.queue_arn
    }

    /// The mapping as Lambda's API shows it.
    pub(super) fn to_json(&self) -> Value {
        let is_enabled = *self.poller.enabled.borrow() && !self.poller.closing.is_cancelled();
        let last_result = *self.poller.last_result.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "UUID": self.uuid,
            "BatchSize": self.source.batch_size,
            "MaximumBatchingWindowInSeconds": 0,
            "EventSourceArn": self.source.queue_arn,
            "FunctionArn": self.poller.function.config().arn(),
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "State": if is_enabled { "Enabled" } else { "Disabled" },
            "StateTransitionReason": "USER_INITIATED",
            "LastProcessingResult": last_result,
        })
    }
}

impl Poller {
    async fn poll(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        let mut enabled = self.enabled.subscribe();
        while !self.closing.is_cancelled() {
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return,
                is_enabled = enabled.wait_for(|enabled| *enabled) => if is_enabled.is_err() { return },
            }
            let receive = json!({
                "QueueUrl": self.source.queue_url,
                "MaxNumberOfMessages": self.source.batch_size,
                "WaitTimeSeconds": 20,
                "MessageSystemAttributeNames": ["All"],
                "MessageAttributeNames": ["All"],
            });
            let received = tokio::select! {
                biased;
                received = (self.sqs)("ReceiveMessage", receive) => received,
                () = self.closing.cancelled() => return,
                _ = enabled.wait_for(|enabled| !*enabled) => continue,
            };
            let is_well = match received.map(Batch::received) {
                Ok(Some(batch)) => self.process(&batch).await,
                Ok(None) => true,
                Err(error) => {
                    error!("Failed to receive from {}: {error}", self.source.queue_url);
                    false
                }
            };
            if is_well {
                pause = FIRST_PAUSE;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.closing.cancelled() => return,
            }
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// Sees one batch through. `false` where the function failed as a whole: then the queue is left alone for a while.
    async fn process(&self, batch: &Batch) -> bool {
        let event = batch.to_event(&self.source.queue_arn, &self.source.region);
        let size = batch.len();
        let name = &self.function.config().name;
        let failure = match self.function.invoke(event).await {
            Ok(answer) => {
                let settlement = batch.settle(&answer);
                info!("Function {name} took {size} messages, {} are deleted", settlement.deleted.len());
                self.delete(&settlement.deleted).await;
                settlement.failure.map(str::to_owned)
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(failure) = &failure {
            warn!("The whole batch of {size} messages stays in {}: {failure}", self.source.queue_url);
        }
        let result = if failure.is_none() { "OK" } else { "PROBLEM: Function call failed" };
        *self.last_result.lock().unwrap_or_else(PoisonError::into_inner) = result;
        failure.is_none()
    }

    async fn delete(&self, receipt_handles: &[String]) {
        if receipt_handles.is_empty() {
            return;
        }
        let entries: Vec<Value> = receipt_handles
            .iter()
            .enumerate()
            .map(|(index, handle)| json!({"Id": index.to_string(), "ReceiptHandle": handle}))
            .collect();
        let request = json!({"QueueUrl": self.source.queue_url, "Entries": entries});
        // A message that is not deleted comes again: that is for the function to expect.
        match (self.sqs)("DeleteMessageBatch", request).await {
            Ok(answer) => {
                let failed = answer.get("Failed").and_then(Value::as_array).map_or(0, Vec::len);
                if failed > 0 {
                    warn!("{failed} messages could not be deleted from {}", self.source.queue_url);
                }
            }
            Err(error) => error!("Failed to delete from {}: {error}", self.source.queue_url),
        }
    }
}
