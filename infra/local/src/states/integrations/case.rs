//! Field names: Step Functions writes every service's in PascalCase, the services' wires mostly in camelCase. Only the
//! names of an API's own fields come here; values are left alone, environment variables among them.

use serde_json::{Number, Value};

/// Every field's name with a capital first letter.
pub(super) fn pascal(value: Value) -> Value {
    renamed(value, &|first| first.to_ascii_uppercase())
}

/// Every field's name with a small first letter.
pub(super) fn camel(value: Value) -> Value {
    renamed(value, &|first| first.to_ascii_lowercase())
}

/// Changes every number in a field whose name has this ending: the times in an answer.
pub(super) fn with_times(value: Value, ending: &str, change: &dyn Fn(&Number) -> Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| with_times(item, ending, change)).collect(),
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| {
                let value = match value {
                    Value::Number(time) if name.ends_with(ending) => change(&time),
                    other => with_times(other, ending, change),
                };
                (name, value)
            };
            Value::Object(fields.into_iter().map(field).collect())
        }
        plain => plain,
    }
}

/// Seconds since 1970, with a fraction, as whole milliseconds.
pub(super) fn millis(seconds: &Number) -> i64 {
    (seconds.as_f64().unwrap_or_default() * 1000.0).round() as i64
}

fn renamed(value: Value, first: &dyn Fn(char) -> char) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| renamed(item, first)).collect(),
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| {
                let mut letters = name.chars();
                let name = letters.next().map(first).into_iter().chain(letters).collect();
                (name, renamed(value, first))
            };
            Value::Object(fields.into_iter().map(field).collect())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_change_and_values_do_not() {
        let wire = json!({"overrides": {"containerOverrides": [
            {"name": "worker", "environment": [{"name": "taskToken", "value": "{\"fileName\": 1}"}]}
        ]}});
        let outside = json!({"Overrides": {"ContainerOverrides": [
            {"Name": "worker", "Environment": [{"Name": "taskToken", "Value": "{\"fileName\": 1}"}]}
        ]}});
        assert_eq!(pascal(wire.clone()), outside);
        assert_eq!(camel(outside), wire);
    }

    #[test]
    fn times_are_found_by_their_name() {
        let changed = with_times(json!({"StoppedAt": 1.5, "Cpu": 2}), "At", &|time| millis(time).into());
        assert_eq!(changed, json!({"StoppedAt": 1500, "Cpu": 2}));
    }
}
