//! Jobs that were abandoned, whose end no worker has written: the execution ended before a worker claimed the job, or
//! the worker was killed. Who has seen that end writes it, so that the row does not say for ever that the job waits or
//! runs. What a worker has written that was stopped, who knows no more than that, takes the name that the execution has.

use chrono::NaiveDateTime;
use diesel::Connection as _;
use diesel::prelude::*;
use statemachine::JobId;

use super::finish::storable;
use super::lock_wait::unless_busy;
use super::{JobRow, JobStatus, attempts};
use crate::db::schema::jobs;
use crate::db::{Connection, now, unavailable};
use crate::failure::Failure;

/// An execution that has ended without success, and no worker of which is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedExecution<'a> {
    /// The execution.
    pub execution_arn: &'a str,
    /// The error that it ended with.
    pub error: &'a str,
    /// Its cause, for people.
    pub cause: &'a str,
}

/// Ends a job with FAILURE that an execution has left as it is in `seen`: PENDING, or RUNNING under that execution. One that
/// is FAILURE under it gets the error and the cause; its attempt keeps what its worker wrote.
/// Returns whether it did: a row that has changed since, or that is another execution's, stays. To the claims of others
/// FAILURE is what PENDING is, and an attempt that is alive after all cannot commit any more.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn end_what_was_left(
    connection: &mut Connection,
    seen: &JobRow,
    by: &EndedExecution<'_>,
) -> Result<bool, Failure> {
    let is_left = match seen.status {
        JobStatus::Pending => true,
        JobStatus::Running | JobStatus::Failure => seen.execution_arn.as_deref() == Some(by.execution_arn),
        JobStatus::Success => false,
    };
    let Ok(job_id) = seen.id.parse::<JobId>() else { return Ok(false) };
    if !is_left {
        return Ok(false);
    }
    let cause = storable(connection, by.cause.to_owned());
    let ended = connection.transaction(|connection| {
        let now = now(connection)?;
        let finished_at = seen.finished_at.filter(|_| seen.status == JobStatus::Failure);
        let changed = diesel::update(jobs::table)
            .filter(jobs::id.eq(job_id.as_str()))
            .filter(jobs::attempt.eq(seen.attempt))
            .filter(jobs::status.eq(seen.status.as_str()))
            .set((
                jobs::status.eq(JobStatus::Failure.as_str()),
                jobs::execution_arn.eq(by.execution_arn),
                jobs::lease_expires_at.eq(None::<NaiveDateTime>),
                // What was seen has the progress of SQLite, which lies beside the row.
                jobs::progress.eq(&seen.progress),
                (jobs::error.eq(by.error), jobs::cause.eq(&cause)),
                (jobs::updated_at.eq(now), jobs::finished_at.eq(finished_at.unwrap_or(now))),
            ))
            .execute(connection)?;
        if changed == 1 && seen.status == JobStatus::Running {
            let failure = Some((by.error, cause.as_str()));
            attempts::end(connection, (&job_id, seen.attempt), failure, seen.progress.as_deref(), now)?;
        }
        Ok(changed == 1)
    });
    let ended = unless_busy(ended)
        .map_err(|error| unavailable(&format!("set the job {job_id} to FAILURE"), &error))?;
    // Who has the lock may be a worker of the job that is alive.
    Ok(ended == Some(true))
}
