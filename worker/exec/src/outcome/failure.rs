//! A failure as the program words it. Step Functions matches the name of an error, so that a name that it could not match,
//! or that means something to it, is replaced, and the cause keeps what the program said.

use serde_json::{Map, Value};

/// The longest name.
const NAME_LIMIT: usize = 80;

/// The longest cause, in bytes. Step Functions takes 32,768 characters, with what others add.
const CAUSE_LIMIT: usize = 16 * 1024;

/// What a program said of its failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) error: String,
    pub(super) cause: Option<String>,
    pub(super) retry: Option<bool>,
}

impl Told {
    /// The failure in `{"error", "cause", "retry"}`; none where this is something else. A program whose exit code says that
    /// it is done may have a result with a field called `error`: then only an object of these three fields is a failure.
    pub(super) fn by(written: &Value, is_done: bool) -> Option<Self> {
        let object = written.as_object()?;
        let error = object.get("error")?.as_str()?;
        if is_done && object.keys().any(|key| !matches!(key.as_str(), "error" | "cause" | "retry")) {
            return None;
        }
        let cause = cause_in(object);
        let name = name_of(error);
        let cause = if name == error {
            cause
        } else {
            let original: String = error.chars().take(200).collect();
            let note = format!("(the program called this failure {original:?})");
            Some(cause.map_or_else(|| note.clone(), |cause| format!("{cause} {note}")))
        };
        Some(Self { error: name, cause, retry: object.get("retry").and_then(Value::as_bool) })
    }
}

/// The cause; what is no text is shown as JSON.
fn cause_in(object: &Map<String, Value>) -> Option<String> {
    let cause = match object.get("cause")? {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if cause.len() <= CAUSE_LIMIT {
        return Some(cause);
    }
    let end = cause.floor_char_boundary(CAUSE_LIMIT);
    Some(format!("{}… (cut: the cause has {} bytes)", cause.get(..end).unwrap_or_default(), cause.len()))
}

/// The name with other characters than letters, digits and `. _ - : $` replaced, and not longer than is taken. `States.` is the
/// beginning of Step Functions' own names.
fn name_of(error: &str) -> String {
    let is_sane = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_' | '-' | ':' | '$');
    let name: String =
        error.trim().chars().take(NAME_LIMIT).map(|sign| if is_sane(sign) { sign } else { '_' }).collect();
    if !name.chars().any(|sign| sign.is_ascii_alphanumeric()) {
        return "Unnamed".to_owned();
    }
    match name.strip_prefix("States.") {
        Some(rest) => format!("States_{rest}"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_all_languages_stay() {
        for name in ["NoMonth", "requests.exceptions.HTTPError", "Errno::ENOENT", "java.lang.A$B", "E_1-2"] {
            assert_eq!(name_of(name), name);
        }
    }

    #[test]
    fn other_names_are_replaced_and_kept_in_the_cause() {
        assert_eq!(name_of("no such month"), "no_such_month");
        assert_eq!(name_of("States.ALL"), "States_ALL");
        assert_eq!(name_of(""), "Unnamed");
        assert_eq!(name_of("\u{5931}\u{6557}"), "Unnamed");
        assert_eq!(name_of(&"x".repeat(81)).len(), NAME_LIMIT);
        let told = Told::by(&json!({"error": "no month", "cause": "look"}), true).unwrap();
        assert_eq!(told.cause.unwrap(), "look (the program called this failure \"no month\")");
    }

    #[test]
    fn a_long_cause_is_cut_and_says_so() {
        let told = Told::by(&json!({"error": "E", "cause": "\u{fc}".repeat(20_000)}), true).unwrap();
        let cause = told.cause.unwrap();
        assert!(cause.len() < CAUSE_LIMIT + 100 && cause.ends_with("(cut: the cause has 40000 bytes)"));
    }
}
