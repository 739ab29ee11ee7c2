//! The operations on queues: create, find, describe, set, purge.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::attributes::QueueAttributes;
use super::fault::{Fault, invalid_value, queue_does_not_exist, shown, unknown_attribute};
use super::queue::{Call, Queue};
use super::schema::{messages, queues};
use crate::wire::AwsError;

/// AWS takes a minute to purge a queue, and refuses to begin again in that time.
const PURGE_MS: i64 = 60_000;
const MAX_LISTED: i64 = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateQueue {
    queue_name: String,
    attributes: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetQueueUrl {
    queue_name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListQueues {
    queue_name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetQueueAttributes {
    queue_url: String,
    attribute_names: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetQueueAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PurgeQueue {
    queue_url: String,
}

const QUEUE_ATTRIBUTES: [&str; 21] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "ContentBasedDeduplication",
    "CreatedTimestamp",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "LastModifiedTimestamp",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "QueueArn",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// Whether AWS has a queue attribute of this name, whatever the stack makes of it.
pub(super) fn is_queue_attribute(name: &str) -> bool {
    QUEUE_ATTRIBUTES.contains(&name)
}

/// Creates a queue. For one that exists, only the attributes that the request names must be the same.
pub(super) fn create_queue(call: &mut Call, request: &CreateQueue) -> Result<Value, Fault> {
    let wanted = request.attributes.clone().unwrap_or_default();
    let name = &request.queue_name;
    if let Some(queue) = call.find_queue(name)? {
        let mut changed = queue.attributes.clone();
        changed.apply(&wanted, false)?;
        let (old, new) = (queue.attributes.to_map(), changed.to_map());
        if let Some(name) = QUEUE_ATTRIBUTES.iter().find(|name| old.get(*name) != new.get(*name)) {
            let message = format!(
                "A queue already exists with the same name and a different value for attribute {name}"
            );
            return Err(AwsError::client("QueueNameExists", message).into());
        }
    } else {
        let mut attributes = QueueAttributes::default();
        attributes.apply(&wanted, true)?;
        insert(call, name, &attributes)?;
    }
    Ok(json!({"QueueUrl": call.names.url(name)}))
}

/// Creates a queue, or gives one that exists these attributes.
pub(super) fn ensure_queue(call: &mut Call, name: &str, attributes: &QueueAttributes) -> Result<(), Fault> {
    match call.find_queue(name)? {
        Some(queue) if queue.attributes == *attributes => Ok(()),
        Some(queue) if queue.attributes.fifo != attributes.fifo => {
            let message =
                format!("A queue already exists with the name {name} and is not of the type wanted");
            Err(AwsError::client("QueueNameExists", message).into())
        }
        Some(queue) => update(call, &queue, attributes),
        None => insert(call, name, attributes),
    }
}

fn insert(call: &mut Call, name: &str, attributes: &QueueAttributes) -> Result<(), Fault> {
    check_name(name, attributes.fifo)?;
    check_redrive(call, attributes)?;
    diesel::insert_into(queues::table)
        .values((
            queues::name.eq(name),
            attributes,
            queues::created_at.eq(call.now),
            queues::modified_at.eq(call.now),
        ))
        .execute(call.db)?;
    Ok(())
}

fn update(call: &mut Call, queue: &Queue, attributes: &QueueAttributes) -> Result<(), Fault> {
    check_redrive(call, attributes)?;
    diesel::update(queues::table.find(queue.id))
        .set((attributes, queues::modified_at.eq(call.now)))
        .execute(call.db)?;
    if attributes.fifo && attributes.delay_s != queue.attributes.delay_s {
        // A FIFO queue's delay holds for the messages that it has, too.
        diesel::update(messages::table)
            .filter(messages::queue_id.eq(queue.id))
            .filter(messages::receive_count.eq(0))
            .set(messages::visible_at.eq(messages::sent_at + attributes.delay_s * 1000))
            .execute(call.db)?;
    }
    Ok(())
}

fn check_name(name: &str, fifo: bool) -> Result<(), AwsError> {
    let stem = match (name.strip_suffix(".fifo"), fifo) {
        (Some(stem), true) => stem,
        (None, false) => name,
        (None, true) => {
            let message = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or \
                           underscores, must end with .fifo suffix and be 1 to 80 in length";
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        (Some(_), false) => "",
    };
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if stem.is_empty() || name.len() > 80 || !stem.chars().all(allowed) {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(AwsError::client("InvalidParameterValue", message));
    }
    Ok(())
}

fn check_redrive(call: &mut Call, attributes: &QueueAttributes) -> Result<(), Fault> {
    let Some(policy) = &attributes.redrive_policy else {
        return Ok(());
    };
    let arn = &policy.dead_letter_target_arn;
    match call.find_queue_by_arn(arn)? {
        Some(target) if target.attributes.fifo == attributes.fifo => Ok(()),
        Some(_) => {
            let reason = "Dead-letter queue must be same type of queue as the source.";
            Err(invalid_value("RedrivePolicy", arn, reason).into())
        }
        None => Err(invalid_value("RedrivePolicy", arn, "Dead letter target does not exist.").into()),
    }
}

pub(super) fn get_queue_url(call: &mut Call, request: &GetQueueUrl) -> Result<Value, Fault> {
    if request.owner.as_ref().is_some_and(|owner| owner != call.names.account()) {
        return Err(queue_does_not_exist().into());
    }
    let queue = call.find_queue(&request.queue_name)?.ok_or_else(queue_does_not_exist)?;
    Ok(json!({"QueueUrl": call.names.url(&queue.name)}))
}

pub(super) fn list_queues(call: &mut Call, request: &ListQueues) -> Result<Value, Fault> {
    let most = request.max_results.unwrap_or(MAX_LISTED);
    if !(1..=MAX_LISTED).contains(&most) {
        let reason = "Must be between 1 and 1000, if provided.";
        return Err(invalid_value("MaxResults", most, reason).into());
    }
    let after = match &request.next_token {
        Some(token) => STANDARD
            .decode(token)
            .ok()
            .and_then(|name| String::from_utf8(name).ok())
            .ok_or_else(|| invalid_value("NextToken", token, "It is not one that ListQueues gave."))?,
        None => String::new(),
    };
    let mut names: Vec<String> = queues::table
        .filter(queues::name.gt(after))
        .order(queues::name)
        .select(queues::name)
        .load(call.db)?;
    // Here and not in SQL, where a prefix with an underscore would be a pattern.
    names.retain(|name| name.starts_with(request.queue_name_prefix.as_deref().unwrap_or_default()));
    let most = usize::try_from(most).unwrap_or(names.len());
    let more = names.len() > most;
    names.truncate(most);
    let mut answer = json!({});
    if !names.is_empty() {
        answer["QueueUrls"] = names.iter().map(|name| call.names.url(name)).collect();
    }
    // Without MaxResults AWS cuts the list and says nothing.
    if let (true, Some(_), Some(last)) = (more, request.max_results, names.last()) {
        answer["NextToken"] = json!(STANDARD.encode(last));
    }
    Ok(answer)
}

pub(super) fn get_queue_attributes(call: &mut Call, request: &GetQueueAttributes) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    let asked = request.attribute_names.as_deref().unwrap_or_default();
    if let Some(name) = asked.iter().find(|name| *name != "All" && !is_queue_attribute(name)) {
        return Err(unknown_attribute(name).into());
    }
    let mut all = queue.attributes.to_map();
    all.insert("QueueArn", call.names.arn(&queue.name));
    all.insert("CreatedTimestamp", (queue.created_at / 1000).to_string());
    all.insert("LastModifiedTimestamp", (queue.modified_at / 1000).to_string());
    let of_queue = messages::table.filter(messages::queue_id.eq(queue.id)).count();
    let visible: i64 = of_queue.filter(messages::visible_at.le(call.now)).first(call.db)?;
    let hidden = of_queue.filter(messages::visible_at.gt(call.now));
    let in_flight: i64 = hidden.filter(messages::receipt.is_not_null()).first(call.db)?;
    let delayed: i64 = hidden.filter(messages::receipt.is_null()).first(call.db)?;
    all.insert("ApproximateNumberOfMessages", visible.to_string());
    all.insert("ApproximateNumberOfMessagesNotVisible", in_flight.to_string());
    all.insert("ApproximateNumberOfMessagesDelayed", delayed.to_string());
    all.retain(|name, _| asked.iter().any(|asked| asked == "All" || asked == name));
    Ok(if all.is_empty() { json!({}) } else { json!({"Attributes": all}) })
}

pub(super) fn set_queue_attributes(call: &mut Call, request: &SetQueueAttributes) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    let mut attributes = queue.attributes.clone();
    attributes.apply(&request.attributes, false)?;
    update(call, &queue, &attributes)?;
    Ok(json!({}))
}

/// Deletes all messages, those in flight too.
pub(super) fn purge_queue(call: &mut Call, request: &PurgeQueue) -> Result<Value, Fault> {
    let queue = call.open_queue(&request.queue_url)?;
    if queue.purged_at.is_some_and(|purged_at| call.now - purged_at < PURGE_MS) {
        let name = shown(&queue.name);
        let message = format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.");
        return Err(AwsError::client("PurgeQueueInProgress", message).into());
    }
    diesel::delete(messages::table.filter(messages::queue_id.eq(queue.id))).execute(call.db)?;
    diesel::update(queues::table.find(queue.id)).set(queues::purged_at.eq(call.now)).execute(call.db)?;
    Ok(json!({}))
}
