//! The imports that run: a bar by bytes, whose number is known from the start, and in words how far, how fast, how long yet.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use worker::imports::ImportRow;

use crate::console::layout;
use crate::output;

pub(super) fn list(runs: &[ImportRow]) -> Markup {
    if runs.is_empty() {
        return layout::empty("Nothing runs", "An import that runs is shown here, with how far it is.");
    }
    let columns = [
        layout::Column::new("Import"),
        layout::Column::new("Table"),
        layout::Column::wide("Progress"),
        layout::Column::number("Attempt"),
    ];
    let rows = runs.iter().map(|row| {
        [
            html! { (layout::import_link(&row.id)) },
            html! { (layout::text(&row.table_name)) },
            bar(row),
            html! { (row.attempt) },
        ]
    });
    layout::table("Imports that run", &columns, rows)
}

/// The bar of an import.
pub(in crate::console) fn bar(row: &ImportRow) -> Markup {
    let (done, total) = (unsigned(row.bytes_done), unsigned(row.bytes_total));
    layout::progress(&format!("Progress of {}", row.id), done, total, &words(row, Utc::now()))
}

fn words(row: &ImportRow, now: DateTime<Utc>) -> String {
    let (rows, done, total) = (unsigned(row.rows_done), unsigned(row.bytes_done), unsigned(row.bytes_total));
    let rejects = match unsigned(row.rejects) {
        0 => String::new(),
        1 => " · 1 reject".to_owned(),
        rejects => format!(" · {} rejects", output::count(rejects)),
    };
    let said_rows = if rows == 1 { "1 row".to_owned() } else { format!("{} rows", output::count(rows)) };
    let percent = if total > 0 { format!("{} % · ", done.min(total) * 100 / total) } else { String::new() };
    let took_ms = row.started_at.map(|at| (now - at.and_utc()).num_milliseconds());
    let pace =
        match took_ms.and_then(|took| u64::try_from(took).ok()).filter(|took| *took >= 1000 && done > 0) {
            Some(took_ms) => {
                let rate = rows.saturating_mul(1000) / took_ms;
                let left_ms =
                    u128::from(total.saturating_sub(done)) * u128::from(took_ms) / u128::from(done.max(1));
                let left = std::time::Duration::from_millis(u64::try_from(left_ms).unwrap_or(u64::MAX));
                let left =
                    if total == 0 { String::new() } else { format!(" · {} left", output::duration(left)) };
                format!(" · {} rows/s{left}", output::count(rate))
            }
            None => String::new(),
        };
    format!("{percent}{said_rows}{pace}{rejects}")
}

fn unsigned(counter: i64) -> u64 {
    u64::try_from(counter).unwrap_or(0)
}
