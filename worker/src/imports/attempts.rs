//! The attempts at an import: who claimed it, and how that ended. Written in the transactions that change the import's own
//! row, so that the two never contradict each other. A worker of a version that wrote no attempts leaves gaps, and no
//! more than that: what is missing is never an error.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use statemachine::ImportId;

use super::{ImportRow, ImportStatus, find, stored};
use crate::db::schema::import_attempts;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;
use crate::job::progress::Counters;

/// How an attempt ended whose import was claimed anew while it was open.
const REPLACED: &str = "REPLACED";

/// Who claims an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimant<'a> {
    /// The execution that started the worker.
    pub execution_arn: &'a str,
    /// Where the worker runs, see [`crate::config::Config::worker`].
    pub worker: &'a str,
}

/// One attempt at an import.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = import_attempts)]
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
    /// How it ended; `None` while it is at work, or where nobody has noticed its end yet.
    #[diesel(deserialize_as = Option<String>)]
    pub ended_as: Ended,
    /// The failure's cause, which may quote rows: for the operator, and for no log.
    pub cause: Option<String>,
    /// Rows loaded; in the table only after SUCCESS.
    pub rows_done: i64,
    /// Rows rejected.
    pub rejects: i64,
    /// Bytes read.
    pub bytes_done: i64,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is at work, or nobody has noticed its end yet.
    NotYet,
    /// The rows are in the table.
    Success,
    /// It failed with this name.
    Failure(String),
    /// Another attempt claimed the import while this one was open: it was killed, or it hung.
    Replaced,
}

impl Ended {
    /// The end as it is stored, and as it is shown; `None` where there is none yet.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::NotYet => None,
            Self::Success => Some(ImportStatus::Success.as_str()),
            Self::Failure(name) => Some(name),
            Self::Replaced => Some(REPLACED),
        }
    }
}

impl From<Option<String>> for Ended {
    fn from(stored: Option<String>) -> Self {
        match stored {
            None => Self::NotYet,
            Some(text) if text == ImportStatus::Success.as_str() => Self::Success,
            Some(text) if text == REPLACED => Self::Replaced,
            Some(name) => Self::Failure(name),
        }
    }
}

/// The attempts at an import, the first one first, with the progress of the one at work as of now.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn attempts(connection: &mut Connection, import_id: &ImportId) -> Result<Vec<AttemptRow>, Failure> {
    let Some(import) = find(connection, import_id)? else { return Ok(Vec::new()) };
    let mut attempts: Vec<AttemptRow> = import_attempts::table
        .filter(import_attempts::import_id.eq(import_id.as_str()))
        .order(import_attempts::attempt.asc())
        .select(AttemptRow::as_select())
        .load(connection)
        .map_err(|error| unavailable(&format!("read the attempts at import {import_id}"), &error))?;
    for attempt in attempts.iter_mut().filter(|attempt| attempt.ended_as == Ended::NotYet) {
        if attempt.attempt != import.attempt {
            // A worker of a version that wrote no attempts has claimed the import since.
            attempt.ended_as = Ended::Replaced;
        } else if import.status == ImportStatus::Running {
            attempt.rows_done = import.rows_done;
            attempt.rejects = import.rejects;
            attempt.bytes_done = import.bytes_done;
        }
    }
    Ok(attempts)
}

/// Writes the attempt that claimed the import just now, and ends those before it that are open. `before` is the import as
/// it was, which has the progress of the one that is replaced.
pub(super) fn begin(
    connection: &mut Connection,
    claimed: &ImportRow,
    by: &Claimant<'_>,
    before: &ImportRow,
    now: NaiveDateTime,
) -> QueryResult<()> {
    let of_import = import_attempts::import_id.eq(claimed.id.as_str());
    // Of an import whose attempts somebody has counted from the beginning again.
    diesel::delete(import_attempts::table)
        .filter(of_import)
        .filter(import_attempts::attempt.ge(claimed.attempt))
        .execute(connection)?;
    diesel::update(import_attempts::table)
        .filter(of_import)
        .filter(import_attempts::ended_as.is_null())
        .set((import_attempts::ended_as.eq(REPLACED), import_attempts::finished_at.eq(now)))
        .execute(connection)?;
    diesel::update(import_attempts::table)
        .filter(of_import)
        .filter(import_attempts::attempt.eq(before.attempt))
        .filter(import_attempts::ended_as.eq(REPLACED))
        .set((
            import_attempts::rows_done.eq(before.rows_done),
            import_attempts::rejects.eq(before.rejects),
            import_attempts::bytes_done.eq(before.bytes_done),
        ))
        .execute(connection)?;
    diesel::insert_into(import_attempts::table)
        .values((
            import_attempts::import_id.eq(claimed.id.as_str()),
            import_attempts::attempt.eq(claimed.attempt),
            import_attempts::execution_arn.eq(by.execution_arn),
            import_attempts::worker.eq(by.worker),
            import_attempts::started_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// Ends an attempt: with the failure's name and cause, or with SUCCESS.
pub(super) fn end(
    connection: &mut Connection,
    (import_id, attempt): (&ImportId, i32),
    failure: Option<(&str, &str)>,
    counters: Counters,
    now: NaiveDateTime,
) -> QueryResult<()> {
    let ended_as = failure.map_or(ImportStatus::Success.as_str(), |(name, _)| name);
    diesel::update(import_attempts::table)
        .filter(import_attempts::import_id.eq(import_id.as_str()))
        .filter(import_attempts::attempt.eq(attempt))
        .set((
            import_attempts::ended_as.eq(ended_as),
            import_attempts::cause.eq(failure.map(|(_, cause)| cause)),
            import_attempts::finished_at.eq(now),
            import_attempts::rows_done.eq(stored(counters.rows)),
            import_attempts::rejects.eq(stored(counters.rejects)),
            import_attempts::bytes_done.eq(stored(counters.bytes)),
        ))
        .execute(connection)?;
    Ok(())
}
