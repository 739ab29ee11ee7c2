//! How many jobs have not ended, and since when the oldest of them waits.

use chrono::NaiveDateTime;
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use statemachine::Kind;

use super::JobStatus;
use crate::db::schema::jobs;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;

/// The jobs that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenCounts {
    /// Registered, not begun.
    pub pending: i64,
    /// When the oldest of those was registered, UTC.
    pub pending_since: Option<NaiveDateTime>,
    /// Claimed by an execution.
    pub running: i64,
}

/// Counts the jobs of a kind that have not ended.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn count_open(connection: &mut Connection, kind: &Kind) -> Result<OpenCounts, Failure> {
    let mut of = |status: JobStatus| {
        jobs::table
            .filter(jobs::kind.eq(kind.as_str()))
            .filter(jobs::status.eq(status.as_str()))
            .select((count_star(), min(jobs::created_at)))
            .first::<(i64, Option<NaiveDateTime>)>(connection)
            .map_err(|error| unavailable("count the jobs that have not ended", &error))
    };
    let (pending, pending_since) = of(JobStatus::Pending)?;
    let (running, _) = of(JobStatus::Running)?;
    Ok(OpenCounts { pending, pending_since, running })
}
