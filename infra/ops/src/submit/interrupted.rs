//! An import that was asked to be left off before it was begun.

use statemachine::Source;

/// An import was asked to be left off before it was begun.
#[derive(Debug)]
pub struct Interrupted(pub(super) Left);

/// What is left of its file in S3.
#[derive(Debug)]
pub(crate) enum Left {
    Nothing,
    /// The object could not be deleted.
    Object(Source),
    /// What was there before the command; it has uploaded nothing.
    AsBefore,
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted before the import was begun; ")?;
        match &self.0 {
            Left::Nothing => f.write_str("nothing of its file is left in S3"),
            Left::Object(source) => write!(f, "its file could not be deleted: {source}"),
            Left::AsBefore => f.write_str("nothing was uploaded"),
        }
    }
}

impl std::error::Error for Interrupted {}
