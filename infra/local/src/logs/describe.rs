//! `DescribeLogGroups` and `DescribeLogStreams`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::lines::Lines;
use super::streams::Stream;
use super::{Logs, invalid, invalid_token, page_size};
use crate::wire::{AwsError, parse};

/// How long the group keeps a stream, in days.
pub(super) const RETENTION_DAYS: u64 = 14;
/// The most groups, and the most streams, of an answer.
const MAX_LISTED: usize = 50;
/// How much of a file is read for its first and its last event, in bytes.
const GLANCE: usize = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeLogGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeLogStreams {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    #[serde(default)]
    order_by: OrderBy,
    #[serde(default)]
    descending: bool,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum OrderBy {
    #[default]
    LogStreamName,
    LastEventTime,
}

impl Logs {
    pub(super) fn describe_log_groups(&self, body: Value) -> Result<Value, AwsError> {
        let request: DescribeLogGroups = parse("DescribeLogGroups", body)?;
        page_size(request.limit, MAX_LISTED, MAX_LISTED)?;
        if request.next_token.is_some() {
            // One group takes no second page.
            return Err(invalid_token());
        }
        let is_listed = match (&request.log_group_name_prefix, &request.log_group_name_pattern) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
                ));
            }
            (Some(prefix), None) => self.group.starts_with(prefix),
            (None, Some(part)) => self.group.contains(part),
            (None, None) => true,
        };
        if !is_listed {
            return Ok(json!({"logGroups": []}));
        }
        let streams = self.streams.all().map_err(AwsError::internal)?;
        let group = json!({
            "logGroupName": self.group,
            "logGroupArn": self.group_arn,
            "arn": format!("{}:*", self.group_arn),
            "creationTime": self.streams.created_ms().map_err(AwsError::internal)?,
            "retentionInDays": RETENTION_DAYS,
            "metricFilterCount": 0,
            "storedBytes": streams.iter().map(|stream| stream.bytes).sum::<u64>(),
            "logGroupClass": "STANDARD",
        });
        Ok(json!({"logGroups": [group]}))
    }

    pub(super) fn describe_log_streams(&self, body: Value) -> Result<Value, AwsError> {
        let request: DescribeLogStreams = parse("DescribeLogStreams", body)?;
        self.check_group(request.log_group_name.as_deref(), request.log_group_identifier.as_deref())?;
        let limit = page_size(request.limit, MAX_LISTED, MAX_LISTED)?;
        if request.order_by == OrderBy::LastEventTime && request.log_stream_name_prefix.is_some() {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        let key = |stream: &Stream| match request.order_by {
            OrderBy::LogStreamName => (0, stream.name.clone()),
            OrderBy::LastEventTime => (stream.modified_ms, stream.name.clone()),
        };
        let after = request.next_token.as_deref().map(position).transpose()?;
        let mut streams = self.streams.all().map_err(AwsError::internal)?;
        let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
        streams.retain(|stream| {
            let is_behind =
                |after| if request.descending { key(stream) < after } else { key(stream) > after };
            stream.name.starts_with(prefix) && after.clone().is_none_or(is_behind)
        });
        streams.sort_by_cached_key(key);
        if request.descending {
            streams.reverse();
        }
        let has_more = streams.len() > limit;
        streams.truncate(limit);
        let described = streams.iter().map(|stream| self.described(stream));
        let mut answer =
            json!({"logStreams": described.collect::<Result<Vec<_>, _>>().map_err(AwsError::internal)?});
        if let Some(last) = streams.last().filter(|_| has_more) {
            let (time, name) = key(last);
            answer["nextToken"] = format!("{time} {name}").into();
        }
        Ok(answer)
    }

    fn described(&self, stream: &Stream) -> std::io::Result<Value> {
        let lines = Lines::of(stream)?;
        let (first, last) = (lines.forward(0, GLANCE)?, lines.backward(None, GLANCE)?);
        let mut described = json!({
            "logStreamName": stream.name,
            "arn": format!("{}:log-stream:{}", self.group_arn, stream.name),
            "creationTime": stream.created_ms,
            // Not kept up by AWS either.
            "storedBytes": 0,
        });
        if let (Some(first), Some(last)) = (first.lines.first(), last.lines.last()) {
            described["firstEventTimestamp"] = first.at_ms.into();
            described["lastEventTimestamp"] = last.at_ms.into();
            described["lastIngestionTime"] = last.at_ms.into();
        }
        Ok(described)
    }
}

/// The key of the last stream of the page before.
fn position(token: &str) -> Result<(i64, String), AwsError> {
    let (time, name) = token.split_once(' ').ok_or_else(invalid_token)?;
    Ok((time.parse().map_err(|_| invalid_token())?, name.to_owned()))
}
