//! What an attempt did, in numbers: the line of the log that is also its metrics.

use logging::METRICS;
use statemachine::Report;
use tracing::info;

use super::progress::Progress;
use super::stages::Stage;
use crate::failure::Failure;
use crate::ledger::JobRow;

/// Writes the line at the end of an attempt. One that is no longer this worker's has none: another counts instead.
pub(super) fn tell(row: &JobRow, progress: &Progress, end: Result<&Report, &Failure>) {
    let spent = progress.end();
    let [open, read, load, settle, commit] =
        [Stage::Open, Stage::Read, Stage::Load, Stage::Settle, Stage::Commit]
            .map(|stage| spent.seconds(stage));
    let counted = |name: &str| end.map_or(0, |report| report.result[name].as_u64().unwrap_or(0));
    match end {
        Ok(_) => info!(
            target: METRICS,
            outcome = "IMPORTED",
            table = row.subject,
            imported = 1,
            rows = counted("rows"),
            rejects = counted("rejects"),
            bytes = counted("bytes"),
            attempts = row.attempt,
            open_seconds = open,
            read_seconds = read,
            load_seconds = load,
            settle_seconds = settle,
            commit_seconds = commit,
            "Imported {} rows",
            counted("rows")
        ),
        // Rows and rejects were rolled back: that they were there is no number to add up.
        Err(Failure::Named { name, .. }) => info!(
            target: METRICS,
            outcome = %name,
            table = row.subject,
            imported = 0,
            bytes = progress.counters().bytes,
            open_seconds = open,
            read_seconds = read,
            load_seconds = load,
            settle_seconds = settle,
            commit_seconds = commit,
            "The attempt has ended"
        ),
        Err(Failure::NotOurs(_)) => {}
    }
}
