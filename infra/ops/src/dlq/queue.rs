//! The dead-letter queue as a whole. SQS has no search: all visible messages are received and hidden for a short while,
//! what is not meant is given back at once, and the rest is deleted, moved or given back.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName, QueueAttributeName,
};

use super::dead_letter::DeadLetter;
use crate::error::of_aws;
use crate::target::Target;

/// For how long messages are hidden from others, in seconds. Where a command is killed, they come back after that.
pub const HOLD_S: i32 = 30;
/// How long a receive waits, in seconds, where the queue said that there is more: then all of its servers are asked.
const LONG_POLL_S: i32 = 1;
/// The most messages in one request.
const BATCH: usize = 10;

/// How many messages a queue has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that can be received.
    pub visible: usize,
    /// Hidden, because somebody is looking at them.
    pub in_flight: usize,
}

/// How many messages the dead-letter queue has, as far as SQS knows at the moment.
pub async fn count(target: &Target) -> anyhow::Result<Counts> {
    count_in(target, &target.resources.dead_letter_queue_url).await
}

/// How many messages a queue has, as far as SQS knows at the moment.
pub async fn count_in(target: &Target, queue_url: &str) -> anyhow::Result<Counts> {
    use QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
    };
    let asked = target.sqs.get_queue_attributes().queue_url(queue_url);
    let answer = asked.attribute_names(Visible).attribute_names(Hidden).send().await.map_err(of_aws);
    let attributes = answer.context("failed to ask for the state of a queue")?.attributes;
    let attributes = attributes.unwrap_or_default();
    let number = |name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(Counts { visible: number(Visible), in_flight: number(Hidden) })
}

/// Receives all visible messages, the oldest first. They are hidden from others for [`HOLD_S`], unless given back or
/// deleted. In a FIFO queue, messages of a group of which others were received stay where they are; says how many.
pub(crate) async fn receive_all(target: &Target) -> anyhow::Result<(Vec<DeadLetter>, usize)> {
    let mut letters = Vec::new();
    let received = receive_into(target, &mut letters).await;
    if received.is_err() {
        give_back(target, &letters).await;
    }
    received?;
    letters.sort_by_key(|letter| letter.sent_at);
    let unseen = match target.resources.dead_letter_queue_url.ends_with(".fifo") {
        true => count(target).await?.visible,
        false => 0,
    };
    Ok((letters, unseen))
}

async fn receive_into(target: &Target, letters: &mut Vec<DeadLetter>) -> anyhow::Result<()> {
    let expected = count(target).await?.visible;
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut wait_s = 0;
    loop {
        let batch = receive(target, wait_s).await?;
        let was_empty = batch.is_empty();
        let before = letters.len();
        for message in batch {
            let letter = DeadLetter::read(target, message)?;
            match places.get(&letter.message_id).and_then(|place| letters.get_mut(*place)) {
                // Received again: the new receipt is the one that counts.
                Some(known) => *known = letter,
                None => {
                    places.insert(letter.message_id.clone(), letters.len());
                    letters.push(letter);
                }
            }
        }
        let is_all = letters.len() >= expected;
        match (was_empty, is_all) {
            (true, false) if wait_s == 0 => wait_s = LONG_POLL_S,
            (true, _) => return Ok(()),
            // The hold of the first ones has lapsed.
            (false, _) if letters.len() == before => return Ok(()),
            (false, _) => wait_s = 0,
        }
    }
}

async fn receive(target: &Target, wait_s: i32) -> anyhow::Result<Vec<Message>> {
    let received = target
        .sqs
        .receive_message()
        .queue_url(&target.resources.dead_letter_queue_url)
        .max_number_of_messages(BATCH.try_into().unwrap_or(1))
        .visibility_timeout(HOLD_S)
        .wait_time_seconds(wait_s)
        .message_attribute_names("All")
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await
        .map_err(of_aws)
        .context("failed to receive from the dead-letter queue")?;
    Ok(received.messages.unwrap_or_default())
}

/// Makes messages visible again, so that nobody has to wait for them. Where that fails they come back by themselves.
pub async fn give_back(target: &Target, letters: impl IntoIterator<Item = &DeadLetter>) {
    for batch in batches(letters) {
        let entries = batch.iter().enumerate().filter_map(|(index, letter)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(letter.receipt())
                .visibility_timeout(0)
                .build()
                .ok()
        });
        let changed = target
            .sqs
            .change_message_visibility_batch()
            .queue_url(&target.resources.dead_letter_queue_url)
            .set_entries(Some(entries.collect()))
            .send()
            .await;
        if let Err(error) = changed {
            tracing::warn!("failed to give messages back: {:#}", of_aws(error));
        }
    }
}

/// Deletes messages.
///
/// # Errors
/// Where SQS refuses one, after the others were tried. What is left comes back.
pub async fn delete(target: &Target, letters: impl IntoIterator<Item = &DeadLetter>) -> anyhow::Result<()> {
    let mut refused = Vec::new();
    for batch in batches(letters) {
        let entries = batch.iter().enumerate().filter_map(|(index, letter)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(letter.receipt()).build().ok()
        });
        let deleted = target
            .sqs
            .delete_message_batch()
            .queue_url(&target.resources.dead_letter_queue_url)
            .set_entries(Some(entries.collect()))
            .send()
            .await
            .map_err(of_aws)
            .context("failed to delete messages of the dead-letter queue")?;
        refused.extend(deleted.failed.into_iter().map(|failed| failed.message.unwrap_or(failed.code)));
    }
    match refused.as_slice() {
        [] => Ok(()),
        [first, ..] => anyhow::bail!("SQS refused to delete {} messages: {first}", refused.len()),
    }
}

fn batches<'a>(letters: impl IntoIterator<Item = &'a DeadLetter>) -> Vec<Vec<&'a DeadLetter>> {
    let all: Vec<_> = letters.into_iter().collect();
    all.chunks(BATCH).map(<[_]>::to_vec).collect()
}
