//! How far a running import is, as its row tells it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

use crate::numbers;

/// For how long after its last change an import that runs is taken to get on. A beat comes every 20 s; the rest is for one that
/// is slow, and for a clock of the database that is not quite ours.
const FRESH: TimeDelta = TimeDelta::seconds(30);

/// The progress of a running import, as of its last beat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Bytes read, of all bytes of the source; none while their number is not known.
    pub(crate) percent: Option<u64>,
    /// Rows a second since the attempt began; none in its first moment, and none where nothing has changed for a while.
    pub(crate) rows_per_second: Option<u64>,
    /// Since when nothing has changed, where that is a while. In the JSON, `updated_at` tells it.
    #[serde(skip)]
    pub unchanged_since: Option<DateTime<Utc>>,
}

impl Progress {
    /// None where the import does not run. Its times are by the database's clock, `now` is by ours.
    pub(crate) fn of(row: &ImportRow, now: DateTime<Utc>) -> Option<Self> {
        let counted = |number: i64| u64::try_from(number).unwrap_or(0);
        let started = row.started_at.filter(|_| row.status == JobStatus::Running)?;
        let took = u64::try_from((row.updated_at - started).num_milliseconds()).unwrap_or(0);
        let unchanged_since = unchanged_since(row, now);
        let rate = (counted(row.rows_done) * 1000).checked_div(took);
        Some(Self {
            percent: (counted(row.bytes_done) * 100).checked_div(counted(row.bytes_total)),
            rows_per_second: rate.filter(|_| unchanged_since.is_none()),
            unchanged_since,
        })
    }
}

/// Since when nothing of a running import has changed, where that is a while: its worker may be dead.
pub fn unchanged_since(row: &ImportRow, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let last = row.updated_at.and_utc();
    (now - last > FRESH).then_some(last)
}

/// The same in words, in the place of a speed.
pub fn unchanged(since: DateTime<Utc>) -> String {
    format!("unchanged since {} UTC", since.format("%Y-%m-%d %H:%M:%S"))
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.percent.map(|percent| format!("{percent} %"));
        let rate = self.rows_per_second.map(|rate| format!("{} rows/s", numbers::count(rate)));
        let unchanged = self.unchanged_since.map(unchanged);
        let told: Vec<_> = percent.into_iter().chain(rate).chain(unchanged).collect();
        f.write_str(&told.join(", "))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The row of an import.
    pub(crate) fn row(status: JobStatus, rows_done: i64) -> ImportRow {
        let at = DateTime::UNIX_EPOCH.naive_utc();
        ImportRow {
            id: "people-1".to_owned(),
            source: "s3://uploads/people.csv".to_owned(),
            version_id: None,
            table_name: "people".to_owned(),
            options: "{}".to_owned(),
            status,
            attempt: 1,
            execution_arn: None,
            lease_expires_at: None,
            rows_done,
            rejects: 0,
            bytes_done: 0,
            bytes_total: 0,
            error: None,
            cause: None,
            created_at: at,
            updated_at: at,
            started_at: None,
            finished_at: None,
            findings: None,
        }
    }

    #[test]
    fn progress_is_told_of_what_runs_as_far_as_it_is_known() {
        let started = DateTime::UNIX_EPOCH.naive_utc();
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(4);
        let mut running = row(JobStatus::Running, 12_000);
        assert_eq!(Progress::of(&running, now), None);
        running.started_at = Some(started);
        assert_eq!(Progress::of(&running, now).unwrap().to_string(), "");
        (running.bytes_done, running.bytes_total) = (45, 100);
        running.updated_at = started + TimeDelta::seconds(4);
        assert_eq!(Progress::of(&running, now).unwrap().to_string(), "45 %, 3,000 rows/s");
        running.status = JobStatus::Success;
        assert_eq!(Progress::of(&running, now), None);
    }

    #[test]
    fn what_has_not_changed_for_longer_than_a_beat_takes_has_no_speed_and_says_since_when() {
        let mut running = row(JobStatus::Running, 12_000);
        (running.bytes_done, running.bytes_total) = (45, 100);
        running.started_at = Some(running.updated_at - TimeDelta::seconds(4));
        let after = |seconds| {
            let now = running.updated_at.and_utc() + TimeDelta::seconds(seconds);
            Progress::of(&running, now).unwrap()
        };
        // The database's clock may be ahead of ours.
        for seconds in [-20, 0, 20, 30] {
            assert_eq!(after(seconds).to_string(), "45 %, 3,000 rows/s", "after {seconds} s");
        }
        let dead = after(31);
        assert_eq!(dead.to_string(), "45 %, unchanged since 1970-01-01 00:00:00 UTC");
        let json = serde_json::to_value(&dead).unwrap();
        assert_eq!(json, serde_json::json!({"percent": 45, "rows_per_second": null}));
    }
}
