//! What the program wrote to `BATON_RESULT`. The program chooses what lies at that path, and may have another user than we
//! have: so no link is followed, nothing but a regular file is read, and no more of it than may be there.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use serde_json::Value;

/// The largest result, in bytes.
pub const RESULT_LIMIT: usize = 200 * 1024;

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Written {
    /// There is no file.
    Nothing,
    /// A result; also an object that looks like a failure.
    Result(Value),
}

/// A file that is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoResult {
    #[error(
        "the file BATON_RESULT has more than {RESULT_LIMIT} bytes: write the data to S3 or to the database, and a pointer to \
         it as the result"
    )]
    TooLarge,
    #[error("the file BATON_RESULT is empty: write JSON to it, such as `null`, or do not create it")]
    Empty,
    #[error("the file BATON_RESULT is not valid JSON ({0}): write it as a whole, then end the program")]
    NotJson(String),
    #[error("BATON_RESULT is not a regular file: write the result itself to this path")]
    NotAFile,
    #[error("the file BATON_RESULT cannot be read: {0}")]
    Unreadable(io::Error),
}

impl NoResult {
    /// The name of the failure.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::TooLarge => "Result.TooLarge",
            _ => "Result.Invalid",
        }
    }
}

/// Reads the result. To be called when no process of the program is left.
pub(crate) fn read(path: &Path) -> Result<Written, NoResult> {
    // Without NONBLOCK a FIFO at this path would be waited for.
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Written::Nothing),
        Err(error) => {
            let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
            return Err(if is_file { NoResult::Unreadable(error) } else { NoResult::NotAFile });
        }
    };
    if !file.metadata().map_err(NoResult::Unreadable)?.is_file() {
        return Err(NoResult::NotAFile);
    }
    let mut text = Vec::new();
    let limit = u64::try_from(RESULT_LIMIT).unwrap_or(u64::MAX);
    file.take(limit + 1).read_to_end(&mut text).map_err(NoResult::Unreadable)?;
    if text.len() > RESULT_LIMIT {
        return Err(NoResult::TooLarge);
    }
    if text.trim_ascii().is_empty() {
        return Err(NoResult::Empty);
    }
    // The error names a place, never what stands there.
    serde_json::from_slice(&text).map(Written::Result).map_err(|error| NoResult::NotJson(error.to_string()))
}
