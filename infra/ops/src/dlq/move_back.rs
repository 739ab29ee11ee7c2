//! Moves dead letters back to the queue of imports. A message that is moved is a new one with a new
//! id, so it starts a new execution; the claim on the import's row sees to it that nothing is imported twice.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sqs::types::{
    MessageSystemAttributeNameForSends, MessageSystemAttributeValue, QueueAttributeName,
};
use serde::Serialize;

use super::dead_letter::DeadLetter;
use super::{queue, selection};
use crate::error::{Usage, of_aws};
use crate::numbers;
use crate::target::Target;

/// How often a move is looked at.
const GLANCE: Duration = Duration::from_millis(200);

/// What was moved, as `--json` prints it.
#[derive(Debug, Default, Serialize)]
pub struct Moved {
    /// How many messages.
    pub moved: u64,
    /// Which, where they were moved one by one.
    pub messages: Vec<MovedMessage>,
}

/// A message that was moved.
#[derive(Debug, Serialize)]
pub struct MovedMessage {
    /// Its id in the dead-letter queue.
    pub message_id: String,
    /// The import that it names; none where it names none.
    pub import_id: Option<String>,
    /// Its id in the queue of imports.
    pub new_message_id: String,
}

/// Moves the dead letters of these ids back to the queue of imports, one by one.
pub async fn of_ids(target: &Target, ids: &[String]) -> anyhow::Result<Moved> {
    let held = selection::of_ids(target, ids).await?;
    check_databases(target, &held).await?;
    move_each(target, &held).await
}

/// Gives back dead letters of which one is of an import for another database: moved now, it would bring its rows into this one.
///
/// # Errors
/// There is such a one.
pub async fn check_databases(target: &Target, held: &[DeadLetter]) -> anyhow::Result<()> {
    let of_another = held.iter().find_map(|letter| Some((letter, target.other_database(letter.sent_at)?)));
    let Some((letter, name)) = of_another else { return Ok(()) };
    queue::give_back(target, held).await;
    Err(Usage(format!(
        "nothing was moved: the dead letter {} is of an import for {name}; name that database by --database-url or DATABASE_URL, or \
         leave the message out",
        letter.message_id
    ))
    .into())
}

/// So many messages.
pub fn messages(number: u64) -> String {
    match number {
        1 => "1 message".to_owned(),
        number => format!("{} messages", numbers::count(number)),
    }
}

/// Moves everything by SQS itself. The destination is named: SQS knows the source only of messages that it has brought here
/// itself, and ends such a task at the first other (`CouldNotDetermineMessageSource`).
pub async fn move_all(target: &Target) -> anyhow::Result<Moved> {
    let source = arn(target, &target.resources.dead_letter_queue_url).await?;
    let destination = arn(target, target.resources.import_queue_url()).await?;
    target
        .sqs
        .start_message_move_task()
        .source_arn(&source)
        .destination_arn(destination)
        .send()
        .await
        .map_err(of_aws)
        .context("failed to start moving the dead letters")?;
    loop {
        let listed = target.sqs.list_message_move_tasks().source_arn(&source).send().await;
        let tasks = listed.map_err(of_aws).context("failed to look at the move of the dead letters")?.results;
        let task = tasks.unwrap_or_default().into_iter().next().context("SQS forgot the move")?;
        let moved = u64::try_from(task.approximate_number_of_messages_moved).unwrap_or(0);
        match task.status.as_deref() {
            Some("RUNNING" | "CANCELLING") => tokio::time::sleep(GLANCE).await,
            Some("COMPLETED") => return Ok(Moved { moved, messages: Vec::new() }),
            status => anyhow::bail!(
                "SQS moved {} and ended as {}: {}",
                messages(moved),
                status.unwrap_or("unknown"),
                task.failure_reason.as_deref().unwrap_or("no reason was given")
            ),
        }
    }
}

async fn arn(target: &Target, queue_url: &str) -> anyhow::Result<String> {
    let asked =
        target.sqs.get_queue_attributes().queue_url(queue_url).attribute_names(QueueAttributeName::QueueArn);
    let attributes = asked.send().await.map_err(of_aws)?.attributes.unwrap_or_default();
    attributes.get(&QueueAttributeName::QueueArn).cloned().with_context(|| format!("{queue_url} has no ARN"))
}

/// Moves messages that are held, one by one. SQS moves all or nothing, so each is sent, and then deleted here: whoever is
/// killed in between leaves a second message for the same import. That one finds the import claimed or done and is
/// acknowledged, whichever comes first; in the other order a kill would lose the message.
pub async fn move_each(target: &Target, held: &[DeadLetter]) -> anyhow::Result<Moved> {
    let mut moved = Moved::default();
    for (place, letter) in held.iter().enumerate() {
        let sent = match send(target, letter).await {
            Ok(new_message_id) => queue::delete(target, [letter]).await.map(|()| new_message_id),
            Err(error) => Err(error),
        };
        match sent {
            Ok(new_message_id) => moved.messages.push(MovedMessage {
                message_id: letter.message_id.clone(),
                import_id: letter.import_id.clone(),
                new_message_id,
            }),
            Err(error) => {
                queue::give_back(target, held.iter().skip(place)).await;
                return Err(error.context(format!(
                    "failed to move the dead letter {} after {}; the others stay",
                    letter.message_id,
                    messages(place as u64)
                )));
            }
        }
    }
    moved.moved = moved.messages.len() as u64;
    Ok(moved)
}

/// Sends the message as it was when it came first: its body, the attributes of its sender, its trace and its group.
async fn send(target: &Target, letter: &DeadLetter) -> anyhow::Result<String> {
    let attributes = Some(letter.attributes_of_sender()).filter(|attributes| !attributes.is_empty());
    let mut sending = target
        .sqs
        .send_message()
        .queue_url(target.resources.import_queue_url())
        .message_body(letter.body())
        .set_message_attributes(attributes);
    if let Some(trace) = letter.trace_header() {
        let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build()?;
        sending =
            sending.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
    }
    if target.resources.import_queue_url().ends_with(".fifo") {
        // The dead letter's own id: whoever was killed before he deleted it sends nothing twice within five minutes.
        sending = sending
            .set_message_group_id(letter.group_id.clone())
            .message_deduplication_id(&letter.message_id);
    }
    let sent = sending.send().await.map_err(of_aws).context("SQS did not take the message")?;
    sent.message_id.context("SQS gave the message no id")
}
