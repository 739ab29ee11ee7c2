//! ReceiveMessage, one look at the queue; the waiting is its caller's.

use diesel::dsl::{exists, min, not};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::attributes::{MAX_VISIBILITY_TIMEOUT_S, MAX_WAIT_S};
use super::fault::{Fault, invalid_value, unknown_attribute};
use super::message::{Message, sequence_number};
use super::message_attributes::{MessageAttributes, md5_of};
use super::queue::{Call, Queue};
use super::queues::is_queue_attribute;
use super::receipt::Receipt;
use super::schema::messages;
use crate::wire::AwsError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ReceiveMessage {
    queue_url: String,
    attribute_names: Option<Vec<String>>,
    message_system_attribute_names: Option<Vec<String>>,
    message_attribute_names: Option<Vec<String>>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
}

/// What one look at the queue found.
pub(super) struct Received {
    pub(super) messages: Vec<Value>,
    /// For how many seconds the caller wants to wait where there is nothing.
    pub(super) wait_s: i64,
    /// When the next hidden message becomes visible.
    pub(super) next_visible_at: Option<i64>,
    /// Whether messages went to the dead-letter queue, where somebody may be waiting.
    pub(super) dead_lettered: bool,
}

const SYSTEM_ATTRIBUTES: [&str; 9] = [
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

pub(super) fn receive_message(call: &mut Call, request: &ReceiveMessage) -> Result<Received, Fault> {
    let within = |name, asked: Option<i64>, range: std::ops::RangeInclusive<i64>, reason| match asked {
        Some(value) if !range.contains(&value) => Err(invalid_value(name, value, reason)),
        asked => Ok(asked),
    };
    let most = within(
        "MaxNumberOfMessages",
        request.max_number_of_messages,
        1..=10,
        "Must be between 1 and 10, if provided.",
    )?;
    let visibility_timeout_s = within(
        "VisibilityTimeout",
        request.visibility_timeout,
        0..=MAX_VISIBILITY_TIMEOUT_S,
        "Must be between 0 and 43200, if provided.",
    )?;
    let wait_s = within(
        "WaitTimeSeconds",
        request.wait_time_seconds,
        0..=MAX_WAIT_S,
        "Must be >= 0 and <= 20, if provided.",
    )?;
    check_system_attribute_names(request)?;

    let queue = call.open_queue(&request.queue_url)?;
    let hidden_until =
        call.now + visibility_timeout_s.unwrap_or(queue.attributes.visibility_timeout_s) * 1000;
    let most = usize::try_from(most.unwrap_or(1)).unwrap_or(1);
    let (held, dead_lettered) = hold(call, &queue, most, hidden_until)?;
    let next_visible_at = messages::table
        .filter(messages::queue_id.eq(queue.id))
        .filter(messages::visible_at.gt(call.now))
        .select(min(messages::visible_at))
        .first(call.db)?;
    let messages = held
        .iter()
        .map(|message| describe(call, &queue, request, message))
        .collect::<Result<_, AwsError>>()?;
    Ok(Received {
        messages,
        wait_s: wait_s.unwrap_or(queue.attributes.wait_s),
        next_visible_at,
        dead_lettered,
    })
}

fn check_system_attribute_names(request: &ReceiveMessage) -> Result<(), AwsError> {
    let known = |name: &str| name == "All" || SYSTEM_ATTRIBUTES.contains(&name);
    let old = request.attribute_names.iter().flatten().find(|name| {
        // From the time when one list named the attributes of queues and of messages; AWS ignores the former.
        !known(name) && !is_queue_attribute(name)
    });
    let new = request.message_system_attribute_names.iter().flatten().find(|name| !known(name));
    match old.or(new) {
        Some(name) => Err(unknown_attribute(name)),
        None => Ok(()),
    }
}

/// Hides up to `most` messages and gives each a new receipt. Messages that were received too often go to the
/// dead-letter queue instead; whether there were any is the second result.
fn hold(
    call: &mut Call,
    queue: &Queue,
    most: usize,
    hidden_until: i64,
) -> Result<(Vec<Message>, bool), Fault> {
    let redrive = match &queue.attributes.redrive_policy {
        Some(policy) => call
            .find_queue_by_arn(&policy.dead_letter_target_arn)?
            .map(|target| (target, policy.max_receive_count)),
        None => None,
    };
    let mut held: Vec<Message> = Vec::new();
    let mut dead_lettered = false;
    loop {
        let candidates = candidates(call, queue, most - held.len(), &held)?;
        let mut again = false;
        for message in candidates {
            match &redrive {
                Some((target, limit)) if message.stored.receives_here >= *limit => {
                    message.dead_letter(call, queue, target)?;
                    dead_lettered = true;
                    again = true;
                }
                _ => held.push(receive(call, message, hidden_until)?),
            }
        }
        // Only a look that moved messages left room for others.
        if !again {
            return Ok((held, dead_lettered));
        }
    }
}

/// The next messages that can be received: in a standard queue those that have waited longest, in a FIFO queue the
/// oldest, except those of groups in which a message is in flight or an older one is delayed.
fn candidates(call: &mut Call, queue: &Queue, most: usize, held: &[Message]) -> Result<Vec<Message>, Fault> {
    // With a visibility timeout of 0, what is held is still visible.
    let held: Vec<i64> = held.iter().map(|message| message.sequence).collect();
    let visible = messages::table
        .filter(messages::queue_id.eq(queue.id))
        .filter(messages::visible_at.le(call.now))
        .filter(messages::sequence.ne_all(held))
        .limit(i64::try_from(most).unwrap_or(0))
        .select(Message::as_select());
    let found = if queue.attributes.fifo {
        let others = diesel::alias!(messages as others);
        let blocked = others
            .filter(others.field(messages::queue_id).eq(queue.id))
            .filter(others.field(messages::group_id).eq(messages::group_id))
            .filter(others.field(messages::visible_at).gt(call.now))
            .filter(
                others
                    .field(messages::receipt)
                    .is_not_null()
                    .or(others.field(messages::sequence).lt(messages::sequence)),
            );
        visible.filter(not(exists(blocked))).order(messages::sequence).load(call.db)?
    } else {
        visible.order((messages::visible_at, messages::sequence)).load(call.db)?
    };
    Ok(found)
}

fn receive(call: &mut Call, mut message: Message, hidden_until: i64) -> Result<Message, Fault> {
    let stored = &mut message.stored;
    stored.visible_at = hidden_until;
    stored.first_received_at = stored.first_received_at.or(Some(call.now));
    stored.receive_count += 1;
    stored.receives_here += 1;
    stored.receipt = Some(uuid::Uuid::new_v4().to_string());
    diesel::update(messages::table.find(message.sequence))
        .set((
            messages::visible_at.eq(stored.visible_at),
            messages::first_received_at.eq(stored.first_received_at),
            messages::receive_count.eq(stored.receive_count),
            messages::receives_here.eq(stored.receives_here),
            messages::receipt.eq(&stored.receipt),
        ))
        .execute(call.db)?;
    Ok(message)
}

fn describe(
    call: &Call,
    queue: &Queue,
    request: &ReceiveMessage,
    message: &Message,
) -> Result<Value, AwsError> {
    let stored = &message.stored;
    let receipt = Receipt {
        queue_id: queue.id,
        message_id: stored.message_id.clone(),
        receive: stored.receipt.clone().unwrap_or_default(),
        received_at: call.now,
    };
    let mut described = Map::new();
    described.insert("MessageId".to_owned(), json!(stored.message_id));
    described.insert("ReceiptHandle".to_owned(), json!(receipt.to_handle()));
    described.insert("MD5OfBody".to_owned(), json!(md5_of(&stored.body)));
    described.insert("Body".to_owned(), json!(stored.body));

    let asked: Vec<&str> = request
        .attribute_names
        .iter()
        .chain(&request.message_system_attribute_names)
        .flatten()
        .map(String::as_str)
        .collect();
    let mut system = Map::new();
    for name in SYSTEM_ATTRIBUTES.into_iter().filter(|name| asked.contains(name) || asked.contains(&"All")) {
        if let Some(value) = system_attribute(call, queue, message, name) {
            system.insert(name.to_owned(), json!(value));
        }
    }
    if !system.is_empty() {
        described.insert("Attributes".to_owned(), Value::Object(system));
    }

    let mut attributes = MessageAttributes::from_json(&stored.attributes)?;
    attributes.retain(request.message_attribute_names.as_deref().unwrap_or_default());
    if let Some(md5) = attributes.md5() {
        described.insert("MD5OfMessageAttributes".to_owned(), json!(md5));
        described.insert("MessageAttributes".to_owned(), json!(attributes.to_wire()));
    }
    Ok(Value::Object(described))
}

fn system_attribute(call: &Call, queue: &Queue, message: &Message, name: &str) -> Option<String> {
    let stored = &message.stored;
    match name {
        "ApproximateFirstReceiveTimestamp" => stored.first_received_at.map(|at| at.to_string()),
        "ApproximateReceiveCount" => Some(stored.receive_count.to_string()),
        "AWSTraceHeader" => stored.trace_header.clone(),
        "DeadLetterQueueSourceArn" => stored.source_arn.clone(),
        "MessageDeduplicationId" => stored.deduplication_id.clone(),
        "MessageGroupId" => stored.group_id.clone(),
        // The stack has one user.
        "SenderId" => Some(call.names.account().to_owned()),
        "SentTimestamp" => Some(stored.sent_at.to_string()),
        "SequenceNumber" => queue.attributes.fifo.then(|| sequence_number(message.sequence)),
        _ => None,
    }
}
