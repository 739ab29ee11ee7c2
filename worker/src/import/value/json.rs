//! JSON: checked, and kept as it was written.

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::import::reject::{Misfit, Reason};

/// Checks that a text is JSON; for `jsonb` also that its strings are text, which PostgreSQL asks of that type alone.
pub(super) fn check(text: &str, binary: bool) -> Result<(), Misfit> {
    let not_json = |error: serde_json::Error| Misfit::new(Reason::NotJson, format!("is no JSON: {error}"));
    // A control character outside an escape is no JSON, so that a NUL can only stand there as `\u0000`.
    if binary && text.contains("\\u") {
        let value: Value = serde_json::from_str(text).map_err(not_json)?;
        if has_nul(&value) {
            return Err(Misfit::new(Reason::NulCharacter, "has a NUL character (\\u0000) in a string"));
        }
        return Ok(());
    }
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(not_json)
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
