//! A line of the worker's log: JSON as it is usually written (`LOG_FORMAT=json`), text, or whatever a dying process said.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

/// A line, taken apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogLine {
    /// When it was written.
    pub time: DateTime<Utc>,
    /// None in a line that is not the worker's own, such as a panic's.
    pub level: Option<String>,
    /// What it says.
    pub message: String,
    /// What else it says, by the worker's names.
    pub fields: Map<String, Value>,
}

/// What every line of a container says, and its heading says once; and what only CloudWatch reads.
const SAID_ONCE: [&str; 8] =
    ["import_id", "execution", "message_id", "trace_id", "attempt", "target", "span", "_aws"];
const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

impl LogLine {
    /// Reads an event of the log group, which came at `at_ms` where the line does not say more exactly when.
    pub fn read(text: &str, at_ms: i64) -> Self {
        let at = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Self::of_fields(fields, at),
            _ => Self::of_text(text, at),
        }
    }

    /// The number of the attempt that the line was written in; none before the claim.
    pub fn attempt(&self) -> Option<u64> {
        // Workers of the version before had it in the span.
        self.fields.get("attempt").or_else(|| self.fields.get("span")?.get("attempt"))?.as_u64()
    }

    /// What the line says beside its message.
    pub fn details(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.fields.iter().filter(|(name, _)| !SAID_ONCE.contains(&name.as_str()))
    }

    fn of_fields(said: Map<String, Value>, at: DateTime<Utc>) -> Self {
        let mut line = Self { time: at, level: None, message: String::new(), fields: Map::new() };
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        // Taken out one by one, so that the others stay in their order.
        for (name, value) in said {
            match name.as_str() {
                "timestamp" => line.time = value.as_str().and_then(parse_time).unwrap_or(at),
                "level" => line.level = Some(text(value)),
                "message" => line.message = text(value),
                _ => drop(line.fields.insert(name, value)),
            }
        }
        line
    }

    fn of_text(text: &str, at: DateTime<Utc>) -> Self {
        let stamped = text.split_once(char::is_whitespace).and_then(|(stamp, rest)| {
            let (level, rest) = rest.trim_start().split_once(char::is_whitespace)?;
            let level = LEVELS.contains(&level).then(|| level.to_owned())?;
            Some((parse_time(stamp)?, level, rest.trim_start().to_owned()))
        });
        let fields = Map::new();
        match stamped {
            Some((time, level, message)) => Self { time, level: Some(level), message, fields },
            None => Self { time: at, level: None, message: text.to_owned(), fields },
        }
    }
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_of_json_is_taken_apart() {
        let text = json!({"timestamp": "2026-11-24T09:32:10.807812Z", "level": "INFO", "message": "Claimed",
            "import_id": "people-1", "execution": "arn", "message_id": "m", "trace_id": "1-a-b", "attempt": 2,
            "_aws": {"CloudWatchMetrics": []}, "rows": 3, "target": "worker::job"});
        let line = LogLine::read(&text.to_string(), 5);
        assert_eq!(line.time.timestamp_micros(), 1_795_512_730_807_812);
        assert_eq!((line.level.as_deref(), line.message.as_str()), (Some("INFO"), "Claimed"));
        assert_eq!(line.attempt(), Some(2));
        assert_eq!(line.details().collect::<Vec<_>>(), [(&"rows".to_owned(), &json!(3))]);
        let before =
            json!({"message": "Claimed", "span": {"attempt": 3, "import.id": "people-1", "name": "import"}});
        let before = LogLine::read(&before.to_string(), 5);
        assert_eq!((before.attempt(), before.details().count()), (Some(3), 0));
    }

    #[test]
    fn text_and_anything_else_are_lines_too() {
        let text = "2026-11-24T09:32:10Z  WARN import{attempt=1}: worker::job: Slow";
        let line = LogLine::read(text, 5);
        assert_eq!((line.time.timestamp(), line.level.as_deref()), (1_795_512_730, Some("WARN")));
        assert_eq!(line.message, "import{attempt=1}: worker::job: Slow");
        for text in ["memory allocation of 8 bytes failed", "[1]", "{\"cut", ""] {
            let line = LogLine::read(text, 5);
            assert_eq!((line.time.timestamp_millis(), line.level, line.message.as_str()), (5, None, text));
        }
    }
}
