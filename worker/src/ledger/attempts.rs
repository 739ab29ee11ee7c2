//! The attempts at a job: who claimed it, and how that ended. Written in the transactions that change the job's own
//! row, so that the two never contradict each other. A worker of a version that wrote no attempts leaves gaps, and no
//! more than that: what is missing is never an error.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use statemachine::JobId;

use super::{JobRow, JobStatus, find};
use crate::db::schema::attempts;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;

/// How an attempt ended whose job was claimed anew while it was open.
const REPLACED: &str = "REPLACED";

/// Who claims a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimant<'a> {
    /// The execution that started the worker.
    pub execution_arn: &'a str,
    /// Where the worker runs, its ECS task where that is known.
    pub worker: &'a str,
    /// The version of the worker.
    pub version: &'a str,
}

/// One attempt at a job.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = attempts)]
pub struct AttemptRow {
    /// The attempt's number, from 1.
    pub attempt: i32,
    /// The execution that claimed the job.
    pub execution_arn: String,
    /// The worker's ECS task, by its ARN or its id, or else its host's name.
    pub worker: String,
    /// When it claimed the job, UTC.
    pub started_at: NaiveDateTime,
    /// When it ended, or was found to have ended, UTC.
    pub finished_at: Option<NaiveDateTime>,
    /// How it ended; `None` while it is at work, or where nobody has noticed its end yet.
    #[diesel(deserialize_as = Option<String>)]
    pub ended_as: Ended,
    /// The failure's cause, which may quote rows: for the operator, and for no log.
    pub cause: Option<String>,
    /// How far it came, as JSON.
    pub progress: Option<String>,
    /// The version of the worker that made it; `None` where that has written none.
    pub version: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is at work, or nobody has noticed its end yet.
    NotYet,
    /// The work is done.
    Success,
    /// It failed with this name.
    Failure(String),
    /// Another attempt claimed the job while this one was open: it was killed, or it hung.
    Replaced,
}

impl Ended {
    /// The end as it is stored, and as it is shown; `None` where there is none yet.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::NotYet => None,
            Self::Success => Some(JobStatus::Success.as_str()),
            Self::Failure(name) => Some(name),
            Self::Replaced => Some(REPLACED),
        }
    }
}

impl From<Option<String>> for Ended {
    fn from(stored: Option<String>) -> Self {
        match stored {
            None => Self::NotYet,
            Some(text) if text == JobStatus::Success.as_str() => Self::Success,
            Some(text) if text == REPLACED => Self::Replaced,
            Some(name) => Self::Failure(name),
        }
    }
}

/// The attempts at a job, the first one first, with the progress of the one at work as of now.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn attempts(connection: &mut Connection, job_id: &JobId) -> Result<Vec<AttemptRow>, Failure> {
    let Some(job) = find(connection, job_id)? else { return Ok(Vec::new()) };
    let mut attempts: Vec<AttemptRow> = attempts::table
        .filter(attempts::job_id.eq(job_id.as_str()))
        .order(attempts::attempt.asc())
        .select(AttemptRow::as_select())
        .load(connection)
        .map_err(|error| unavailable(&format!("read the attempts at the job {job_id}"), &error))?;
    for attempt in attempts.iter_mut().filter(|attempt| attempt.ended_as == Ended::NotYet) {
        if attempt.attempt != job.attempt {
            // A worker of a version that wrote no attempts has claimed the job since.
            attempt.ended_as = Ended::Replaced;
        } else if job.status == JobStatus::Running {
            attempt.progress.clone_from(&job.progress);
        }
    }
    Ok(attempts)
}

/// Writes the attempt that claimed the job just now, and ends those before it that are open. `before` is the job as
/// it was, which has the progress of the one that is replaced.
pub(super) fn begin(
    connection: &mut Connection,
    claimed: &JobRow,
    by: &Claimant<'_>,
    before: &JobRow,
    now: NaiveDateTime,
) -> QueryResult<()> {
    let of_job = attempts::job_id.eq(claimed.id.as_str());
    // Of a job whose attempts somebody has counted from the beginning again.
    diesel::delete(attempts::table)
        .filter(of_job)
        .filter(attempts::attempt.ge(claimed.attempt))
        .execute(connection)?;
    diesel::update(attempts::table)
        .filter(of_job)
        .filter(attempts::ended_as.is_null())
        .set((attempts::ended_as.eq(REPLACED), attempts::finished_at.eq(now)))
        .execute(connection)?;
    diesel::update(attempts::table)
        .filter(of_job)
        .filter(attempts::attempt.eq(before.attempt))
        .filter(attempts::ended_as.eq(REPLACED))
        .set(attempts::progress.eq(&before.progress))
        .execute(connection)?;
    diesel::insert_into(attempts::table)
        .values((
            attempts::job_id.eq(claimed.id.as_str()),
            attempts::attempt.eq(claimed.attempt),
            attempts::execution_arn.eq(by.execution_arn),
            attempts::worker.eq(by.worker),
            attempts::started_at.eq(now),
            attempts::version.eq(by.version),
        ))
        .execute(connection)?;
    Ok(())
}

/// Ends an attempt: with the failure's name and cause, or with SUCCESS.
pub(super) fn end(
    connection: &mut Connection,
    (job_id, attempt): (&JobId, i32),
    failure: Option<(&str, &str)>,
    progress: Option<&str>,
    now: NaiveDateTime,
) -> QueryResult<()> {
    let ended_as = failure.map_or(JobStatus::Success.as_str(), |(name, _)| name);
    diesel::update(attempts::table)
        .filter(attempts::job_id.eq(job_id.as_str()))
        .filter(attempts::attempt.eq(attempt))
        .set((
            attempts::ended_as.eq(ended_as),
            attempts::cause.eq(failure.map(|(_, cause)| cause)),
            attempts::finished_at.eq(now),
            attempts::progress.eq(progress),
        ))
        .execute(connection)?;
    Ok(())
}
