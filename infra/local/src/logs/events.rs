//! `GetLogEvents`: one stream, in either direction. A token is the direction and where to go on in the file; it is given
//! back as it was when there is no more, yet.

use serde::Deserialize;
use serde_json::{Value, json};

use super::lines::{Line, Lines, Stretch};
use super::{Logs, invalid_token, page_size};
use crate::wire::{AwsError, parse};

/// The most that one answer has of a file, in bytes (`API_GetLogEvents`: 1 MB).
const WINDOW: usize = 1024 * 1024;
/// The most events of an answer, and as many as it has where nothing is said.
pub(super) const MAX_EVENTS: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GetLogEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    start_from_head: Option<bool>,
}

/// A span of time in milliseconds since 1970; the end is not in it.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Span {
    pub(super) fn of(start: Option<i64>, end: Option<i64>) -> Self {
        Self { start: start.unwrap_or(i64::MIN), end: end.unwrap_or(i64::MAX) }
    }

    pub(super) fn contains(&self, at_ms: i64) -> bool {
        (self.start..self.end).contains(&at_ms)
    }
}

/// The events of an answer, and where those before and after them are.
struct Page {
    lines: Vec<Line>,
    before: u64,
    after: u64,
}

impl Logs {
    pub(super) fn get_log_events(&self, body: Value) -> Result<Value, AwsError> {
        let request: GetLogEvents = parse("GetLogEvents", body)?;
        self.check_group(request.log_group_name.as_deref(), request.log_group_identifier.as_deref())?;
        let limit = page_size(request.limit, MAX_EVENTS, MAX_EVENTS)?;
        let stream = self.streams.find(&request.log_stream_name).map_err(AwsError::internal)?;
        let stream = stream.ok_or_else(|| {
            AwsError::client("ResourceNotFoundException", "The specified log stream does not exist.")
        })?;
        let lines = Lines::of(&stream).map_err(AwsError::internal)?;
        let span = Span::of(request.start_time, request.end_time);
        let forward = |from| Ok(first(lines.forward(from, WINDOW)?, span, limit));
        let backward = |to| Ok(last(lines.backward(to, WINDOW)?, span, limit));
        let page: std::io::Result<Page> = match request.next_token.as_deref().map(position).transpose()? {
            Some(Position::After(offset)) => forward(offset),
            Some(Position::Before(offset)) => backward(Some(offset)),
            None if request.start_from_head == Some(true) => forward(0),
            None => backward(None),
        };
        let page = page.map_err(AwsError::internal)?;
        let event =
            |line: Line| json!({"timestamp": line.at_ms, "message": line.text, "ingestionTime": line.at_ms});
        Ok(json!({
            "events": page.lines.into_iter().map(event).collect::<Vec<_>>(),
            "nextForwardToken": format!("f/{:056}/s", page.after),
            "nextBackwardToken": format!("b/{:056}/s", page.before),
        }))
    }
}

/// The first lines of the stretch that lie in the span.
fn first(stretch: Stretch, span: Span, limit: usize) -> Page {
    let Stretch { lines, from, to } = stretch;
    let lines: Vec<_> = lines.into_iter().filter(|line| span.contains(line.at_ms)).take(limit).collect();
    let before = lines.first().map_or(from, |line| line.begin);
    // As many as asked for: there may be more behind the last.
    let after = lines.last().filter(|_| lines.len() == limit).map_or(to, |line| line.end);
    Page { lines, before, after }
}

/// The last lines of the stretch that lie in the span.
fn last(stretch: Stretch, span: Span, limit: usize) -> Page {
    let Stretch { lines, from, to } = stretch;
    let mut lines: Vec<_> =
        lines.into_iter().rev().filter(|line| span.contains(line.at_ms)).take(limit).collect();
    lines.reverse();
    let before = lines.first().filter(|_| lines.len() == limit).map_or(from, |line| line.begin);
    let after = lines.last().map_or(to, |line| line.end);
    Page { lines, before, after }
}

enum Position {
    Before(u64),
    After(u64),
}

fn position(token: &str) -> Result<Position, AwsError> {
    let token = token.strip_suffix("/s").ok_or_else(invalid_token)?;
    let (direction, offset) = token.split_once('/').ok_or_else(invalid_token)?;
    let offset = offset.parse().map_err(|_| invalid_token())?;
    match direction {
        "f" => Ok(Position::After(offset)),
        "b" => Ok(Position::Before(offset)),
        _ => Err(invalid_token()),
    }
}
