//! Imports, as the ledger has them: its rows, understood.

use chrono::NaiveDateTime;
use serde_json::{Value, json};
use statemachine::{
    Findings, Import, ImportInput, ImportOptions, ImportProgress, ImportResult, JobId, Kind, Source,
};

use crate::db::Connection;
use crate::failure::Failure;
use crate::ledger::{self, About, Asked, Ended, JobRow, JobStatus, NewJob, Page, Registered, Rules, Search};

/// What the ledger has to know of imports.
pub static RULES: Rules = Rules { kind: Kind::IMPORT, normal, about };

fn normal(input: Value) -> Value {
    let understood = serde_json::from_value::<ImportInput>(input.clone());
    understood.ok().and_then(|understood| serde_json::to_value(understood).ok()).unwrap_or(input)
}

fn about(input: &Value) -> About {
    let text = |name: &str| input[name].as_str().map(str::to_owned);
    About { subject: text("table"), source: text("source") }
}

/// The table that an input names; `None` where it is not an import's.
pub(crate) fn table_in(input: &str) -> Option<String> {
    serde_json::from_str(input).ok().and_then(|input| about(&input).subject)
}

/// An import's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// The import's id.
    pub id: String,
    /// `s3://bucket/key`.
    pub source: String,
    /// The version of the object, in a versioned bucket.
    pub version_id: Option<String>,
    /// The table to import into, optionally with its schema.
    pub table_name: String,
    /// [`ImportOptions`] as JSON.
    pub options: String,
    /// Where the import stands.
    pub status: JobStatus,
    /// How often the import was claimed.
    pub attempt: i32,
    /// The execution that claimed it last.
    pub execution_arn: Option<String>,
    /// Until when no other execution may claim it.
    pub lease_expires_at: Option<NaiveDateTime>,
    /// Rows loaded by the last attempt; in the table only once the status is SUCCESS.
    pub rows_done: i64,
    /// Rows rejected by the last attempt.
    pub rejects: i64,
    /// Bytes read by the last attempt.
    pub bytes_done: i64,
    /// Bytes of the source, 0 while not known.
    pub bytes_total: i64,
    /// The name of the last attempt's failure.
    pub error: Option<String>,
    /// Its cause.
    pub cause: Option<String>,
    /// When the import was registered, UTC.
    pub created_at: NaiveDateTime,
    /// When the row, or its progress, last changed, UTC.
    pub updated_at: NaiveDateTime,
    /// When the last attempt began, UTC.
    pub started_at: Option<NaiveDateTime>,
    /// When the last attempt ended, UTC.
    pub finished_at: Option<NaiveDateTime>,
    /// What the last attempt found in the file, as far as it came.
    pub findings: Option<Box<Findings>>,
}

/// One attempt at an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// The attempt's number, from 1.
    pub attempt: i32,
    /// The execution that claimed the import.
    pub execution_arn: String,
    /// The worker's ECS task, by its ARN or its id, or else its host's name.
    pub worker: String,
    /// When it claimed the import, UTC.
    pub started_at: NaiveDateTime,
    /// When it ended, or was found to have ended, UTC.
    pub finished_at: Option<NaiveDateTime>,
    /// How it ended.
    pub ended_as: Ended,
    /// The failure's cause, which may quote rows: for the operator, and for no log.
    pub cause: Option<String>,
    /// Rows loaded; in the table only after SUCCESS.
    pub rows_done: i64,
    /// Rows rejected.
    pub rejects: i64,
    /// Bytes read.
    pub bytes_done: i64,
    /// The version of the worker that made it, where that has said so.
    pub version: Option<String>,
}

/// An import to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImport {
    /// The import's id.
    pub import_id: JobId,
    /// Where the data is.
    pub source: Source,
    /// The version of the object, in a versioned bucket.
    pub version_id: Option<String>,
    /// The table to import into, optionally with its schema.
    pub table: String,
    /// How to read and load.
    pub options: ImportOptions,
}

impl NewImport {
    /// The import that a message describes; `None` where it names an id alone.
    #[must_use]
    pub fn of(import: &Import) -> Option<Self> {
        let ImportInput { source, version_id, table, options } = import.input()?;
        Some(Self { import_id: import.import_id.clone(), source, version_id, table, options })
    }

    fn job(&self) -> NewJob {
        let Self { import_id, source, version_id, table, options } = self.clone();
        NewJob {
            id: import_id,
            rules: &RULES,
            input: value(&ImportInput { source, version_id, table, options }),
        }
    }
}

/// The job that a message asks for.
#[must_use]
pub fn asked(import: &Import) -> Asked {
    let input = import.input().as_ref().map(value);
    Asked { id: import.import_id.clone(), rules: &RULES, input }
}

#[expect(clippy::expect_used, reason = "strings, numbers and truths")]
fn value(input: &ImportInput) -> Value {
    serde_json::to_value(input).expect("an input is plain JSON")
}

/// Registers an import as PENDING: [`ledger::register`].
///
/// # Errors
/// `Import.Contradiction` where the import is registered otherwise; `Import.DatabaseUnavailable`.
pub fn register(connection: &mut Connection, new: &NewImport) -> Result<Registered, Failure> {
    ledger::register(connection, &new.job())
}

/// What of an import is registered otherwise, such as `another table and other options`; none where it is registered just so.
#[must_use]
pub fn registered_otherwise(row: &ImportRow, new: &NewImport) -> Option<String> {
    ledger::differing(&normal(row.input()), &normal(new.job().input))
}

/// One import, with its progress as of now. A job of another kind is none.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn find(connection: &mut Connection, id: &JobId) -> Result<Option<ImportRow>, Failure> {
    let row = ledger::find(connection, id)?;
    Ok(row.filter(|row| row.kind == Kind::IMPORT.as_str()).map(ImportRow::of))
}

/// The imports that are looked for: [`ledger::search`].
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn search(connection: &mut Connection, search: &Search) -> Result<Page<ImportRow>, Failure> {
    let Page { rows, next, is_broken_off } =
        ledger::search(connection, &Search { kind: Some(Kind::IMPORT), ..search.clone() })?;
    Ok(Page { rows: rows.into_iter().map(ImportRow::of).collect(), next, is_broken_off })
}

/// The attempts at an import, the first one first, with the progress of the one at work as of now.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn attempts(connection: &mut Connection, id: &JobId) -> Result<Vec<AttemptRow>, Failure> {
    Ok(ledger::attempts(connection, id)?.into_iter().map(AttemptRow::of).collect())
}

impl ImportRow {
    /// What a row of the ledger says of its import. One that a program has written may describe none: then that is empty which it does
    /// not say.
    #[must_use]
    pub fn of(row: JobRow) -> Self {
        let input: Value = serde_json::from_str(&row.input).unwrap_or_default();
        let text = |name: &str| input[name].as_str().map(str::to_owned);
        let (rows_done, rejects, bytes_done, bytes_total) = counted(row.progress.as_deref());
        let result = row.result.as_deref().and_then(|json| serde_json::from_str::<ImportResult>(json).ok());
        let left = || row.details.as_deref().and_then(|json| serde_json::from_str(json).ok());
        Self {
            source: text("source").unwrap_or_default(),
            version_id: text("version_id"),
            table_name: text("table").unwrap_or_default(),
            options: input.get("options").map_or_else(|| "{}".to_owned(), Value::to_string),
            findings: result.map(|result| result.findings).or_else(left),
            id: row.id,
            status: row.status,
            attempt: row.attempt,
            execution_arn: row.execution_arn,
            lease_expires_at: row.lease_expires_at,
            rows_done,
            rejects,
            bytes_done,
            bytes_total,
            error: row.error,
            cause: row.cause,
            created_at: row.created_at,
            updated_at: row.updated_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }

    /// The input, as it can be told from the row.
    fn input(&self) -> Value {
        let options: Value = serde_json::from_str(&self.options).unwrap_or_default();
        let mut input = json!({"source": self.source, "table": self.table_name, "options": options});
        if let Some(version_id) = &self.version_id {
            input["version_id"] = version_id.as_str().into();
        }
        input
    }

    /// What the last attempt found in the file, as far as it came.
    #[must_use]
    pub fn findings(&self) -> Option<Findings> {
        self.findings.as_deref().cloned()
    }
}

impl AttemptRow {
    fn of(row: ledger::AttemptRow) -> Self {
        let (rows_done, rejects, bytes_done, _) = counted(row.progress.as_deref());
        Self {
            attempt: row.attempt,
            execution_arn: row.execution_arn,
            worker: row.worker,
            started_at: row.started_at,
            finished_at: row.finished_at,
            ended_as: row.ended_as,
            cause: row.cause,
            rows_done,
            rejects,
            bytes_done,
            version: row.version,
        }
    }
}

/// Rows, rejects, bytes and all bytes.
fn counted(progress: Option<&str>) -> (i64, i64, i64, i64) {
    let progress = progress.and_then(|json| serde_json::from_str::<ImportProgress>(json).ok());
    let ImportProgress { rows, rejects, bytes, bytes_total } = progress.unwrap_or_default();
    let counted = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    (counted(rows), counted(rejects), counted(bytes), counted(bytes_total))
}
