//! The queues of a stack: one of imports with its dead letters or, where imports are capped, that which messages are sent to,
//! that of the lanes behind it, and the dead letters of each.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::seconds;
use crate::config::Config;
use crate::resources::{self, ACCOUNT, LANES, QueueNames, REGION};
use crate::sqs::{QueueAttributes, RedrivePolicy, Sqs};

/// How long messages are kept: as long as SQS can.
const RETENTION: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The queues that this configuration asks for.
///
/// # Errors
/// It asks for a cap where the groups of a FIFO queue are one.
pub(super) fn names(config: &Config) -> anyhow::Result<QueueNames> {
    anyhow::ensure!(
        config.maximum_imports == 0 || !config.fifo,
        "a FIFO queue has no lanes behind it: as many imports run as there are message groups"
    );
    Ok(if config.maximum_imports > 0 { QueueNames::with_lanes() } else { QueueNames::of_type(config.fifo) })
}

/// Opens them, and makes those that are not there.
///
/// # Errors
/// What lies in the folder cannot be read, or messages lie in lanes and there are to be none.
pub(super) async fn open(
    config: &Config,
    queues: QueueNames,
    dir: &Path,
    endpoint: &str,
) -> anyhow::Result<Arc<Sqs>> {
    let sqs = Sqs::open(dir, endpoint, REGION, ACCOUNT)?;
    if queues.lanes.is_none() {
        lanes_are_empty(&sqs).await?;
    }
    let create = |name: &str, dead_letters: &str, fifo: bool| -> anyhow::Result<()> {
        let of_dead_letters =
            QueueAttributes { retention_s: seconds(RETENTION), fifo, ..QueueAttributes::default() };
        sqs.create_queue(dead_letters, &of_dead_letters)?;
        let of_queue = QueueAttributes {
            visibility_timeout_s: seconds(config.limits.visibility_timeout),
            redrive_policy: Some(RedrivePolicy {
                dead_letter_target_arn: resources::queue_arn(dead_letters),
                max_receive_count: config.limits.max_receive_count.into(),
            }),
            ..of_dead_letters
        };
        sqs.create_queue(name, &of_queue)?;
        Ok(())
    };
    match queues.lanes {
        None => create(queues.sent_to, queues.dead_letters, config.fifo)?,
        Some(lanes) => {
            // What could not be moved into a lane lies where it would without lanes.
            create(queues.sent_to, QueueNames::of_type(false).dead_letters, false)?;
            create(lanes, queues.dead_letters, true)?;
        }
    }
    Ok(sqs)
}

/// Nothing would take messages out of the lanes of a stack that has none.
async fn lanes_are_empty(sqs: &Arc<Sqs>) -> anyhow::Result<()> {
    let mend = [
        (LANES, "`baton up --max-imports 1` or more goes on with them"),
        (
            QueueNames::with_lanes().dead_letters,
            "beside `baton up --max-imports 1` or more, `baton dlq list` shows them, and `baton redrive`, `baton dlq redrive` or `baton dlq drop` \
             empties it",
        ),
    ];
    for (queue, mend) in mend {
        let Some(messages) = messages(sqs, queue).await else { continue };
        anyhow::ensure!(
            messages == 0,
            "messages lie in {queue}, {messages} of them, and nothing takes them from there where imports are not capped; {mend}"
        );
    }
    Ok(())
}

/// How many messages a queue has, those included that are hidden. None where there never was such a queue.
pub(super) async fn messages(sqs: &Arc<Sqs>, queue: &str) -> Option<u64> {
    let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    let request = json!({"QueueUrl": sqs.queue_url(queue), "AttributeNames": names});
    let answer = sqs.call("GetQueueAttributes", request).await.ok()?;
    let count = |name| answer["Attributes"][name].as_str().and_then(|count| count.parse::<u64>().ok());
    Some(names.iter().filter_map(|name| count(*name)).sum())
}
