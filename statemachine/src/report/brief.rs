//! A result that says little, for a service that does not take what it said.

use serde_json::{Map, Value};

/// The longest text that is kept, in bytes.
const MAX_TEXT_BYTES: usize = 200;

/// The most names of one object that are kept.
const MAX_NAMES: usize = 50;

/// How deep it goes.
const MAX_DEPTH: usize = 3;

/// The same value with numbers, truths and short texts of ASCII alone.
pub(super) fn brief(value: &Value) -> Value {
    brief_at(value, MAX_DEPTH).unwrap_or_default()
}

fn brief_at(value: &Value, depth: usize) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        Value::String(text) => is_plain(text).then(|| value.clone()),
        Value::Array(_) => None,
        Value::Object(_) if depth == 0 => None,
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| is_plain(name));
            let kept = kept.filter_map(|(name, value)| Some((name.clone(), brief_at(value, depth - 1)?)));
            Some(Value::Object(kept.take(MAX_NAMES).collect::<Map<_, _>>()))
        }
    }
}

fn is_plain(text: &str) -> bool {
    text.len() <= MAX_TEXT_BYTES && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_short_texts_are_kept() {
        let value = json!({
            "rows": 7, "table": "people", "note": "\u{1}", "long": "x".repeat(300), "first": [1, 2],
            "findings": {"dry_run": true, "rows_read": 9, "a": {"b": {"c": 1}}}
        });
        let kept =
            json!({"rows": 7, "table": "people", "findings": {"dry_run": true, "rows_read": 9, "a": {}}});
        assert_eq!(brief(&value), kept);
        assert_eq!(brief(&json!(["x"])), Value::Null);
    }
}
