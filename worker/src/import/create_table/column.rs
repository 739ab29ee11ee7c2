//! What has been seen of a column: which types every value so far fits, and how its absent values are written.

use super::guess::{GUESSES, Guess, Values};

/// A column of the table that is to be made.
pub(super) struct Column {
    pub(super) name: String,
    /// A file of rejects has it, or it has no name: a table has no such column.
    pub(super) is_left_out: bool,
    /// For each of [`GUESSES`], whether every value so far is one.
    fits: [bool; GUESSES.len()],
    has_value: bool,
    /// NULL was written in quotes: a text column keeps that as a text.
    has_quoted_null: bool,
    has_bare_null: bool,
}

impl Column {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            is_left_out: false,
            fits: [true; GUESSES.len()],
            has_value: false,
            has_quoted_null: false,
            has_bare_null: false,
        }
    }

    /// A column of the file that is none of the table's.
    pub(super) fn left_out(name: String) -> Self {
        Self { is_left_out: true, ..Self::new(name) }
    }

    /// Whether it may still be anything but text.
    pub(super) fn is_open(&self) -> bool {
        !self.is_left_out && self.fits.contains(&true)
    }

    pub(super) fn see(&mut self, field: &[u8], values: &Values, is_quoted: impl FnOnce() -> bool) {
        if values.is_null(field) {
            let is_quoted = values.quotes_count && is_quoted();
            self.has_quoted_null |= is_quoted;
            self.has_bare_null |= !is_quoted;
            // Only a text column keeps the two apart.
            if self.has_quoted_null && self.has_bare_null {
                self.fits = [false; GUESSES.len()];
            }
            return;
        }
        self.has_value = true;
        for (fits, guess) in self.fits.iter_mut().zip(GUESSES) {
            *fits = *fits && values.are(guess, field);
        }
    }

    pub(super) fn guess(&self) -> Guess {
        let fitting = self.fits.iter().zip(GUESSES).find(|(fits, _)| **fits);
        fitting.filter(|_| self.has_value).map_or(Guess::Text, |(_, guess)| guess)
    }
}
