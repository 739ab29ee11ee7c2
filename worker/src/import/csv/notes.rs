//! What the reader has passed over or taken in a way that somebody could mean otherwise, as sentences of a report.

use super::quotes::Walk;
use crate::import::decode::Format;

/// What has been seen of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    has_record: bool,
    /// Blank lines between records, which were passed over.
    pub(super) blank_lines: u64,
    /// The record that was read last has a CR that stands outside quotes and ends no line.
    has_cr: bool,
    /// Rows of the import with such a CR.
    crs: u64,
}

impl Seen {
    /// Whether this is asked for the first time.
    pub(super) fn is_first_record(&mut self) -> bool {
        !std::mem::replace(&mut self.has_record, true)
    }

    /// Looks at a record that has a CR within.
    #[cold]
    pub(super) fn see_cr(&mut self, mut record: Walk<'_>) {
        self.has_cr = record.find_unquoted(b'\r').is_some();
    }

    /// The record that was read last is a row of the import, or none.
    pub(super) fn end_row(&mut self, is_kept: bool) {
        self.crs += u64::from(std::mem::take(&mut self.has_cr) && is_kept);
    }

    /// What was taken for part of a value, as a sentence.
    pub(super) fn of_values(&self) -> Option<String> {
        (self.crs > 0).then(|| {
            format!(
                "{} a carriage return outside quotes, which was taken for part of the value: the file ends its lines with a line feed",
                counted(self.crs, "row has", "rows have")
            )
        })
    }

    /// The other sentences.
    pub(super) fn notes(&self, format: &Format) -> Vec<String> {
        let mut notes = Vec::from_iter(format.doubt.clone());
        if self.blank_lines > 0 {
            notes.push(format!(
                "{} passed over",
                counted(self.blank_lines, "blank line was", "blank lines were")
            ));
        }
        notes
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
