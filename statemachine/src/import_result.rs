//! What an import did, and what it found in the file whether it ends well or not.

mod bounds;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::import::Source;

/// What an import did: the result in its [`Report`](crate::Report).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportResult {
    /// The table that was written.
    pub table: String,
    /// Rows written; of a dry run, rows that would have been.
    pub rows: u64,
    /// Rows rejected.
    pub rejects: u64,
    /// Bytes read from the source.
    pub bytes: u64,
    /// What was found in the file.
    #[serde(default, skip_serializing_if = "Findings::is_empty")]
    pub findings: Box<Findings>,
}

/// How far an import is, as the ledger keeps it: [`Progress`](crate::Progress) in bytes, and what its rows have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportProgress {
    /// Rows handed to the database; they are there once the attempt has committed.
    pub rows: u64,
    /// Rows rejected.
    pub rejects: u64,
    /// Bytes read from the source.
    #[serde(rename = "done")]
    pub bytes: u64,
    /// Bytes of the source in all, 0 while it is not known.
    #[serde(rename = "total")]
    pub bytes_total: u64,
}

/// What was found in a file: how it is written, what became of its rows, which were rejected and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Findings {
    /// How the file is written, for people: `cp932 (detected)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What stands between its fields: `,`, `tab`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// What it is compressed with: `gzip`, `zstd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// Rows of the file that were read, rejects among them.
    pub rows_read: u64,
    /// Of the rows written, those that changed a row that was there before.
    #[serde(skip_serializing_if = "is_zero")]
    pub updated: u64,
    /// Rows that were not written because their key was in the table before.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// Rows that were not written because another row of the file has their key and counts instead.
    #[serde(skip_serializing_if = "is_zero")]
    pub duplicates: u64,
    /// Rows that the database left out without an error: a trigger returned no row for them.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// Nothing was written: the import was a dry run.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// SHA-256 of the object, in hexadecimal digits, where all of it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The table that the rows went into, with its schema where the database has schemas, as SQL: its name alone may mean another one
    /// later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The latest import of the same file into the same table, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_file_as: Option<String>,
    /// How many rows were rejected for which reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, u64>,
    /// The first rejects, in the file's order: a hundred, or as many as fit into a report.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first_rejects: Vec<RejectedRow>,
    /// Where the rejected rows are, to be corrected and imported again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejects_file: Option<RejectsFile>,
    /// What else a person should know: sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A row that was not written, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// Which record of the file, counted from 1; a header is not counted.
    pub record: u64,
    /// Its first physical line, counted from 1.
    pub line: u64,
    /// Offset of its first byte in the file; in a compressed object, in what was unpacked.
    pub byte: u64,
    /// The column, where the reason lies in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The value, cut. `None` where the reason lies in no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The reason, for a program: `not_an_integer`.
    pub reason: String,
    /// The reason, for a person: continues a sentence that begins with the value, or the row.
    pub says: String,
}

/// The object that holds the rejected rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectsFile {
    /// Where it is.
    pub source: Source,
    /// How many rows are in it: all rejects.
    pub rows: u64,
}

impl ImportProgress {
    /// The progress as it is written down: [`Progress`](crate::Progress) in bytes, and rows and rejects beside it.
    #[must_use]
    pub fn to_value(self) -> Value {
        let Self { rows, rejects, bytes, bytes_total } = self;
        json!({"done": bytes, "total": bytes_total, "unit": "bytes", "rows": rows, "rejects": rejects})
    }
}

impl Findings {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
