//! A stack's file of executions filled with very many, while the stack is not up: for benchmarks.

use std::path::Path;

pub use super::repository::Copy;
use super::repository::Repository;

/// The file of a stack that is not up.
pub struct Seed(Repository);

impl Seed {
    /// Opens the file below a data folder.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("stack").join(super::FILE);
        anyhow::ensure!(path.is_file(), "there is no file {}", path.display());
        Ok(Self(Repository::open(&path)?))
    }

    /// Makes the history of an execution that was redriven at least twice about so long, by more redrives like the first.
    ///
    /// # Errors
    /// There is no such execution, or it was not redriven so often.
    pub fn lengthen(&self, execution_arn: &str, events: i64) -> anyhow::Result<()> {
        Ok(self.0.lengthen(execution_arn, events)?)
    }

    /// Copies a closed execution with its history.
    ///
    /// # Errors
    /// A name is taken, or the file cannot be written.
    pub fn copy(&self, execution_arn: &str, copies: &[Copy<'_>]) -> anyhow::Result<()> {
        Ok(self.0.copy(execution_arn, copies)?)
    }
}
