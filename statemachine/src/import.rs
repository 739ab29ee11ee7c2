//! What is to be imported, as every process passes it on. Parsed once at the edge: whoever holds an [`Import`] need not
//! check its parts again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::job_id::JobId;
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
    pub import_id: JobId,
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

/// The input of an import, as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportInput {
    /// Where the CSV is.
    pub source: Source,
    /// The version of the object, in a versioned bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The table to import into, optionally with its schema.
    pub table: String,
    /// How to read and load the file.
    #[serde(default, skip_serializing_if = "ImportOptions::is_default")]
    pub options: ImportOptions,
}

impl Import {
    /// What is to be imported; `None` where the message names an id alone.
    #[must_use]
    pub fn input(&self) -> Option<ImportInput> {
        Some(ImportInput {
            source: self.source.clone()?,
            version_id: self.version_id.clone(),
            table: self.table.clone()?,
            options: self.options.clone(),
        })
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
    fn an_import_survives_the_way_through_json() {
        let json = r#"{"import_id":"7","source":"s3://b/imports/people/a b.csv","table":"people","options":{"max_rejects":3}}"#;
        assert_eq!(serde_json::to_string(&parse(json).unwrap()).unwrap(), json);
    }

    #[test]
    fn a_misspelt_field_is_refused_by_name() {
        assert!(parse(r#"{"import_id": 1, "tabel": "people"}"#).unwrap_err().contains("tabel"));
    }
}
