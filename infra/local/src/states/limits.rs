//! The limits that Step Functions sets to data. Source: "Quotas related to state machine executions", Step Functions
//! developer guide, and the lengths in its API's model.

use serde_json::Value;

use super::jsonata::DEPTH_LIMIT;

/// The most that an input, an output or a result may take as JSON, in bytes of UTF-8.
pub(crate) const MAX_DATA_BYTES: usize = 262_144;

/// The most that all variables may take together, in bytes.
pub(crate) const MAX_VARIABLES_BYTES: usize = 10 * 1024 * 1024;

/// The longest error name, in characters.
pub(crate) const MAX_ERROR_CHARS: usize = 256;

/// The longest cause, in characters.
pub(crate) const MAX_CAUSE_CHARS: usize = 32_768;

/// The most events that a history has.
pub(crate) const MAX_EVENTS: i64 = 25_000;

/// A value's size as JSON, in bytes.
pub(crate) fn bytes_of(value: &Value) -> usize {
    /// Counts what is written.
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

/// How many lists and objects stand inside one another, at most.
pub(crate) fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}

/// Reads JSON from outside; `None` where it is none, or nested deeper than the stack keeps.
pub(crate) fn parse_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|value| depth_of(value) <= DEPTH_LIMIT)
}

/// The text, cut to so many characters.
pub(crate) fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_measured_as_it_is_written() {
        let value = json!({"a": ["ü", 1, null, {"b": {}}]});
        assert_eq!(bytes_of(&value), value.to_string().len());
        assert_eq!(depth_of(&value), 4);
        assert_eq!(depth_of(&json!(1)), 0);
    }

    #[test]
    fn json_that_cannot_be_kept_is_not_taken() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse_json(&nested(DEPTH_LIMIT)).is_some());
        assert!(parse_json(&nested(DEPTH_LIMIT + 1)).is_none());
        assert!(parse_json(&nested(100_000)).is_none());
        assert!(parse_json("{").is_none());
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 2), "äö");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
