#![doc = include_str!("../README.md")]

pub mod config;
mod lane;
mod lane_message;

use std::collections::HashSet;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::future::join_all;
use tracing::{info, warn};

use config::Config;
use lambda_shared::{BrokenEvent, Patience, name_of};
use lane::Asks;
use lane_message::{LaneMessage, requests};
use logging::{About, import_span};

/// A message needs one call, which may carry a MiB, and calls run side by side: below the function's timeout of 10 s,
/// whatever happens.
pub const PATIENCE: Patience =
    Patience { call: Duration::from_secs(8), attempt: Duration::from_millis(3500) };

/// The function: its client, and what it knows of the lanes.
#[derive(Debug)]
pub struct AssignLane {
    sqs: aws_sdk_sqs::Client,
    config: Config,
}

impl AssignLane {
    /// A function that moves messages into the lanes of the configured queue.
    #[must_use]
    pub fn new(sqs: aws_sdk_sqs::Client, config: Config) -> Self {
        Self { sqs, config }
    }

    /// Sends each record of the event on, and names those that Lambda must not delete: all that SQS has not said to have.
    ///
    /// # Errors
    /// [`BrokenEvent`] where the event is not one of a standard queue: Lambda then keeps the whole batch.
    pub async fn handle(&self, event: SqsEvent) -> Result<SqsBatchResponse, BrokenEvent> {
        let lanes = self.config.maximum_imports;
        let messages = event.records.into_iter().map(|record| LaneMessage::of(record, lanes));
        let messages: Vec<LaneMessage> = messages.collect::<Result<_, _>>()?;
        // Side by side: one after the other, the requests of a batch of large messages would take the function's time.
        let sent = join_all(requests(&messages).into_iter().map(|entries| self.send(entries))).await;
        let taken: HashSet<String> = sent.into_iter().flatten().collect();

        let mut kept = Vec::new();
        for (place, message) in messages.into_iter().enumerate() {
            let is_done = message.asks == Asks::ForNothing || taken.contains(&place.to_string());
            say(&message, is_done);
            if !is_done {
                kept.push(message.message_id);
            }
        }
        let mut response = SqsBatchResponse::default();
        response.set_failures(kept);
        Ok(response)
    }

    /// Sends a request; the ids of the entries that SQS has taken.
    async fn send(&self, entries: Vec<SendMessageBatchRequestEntry>) -> Vec<String> {
        let request = self.sqs.send_message_batch().queue_url(&self.config.lane_queue_url);
        match request.set_entries(Some(entries)).send().await {
            Ok(SendMessageBatchOutput { successful, failed, .. }) => {
                for refused in failed {
                    warn!(error_code = refused.code, "SQS refused a message: {}", refused.code);
                }
                successful.into_iter().map(|entry| entry.id).collect()
            }
            Err(error) => {
                warn!("SendMessageBatch failed: {}", name_of(&error));
                Vec::new()
            }
        }
    }
}

fn say(message: &LaneMessage, is_done: bool) {
    let message_id = &message.message_id;
    let import_id = match &message.asks {
        Asks::For { import_id, .. } => import_id.as_deref(),
        Asks::ForNothing => None,
    };
    let about =
        About { import_id, message_id: Some(message_id), trace_id: message.trace_id(), ..About::default() };
    let _entered = import_span(&about).entered();
    match &message.asks {
        Asks::For { lane, .. } if is_done => info!(lane, "Message {message_id} is in {lane}"),
        Asks::For { .. } => warn!("Message {message_id} is left"),
        Asks::ForNothing => info!("Message {message_id} is acknowledged: S3 tests a new notification"),
    }
}
