//! What is known of one import, gathered from the database, Step Functions, ECS and the queues. Its JSON is what
//! `--json` prints.

use chrono::{DateTime, Utc};
use serde::Serialize;
use statemachine::{Findings, ImportOptions, JobId};
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use crate::commands::Commands;
use crate::error::{Usage, no_such_import};
use crate::show::attempts::{self, KeptAttempt};
use crate::show::execution::{self, ExecutionPicture};
use crate::show::message::{self, MessageFate};
use crate::show::progress::Progress;
use crate::show::unclaimed;
use crate::target::Target;
use crate::text::visible;

/// An import with all that belongs to it.
#[derive(Debug, Serialize)]
pub struct Picture {
    /// Its row.
    pub import: ImportPicture,
    /// Every attempt, the first one first.
    pub attempts: Vec<KeptAttempt>,
    /// The execution that runs or ran it last; none while its message waits.
    pub execution: Option<ExecutionPicture>,
    /// What became of the message; none while the execution runs.
    pub message: Option<MessageFate>,
}

/// The row of an import.
#[derive(Debug, Serialize)]
pub struct ImportPicture {
    /// Its id.
    pub id: String,
    /// Where it stands: `PENDING`, `RUNNING`, `SUCCESS` or `FAILURE`.
    pub status: String,
    /// Its file, as `s3://bucket/key`.
    pub source: String,
    /// The table that its rows go to.
    pub table: String,
    /// Rows in the table, or on their way there while it runs; those that would be there after a dry run.
    pub rows: i64,
    /// Rows that the failed attempt had sent to the database, and that are not in the table.
    pub rows_rolled_back: i64,
    /// Rows that were rejected.
    pub rejects: i64,
    /// Bytes that were read.
    pub bytes: i64,
    /// 0 while it is not known.
    pub bytes_total: i64,
    /// How many attempts there were.
    pub attempt: i32,
    /// The execution that claimed it last.
    pub execution_arn: Option<String>,
    /// The name of the failure of its last attempt.
    pub error: Option<String>,
    /// The failure in words.
    pub cause: Option<String>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When the row, or its progress, last changed.
    pub updated_at: DateTime<Utc>,
    /// When its last attempt claimed it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How far it is, while it runs.
    pub progress: Option<Progress>,
    /// What the last attempt found in the file, as far as it came.
    pub findings: Option<Findings>,
    /// How the file was to be read and loaded, for the report alone.
    #[serde(skip)]
    pub options: ImportOptions,
}

impl From<ImportRow> for ImportPicture {
    fn from(row: ImportRow) -> Self {
        let (findings, progress) = (row.findings(), Progress::of(&row, Utc::now()));
        let (rows, rows_rolled_back) = match row.status {
            JobStatus::Failure => (0, row.rows_done),
            _ => (row.rows_done, 0),
        };
        // A row that a program has written may have options that are none; its import has said so.
        let options = serde_json::from_str(&row.options).unwrap_or_default();
        Self {
            id: row.id,
            status: row.status.as_str().to_owned(),
            source: row.source,
            table: row.table_name,
            rows,
            rows_rolled_back,
            rejects: row.rejects,
            bytes: row.bytes_done,
            bytes_total: row.bytes_total,
            attempt: row.attempt,
            execution_arn: row.execution_arn,
            error: row.error,
            cause: row.cause,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
            started_at: row.started_at.map(|at| at.and_utc()),
            finished_at: row.finished_at.map(|at| at.and_utc()),
            progress,
            findings,
            options,
        }
    }
}

/// The complaint about an import that no row names, because no worker has claimed it: what has ended is known, and how it goes on.
fn unregistered(commands: &Commands, target: &Target, id: &JobId, execution: &ExecutionPicture) -> Usage {
    let name = execution.arn.rsplit(':').next().unwrap_or(&execution.arn);
    if let Some(other) = target.other_database(execution.started_at) {
        return Usage(format!(
            "the import {id} is for {other}: name that database by --database-url or DATABASE_URL; here, nothing is known of it but its \
             execution {name}, which is {}",
            execution.status
        ));
    }
    let known =
        format!("no worker has registered the import {id}: it is known by its execution {name} alone");
    let Some(error) = execution.error.as_deref().filter(|_| execution.stopped_at.is_some()) else {
        return Usage(format!("{known}, which is {}", execution.status));
    };
    let cause = execution.cause.iter().map(|cause| format!(", {}", visible(cause))).collect::<String>();
    Usage(format!(
        "{known}, which ended {} with {}{cause}; `{}` runs it again",
        execution.status,
        visible(error),
        commands.of("redrive", id.as_str())
    ))
}

/// Gathers the picture of one import. `execution_arn` is given by whoever sent its message; else the row knows it, or, where
/// no worker has claimed it, the executions' names tell.
pub async fn gather(
    commands: &Commands,
    target: &Target,
    id: &JobId,
    execution_arn: Option<&str>,
) -> anyhow::Result<Picture> {
    let mut connection = target.database.connect()?;
    let row = worker::imports::find(&mut connection, id)?;
    let known = row.as_ref().and_then(|row| row.execution_arn.clone());
    let arn = match execution_arn.map(str::to_owned).or(known) {
        Some(arn) => Some(arn),
        None => unclaimed::executions(target, id).await?.into_iter().next(),
    };
    let execution = match arn {
        Some(arn) => execution::gather(target, &arn).await?,
        None => None,
    };
    let Some(row) = row else {
        return Err(match &execution {
            Some(execution) => unregistered(commands, target, id, execution),
            None => no_such_import(commands, id),
        }
        .into());
    };
    let has_ended = execution.as_ref().is_some_and(|execution| execution.stopped_at.is_some());
    // Looked at before the execution, it may have ended since.
    let row = if has_ended { worker::imports::find(&mut connection, id)?.unwrap_or(row) } else { row };
    let import = ImportPicture::from(row);
    let message = match &execution {
        Some(execution) => message::fate(target, execution).await?,
        None => None,
    };
    let rows = worker::imports::attempts(&mut connection, id)?;
    let attempts = attempts::gather(target, rows, execution.as_ref()).await;
    Ok(Picture { import, attempts, execution, message })
}
