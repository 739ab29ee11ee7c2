//! How many imports ended in each hour.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use super::ImportStatus;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;

/// The imports that ended in one hour, by the status that they have now.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct HourCount {
    /// When the hour began, UTC.
    #[diesel(sql_type = Timestamp)]
    pub hour: NaiveDateTime,
    /// Imports that succeeded.
    #[diesel(sql_type = BigInt)]
    pub successes: i64,
    /// Imports whose last attempt failed.
    #[diesel(sql_type = BigInt)]
    pub failures: i64,
}

/// The imports that have ended since then, by the hour, the earliest first. An hour in which none ended is left out.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn counts_by_hour(connection: &mut Connection, since: NaiveDateTime) -> Result<Vec<HourCount>, Failure> {
    let (hour, since_then) = match connection {
        Connection::Postgres(_) => ("date_trunc('hour', finished_at)", "$1"),
        Connection::Sqlite(_) => ("strftime('%Y-%m-%d %H:00:00', finished_at)", "?"),
    };
    let [success, failure] = [ImportStatus::Success, ImportStatus::Failure].map(ImportStatus::as_str);
    diesel::sql_query(format!(
        "SELECT {hour} AS hour, \
         CAST(sum(CASE WHEN status = '{success}' THEN 1 ELSE 0 END) AS bigint) AS successes, \
         CAST(sum(CASE WHEN status = '{failure}' THEN 1 ELSE 0 END) AS bigint) AS failures \
         FROM imports WHERE finished_at >= {since_then} AND status IN ('{success}', '{failure}') \
         GROUP BY 1 ORDER BY 1"
    ))
    .bind::<Timestamp, _>(since)
    .load(connection)
    .map_err(|error| unavailable("count the imports by the hour", &error))
}
