//! The work of an import; this stand-in is replaced by the module that reads and loads CSV.

use statemachine::FailureName;
use tokio::runtime::Handle;

use crate::config::AllowedTables;
use crate::db::Database;
use crate::failure::Failure;
use crate::job::{Job, Summary};

/// Imports one file into one table. Blocks; reads from S3 on `runtime`.
///
/// # Errors
/// [`Failure`], with its name and cause.
pub fn run(
    _job: &Job,
    _database: &Database,
    _allowed: &AllowedTables,
    _s3: &aws_sdk_s3::Client,
    _runtime: &Handle,
) -> Result<Summary, Failure> {
    Err(Failure::named(FailureName::Internal, "this build of the worker has no import"))
}
