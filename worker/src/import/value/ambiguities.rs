//! What was taken in a way that somebody could mean otherwise, counted while a file is read. Fields are read on one thread and
//! reported by another.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often each thing was seen.
#[derive(Debug, Default)]
pub(crate) struct Ambiguities {
    markers_in_quotes: Count,
    cut_blanks: Count,
    bare_hex: Count,
}

/// A number of fields. Those of a row count once the row is one of the import.
#[derive(Debug, Default)]
struct Count {
    of_rows: AtomicU64,
    of_this_row: AtomicU64,
}

impl Count {
    fn see(&self) {
        self.of_this_row.fetch_add(1, Relaxed);
    }

    fn end_row(&self, is_kept: bool) {
        // Hardly a row has any, and to look costs less than to write.
        if self.of_this_row.load(Relaxed) > 0 {
            let seen = self.of_this_row.swap(0, Relaxed);
            self.of_rows.fetch_add(if is_kept { seen } else { 0 }, Relaxed);
        }
    }
}

impl Ambiguities {
    /// The text of NULL stood in quotes and was taken for a value.
    #[cold]
    pub(super) fn marker_in_quotes(&self) {
        self.markers_in_quotes.see();
    }

    /// Blanks beyond a column's length were cut.
    #[cold]
    pub(super) fn cut_blanks(&self) {
        self.cut_blanks.see();
    }

    /// Bytes were written as hexadecimal digits without a sign of it.
    #[cold]
    pub(super) fn bare_hex(&self) {
        self.bare_hex.see();
    }

    /// The row's fields have been read; what was seen in them counts where it is no reject.
    pub(super) fn end_row(&self, is_kept: bool) {
        self.markers_in_quotes.end_row(is_kept);
        self.cut_blanks.end_row(is_kept);
        self.bare_hex.end_row(is_kept);
    }

    /// The sentences.
    pub(super) fn notes(&self, marker: Option<&str>) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |count: &Count, sentence: &dyn Fn(&str) -> String| match count.of_rows.load(Relaxed) {
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
