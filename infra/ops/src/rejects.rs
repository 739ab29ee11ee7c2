//! The rows of an import that were rejected: all that were kept are read from the rejects file, however many, no more than one of
//! them held at a time.

pub mod file;

use crate::show::picture::ImportPicture;

/// That the file is not there any more.
pub fn gone(import: &ImportPicture, source: &statemachine::Source) -> String {
    format!(
        "the rejects file of {} is not there any more, or not on this target ({source}); a dry run of the same file finds the rows again",
        import.id
    )
}
