//! One attempt at an import: what its row says, understood.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use statemachine::{FailureName, ImportOptions, ImportProgress, ImportResult, JobId, Source};

use super::imported_files;
use super::progress::Progress;
use super::stages::Stage;
use crate::db::Connection;
use crate::failure::Failure;
use crate::job::Job;

/// What an import needs to know.
#[derive(Debug)]
pub(crate) struct ImportJob<'a> {
    /// The import's id.
    pub(crate) import_id: JobId,
    /// Where the data is.
    pub(crate) source: Source,
    /// The version of the object, in a versioned bucket.
    pub(crate) version_id: Option<String>,
    /// The table to write, optionally with its schema.
    pub(crate) table: String,
    /// How to read and load.
    pub(crate) options: ImportOptions,
    /// Where the import tells how far it is, and learns that it is to stop.
    pub(crate) progress: Arc<Progress>,
    /// The number of this attempt, from 1.
    pub(crate) attempt: i32,
    /// How long it may make no progress.
    pub(crate) stall_limit: Duration,
    of: &'a Job<Progress>,
}

/// What the import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows written.
    pub rows: u64,
    /// Rows rejected.
    pub rejects: u64,
    /// Bytes read from the source.
    pub bytes: u64,
}

/// The input as a program may have written it. Its options are read by themselves: they fail by a name of their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    source: String,
    version_id: Option<String>,
    table: String,
    #[serde(default)]
    options: Option<Value>,
}

impl<'a> ImportJob<'a> {
    /// The import that a job is.
    ///
    /// # Errors
    /// `Import.NotRegistered` where the row, which a program may have written, describes no import; `Import.OptionsInvalid` where
    /// its options are none.
    pub(crate) fn of(job: &'a Job<Progress>) -> Result<Self, Failure> {
        let no_import = |problem: String| {
            let cause = format!("the row of import {} describes no import: its {problem}", job.id);
            Failure::named(FailureName::NotRegistered, cause)
        };
        let input: Input =
            serde_json::from_str(&job.input).map_err(|error| no_import(format!("input: {error}")))?;
        let options = input.options.map_or(Ok(ImportOptions::default()), serde_json::from_value);
        Ok(Self {
            import_id: job.id.clone(),
            source: input.source.parse().map_err(|problem| no_import(format!("source: {problem}")))?,
            version_id: input.version_id,
            table: input.table,
            options: options.map_err(|error| {
                let cause = format!("the options in the row of import {} cannot be read: {error}", job.id);
                Failure::named(FailureName::OptionsInvalid, cause)
            })?,
            progress: Arc::clone(&job.progress),
            attempt: job.attempt,
            stall_limit: job.stall_limit,
            of: job,
        })
    }

    /// Ends the import with SUCCESS, in the transaction of its rows and as its last statements.
    ///
    /// # Errors
    /// As [`Job::commit`].
    pub(crate) fn commit(&self, connection: &mut Connection, summary: &Summary) -> Result<(), Failure> {
        // What follows, the commit itself, moves no counter and may take its time.
        self.progress.next_phase();
        self.progress.enter(Stage::Commit);
        let findings = self.progress.findings().cloned().unwrap_or_default();
        let Summary { rows, rejects, bytes } = *summary;
        let bytes_total = self.progress.counters().bytes_total;
        let progress = ImportProgress { rows, rejects, bytes, bytes_total }.to_value();
        let file = findings.sha256.clone().zip(findings.table.clone()).filter(|_| !findings.dry_run);
        let table = self.table.clone();
        let result = ImportResult { table, rows, rejects, bytes, findings: Box::new(findings) };
        #[expect(clippy::expect_used, reason = "strings and numbers")]
        let result = serde_json::to_value(result).expect("a result is plain JSON");
        self.of.commit(connection, result, &progress)?;
        match file {
            Some((sha256, table)) => imported_files::remember(connection, &self.import_id, &sha256, &table),
            None => Ok(()),
        }
    }
}
