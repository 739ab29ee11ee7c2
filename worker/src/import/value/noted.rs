//! What was taken in a way that somebody could mean otherwise, counted while a file is read. Fields are read on one thread and
//! reported by another.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often each thing was seen.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    markers_in_quotes: AtomicU64,
}

impl Noted {
    /// The text of NULL stood in quotes and was taken for a value.
    #[cold]
    pub(super) fn marker_in_quotes(&self) {
        self.markers_in_quotes.fetch_add(1, Ordering::Relaxed);
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
                "{marker:?} stands in quotes in {fields}, and was taken for a value there; with empty = null it is NULL"
            )
        });
        notes
    }
}
