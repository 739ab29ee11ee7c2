//! What was taken in a way that somebody could mean otherwise, counted while a file is read. Fields are read on one thread and
//! reported by another.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often each thing was seen.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    markers_in_quotes: AtomicU64,
    cut_blanks: AtomicU64,
    bare_hex: AtomicU64,
}

impl Noted {
    /// The text of NULL stood in quotes and was taken for a value.
    #[cold]
    pub(super) fn marker_in_quotes(&self) {
        self.markers_in_quotes.fetch_add(1, Ordering::Relaxed);
    }

    /// Blanks beyond a column's length were cut.
    #[cold]
    pub(super) fn cut_blanks(&self) {
        self.cut_blanks.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes were written as hexadecimal digits without a sign of it.
    #[cold]
    pub(super) fn bare_hex(&self) {
        self.bare_hex.fetch_add(1, Ordering::Relaxed);
    }

    /// The sentences.
    pub(super) fn notes(&self, marker: Option<&str>) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note =
            |count: &AtomicU64, sentence: &dyn Fn(&str) -> String| match count.load(Ordering::Relaxed) {
                0 => {}
                1 => notes.push(sentence("1 field")),
                count => notes.push(sentence(&format!("{count} fields"))),
            };
        note(&self.markers_in_quotes, &|fields| {
            let marker = marker.unwrap_or_default();
            format!(
                "{marker:?} stands in quotes in {fields}, and was taken for a value there; with --empty null it is NULL"
            )
        });
        note(&self.cut_blanks, &|fields| {
            format!(
                "blanks at the end of {fields} were cut, as in PostgreSQL: they stood beyond the column's length"
            )
        });
        note(&self.bare_hex, &|fields| {
            format!(
                "{fields} for bytea had hexadecimal digits without \\x before them, taken for text, as in PostgreSQL"
            )
        });
        notes
    }
}
