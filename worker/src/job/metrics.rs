//! What an attempt did, in numbers: the line of the log that is also its metrics.

use logging::METRICS;
use tracing::info;

use super::attempt::End;
use super::progress::Progress;
use super::stages::Stage;
use crate::failure::Failure;
use crate::imports::ImportRow;

/// Writes the line at the end of an attempt. One that is no longer this worker's has none: another counts instead.
pub(super) fn tell(end: &End, row: &ImportRow, progress: &Progress) {
    let spent = progress.end();
    let [open, read, load, settle, commit] =
        [Stage::Open, Stage::Read, Stage::Load, Stage::Settle, Stage::Commit]
            .map(|stage| spent.seconds(stage));
    match end {
        End::Committed(report) => info!(
            target: METRICS,
            outcome = "IMPORTED",
            table = row.table_name,
            imported = 1,
            rows = report.rows,
            rejects = report.rejects,
            bytes = report.bytes,
            attempts = row.attempt,
            open_seconds = open,
            read_seconds = read,
            load_seconds = load,
            settle_seconds = settle,
            commit_seconds = commit,
            "Imported {} rows",
            report.rows
        ),
        // Rows and rejects were rolled back: that they were there is no number to add up.
        End::Failed(Failure::Named { name, .. }) => info!(
            target: METRICS,
            outcome = %name,
            table = row.table_name,
            imported = 0,
            bytes = progress.counters().bytes,
            open_seconds = open,
            read_seconds = read,
            load_seconds = load,
            settle_seconds = settle,
            commit_seconds = commit,
            "The attempt has ended"
        ),
        End::NotOurs(_) | End::Failed(Failure::NotOurs(_)) => {}
    }
}
