//! What became of a row on its way into a table of SQLite, and how many rows came to which end.

use statemachine::OnConflict;

use super::references::Missing;
use super::refusal::Refusal;
use crate::failure::Failure;
use crate::import::load::Loaded;

/// What became of a row that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowOutcome {
    /// It is in the table, as a new row.
    New,
    /// It is in the table, in place of what was there before the import.
    Updated,
    /// It is in the table in place of an earlier row of the file, or an earlier one is there in its place.
    Duplicate,
    /// A row of the table has its key.
    Skipped,
    /// It is not in the table, and SQLite does not say why.
    Dropped,
}

impl RowOutcome {
    /// Whether the database took the row, for itself or in place of an earlier one.
    pub(super) fn is_taken(self, on_conflict: OnConflict) -> bool {
        match self {
            Self::New | Self::Updated => true,
            Self::Duplicate => on_conflict == OnConflict::Update,
            Self::Skipped | Self::Dropped => false,
        }
    }
}

/// How many rows came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    new: u64,
    updated: u64,
    duplicates: u64,
    skipped: u64,
    dropped: u64,
}

impl Counts {
    pub(super) fn add(&mut self, outcome: RowOutcome) {
        *match outcome {
            RowOutcome::New => &mut self.new,
            RowOutcome::Updated => &mut self.updated,
            RowOutcome::Duplicate => &mut self.duplicates,
            RowOutcome::Skipped => &mut self.skipped,
            RowOutcome::Dropped => &mut self.dropped,
        } += 1;
    }

    pub(super) fn loaded(self) -> Loaded {
        let Self { new, updated, duplicates, skipped, dropped } = self;
        Loaded { rows: new + updated, updated, skipped, duplicates, dropped, ..Loaded::default() }
    }
}

/// Why a row was not written.
pub(super) enum NotWritten {
    /// It is refused.
    Refused(Refusal),
    /// It refers to a row of the same table that is not there yet.
    TooEarly,
    /// The load cannot go on.
    Failed(Failure),
}

impl From<Failure> for NotWritten {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Missing {
    pub(super) fn refused(self) -> NotWritten {
        NotWritten::Refused(Refusal { column: self.column, misfit: self.misfit })
    }
}
