//! S3's event notification: "upload a file under `imports/<table>/` and it is imported". The import's id is derived from
//! bucket, key and version, so that the same object is the same import however often S3 tells of it. Which keys name a
//! file to import is said here once, so that the rejects file that the worker puts beside its source starts no import.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::execution::InvalidMessage;
use crate::import::{Import, Source};
use crate::job_id::JobId;
use crate::options::ImportOptions;

/// The part of the notification that is read. S3 adds fields in minor versions, so others are let pass.
/// Source: "Event message structure", Amazon S3 user guide.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    version_id: Option<String>,
    e_tag: Option<String>,
}

/// Where objects lie that are imported when they are created.
const PREFIX: &str = "imports/";

/// How the name of a file ends that is imported when it is uploaded, in whatever case.
const ENDINGS: [&str; 3] = [".csv", ".csv.gz", ".csv.zst"];

/// Whether an object of this key is to be imported when it is created: a CSV, as it is or compressed, under `imports/`.
#[must_use]
pub fn is_import_key(key: &str) -> bool {
    key.starts_with(PREFIX) && is_csv(key)
}

/// Whether these are the fields of the message that S3 sends when a notification is configured.
pub(crate) fn is_test_event(fields: &Map<String, Value>) -> bool {
    fields.get("Event").and_then(Value::as_str) == Some("s3:TestEvent")
}

/// The import that a notification asks for.
pub(crate) fn import_of(value: Value) -> Result<Import, InvalidMessage> {
    let notification: Notification = serde_json::from_value(value)
        .map_err(|error| invalid(&format!("the message is no event notification of S3: {error}")))?;
    let [record] = <[Record; 1]>::try_from(notification.records).map_err(|records| {
        invalid(&format!("an event notification of S3 has one record, this one has {}", records.len()))
    })?;
    if !record.event_name.starts_with("ObjectCreated:") {
        return Err(invalid(&format!(
            "only a created object is imported, this event is {:?}",
            record.event_name
        )));
    }
    let Object { key, version_id, e_tag } = record.s3.object;
    let key = decode_key(&key)
        .ok_or_else(|| invalid(&format!("the object's key {key:?} is not URL-encoded UTF-8")))?;
    let table = table_of(&key).ok_or_else(|| {
        invalid(&format!("the table is taken from a key imports/<table>/<name>.csv (or .csv.gz, .csv.zst), this key is {key:?}"))
    })?;
    let version = version_id.as_deref().or(e_tag.as_deref()).unwrap_or_default();
    let source = Source { bucket: record.s3.bucket.name, key: key.clone() };
    let import_id = upload_id(&source, version);
    let table = Some(table.to_owned());
    Ok(Import { import_id, source: Some(source), version_id, table, options: ImportOptions::default() })
}

/// How the id of an upload's import begins, and how many hexadecimal digits follow.
const UPLOAD: (&str, usize) = ("s3-", 32);

impl JobId {
    /// Whether it is the id of an import that an upload started by itself.
    #[must_use]
    pub fn is_of_upload(&self) -> bool {
        let digits = self.as_str().strip_prefix(UPLOAD.0);
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        digits.is_some_and(|digits| digits.len() == UPLOAD.1 && digits.bytes().all(is_digit))
    }

    /// Whether it is the id of the upload of this object, which has this ETag, quoted or not. Where an event names neither version
    /// nor ETag, any is.
    #[must_use]
    pub fn is_of_object(&self, source: &Source, etag: &str) -> bool {
        [etag.trim_matches('"'), ""].into_iter().any(|version| upload_id(source, version) == *self)
    }
}

/// `imports/<table>/…csv` names the table by its second part.
fn table_of(key: &str) -> Option<&str> {
    let (table, name) = key.strip_prefix(PREFIX)?.split_once('/')?;
    (!table.is_empty() && is_csv(name)).then_some(table)
}

fn is_csv(name: &str) -> bool {
    // By bytes: the place where an ending would begin may lie within a character.
    let ends_with = |ending: &&str| {
        let begin = name.len().checked_sub(ending.len());
        let end = begin.and_then(|begin| name.as_bytes().get(begin..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(ending.as_bytes()))
    };
    ENDINGS.iter().any(ends_with)
}

fn upload_id(source: &Source, version: &str) -> JobId {
    let mut hash = Sha256::new();
    for part in [&source.bucket, &source.key, version] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let (begin, digits) = UPLOAD;
    let hex: String = hash.finalize().iter().take(digits / 2).map(|byte| format!("{byte:02x}")).collect();
    #[expect(clippy::expect_used, reason = "`s3-` and 32 hexadecimal digits are 35 allowed characters")]
    format!("{begin}{hex}").parse().expect("a derived id is valid")
}

/// Keys in events are URL-encoded as form data: `+` is a space.
fn decode_key(encoded: &str) -> Option<String> {
    let with_spaces = encoded.replace('+', " ");
    percent_decode_str(&with_spaces).decode_utf8().ok().map(Cow::into_owned)
}

fn invalid(reason: &str) -> InvalidMessage {
    InvalidMessage::new(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(name: &str, key: &str, version: Option<&str>) -> Value {
        json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
            "s3": {"bucket": {"name": "uploads"},
                   "object": {"key": key, "size": 3, "eTag": "e1", "versionId": version, "sequencer": "00"}}}]})
    }

    #[test]
    fn an_uploads_id_tells_whether_an_object_is_the_one_that_was_uploaded() {
        let import = import_of(event("ObjectCreated:Put", "imports/people/a.csv", None)).unwrap();
        let (id, source) = (&import.import_id, import.source.as_ref().unwrap());
        assert!(id.is_of_upload() && id.is_of_object(source, "e1") && id.is_of_object(source, "\"e1\""));
        assert!(!id.is_of_object(source, "e2"));
        let elsewhere = Source { key: "imports/people/b.csv".to_owned(), ..source.clone() };
        assert!(!id.is_of_object(&elsewhere, "e1"));
        for other in
            ["7", "s3-1", "s3-0123456789abcdef0123456789abcdeg", "s3-0123456789ABCDEF0123456789ABCDEF"]
        {
            assert!(!other.parse::<JobId>().unwrap().is_of_upload(), "{other}");
        }
    }

    #[test]
    fn the_table_is_the_second_part_of_the_key() {
        let import =
            import_of(event("ObjectCreated:Put", "imports/people/2026/%E5%90%8D%E7%B0%BF+1.csv", Some("v1")));
        let import = import.unwrap();
        assert_eq!(import.table.as_deref(), Some("people"));
        assert_eq!(import.version_id.as_deref(), Some("v1"));
        assert_eq!(import.source.unwrap().to_string(), "s3://uploads/imports/people/2026/名簿 1.csv");
    }

    #[test]
    fn a_compressed_file_and_an_ending_in_capitals_are_imported_too() {
        for name in ["a.csv", "a.CSV", "a.csv.gz", "名簿.Csv.GZ", "2026/a.csv.zst", "a.csv.ZST"] {
            let key = format!("imports/people/{name}");
            assert_eq!(table_of(&key), Some("people"), "{key}");
            assert!(is_import_key(&key), "{key}");
        }
        for name in ["a.gz", "a.csv.bz2", "a.csvgz", "a.csv.", "a", "簿", "csv", "a.csv/b.txt"] {
            let key = format!("imports/people/{name}");
            assert_eq!(table_of(&key), None, "{key}");
            assert!(!is_import_key(&key), "{key}");
        }
    }

    #[test]
    fn a_rejects_file_beside_its_source_starts_no_import() {
        for source in ["a.csv", "a.csv.gz", "a.CSV.ZST"] {
            let key = format!("imports/people/{source}.s3-0123456789abcdef0123456789abcdef.1.rejects");
            assert!(!is_import_key(&key), "{key}");
            assert!(import_of(event("ObjectCreated:Put", &key, None)).is_err(), "{key}");
        }
    }

    #[test]
    fn the_same_object_is_the_same_import_and_a_new_version_another() {
        let id = |version| {
            import_of(event("ObjectCreated:Put", "imports/people/a.csv", version)).unwrap().import_id
        };
        assert_eq!(id(Some("v1")), id(Some("v1")));
        assert_ne!(id(Some("v1")), id(Some("v2")));
        assert_ne!(id(Some("v1")), id(None));
    }

    #[test]
    fn an_event_that_asks_for_no_import_says_why() {
        let reason = |value| import_of(value).unwrap_err().reason;
        assert!(
            reason(event("ObjectRemoved:Delete", "imports/people/a.csv", None)).contains("ObjectRemoved")
        );
        assert!(reason(event("ObjectCreated:Put", "people/a.csv", None)).contains("imports/<table>/"));
        assert!(reason(event("ObjectCreated:Put", "imports/a.csv", None)).contains("imports/<table>/"));
        assert!(reason(event("ObjectCreated:Put", "imports/people/a.parquet", None)).contains(".csv"));
        assert!(reason(event("ObjectCreated:Put", "imports/people/%FF.csv", None)).contains("URL-encoded"));
        assert!(reason(json!({"Records": []})).contains("has 0"));
    }
}
