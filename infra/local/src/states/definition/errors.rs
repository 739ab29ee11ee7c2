//! Retry and Catch: which errors they take, and how long a Retry waits.

use serde_json::Value;

use super::fields::{Fields, MAX_SECONDS};
use super::{InvalidDefinition, Transition, parse};
use crate::states::jsonata::Place;

/// The longest `MaxDelaySeconds`, exclusive (Step Functions developer guide, "Handling errors").
const MAX_DELAY_SECONDS: u64 = 31_622_400;

/// An error that a state reports, as Retry and Catch see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorName<'a> {
    /// The name; `None` where a worker reported a failure without one.
    pub name: Option<&'a str>,
    /// Whether this is the timeout of a heartbeat, which is recorded as `States.Timeout` and has a second name.
    pub missed_heartbeat: bool,
}

impl ErrorName<'_> {
    /// Whether one of an `ErrorEquals` names this error.
    fn is_among(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.matches(name))
    }

    fn matches(&self, name: &str) -> bool {
        // "The States.ALL error type can't catch the States.DataLimitExceeded terminal error and Runtime error types";
        // States.TaskFailed matches any error but States.Timeout.
        let is_terminal = matches!(self.name, Some("States.DataLimitExceeded" | "States.Runtime"));
        match name {
            "States.ALL" => !is_terminal,
            "States.TaskFailed" => !is_terminal && self.name != Some("States.Timeout"),
            "States.HeartbeatTimeout" if self.missed_heartbeat => true,
            // A runtime error is never retried or caught, by whatever name.
            _ => self.name == Some(name) && name != "States.Runtime",
        }
    }
}

/// An entry of `Retry`.
#[derive(Clone, Debug, PartialEq)]
pub struct Retrier {
    names: Vec<String>,
    interval_seconds: u64,
    /// How often this entry retries.
    pub max_attempts: u32,
    backoff_rate: f64,
    max_delay_seconds: Option<u64>,
    full_jitter: bool,
}

impl Retrier {
    /// Whether the entry is for this error.
    #[must_use]
    pub fn takes(&self, error: &ErrorName<'_>) -> bool {
        error.is_among(&self.names)
    }

    /// The wait before the retry after `retried` earlier ones, in milliseconds. `fraction`, from 0 to 1, says where in
    /// its range a delay with full jitter lies.
    #[must_use]
    pub fn delay_millis(&self, retried: u32, fraction: f64) -> u64 {
        let interval = self.interval_seconds as f64;
        let limit = self.max_delay_seconds.unwrap_or(MAX_SECONDS);
        let seconds = (interval * self.backoff_rate.powf(f64::from(retried))).min(limit as f64);
        let seconds = if self.full_jitter { seconds * fraction } else { seconds };
        (seconds * 1000.0).round() as u64
    }

    pub(super) fn parse_all(state: &mut Fields) -> Result<Vec<Self>, InvalidDefinition> {
        let Some(entries) = state.objects("Retry")? else { return Ok(Vec::new()) };
        let count = entries.len();
        entries.into_iter().enumerate().map(|(n, fields)| Self::parse(fields, n + 1 == count)).collect()
    }

    fn parse(mut fields: Fields, is_last: bool) -> Result<Self, InvalidDefinition> {
        fields.comment()?;
        let names = error_equals(&mut fields, is_last)?;
        let interval_seconds = fields.whole("IntervalSeconds", 1, MAX_SECONDS)?.unwrap_or(1);
        let max_attempts = fields.whole("MaxAttempts", 0, MAX_SECONDS)?.unwrap_or(3);
        let max_attempts = u32::try_from(max_attempts).unwrap_or(u32::MAX);
        let backoff_rate = match fields.take("BackoffRate") {
            None => 2.0,
            Some(rate) => match rate.as_f64() {
                Some(rate) if rate >= 1.0 => rate,
                _ => return Err(fields.invalid("BackoffRate", "is not a number of 1 or more")),
            },
        };
        let max_delay_seconds = fields.whole("MaxDelaySeconds", 1, MAX_DELAY_SECONDS - 1)?;
        if max_delay_seconds.is_some_and(|most| most <= interval_seconds) {
            return Err(fields.invalid("MaxDelaySeconds", "is not more than IntervalSeconds"));
        }
        let full_jitter = match fields.text("JitterStrategy")?.as_deref() {
            None | Some("NONE") => false,
            Some("FULL") => true,
            Some(_) => return Err(fields.invalid("JitterStrategy", "is neither FULL nor NONE")),
        };
        fields.finish()?;
        Ok(Self { names, interval_seconds, max_attempts, backoff_rate, max_delay_seconds, full_jitter })
    }
}

/// An entry of `Catch`.
#[derive(Clone, Debug)]
pub struct Catcher {
    names: Vec<String>,
    pub(crate) transition: Transition,
}

impl Catcher {
    /// Whether the entry is for this error.
    #[must_use]
    pub fn takes(&self, error: &ErrorName<'_>) -> bool {
        error.is_among(&self.names)
    }

    pub(super) fn parse_all(state: &mut Fields) -> Result<Vec<Self>, InvalidDefinition> {
        let Some(entries) = state.objects("Catch")? else { return Ok(Vec::new()) };
        let count = entries.len();
        let one = |(n, mut fields): (usize, Fields)| {
            fields.comment()?;
            let names = error_equals(&mut fields, n + 1 == count)?;
            let transition = parse::transition(&mut fields, Place::Catch, parse::NextField::Next)?;
            fields.finish()?;
            Ok(Self { names, transition })
        };
        entries.into_iter().enumerate().map(one).collect()
    }
}

/// `ErrorEquals`: at least one name; `States.ALL` alone and in the last entry.
fn error_equals(fields: &mut Fields, is_last: bool) -> Result<Vec<String>, InvalidDefinition> {
    let names = fields.list("ErrorEquals")?;
    let names = fields.required("ErrorEquals", names)?;
    let text = |name| match name {
        Value::String(name) => Ok(name),
        _ => Err(fields.invalid("ErrorEquals", "has an entry that is not text")),
    };
    let names: Vec<String> = names.into_iter().map(text).collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Err(fields.invalid("ErrorEquals", "is empty"));
    }
    if names.iter().any(|name| name == "States.ALL") {
        if names.len() > 1 {
            return Err(fields.invalid("ErrorEquals", "has States.ALL beside other names"));
        }
        if !is_last {
            return Err(fields.invalid("ErrorEquals", "has States.ALL, but is not the last entry"));
        }
    }
    Ok(names)
}
