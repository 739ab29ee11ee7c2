//! The progress bar of an import. It moves by bytes, whose number is known from the start; rows are told beside it.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ops::numbers;
use worker::imports::ImportRow;

use crate::output;

/// A bar on stderr, where a person would see it.
pub(crate) struct Bar {
    bar: ProgressBar,
    /// When rows were first seen, and how many were seen last: the worker tells of them at its heartbeats, and the rate
    /// must not sink in between.
    rows_since: Option<Instant>,
    rows_seen: u64,
}

impl Bar {
    /// One import's bar.
    pub(crate) fn new() -> Self {
        let bar = Self::with_template(
            "{prefix:>10} [{bar:32}] {bytes}/{total_bytes}  {msg}  {elapsed_precise} elapsed, {eta} left",
        );
        bar.bar.set_prefix("queued");
        bar
    }

    /// A bar of several imports, which moves as they end.
    pub(crate) fn of_several(imports: usize) -> Self {
        let bar =
            Self::with_template("{prefix:>10} [{bar:32}] {pos} of {len} ended  {elapsed_precise} elapsed");
        bar.bar.set_prefix("redriven");
        bar.bar.set_length(imports as u64);
        bar
    }

    fn with_template(template: &str) -> Self {
        let target = if output::stderr_is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, rows_since: None, rows_seen: 0 }
    }

    pub(crate) fn show(&mut self, row: &ImportRow) {
        self.bar.set_prefix(row.status.as_str().to_lowercase());
        self.bar.set_length(row.bytes_total.try_into().unwrap_or(0));
        self.bar.set_position(row.bytes_done.try_into().unwrap_or(0));
        let rows = row.rows_done.try_into().unwrap_or(0);
        let since = *self.rows_since.get_or_insert_with(Instant::now);
        if rows != self.rows_seen {
            self.rows_seen = rows;
            let milliseconds = since.elapsed().as_millis().max(1);
            let rate = u128::from(rows) * 1000 / milliseconds;
            let rate = u64::try_from(rate).unwrap_or(u64::MAX);
            self.bar.set_message(format!("{} rows, {}/s", numbers::count(rows), numbers::count(rate)));
        }
    }

    /// How many of several have ended.
    pub(crate) fn show_ended(&self, ended: usize) {
        self.bar.set_position(ended as u64);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
