//! Instants as the stack keeps them: milliseconds since 1970, UTC. The core never asks for the time; its callers do.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An instant, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that lies this many milliseconds after 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The time of the machine's clock.
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().timestamp_millis())
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant so many seconds later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        self.plus_millis(seconds.saturating_mul(1000))
    }

    /// The instant so many milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add_unsigned(millis))
    }

    /// ISO 8601 with milliseconds, as in the context object: `2026-11-23T10:00:00.000Z`.
    #[must_use]
    pub fn to_iso(self) -> String {
        self.formatted(SecondsFormat::Millis)
    }

    /// ISO 8601 without a fraction, as in the envelope of an event.
    #[must_use]
    pub fn to_iso_seconds(self) -> String {
        self.formatted(SecondsFormat::Secs)
    }

    /// Seconds since 1970 as a JSON number with a fraction: the form of the wire.
    #[must_use]
    pub fn to_wire(self) -> Value {
        Value::from(self.0 as f64 / 1000.0)
    }

    fn formatted(self, format: SecondsFormat) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default().to_rfc3339_opts(format, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_the_form_of_each_reader() {
        let instant = Timestamp::from_millis(1_795_428_000_250);
        assert_eq!(instant.to_iso(), "2026-11-23T10:00:00.250Z");
        assert_eq!(instant.to_iso_seconds(), "2026-11-23T10:00:00Z");
        assert_eq!(instant.to_wire().to_string(), "1795428000.25");
    }

    #[test]
    fn an_instant_never_overflows() {
        assert_eq!(Timestamp::from_millis(i64::MAX).plus_seconds(u64::MAX).millis(), i64::MAX);
    }
}
