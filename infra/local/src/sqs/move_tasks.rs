//! StartMessageMoveTask and ListMessageMoveTasks: an operator's redrive of a dead-letter queue. The task does its work
//! while it is being started, all or nothing, so it is never seen running.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{Fault, invalid_value};
use super::message::Message;
use super::queue::{Call, Queue};
use super::schema::{messages, move_tasks, queues};
use crate::wire::AwsError;

/// How many tasks of a queue are remembered, and listed.
const MAX_TASKS: i64 = 10;
/// How many messages are in memory at a time.
const CHUNK: i64 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct StartMessageMoveTask {
    source_arn: String,
    destination_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListMessageMoveTasks {
    source_arn: String,
    max_results: Option<i64>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = move_tasks, check_for_backend(diesel::sqlite::Sqlite))]
struct Task {
    source_arn: String,
    destination_arn: Option<String>,
    moved: i64,
    to_move: i64,
    failure_reason: Option<String>,
    started_at: i64,
}

/// Moves the messages that are visible: to the destination, or each to the queue whose redrive policy brought it. A
/// message that was sent to the dead-letter queue came from nowhere, and ends the latter kind of task.
pub(super) fn start_message_move_task(
    call: &mut Call,
    request: &StartMessageMoveTask,
) -> Result<Value, Fault> {
    let source = find(call, "SourceArn", &request.source_arn)?;
    let is_target = queues::table.select(Queue::as_select()).load(call.db)?.iter().any(|queue| {
        queue
            .attributes
            .redrive_policy
            .as_ref()
            .is_some_and(|policy| policy.dead_letter_target_arn == request.source_arn)
    });
    if !is_target {
        let message = "Source queue must be configured as a Dead Letter Queue.";
        return Err(AwsError::client("InvalidParameterValue", message).into());
    }
    let destination = match &request.destination_arn {
        Some(arn) => Some(check_destination(call, &source, arn)?),
        None => None,
    };
    call.drop_expired(&source)?;

    let visible =
        messages::table.filter(messages::queue_id.eq(source.id)).filter(messages::visible_at.le(call.now));
    let to_move: i64 = visible.count().first(call.db)?;
    let mut moved = 0;
    let mut failure_reason = None;
    'task: loop {
        let chunk =
            visible.order(messages::sequence).limit(CHUNK).select(Message::as_select()).load(call.db)?;
        if chunk.is_empty() {
            break;
        }
        for message in chunk {
            let to = match (&destination, &message.stored.source_arn) {
                (Some(destination), _) => Some(destination.clone()),
                (None, Some(arn)) => call.find_queue_by_arn(arn)?,
                (None, None) => None,
            };
            let Some(to) = to else {
                failure_reason = Some("CouldNotDetermineMessageSource");
                break 'task;
            };
            message.redrive(call, &to)?;
            moved += 1;
        }
    }

    let id: i64 = diesel::insert_into(move_tasks::table)
        .values((
            move_tasks::source_arn.eq(&request.source_arn),
            move_tasks::destination_arn.eq(&request.destination_arn),
            move_tasks::moved.eq(moved),
            move_tasks::to_move.eq(to_move),
            move_tasks::failure_reason.eq(failure_reason),
            move_tasks::started_at.eq(call.now),
        ))
        .returning(move_tasks::id)
        .get_result(call.db)?;
    forget_old(call, &request.source_arn)?;
    Ok(json!({"TaskHandle": format!("{}-{id}", source.name)}))
}

fn find(call: &mut Call, parameter: &str, arn: &str) -> Result<Queue, Fault> {
    call.find_queue_by_arn(arn)?.ok_or_else(|| {
        let message = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
        AwsError::client("ResourceNotFoundException", message).into()
    })
}

fn check_destination(call: &mut Call, source: &Queue, arn: &str) -> Result<Queue, Fault> {
    let destination = find(call, "DestinationArn", arn)?;
    let reason = if destination.id == source.id {
        "The source and the destination must be different queues."
    } else if destination.attributes.fifo != source.attributes.fifo {
        "The destination must be the same type of queue as the source."
    } else {
        return Ok(destination);
    };
    Err(invalid_value("DestinationArn", arn, reason).into())
}

fn forget_old(call: &mut Call, source_arn: &str) -> Result<(), Fault> {
    let oldest: Option<i64> = move_tasks::table
        .filter(move_tasks::source_arn.eq(source_arn))
        .order(move_tasks::id.desc())
        .offset(MAX_TASKS)
        .select(move_tasks::id)
        .first(call.db)
        .optional()?;
    if let Some(oldest) = oldest {
        diesel::delete(move_tasks::table)
            .filter(move_tasks::source_arn.eq(source_arn))
            .filter(move_tasks::id.le(oldest))
            .execute(call.db)?;
    }
    Ok(())
}

/// The last tasks, the newest first. A task that is over has no handle.
pub(super) fn list_message_move_tasks(
    call: &mut Call,
    request: &ListMessageMoveTasks,
) -> Result<Value, Fault> {
    find(call, "SourceArn", &request.source_arn)?;
    let most = request.max_results.unwrap_or(1);
    if !(1..=MAX_TASKS).contains(&most) {
        let reason = "Must be between 1 and 10, if provided.";
        return Err(invalid_value("MaxResults", most, reason).into());
    }
    let tasks = move_tasks::table
        .filter(move_tasks::source_arn.eq(&request.source_arn))
        .order(move_tasks::id.desc())
        .limit(most)
        .select(Task::as_select())
        .load(call.db)?;
    let results: Vec<Value> = tasks.iter().map(Task::describe).collect();
    Ok(json!({"Results": results}))
}

impl Task {
    fn describe(&self) -> Value {
        let mut described = json!({
            "Status": if self.failure_reason.is_some() { "FAILED" } else { "COMPLETED" },
            "SourceArn": self.source_arn,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": self.started_at,
        });
        for (name, value) in
            [("DestinationArn", &self.destination_arn), ("FailureReason", &self.failure_reason)]
        {
            if let Some(value) = value {
                described[name] = json!(value);
            }
        }
        described
    }
}
