//! The end of an attempt, in its row.

use chrono::NaiveDateTime;
use diesel::Connection as _;
use diesel::prelude::*;
use serde_json::Value;
use statemachine::JobId;

use super::lock_wait::unless_busy;
use super::{JobRow, JobStatus, attempts, select};
use crate::db::schema::jobs;
use crate::db::{Connection, escaped, now, unavailable, unavailable_after_claim};
use crate::failure::Failure;

/// What an attempt has come to that did the work.
#[derive(Clone, Copy, Debug)]
pub struct Succeeded<'a> {
    /// What the work came to, as JSON of the kind.
    pub result: &'a Value,
    /// How far it was at the end, as JSON.
    pub progress: &'a Value,
}

/// Whose the job was when a failure was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The attempt's; the failure is in the row.
    Recorded,
    /// The attempt had committed after all, for all that the work heard: this is its row.
    HadCommitted(Box<JobRow>),
    /// Another attempt's; the row is as it was.
    NotOurs,
    /// Somebody else has the lock that this needs: to be tried again.
    Busy,
}

/// Ends a job with SUCCESS, if it is still this attempt's. `false` if not. To be called in a transaction: the job
/// and its attempt end together.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn succeed(
    connection: &mut Connection,
    id: &JobId,
    attempt: i32,
    succeeded: Succeeded<'_>,
) -> Result<bool, Failure> {
    let failed = |error| unavailable_after_claim(&format!("set the job {id} to SUCCESS"), &error);
    let result = storable(connection, succeeded.result.to_string());
    let progress = storable(connection, succeeded.progress.to_string());
    let now = now(connection).map_err(failed)?;
    let changed = diesel::update(jobs::table)
        .filter(jobs::id.eq(id.as_str()))
        .filter(jobs::attempt.eq(attempt))
        .filter(jobs::status.eq(JobStatus::Running.as_str()))
        .set((
            jobs::status.eq(JobStatus::Success.as_str()),
            jobs::lease_expires_at.eq(None::<NaiveDateTime>),
            (jobs::progress.eq(&progress), jobs::result.eq(result)),
            (jobs::updated_at.eq(now), jobs::finished_at.eq(now)),
        ))
        .execute(connection)
        .map_err(failed)?;
    if changed == 1 {
        attempts::end(connection, (id, attempt), None, Some(&progress), now).map_err(failed)?;
    }
    Ok(changed == 1)
}

/// Ends an attempt with FAILURE, if the job is still its own. Waits for a lock as long as the connection does. `failure` is its
/// name and its cause, `details` what the kind leaves beside them.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn fail(
    connection: &mut Connection,
    (id, attempt): (&JobId, i32),
    failure: (&str, &str),
    progress: &Value,
    details: Option<&Value>,
) -> Result<Failed, Failure> {
    let failed = |error| unavailable(&format!("set the job {id} to FAILURE"), &error);
    let cause = storable(connection, failure.1.to_owned());
    let progress = storable(connection, progress.to_string());
    let details = details.map(|details| storable(connection, details.to_string()));
    let recorded = connection.transaction(|connection| {
        let now = now(connection)?;
        let changed = diesel::update(jobs::table)
            .filter(jobs::id.eq(id.as_str()))
            .filter(jobs::attempt.eq(attempt))
            .filter(jobs::status.eq(JobStatus::Running.as_str()))
            .set((
                jobs::status.eq(JobStatus::Failure.as_str()),
                jobs::lease_expires_at.eq(None::<NaiveDateTime>),
                jobs::progress.eq(&progress),
                (jobs::error.eq(failure.0), jobs::cause.eq(&cause)),
                jobs::details.eq(&details),
                (jobs::updated_at.eq(now), jobs::finished_at.eq(now)),
            ))
            .execute(connection)?;
        if changed == 1 {
            let ended = Some((failure.0, cause.as_str()));
            attempts::end(connection, (id, attempt), ended, Some(&progress), now)?;
        }
        Ok(changed == 1)
    });
    match unless_busy(recorded).map_err(failed)? {
        Some(true) => return Ok(Failed::Recorded),
        Some(false) => {}
        None => return Ok(Failed::Busy),
    }
    let row = select(connection, id).map_err(failed)?;
    let committed = row.filter(|row| row.status == JobStatus::Success && row.attempt == attempt);
    Ok(committed.map_or(Failed::NotOurs, |row| Failed::HadCommitted(Box::new(row))))
}

/// A text for people, or JSON, as the database can store it: one whose encoding is not Unicode gets escapes.
pub(super) fn storable(connection: &Connection, text: String) -> String {
    match connection {
        Connection::Postgres(session) if !session.is_unicode() => escaped(&text).into_owned(),
        _ => text,
    }
}
