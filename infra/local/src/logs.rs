//! CloudWatch Logs: one log group, that of the worker, with a stream for each task, as the `awslogs` driver names them. The
//! streams are the files that ECS has its containers write; nothing is copied, so that a line is there once it is written.
//!
//! Differences from AWS: a line's time is the one that the worker has written into it; a line without one has that of the
//! line before it, and where none has any, the file's. Nothing can be put in, no filter patterns, no insights. What is
//! asked for is looked for in so many bytes at a time: an answer without events and with a token means, as on AWS, that
//! there may be more.

mod describe;
mod events;
mod filter;
mod lines;
mod streams;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use self::streams::Streams;
use crate::wire::AwsError;

pub(crate) const NAMESPACE: &str = "com.amazonaws.logs";

/// The service.
pub struct Logs {
    streams: Streams,
    group: String,
    group_arn: String,
}

impl Logs {
    /// The log group `group` with a stream `<prefix>/<task id>` for each file `<task id>.log` in `dir`.
    #[must_use]
    pub fn new(dir: PathBuf, region: &str, account: &str, group: &str, prefix: &str) -> Arc<Self> {
        Arc::new(Self {
            streams: Streams::new(dir, prefix),
            group: group.to_owned(),
            group_arn: format!("arn:aws:logs:{region}:{account}:log-group:{group}"),
        })
    }

    /// Answers one call of AWS JSON 1.1.
    ///
    /// # Errors
    /// The error as CloudWatch Logs names it.
    pub async fn call(self: &Arc<Self>, operation: String, body: Value) -> Result<Value, AwsError> {
        let logs = Arc::clone(self);
        let answer = move || match operation.as_str() {
            "DescribeLogGroups" => logs.describe_log_groups(body),
            "DescribeLogStreams" => logs.describe_log_streams(body),
            "GetLogEvents" => logs.get_log_events(body),
            "FilterLogEvents" => logs.filter_log_events(body),
            _ => Err(AwsError::not_implemented("logs", &operation)),
        };
        // Files are read, some of them large.
        tokio::task::spawn_blocking(answer).await.map_err(AwsError::internal)?
    }

    /// Deletes the streams that nothing was added to for the group's retention, 14 days.
    ///
    /// # Errors
    /// Where the folder cannot be read or a file cannot be deleted.
    pub fn prune(&self) -> std::io::Result<()> {
        self.streams.prune()
    }

    /// Holds a request to the one group there is. It is named by its name, or as identifier by name or ARN.
    fn check_group(&self, name: Option<&str>, identifier: Option<&str>) -> Result<(), AwsError> {
        let is_known = match (name, identifier) {
            (Some(name), None) => name == self.group,
            (None, Some(identifier)) => identifier == self.group || identifier == self.group_arn,
            _ => return Err(invalid("Name either logGroupName or logGroupIdentifier.")),
        };
        if is_known {
            Ok(())
        } else {
            Err(AwsError::client("ResourceNotFoundException", "The specified log group does not exist."))
        }
    }
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidParameterException", message)
}

fn invalid_token() -> AwsError {
    invalid("The specified nextToken is invalid.")
}

/// How many things may be in an answer, of at most `most`.
fn page_size(asked: Option<i64>, usual: usize, most: usize) -> Result<usize, AwsError> {
    let Some(asked) = asked else { return Ok(usual) };
    usize::try_from(asked)
        .ok()
        .filter(|size| (1..=most).contains(size))
        .ok_or_else(|| invalid(format!("limit must be 1 to {most}.")))
}
