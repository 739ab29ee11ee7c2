//! A deployed state machine's definition: whether it is that of this version, and what its substitutions were.

use serde_json::Value;

/// The first place where a deployed definition differs from the template's, as a path such as
/// `States.RunImport.TimeoutSeconds`; none where only the substitutions `${Name}` are filled in.
pub(super) fn first_difference(template: &str, deployed: &str) -> Option<String> {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (parse(template), parse(deployed)) {
        (Some(template), Some(deployed)) => difference(&template, &deployed, ""),
        _ => Some("it is no JSON".to_owned()),
    }
}

fn difference(template: &Value, deployed: &Value, path: &str) -> Option<String> {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (template, deployed) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let missing = ours
                .keys()
                .chain(theirs.keys())
                .find(|key| !ours.contains_key(*key) || !theirs.contains_key(*key));
            missing.map(|key| below(key)).or_else(|| {
                ours.iter().find_map(|(key, value)| difference(value, theirs.get(key)?, &below(key)))
            })
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs
                .into_iter()
                .find_map(|(at, (ours, theirs))| difference(ours, theirs, &below(&at.to_string())))
        }
        (Value::String(ours), Value::String(theirs)) if is_filled_in(ours, theirs) => None,
        (ours, theirs) if ours == theirs => None,
        _ => Some(path.to_owned()),
    }
}

/// Whether `text` is the template with something in place of each `${Name}`.
fn is_filled_in(template: &str, text: &str) -> bool {
    let mut parts = parts(template).into_iter();
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// What stands before, between and after the `${Name}` of a template.
fn parts(template: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((_, after)) = after.split_once('}') else { break };
        parts.push(before);
        rest = after;
    }
    parts.push(rest);
    parts
}

/// A number of seconds in a definition, at a JSON pointer: a number, or one alone in JSONata's `{% … %}`.
pub(super) fn seconds(definition: &Value, pointer: &str) -> Option<f64> {
    match definition.pointer(pointer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim_matches(['{', '}', '%', ' ']).parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use statemachine::{DEAD_LETTER_DEFINITION, IMPORT_DEFINITION};

    fn filled_in() -> String {
        let values = [
            ("${HoldSeconds}", "42000"),
            ("${RunTimeoutSeconds}", "36000"),
            ("${HeartbeatSeconds}", "120"),
            ("${SubnetIds}", "subnet-1,subnet-2"),
        ];
        values.iter().fold(IMPORT_DEFINITION.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    #[test]
    fn a_definition_whose_substitutions_are_filled_in_is_the_same() {
        assert_eq!(first_difference(IMPORT_DEFINITION, &filled_in()), None);
        let dead_letter = DEAD_LETTER_DEFINITION.replace("${DeadLetterQueueUrl}", "https://sqs/1/dead");
        assert_eq!(first_difference(DEAD_LETTER_DEFINITION, &dead_letter), None);
        // JSON's own form does not matter.
        let other_form = serde_json::from_str::<Value>(&filled_in()).unwrap().to_string();
        assert_eq!(first_difference(IMPORT_DEFINITION, &other_form), None);
    }

    #[test]
    fn a_definition_that_differs_is_told_where() {
        let mut changed: Value = serde_json::from_str(&filled_in()).unwrap();
        changed["States"]["RunImport"]["Retry"][0]["MaxAttempts"] = 3.into();
        let at = first_difference(IMPORT_DEFINITION, &changed.to_string());
        assert_eq!(at.as_deref(), Some("States.RunImport.Retry.0.MaxAttempts"));
        let mut shorter: Value = serde_json::from_str(&filled_in()).unwrap();
        shorter["States"].as_object_mut().unwrap().remove("HoldMessage");
        assert_eq!(
            first_difference(IMPORT_DEFINITION, &shorter.to_string()).as_deref(),
            Some("States.HoldMessage")
        );
        let mut text: Value = serde_json::from_str(&filled_in()).unwrap();
        text["States"]["RunImport"]["TimeoutSeconds"] = "36000".into();
        assert_eq!(
            first_difference(IMPORT_DEFINITION, &text.to_string()).as_deref(),
            Some("States.RunImport.TimeoutSeconds")
        );
        assert!(first_difference(IMPORT_DEFINITION, "{").is_some());
    }

    #[test]
    fn the_seconds_of_a_definition_are_read() {
        let definition = json!({"a": 30, "b": "{% 42000 %}", "c": "{% $x %}"});
        assert_eq!(seconds(&definition, "/a"), Some(30.0));
        assert_eq!(seconds(&definition, "/b"), Some(42_000.0));
        assert_eq!(seconds(&definition, "/c"), None);
        assert_eq!(seconds(&definition, "/d"), None);
    }
}
