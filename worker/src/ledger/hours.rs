//! How many jobs ended in each hour.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};
use statemachine::Kind;

use super::JobStatus;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;

/// The jobs that ended in one hour, by the status that they have now.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct HourCount {
    /// When the hour began, UTC.
    #[diesel(sql_type = Timestamp)]
    pub hour: NaiveDateTime,
    /// Jobs that succeeded.
    #[diesel(sql_type = BigInt)]
    pub successes: i64,
    /// Jobs whose last attempt failed.
    #[diesel(sql_type = BigInt)]
    pub failures: i64,
}

/// The jobs of a kind that have ended since then, by the hour, the earliest first. An hour in which none ended is left out.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn counts_by_hour(
    connection: &mut Connection,
    kind: &Kind,
    since: NaiveDateTime,
) -> Result<Vec<HourCount>, Failure> {
    let (table, hour, since_then, of_kind) = match connection {
        Connection::Postgres(_) => ("baton_ledger.jobs", "date_trunc('hour', finished_at)", "$1", "$2"),
        Connection::Sqlite(_) => ("baton_jobs", "strftime('%Y-%m-%d %H:00:00', finished_at)", "?", "?"),
    };
    let [success, failure] = [JobStatus::Success, JobStatus::Failure].map(JobStatus::as_str);
    diesel::sql_query(format!(
        "SELECT {hour} AS hour, \
         CAST(sum(CASE WHEN status = '{success}' THEN 1 ELSE 0 END) AS bigint) AS successes, \
         CAST(sum(CASE WHEN status = '{failure}' THEN 1 ELSE 0 END) AS bigint) AS failures \
         FROM {table} WHERE finished_at >= {since_then} AND kind = {of_kind} AND status IN ('{success}', '{failure}') \
         GROUP BY 1 ORDER BY 1"
    ))
    .bind::<Timestamp, _>(since)
    .bind::<Text, _>(kind.as_str())
    .load(connection)
    .map_err(|error| unavailable("count the jobs by the hour", &error))
}
