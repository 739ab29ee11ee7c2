//! DeleteMessage and DeleteMessageBatch.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::batch;
use super::fault::Fault;
use super::queue::{Call, Queue};
use super::receipt::{Held, Receipt, expired};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DeleteMessageBatch {
    queue_url: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    id: String,
    receipt_handle: String,
}

pub(super) fn delete_message(call: &mut Call, request: &DeleteMessage) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    delete(call, &queue, &request.receipt_handle)?;
    Ok(json!({}))
}

pub(super) fn delete_message_batch(call: &mut Call, request: &DeleteMessageBatch) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    batch::check("DeleteMessageBatch", request.entries.iter().map(|entry| entry.id.as_str()))?;
    let mut results = batch::Results::default();
    for entry in &request.entries {
        let deleted = delete(call, &queue, &entry.receipt_handle);
        results.add(&entry.id, deleted.map(|()| Map::new()))?;
    }
    Ok(results.into_value())
}

/// Deletes the message if the handle is of its last receive. With an older handle a standard queue says yes and keeps
/// the message: AWS promises no more than that it "might not be deleted", and who relies on less is right on both. A
/// FIFO queue refuses, an older handle as well as one whose visibility timeout is over.
fn delete(call: &mut Call, queue: &Queue, handle: &str) -> Result<(), Fault> {
    let fifo = queue.attributes.fifo;
    match Receipt::of(queue, handle, call.now)?.find(call)? {
        Held::Last(message) if fifo && message.stored.visible_at <= call.now => Err(expired(handle).into()),
        Held::Last(message) => message.delete(call),
        Held::Superseded if fifo => Err(expired(handle).into()),
        Held::Superseded | Held::Gone => Ok(()),
    }
}
