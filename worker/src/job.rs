//! Temporary: overwritten at the merge.

pub mod progress;

use std::sync::Arc;

use diesel::RunQueryDsl as _;
use diesel::sql_types::{Integer, Text};
use statemachine::{ImportId, ImportOptions, Source};

use crate::db::Connection;
use crate::failure::Failure;
use progress::Progress;

/// One claimed import.
pub struct Job {
    /// The import.
    pub import_id: ImportId,
    /// The object.
    pub source: Source,
    /// Its version.
    pub version_id: Option<String>,
    /// The table.
    pub table: String,
    /// The options.
    pub options: ImportOptions,
    /// The attempt that this is.
    pub attempt: i32,
    /// The counters.
    pub progress: Arc<Progress>,
}

/// What was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows imported.
    pub rows: u64,
    /// Rows rejected.
    pub rejects: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl Job {
    /// The job of a row.
    ///
    /// # Errors
    /// None.
    pub fn of_claimed(row: &crate::imports::ImportRow) -> Result<Self, Failure> {
        let import = row.0.clone();
        let none = || Failure::NotOurs("no import");
        Ok(Self {
            import_id: import.import_id,
            source: import.source.ok_or_else(none)?,
            version_id: import.version_id,
            table: import.table.ok_or_else(none)?,
            options: import.options,
            attempt: 1,
            progress: Arc::default(),
        })
    }

    /// The last statement of the transaction.
    ///
    /// # Errors
    /// `NotOurs`.
    pub fn commit(&self, connection: &mut Connection, _summary: &Summary) -> Result<(), Failure> {
        let sql = "UPDATE imports SET status = 'SUCCESS' WHERE id = ";
        let changed = match connection {
            Connection::Postgres(c) => diesel::sql_query(format!("{sql} $1 AND attempt = $2"))
                .bind::<Text, _>(self.import_id.as_str())
                .bind::<Integer, _>(self.attempt)
                .execute(c),
            Connection::Sqlite(c) => diesel::sql_query(format!("{sql} ? AND attempt = ?"))
                .bind::<Text, _>(self.import_id.as_str())
                .bind::<Integer, _>(self.attempt)
                .execute(c),
        }
        .map_err(|error| crate::db::failure::database_failure(&error, "finish the import"))?;
        if changed == 1 { Ok(()) } else { Err(Failure::NotOurs("another attempt has claimed it")) }
    }
}
