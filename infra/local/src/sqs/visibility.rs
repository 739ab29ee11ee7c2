//! ChangeMessageVisibility and ChangeMessageVisibilityBatch.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::attributes::MAX_VISIBILITY_TIMEOUT_S;
use super::batch;
use super::fault::{Fault, invalid_value, missing_parameter};
use super::queue::{Call, Queue};
use super::receipt::{Held, Receipt};
use super::schema::messages;
use crate::wire::AwsError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ChangeMessageVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ChangeMessageVisibilityBatch {
    queue_url: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

pub(super) fn change_message_visibility(
    call: &mut Call,
    request: &ChangeMessageVisibility,
) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    change(call, &queue, &request.receipt_handle, request.visibility_timeout)?;
    Ok(json!({}))
}

pub(super) fn change_message_visibility_batch(
    call: &mut Call,
    request: &ChangeMessageVisibilityBatch,
) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    batch::check("ChangeMessageVisibilityBatch", request.entries.iter().map(|entry| entry.id.as_str()))?;
    let mut results = batch::Results::default();
    for entry in &request.entries {
        let changed = match entry.visibility_timeout {
            Some(timeout_s) => change(call, &queue, &entry.receipt_handle, timeout_s),
            None => Err(missing_parameter("VisibilityTimeout").into()),
        };
        results.add(&entry.id, changed.map(|()| Map::new()))?;
    }
    Ok(results.into_value())
}

/// Hides a message in flight for `timeout_s` from now. The 12 hours that a message can be hidden count from the receive
/// that the handle is of, so that 43,200 seconds are always too many.
fn change(call: &mut Call, queue: &Queue, handle: &str, timeout_s: i64) -> Result<(), Fault> {
    if !(0..=MAX_VISIBILITY_TIMEOUT_S).contains(&timeout_s) {
        let reason = "VisibilityTimeout must be an integer between 0 and 43200";
        return Err(invalid_value("VisibilityTimeout", timeout_s, reason).into());
    }
    let receipt = Receipt::of(queue, handle, call.now)?;
    let message = match receipt.find(call)? {
        Held::Last(message) => message,
        Held::Superseded | Held::Gone => {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(invalid_value("ReceiptHandle", handle, reason).into());
        }
    };
    if message.stored.visible_at <= call.now {
        let error = AwsError::client("MessageNotInflight", "The specified message isn't in flight.");
        return Err(error.into());
    }
    let visible_at = call.now + timeout_s * 1000;
    if visible_at - receipt.received_at > MAX_VISIBILITY_TIMEOUT_S * 1000 {
        let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
        return Err(invalid_value("VisibilityTimeout", timeout_s, reason).into());
    }
    diesel::update(messages::table.find(message.sequence))
        .set(messages::visible_at.eq(visible_at))
        .execute(call.db)?;
    Ok(())
}
