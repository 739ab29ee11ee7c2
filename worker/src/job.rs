//! The life of one attempt: claim, work beside heartbeats, commit or fail, report. It knows nothing of CSV: the work is
//! handed in, and another piece of long work can stand in its place.

pub mod progress;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use statemachine::{ImportId, ImportOptions, Report, Source};

use crate::db::Connection;
use crate::failure::Failure;
use progress::Progress;

/// One attempt at one import: what the work needs to know.
#[derive(Debug)]
pub struct Job {
    /// The import's id.
    pub import_id: ImportId,
    /// Where the data is.
    pub source: Source,
    /// The version of the object, in a versioned bucket.
    pub version_id: Option<String>,
    /// The table to write, optionally with its schema.
    pub table: String,
    /// How to read and load.
    pub options: ImportOptions,
    /// The number of this attempt, from 1. Whoever raises it takes the import over.
    pub attempt: i32,
    /// Where the work tells how far it is, and learns that it is to stop.
    pub progress: Arc<Progress>,
    claimed_at: Instant,
    committed: OnceLock<Report>,
}

/// What the work did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows written.
    pub rows: u64,
    /// Rows rejected.
    pub rejects: u64,
    /// Bytes read from the source.
    pub bytes: u64,
}

impl Job {
    /// Ends the import with SUCCESS. To be called inside the work's own transaction, as its last statement: rows and
    /// status become visible together, or neither does.
    ///
    /// # Errors
    /// [`Failure::NotOurs`] where another attempt has taken the import over: the transaction must be rolled back.
    /// `Import.DatabaseUnavailable` where the statement fails.
    pub fn commit(&self, _connection: &mut Connection, _summary: &Summary) -> Result<(), Failure> {
        Err(Failure::NotOurs("not finished yet"))
    }
}
