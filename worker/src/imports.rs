//! Temporary: overwritten at the merge.

use std::time::Duration;

use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;
use statemachine::Import;

use crate::db::Connection;
use crate::failure::Failure;

/// A row.
pub struct ImportRow(pub(crate) Import);

/// What became of a claim.
pub enum Claim {
    /// Claimed.
    Claimed(Box<ImportRow>),
    /// Not.
    Duplicate(()),
}

/// Registers and claims.
///
/// # Errors
/// Any.
pub fn claim(connection: &mut Connection, import: &Import, _: &str, _: Duration) -> Result<Claim, Failure> {
    let id = import.import_id.as_str();
    match connection {
        Connection::Postgres(c) => {
            diesel::sql_query("INSERT INTO imports VALUES ($1, 'RUNNING', 1)").bind::<Text, _>(id).execute(c)
        }
        Connection::Sqlite(c) => {
            diesel::sql_query("INSERT INTO imports VALUES (?, 'RUNNING', 1)").bind::<Text, _>(id).execute(c)
        }
    }
    .map_err(|error| crate::db::failure::database_failure(&error, "claim"))?;
    Ok(Claim::Claimed(Box::new(ImportRow(import.clone()))))
}
