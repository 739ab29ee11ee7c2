//! What is to be imported, as every process passes it on. Parsed once at the edge: whoever holds an [`Import`] need not
//! check its parts again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::options::ImportOptions;

/// The most that an [`Import`] may take in the overrides of a task, in characters: as JSON, and that as a string in JSON,
/// where quotes count double and those within texts fourfold. ECS allows 8,192 characters for all overrides (`API_RunTask`);
/// a task token may take 2,048 of them, a trace header 256, an execution's ARN 240, and what stands around them 300.
pub const MAX_QUOTED_IMPORT_CHARS: usize = 5120;

/// One import: an id alone where its row exists, or the whole description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The key of the import's row.
    pub import_id: ImportId,
    /// Where the CSV is. `None` where the row says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The version of the object, in a versioned bucket: the import reads this one and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The table to import into, optionally with its schema (`sales.orders`). `None` where the row says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// How to read and load the file.
    #[serde(default, skip_serializing_if = "ImportOptions::is_default")]
    pub options: ImportOptions,
}

/// The id of an import: 1 to 40 characters of `A-Za-z0-9_-`, the first of them no `-`, which would make it an option of a
/// command. In JSON an integer is read as its decimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ImportId(String);

/// Why a text is not an [`ImportId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an import id is an integer or 1 to 40 characters of A-Za-z0-9_- and does not begin with -; {0:?} is none"
)]
pub struct InvalidImportId(String);

impl ImportId {
    /// The longest id, in characters. With a message id behind it, it fits into an execution's name.
    pub const MAX_LENGTH: usize = 40;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImportId {
    type Err = InvalidImportId;

    fn from_str(text: &str) -> Result<Self, InvalidImportId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-')
        {
            Ok(Self(text.to_owned()))
        } else {
            // Long garbage must not travel on inside the complaint about it.
            Err(InvalidImportId(text.chars().take(Self::MAX_LENGTH + 1).collect()))
        }
    }
}

impl fmt::Display for ImportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ImportId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an import id is an integer or a string")]
        enum Form {
            Integer(i64),
            Text(String),
        }
        let text = match Form::deserialize(deserializer)? {
            Form::Integer(number) => number.to_string(),
            Form::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An object in S3: `s3://bucket/key`, the key as it is, not URL-encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Source {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let object = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        match object {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err(format!("a source is s3://bucket/key, not {text:?}")),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Import, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn an_id_may_be_an_integer_or_a_text() {
        assert_eq!(parse(r#"{"import_id": 42}"#).unwrap().import_id.as_str(), "42");
        assert_eq!(parse(r#"{"import_id": "a_B-9"}"#).unwrap().import_id.as_str(), "a_B-9");
    }

    #[test]
    fn an_id_that_could_not_name_an_execution_or_be_typed_is_refused() {
        for id in [r#""""#, r#""a b""#, r#""日本""#, "1.5", "null", r#""../x""#, r#""-x""#, "-5"] {
            assert!(parse(&format!(r#"{{"import_id": {id}}}"#)).is_err(), "{id} was accepted");
        }
        assert!("x".repeat(40).parse::<ImportId>().is_ok());
        assert!("x".repeat(41).parse::<ImportId>().is_err());
    }

    #[test]
    fn an_import_survives_the_way_through_json() {
        let json = r#"{"import_id":"7","source":"s3://b/imports/people/a b.csv","table":"people","options":{"max_rejects":3}}"#;
        assert_eq!(serde_json::to_string(&parse(json).unwrap()).unwrap(), json);
    }

    #[test]
    fn a_misspelt_field_is_refused_by_name() {
        assert!(parse(r#"{"import_id": 1, "tabel": "people"}"#).unwrap_err().contains("tabel"));
    }
}
