#![doc = include_str!("../README.md")]

pub mod config;
mod decider;
mod decision;
mod metrics;
mod record;

use std::collections::HashMap;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::{StreamExt as _, stream};
use statemachine::{Message, TraceHeader};

use config::Config;
use decider::Decider;
use decision::Decision;
use lambda_shared::{BrokenEvent, Patience};
use record::message_of;

/// A record needs three calls at most, and the records of a batch of 10 run side by side: together below the function's
/// timeout of 10 s, whatever happens.
pub const PATIENCE: Patience =
    Patience { call: Duration::from_secs(3), attempt: Duration::from_millis(1400) };

/// How many messages are worked on at a time: the usual batch of a queue, far below what Step Functions throttles.
const CONCURRENT_MESSAGES: usize = 10;

/// The function: a batch of records at a time.
#[derive(Debug)]
pub struct StartImport(Decider);

impl StartImport {
    /// A function that starts executions of the import machine for the messages of its queue.
    #[must_use]
    pub fn new(sfn: aws_sdk_sfn::Client, sqs: aws_sdk_sqs::Client, config: Config) -> Self {
        Self(Decider { sfn, sqs, config })
    }

    /// Decides on each record of the event and names those that Lambda must not delete. `trace_header` is the invocation's.
    ///
    /// # Errors
    /// [`BrokenEvent`] where the event is not one of the queue's: Lambda then keeps the whole batch.
    pub async fn handle(
        &self,
        event: SqsEvent,
        trace_header: Option<TraceHeader>,
    ) -> Result<SqsBatchResponse, BrokenEvent> {
        let records = event.records.into_iter();
        let messages = records.map(|record| message_of(record, &self.0.config, trace_header.as_ref()));
        let messages: Vec<Message> = messages.collect::<Result<_, _>>()?;
        let ids: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();

        let decided: Vec<(String, Decision)> = stream::iter(lanes(messages))
            .map(|lane| self.take(lane))
            .buffer_unordered(CONCURRENT_MESSAGES)
            .concat()
            .await;

        // Named are all that were not acknowledged, rather than all that are known to be kept: in doubt a message stays.
        let is_acknowledged = |id: &String| {
            decided.iter().any(|(of, decision)| of == id && *decision == Decision::Acknowledged)
        };
        let mut response = SqsBatchResponse::default();
        response.set_failures(ids.into_iter().filter(|id| !is_acknowledged(id)));
        let decisions: Vec<Decision> = decided.iter().map(|(_, decision)| *decision).collect();
        metrics::tell(&decisions);
        Ok(response)
    }

    /// Takes the messages of one lane in order, up to the first that stays in the queue. Returns what was decided on each.
    async fn take(&self, lane: Vec<Message>) -> Vec<(String, Decision)> {
        let mut decided = Vec::new();
        let mut messages = lane.into_iter();
        for message in messages.by_ref() {
            let id = message.id.clone();
            let decision = self.0.decide(message).await;
            decided.push((id, decision));
            if decision != Decision::Acknowledged {
                break;
            }
        }
        decided.extend(messages.map(|message| (message.id.clone(), decider::leave_behind(&message))));
        decided
    }
}

/// Parts messages that may overtake each other: a lane holds one message, or all messages of one group in order.
fn lanes(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut lanes: Vec<Vec<Message>> = Vec::new();
    let mut of_group: HashMap<String, usize> = HashMap::new();
    for message in messages {
        let lane = match &message.group_id {
            Some(group) => *of_group.entry(group.clone()).or_insert(lanes.len()),
            None => lanes.len(),
        };
        match lanes.get_mut(lane) {
            Some(lane) => lane.push(message),
            None => lanes.push(vec![message]),
        }
    }
    lanes
}
