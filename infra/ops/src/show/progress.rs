//! How far a running import is, as its row tells it.

use std::fmt;

use serde::Serialize;
use worker::imports::{ImportRow, ImportStatus};

use crate::output;

/// The progress of a running import, as of its last beat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Progress {
    /// Bytes read, of all bytes of the source; none while their number is not known.
    pub(crate) percent: Option<u64>,
    /// Rows a second since the attempt began; none in its first moment.
    pub(crate) rows_per_second: Option<u64>,
}

impl Progress {
    /// None where the import does not run. Both times are by the database's clock.
    pub(crate) fn of(row: &ImportRow) -> Option<Self> {
        let counted = |number: i64| u64::try_from(number).unwrap_or(0);
        let started = row.started_at.filter(|_| row.status == ImportStatus::Running)?;
        let took = u64::try_from((row.updated_at - started).num_milliseconds()).unwrap_or(0);
        Some(Self {
            percent: (counted(row.bytes_done) * 100).checked_div(counted(row.bytes_total)),
            rows_per_second: (counted(row.rows_done) * 1000).checked_div(took),
        })
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.percent.map(|percent| format!("{percent} %"));
        let rate = self.rows_per_second.map(|rate| format!("{} rows/s", output::count(rate)));
        let told: Vec<_> = percent.into_iter().chain(rate).collect();
        f.write_str(&told.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::plan::tests::row;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn progress_is_told_of_what_runs_as_far_as_it_is_known() {
        let started = DateTime::UNIX_EPOCH.naive_utc();
        let mut running = row(ImportStatus::Running, 12_000);
        assert_eq!(Progress::of(&running), None);
        running.started_at = Some(started);
        assert_eq!(Progress::of(&running).unwrap().to_string(), "");
        (running.bytes_done, running.bytes_total) = (45, 100);
        running.updated_at = started + TimeDelta::seconds(4);
        assert_eq!(Progress::of(&running).unwrap().to_string(), "45 %, 3,000 rows/s");
        running.status = ImportStatus::Success;
        assert_eq!(Progress::of(&running), None);
    }
}
