//! How far an import is: a bar by bytes, whose number is known from the start, and in words how far, how fast, how long yet.

use chrono::{DateTime, Utc};
use maud::Markup;
use ops::numbers;
use ops::show::progress::{unchanged, unchanged_since};
use worker::imports::ImportRow;

use super::parts::progress;

/// Before that, nothing can be said of the pace.
const SHORTEST_MS: u64 = 500;

/// The bar of an import.
pub(crate) fn import_progress(row: &ImportRow) -> Markup {
    let (done, total) = (unsigned(row.bytes_done), unsigned(row.bytes_total));
    progress(&format!("Progress of {}", row.id), done, total, &words(row, Utc::now()))
}

fn words(row: &ImportRow, now: DateTime<Utc>) -> String {
    let (rows, done, total) = (unsigned(row.rows_done), unsigned(row.bytes_done), unsigned(row.bytes_total));
    let rejects = match unsigned(row.rejects) {
        0 => String::new(),
        1 => " · 1 reject".to_owned(),
        rejects => format!(" · {} rejects", numbers::count(rejects)),
    };
    let said_rows = if rows == 1 { "1 row".to_owned() } else { format!("{} rows", numbers::count(rows)) };
    let percent = done.min(total).saturating_mul(100).checked_div(total);
    let percent = percent.map(|percent| format!("{percent} % · ")).unwrap_or_default();
    let pace = pace(row, now).map(|pace| format!(" · {pace}")).unwrap_or_default();
    format!("{percent}{said_rows}{pace}{rejects}")
}

/// How fast, and how long yet. As of the last heartbeat, which told the counters: in between the rate would sink. Where none
/// has come for a while, since when.
fn pace(row: &ImportRow, now: DateTime<Utc>) -> Option<String> {
    if let Some(since) = unchanged_since(row, now) {
        return Some(unchanged(since));
    }
    let took_ms = unsigned((row.updated_at - row.started_at?).num_milliseconds());
    let (rows, done, total) = (unsigned(row.rows_done), unsigned(row.bytes_done), unsigned(row.bytes_total));
    if took_ms < SHORTEST_MS || done == 0 {
        return None;
    }
    let rate = format!("{} rows/s", numbers::count(rows.saturating_mul(1000) / took_ms));
    if total <= done {
        return Some(rate);
    }
    let from_beat_ms = u128::from(total - done) * u128::from(took_ms) / u128::from(done);
    let since_beat_ms = unsigned((now - row.updated_at.and_utc()).num_milliseconds());
    let left_s = u64::try_from(from_beat_ms).unwrap_or(u64::MAX).saturating_sub(since_beat_ms) / 1000;
    Some(match left_s {
        0..=90 => format!("{rate} · {} s left", left_s.max(1)),
        91..=5_400 => format!("{rate} · {} min left", left_s.div_ceil(60)),
        _ => format!("{rate} · {} h left", left_s.div_ceil(3_600)),
    })
}

fn unsigned(counter: i64) -> u64 {
    u64::try_from(counter).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(took_s: i64, rows: i64, done: i64, total: i64) -> ImportRow {
        let at = |seconds| DateTime::UNIX_EPOCH.naive_utc() + chrono::TimeDelta::seconds(seconds);
        ImportRow {
            id: "a".to_owned(),
            source: "s3://b/a.csv".to_owned(),
            version_id: None,
            table_name: "people".to_owned(),
            options: "{}".to_owned(),
            status: worker::ledger::JobStatus::Running,
            attempt: 1,
            execution_arn: None,
            lease_expires_at: None,
            rows_done: rows,
            rejects: 0,
            bytes_done: done,
            bytes_total: total,
            error: None,
            cause: None,
            created_at: at(0),
            updated_at: at(took_s),
            started_at: Some(at(0)),
            finished_at: None,
            findings: None,
        }
    }

    fn said(row: &ImportRow, seconds_after_beat: i64) -> String {
        words(row, row.updated_at.and_utc() + chrono::TimeDelta::seconds(seconds_after_beat))
    }

    #[test]
    fn a_running_import_tells_how_far_how_fast_and_how_long_yet() {
        let quarter = row(10, 5_000, 250, 1_000);
        assert_eq!(said(&quarter, 0), "25 % · 5,000 rows · 500 rows/s · 30 s left");
        assert_eq!(said(&quarter, 5), "25 % · 5,000 rows · 500 rows/s · 25 s left", "the rate does not sink");
        assert_eq!(said(&quarter, 30), "25 % · 5,000 rows · 500 rows/s · 1 s left");
        assert_eq!(said(&quarter, 90), "25 % · 5,000 rows · unchanged since 1970-01-01 00:00:10 UTC");
        assert_eq!(said(&row(0, 0, 0, 0), 0), "0 rows", "nothing is known yet");
        assert_eq!(said(&row(10, 1, 10, 100_000), 0), "0 % · 1 row · 0 rows/s · 28 h left");
        let last = ImportRow { rejects: 1, ..row(600, 90_000, 2_000, 1_000) };
        assert_eq!(said(&last, 0), "100 % · 90,000 rows · 150 rows/s · 1 reject", "more than was announced");
    }
}
