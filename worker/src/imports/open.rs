//! How many imports have not ended, and since when the oldest of them waits.

use chrono::NaiveDateTime;
use diesel::dsl::{count_star, min};
use diesel::prelude::*;

use super::ImportStatus;
use crate::db::schema::imports;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;

/// The imports that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenCounts {
    /// Registered, not begun.
    pub pending: i64,
    /// When the oldest of those was registered, UTC.
    pub pending_since: Option<NaiveDateTime>,
    /// Claimed by an execution.
    pub running: i64,
}

/// Counts the imports that have not ended.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn count_open(connection: &mut Connection) -> Result<OpenCounts, Failure> {
    let mut of = |status: ImportStatus| {
        imports::table
            .filter(imports::status.eq(status.as_str()))
            .select((count_star(), min(imports::created_at)))
            .first::<(i64, Option<NaiveDateTime>)>(connection)
            .map_err(|error| unavailable("count the imports that have not ended", &error))
    };
    let (pending, pending_since) = of(ImportStatus::Pending)?;
    let (running, _) = of(ImportStatus::Running)?;
    Ok(OpenCounts { pending, pending_since, running })
}
