//! The ledger: a row for each job, with what is to be done, whose it is at the moment, and what became of it. What a kind's input,
//! progress and result mean is the kind's own. Every statement that changes a claimed row is guarded by the attempt's number, so
//! that a worker that was replaced changes nothing.

mod abandoned;
mod attempts;
mod claim;
mod finish;
mod hours;
mod lock_wait;
mod open;
mod register;
mod renew;
mod rules;
mod search;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use statemachine::JobId;

use crate::db::schema::jobs;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;
pub use abandoned::{EndedExecution, end_what_was_left};
pub use attempts::{AttemptRow, Claimant, Ended, attempts};
pub use claim::{Asked, Claim, Held, claim};
pub use finish::{Failed, Succeeded, fail, succeed};
pub use hours::{HourCount, counts_by_hour};
pub use lock_wait::wait_briefly;
pub use open::{OpenCounts, count_open};
pub use register::{NewJob, Registered, differing, register, registered_otherwise};
pub use renew::{Lease, Renewal, Renewer};
pub use rules::{About, Rules};
pub use search::{InvalidPosition, LOOKED_AT, Page, Position, Search, search};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Registered, not begun.
    Pending,
    /// Claimed by an execution, under a lease.
    Running,
    /// The work is done.
    Success,
    /// The last attempt failed; another may claim the job.
    Failure,
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct JobRow {
    /// The job's id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// What is to be done, as JSON of the kind.
    pub input: String,
    /// What it is about, for lists and searches: an import's table.
    pub subject: Option<String>,
    /// The object that it reads, `s3://bucket/key`, where it reads one.
    pub source: Option<String>,
    /// Where the job stands.
    #[diesel(deserialize_as = String)]
    pub status: JobStatus,
    /// How often the job was claimed.
    pub attempt: i32,
    /// The execution that claimed it last.
    pub execution_arn: Option<String>,
    /// Until when no other execution may claim it.
    pub lease_expires_at: Option<NaiveDateTime>,
    /// How far the last attempt came, as JSON: [`statemachine::Progress`], and what the kind adds.
    pub progress: Option<String>,
    /// The name of the last attempt's failure.
    pub error: Option<String>,
    /// Its cause.
    pub cause: Option<String>,
    /// What the work came to, as JSON of the kind, once the status is SUCCESS.
    pub result: Option<String>,
    /// What a failed attempt left beside its cause, as JSON of the kind.
    pub details: Option<String>,
    /// When the job was registered, UTC.
    pub created_at: NaiveDateTime,
    /// When the row, or its progress, last changed, UTC.
    pub updated_at: NaiveDateTime,
    /// When the last attempt began, UTC.
    pub started_at: Option<NaiveDateTime>,
    /// When the last attempt ended, UTC.
    pub finished_at: Option<NaiveDateTime>,
}

/// One job, with its progress as of now.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn find(connection: &mut Connection, id: &JobId) -> Result<Option<JobRow>, Failure> {
    let mut rows: Vec<_> = look(connection, id)?.into_iter().collect();
    renew::merge_progress(connection, &mut rows);
    Ok(rows.pop())
}

/// One job as it stands in its row.
fn look(connection: &mut Connection, id: &JobId) -> Result<Option<JobRow>, Failure> {
    select(connection, id).map_err(|error| unavailable(&format!("read the job {id}"), &error))
}

fn select(connection: &mut Connection, id: &JobId) -> QueryResult<Option<JobRow>> {
    jobs::table.find(id.as_str()).select(JobRow::as_select()).first(connection).optional()
}

impl JobStatus {
    /// The status as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
        }
    }
}

impl TryFrom<String> for JobStatus {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        [Self::Pending, Self::Running, Self::Success, Self::Failure]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(text)
    }
}
