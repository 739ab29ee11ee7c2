//! The lines of one container from CloudWatch Logs: from the beginning or the last ones, and on as more come.

use anyhow::Context as _;
use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::OutputLogEvent;

use crate::error::of_aws;
pub use crate::logs::line::LogLine;
use crate::target::Target;

/// The most that `GetLogEvents` gives at once.
const MAX_EVENTS: u32 = 10_000;

/// A stream that is being read.
pub struct Reader {
    stream: String,
    /// Where to go on; none before the first page.
    token: Option<String>,
}

impl Reader {
    /// Reads a stream from its beginning.
    pub fn of(stream: String) -> Self {
        Self { stream, token: None }
    }

    /// The next lines; none of them at the end, where more may come later. `None`: the group does not have the stream, not
    /// yet or not any more.
    ///
    /// # Errors
    /// Where CloudWatch Logs does not answer.
    pub async fn next(&mut self, target: &Target) -> anyhow::Result<Option<Vec<LogLine>>> {
        loop {
            let Some(answer) = self.get(target, self.token.as_deref(), true, None).await? else {
                return Ok(None);
            };
            let is_end = answer.next_forward_token.is_none() || answer.next_forward_token == self.token;
            self.token = answer.next_forward_token.or(self.token.take());
            let lines = lines(answer.events);
            // A page may be empty although there is more.
            if !lines.is_empty() || is_end {
                return Ok(Some(lines));
            }
        }
    }

    /// The last `most` lines, from which [`Self::next`] goes on.
    ///
    /// # Errors
    /// Where CloudWatch Logs does not answer.
    pub async fn last(&mut self, target: &Target, most: u32) -> anyhow::Result<Option<Vec<LogLine>>> {
        let wanted = usize::try_from(most).unwrap_or(usize::MAX);
        let mut pages: Vec<Vec<LogLine>> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let read: usize = pages.iter().map(Vec::len).sum();
            if read >= wanted {
                break;
            }
            let limit = u32::try_from(wanted - read).unwrap_or(MAX_EVENTS).min(MAX_EVENTS);
            let Some(answer) = self.get(target, token.as_deref(), false, Some(limit)).await? else {
                return Ok(None);
            };
            if self.token.is_none() {
                self.token.clone_from(&answer.next_forward_token);
            }
            pages.push(lines(answer.events));
            if answer.next_backward_token.is_none() || answer.next_backward_token == token {
                break;
            }
            token = answer.next_backward_token;
        }
        Ok(Some(pages.into_iter().rev().flatten().collect()))
    }

    async fn get(
        &self,
        target: &Target,
        token: Option<&str>,
        from_head: bool,
        limit: Option<u32>,
    ) -> anyhow::Result<Option<GetLogEventsOutput>> {
        let group = &target.resources.worker_log_group;
        let asked = target
            .logs
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(&self.stream)
            .set_next_token(token.map(str::to_owned))
            .start_from_head(from_head)
            .set_limit(limit.and_then(|limit| i32::try_from(limit).ok()))
            .send();
        match asked.await {
            Ok(answer) => Ok(Some(answer)),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(of_aws(error)).with_context(|| {
                format!("failed to read the stream {} of the log group {group}", self.stream)
            }),
        }
    }
}

fn lines(events: Option<Vec<OutputLogEvent>>) -> Vec<LogLine> {
    let read = |event: OutputLogEvent| {
        LogLine::read(event.message.as_deref().unwrap_or_default(), event.timestamp.unwrap_or_default())
    };
    events.unwrap_or_default().into_iter().map(read).collect()
}
