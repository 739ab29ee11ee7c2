//! `FilterLogEvents`: the events of many streams in the order of their times. The streams are merged: one is opened when
//! the merge has come to the time of its file, and closed at its end, so that no more are open than have run at once. A
//! token says which are open, how far each was read, and which was opened last.

use std::collections::VecDeque;
use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::events::{MAX_EVENTS, Span};
use super::lines::{Line, Lines};
use super::streams::{Stream, is_task_id};
use super::{Logs, invalid, invalid_token, page_size};
use crate::wire::{AwsError, parse};

/// How much of a file is read at a time, in bytes.
const WINDOW: usize = 64 * 1024;
/// The most bytes of messages in an answer (1 MB on AWS), and the most that are read for one.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_READ: u64 = 16 * 1024 * 1024;
/// How much a file's time may lie behind that of a line in it: the system takes it from a clock of its own, in steps.
const CLOCK_MS: i64 = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FilterLogEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    #[serde(default)]
    log_stream_names: Vec<String>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    #[serde(default)]
    filter_pattern: String,
    next_token: Option<String>,
    limit: Option<i64>,
    /// Has no meaning on AWS either any more: events are always in the order of their times.
    #[serde(rename = "interleaved")]
    _interleaved: Option<bool>,
}

/// How far a merge has come: the time and the id of the stream that was opened last, and the open ones with their offsets.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    opened: Option<(i64, String)>,
    open: Vec<(String, u64)>,
}

/// A stream that is open.
struct Cursor {
    stream: Stream,
    lines: Lines,
    read: VecDeque<Line>,
    /// Where what was not read yet begins.
    offset: u64,
}

impl Logs {
    pub(super) fn filter_log_events(&self, body: Value) -> Result<Value, AwsError> {
        let request: FilterLogEvents = parse("FilterLogEvents", body)?;
        self.check_group(request.log_group_name.as_deref(), request.log_group_identifier.as_deref())?;
        if !request.filter_pattern.is_empty() {
            return Err(invalid("baton's embedded stack does not implement logs:filterPattern"));
        }
        if !request.log_stream_names.is_empty() && request.log_stream_name_prefix.is_some() {
            return Err(invalid("Name either logStreamNames or logStreamNamePrefix."));
        }
        let limit = page_size(request.limit, MAX_EVENTS, MAX_EVENTS)?;
        let progress = request.next_token.as_deref().map(progress).transpose()?.unwrap_or_default();
        let span = Span::of(request.start_time, request.end_time);
        let streams = self.asked_for(&request, span).map_err(AwsError::internal)?;
        let (events, next) = Merge::resume(streams, progress)
            .and_then(|merge| merge.page(span, limit))
            .map_err(AwsError::internal)?;
        let mut answer = json!({"events": events, "searchedLogStreams": []});
        if let Some(next) = next {
            let next = serde_json::to_vec(&next).map_err(AwsError::internal)?;
            answer["nextToken"] = BASE64_URL_SAFE_NO_PAD.encode(next).into();
        }
        Ok(answer)
    }

    /// The streams that may have events of the span, by the times of their files.
    fn asked_for(&self, request: &FilterLogEvents, span: Span) -> io::Result<Vec<Stream>> {
        let mut streams = if request.log_stream_names.is_empty() {
            self.streams.all()?
        } else {
            let found = request.log_stream_names.iter().map(|name| self.streams.find(name));
            found.filter_map(Result::transpose).collect::<io::Result<Vec<_>>>()?
        };
        let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
        streams.retain(|stream| {
            stream.name.starts_with(prefix)
                && stream.modified_ms.saturating_add(CLOCK_MS) >= span.start
                && stream.created_ms < span.end
        });
        streams.sort_by(|one, other| key(one).cmp(&key(other)));
        streams.dedup_by(|one, other| one.id == other.id);
        Ok(streams)
    }
}

struct Merge {
    open: Vec<Cursor>,
    /// Not opened yet, the next one first.
    waiting: VecDeque<Stream>,
    opened: Option<(i64, String)>,
    bytes_read: u64,
}

impl Merge {
    fn resume(streams: Vec<Stream>, progress: Progress) -> io::Result<Self> {
        let mut merge =
            Self { open: Vec::new(), waiting: VecDeque::new(), opened: progress.opened, bytes_read: 0 };
        for stream in streams {
            let is_open = progress.open.iter().find(|(id, _)| *id == stream.id);
            if let Some((_, offset)) = is_open {
                merge.open(stream, *offset)?;
            } else if merge.opened.as_ref().is_none_or(|(time, id)| key(&stream) > (*time, id.as_str())) {
                merge.waiting.push_back(stream);
            }
        }
        Ok(merge)
    }

    /// The next events and, where there may be more, how far this has come.
    fn page(mut self, span: Span, limit: usize) -> io::Result<(Vec<Value>, Option<Progress>)> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        while events.len() < limit && bytes < MAX_BYTES && self.bytes_read < MAX_READ {
            self.fill()?;
            let next = self.open.iter_mut().min_by_key(|cursor| cursor.read.front().map(|line| line.at_ms));
            let next_at = next.as_ref().and_then(|cursor| Some(cursor.read.front()?.at_ms));
            if self.waiting.front().is_some_and(|stream| next_at.is_none_or(|at| stream.created_ms <= at)) {
                let Some(stream) = self.waiting.pop_front() else { continue };
                self.opened = Some((stream.created_ms, stream.id.clone()));
                self.open(stream, 0)?;
                continue;
            }
            let Some(next) = next else { return Ok((events, None)) };
            let Some(line) = next.read.pop_front() else { continue };
            if span.contains(line.at_ms) {
                bytes += line.text.len();
                events.push(json!({
                    "logStreamName": next.stream.name,
                    "timestamp": line.at_ms,
                    "message": line.text,
                    "ingestionTime": line.at_ms,
                    "eventId": next.stream.event_id(line.begin),
                }));
            }
        }
        let open = self.open.iter().map(|cursor| {
            (cursor.stream.id.clone(), cursor.read.front().map_or(cursor.offset, |line| line.begin))
        });
        let progress = Progress { open: open.collect(), opened: self.opened };
        Ok((events, Some(progress)))
    }

    fn open(&mut self, stream: Stream, offset: u64) -> io::Result<()> {
        let lines = match Lines::of(&stream) {
            Ok(lines) => lines,
            // Deleted since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        self.open.push(Cursor { stream, lines, read: VecDeque::new(), offset });
        Ok(())
    }

    /// Reads on where nothing is left of what was read, and closes what has come to its end.
    fn fill(&mut self) -> io::Result<()> {
        let mut index = 0;
        while let Some(cursor) = self.open.get_mut(index) {
            let mut is_at_end = false;
            while cursor.read.is_empty() && !is_at_end {
                let stretch = cursor.lines.forward(cursor.offset, WINDOW)?;
                self.bytes_read += stretch.to - stretch.from;
                is_at_end = stretch.to == cursor.offset;
                cursor.offset = stretch.to;
                cursor.read = stretch.lines.into();
            }
            if is_at_end {
                self.open.swap_remove(index);
            } else {
                index += 1;
            }
        }
        Ok(())
    }
}

/// The order in which streams are opened.
fn key(stream: &Stream) -> (i64, &str) {
    (stream.created_ms, &stream.id)
}

fn progress(token: &str) -> Result<Progress, AwsError> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid_token())?;
    let progress: Progress = serde_json::from_slice(&json).map_err(|_| invalid_token())?;
    if progress.open.iter().all(|(id, _)| is_task_id(id)) { Ok(progress) } else { Err(invalid_token()) }
}
