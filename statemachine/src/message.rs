//! What a message body asks for, in its three forms: an import by id, an import described, an S3 event.

use serde_json::Value;

use crate::execution::InvalidMessage;
use crate::import::{Import, MAX_QUOTED_IMPORT_CHARS};
use crate::job_id::JobId;
use crate::s3_event;
use crate::unique::Unique;

/// What a message body asks for.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one a message, taken apart at once; nobody keeps many")]
pub enum Body {
    /// An import.
    Import(Import),
    /// Nothing: S3's own test of a new notification. To be acknowledged.
    S3TestEvent,
}

/// Reads a message body.
///
/// # Errors
/// [`InvalidMessage`], with a sentence that tells the sender what is wrong.
pub fn parse_body(body: &str) -> Result<Body, InvalidMessage> {
    let invalid = |reason: String| InvalidMessage::new(&reason);
    let Unique(value) = serde_json::from_str(body).map_err(|error| {
        let is_double = error.is_data();
        invalid(if is_double {
            format!("in the message {error}")
        } else {
            format!("the message is not JSON: {error}")
        })
    })?;
    let Value::Object(fields) = &value else {
        return Err(invalid(format!("the message must be a JSON object, not {}", kind(&value))));
    };
    if s3_event::is_test_event(fields) {
        return Ok(Body::S3TestEvent);
    }
    let import = if fields.contains_key("Records") {
        s3_event::import_of(value)?
    } else if fields.contains_key("import_id") {
        described(value)?
    } else {
        return Err(invalid("the message has neither `import_id` nor S3's `Records`".to_owned()));
    };
    let quoted = serde_json::to_string(&import).and_then(|json| serde_json::to_string(&json));
    let chars = quoted.map_or(usize::MAX, |quoted| quoted.chars().count());
    if chars > MAX_QUOTED_IMPORT_CHARS {
        return Err(invalid(format!(
            "the import takes {chars} characters as quoted JSON, {MAX_QUOTED_IMPORT_CHARS} fit into a container's environment"
        )));
    }
    Ok(Body::Import(import))
}

/// The import that a body names, also where it cannot be read as a whole: whoever looks for the message knows it by that.
#[must_use]
pub fn import_named_in(body: &str) -> Option<JobId> {
    #[derive(serde::Deserialize)]
    struct Named {
        import_id: JobId,
    }
    // A body that names two names none; nor does an array, which serde would take for the fields in their order.
    if !body.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str::<Named>(body).ok().map(|named| named.import_id)
}

fn described(value: Value) -> Result<Import, InvalidMessage> {
    let import: Import = serde_path_to_error::deserialize(value).map_err(|error| {
        InvalidMessage::new(&format!("the message describes no import: {}", said(&error)))
    })?;
    match (&import.source, &import.table) {
        (Some(_), Some(_)) | (None, None) => Ok(import),
        (Some(_), None) => Err(InvalidMessage::new("the message has a `source` but no `table`")),
        (None, Some(_)) => Err(InvalidMessage::new("the message has a `table` but no `source`")),
    }
}

/// What is wrong with a field, behind its name; in words of JSON.
fn said(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let why = error.inner().to_string();
    let why = ["u64", "u32", "usize"].iter().fold(why, |why, number| {
        why.replace(&format!("expected {number}"), "expected a number without a fraction and a sign")
    });
    // A field that is not known is named by serde itself.
    match error.path().to_string() {
        path if path == "." || why.starts_with("unknown field") => why,
        path => format!("{path}: {why}"),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(body: &str) -> Import {
        match parse_body(body) {
            Ok(Body::Import(import)) => import,
            other => panic!("{body} gave {other:?}"),
        }
    }

    fn reason(body: &str) -> String {
        parse_body(body).unwrap_err().reason
    }

    #[test]
    fn a_registered_import_is_named_by_its_id_alone() {
        let import = import(r#"{"import_id": 17}"#);
        assert_eq!((import.import_id.as_str(), import.source, import.table), ("17", None, None));
    }

    #[test]
    fn an_import_may_be_described_in_the_message() {
        let import = import(
            r#"{"import_id":"p-1","source":"s3://b/k.csv","table":"people","options":{"max_rejects":10}}"#,
        );
        assert_eq!(import.source.unwrap().to_string(), "s3://b/k.csv");
        assert_eq!(import.options.max_rejects, crate::RejectLimit::Rows(10));
    }

    #[test]
    fn the_test_message_of_a_new_notification_asks_for_nothing() {
        let body = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-23T00:00:00.000Z","Bucket":"b","RequestId":"R","HostId":"H"}"#;
        assert_eq!(parse_body(body), Ok(Body::S3TestEvent));
    }

    #[test]
    fn anything_else_is_refused_with_a_sentence() {
        assert!(reason("noise").starts_with("the message is not JSON: "));
        assert_eq!(
            reason(r#"{"import_id":"a","source":"s3://b/k","table":"people","table":"orders"}"#),
            "in the message `table` stands twice in one object at line 1 column 61"
        );
        assert_eq!(reason("[1]"), "the message must be a JSON object, not an array");
        assert_eq!(reason("{}"), "the message has neither `import_id` nor S3's `Records`");
        assert!(reason(r#"{"import_id": "a/b"}"#).contains("1 to 40 characters"));
        assert!(reason(r#"{"import_id": 1, "tabel": "t"}"#).contains("tabel"));
        assert!(reason(r#"{"import_id": 1, "source": "s3://b/k"}"#).contains("no `table`"));
        assert!(
            reason(r#"{"import_id": 1, "source": "/etc/passwd", "table": "t"}"#).contains("s3://bucket/key")
        );
    }

    #[test]
    fn a_message_that_describes_no_import_may_name_one() {
        let named = |body: &str| import_named_in(body).map(|id| id.to_string());
        assert_eq!(named(r#"{"import_id":"m","options":{"limit":"10"}}"#).as_deref(), Some("m"));
        assert_eq!(named(r#"{"import_id":17,"tabel":"t","tabel":"u"}"#).as_deref(), Some("17"));
        for body in [
            "noise",
            "[1]",
            "{}",
            r#"{"import_id":"a/b"}"#,
            r#"{"import_id":null}"#,
            r#"{"import_id":1,"import_id":2}"#,
        ] {
            assert_eq!(named(body), None, "{body}");
        }
    }

    #[test]
    fn a_field_of_another_type_is_named() {
        let of = |options: &str| {
            reason(&format!(r#"{{"import_id":"m","source":"s3://b/k","table":"t","options":{options}}}"#))
        };
        assert_eq!(
            of(r#"{"limit":"10"}"#),
            "the message describes no import: options.limit: invalid type: string \"10\", expected a number without a fraction and \
             a sign"
        );
        for (options, name) in [
            (r#"{"null":5}"#, "options.null: "),
            (r#"{"dry_run":"yes"}"#, "options.dry_run: "),
            (r#"{"map":[]}"#, "options.map: "),
            (r#"{"key":"id"}"#, "options.key: "),
        ] {
            assert!(of(options).contains(name), "{}", of(options));
        }
    }

    #[test]
    fn what_is_quoted_of_a_message_is_text_that_a_dead_letter_takes() {
        let body = r#"{"import_id":"c1","tab\u000bel":1,"source":"s3://b/k.csv","table":"t"}"#;
        assert!(reason(body).contains("`tab\u{fffd}el`"), "{}", reason(body));
        let body =
            r#"{"import_id":"c1","source":"s3://b/k","table":"t","options":{"on_conflict":"utf\ufffe"}}"#;
        assert!(reason(body).contains("utf\u{fffd}"), "{}", reason(body));
        let body = format!(r#"{{"import_id":1,"{}":2}}"#, "x".repeat(100_000));
        assert!(reason(&body).len() <= 2_000 && reason(&body).ends_with('…'));
    }

    #[test]
    fn an_import_that_would_not_fit_into_a_containers_environment_is_refused() {
        let body = format!(r#"{{"import_id":1,"source":"s3://b/{}","table":"t"}}"#, "k".repeat(5120));
        assert!(reason(&body).contains("5120 fit"));
        // A quote in a key takes four characters.
        let body = format!(r#"{{"import_id":1,"source":"s3://b/{}","table":"t"}}"#, "\\\"".repeat(1300));
        assert!(reason(&body).contains("5120 fit"));
    }
}
