//! A temporary table beside the one that is written: rows wait in it, each with its record, while the database finds out
//! which of them it takes. Its columns have exactly the types of those that the file fills, so that COPY reads each value as
//! it would for the table itself and nothing is cast on the way; it has no constraint. It ends with the transaction.

use super::copy::{Copy, row_with_record};
use super::parents_first::Order;
use super::types::ColumnType;
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::batch::BatchRow;
use crate::import::form::Form;
use crate::import::header::Plan;
use crate::import::progress::Progress;
use crate::import::table::quoted;

/// The table. Its name has a space so that nobody else's is like it.
pub(super) const STAGING: &str = "pg_temp.\"baton staging\"";

/// The column that says which record of the file a row is.
pub(super) const RECORD: &str = "\"baton record\"";

/// The most columns that a table of PostgreSQL can have.
const MAX_COLUMNS: usize = 1600;

/// The staging table of one import.
pub(super) struct Staging {
    /// What stands behind `COPY`.
    target: String,
    definition: String,
    form: Form,
    is_made: bool,
    is_indexed: bool,
    /// Where it is not that of the file, its records have other numbers.
    pub(super) order: Order,
}

impl Staging {
    /// The staging table for rows of these columns.
    pub(super) fn new(plan: &Plan, types: &[ColumnType], form: Form) -> Self {
        let names: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        let columns: Vec<_> = names
            .iter()
            .zip(types)
            .map(|(name, column)| format!("{name} {}{}", column.own.name, column.collation))
            .collect();
        Self {
            target: format!("{STAGING} ({}, {RECORD})", names.join(", ")),
            definition: format!(
                "CREATE TEMPORARY TABLE \"baton staging\" ({}, {RECORD} pg_catalog.int8 NOT NULL) ON COMMIT DROP",
                columns.join(", ")
            ),
            form,
            is_made: false,
            is_indexed: false,
            order: Order::OfTheFile,
        }
    }

    /// Whether there is room for the record beside so many columns.
    pub(super) fn has_room(plan: &Plan) -> bool {
        plan.columns.len() < MAX_COLUMNS
    }

    /// Makes the table where there is none yet.
    pub(super) fn make(&mut self, session: &mut Session) -> Result<(), SqlError> {
        if !self.is_made {
            session.batch(&self.definition)?;
            self.is_made = true;
        }
        Ok(())
    }

    /// Adds rows to the table, which is made. Returns how many.
    pub(super) fn fill<'r>(
        &self,
        session: &mut Session,
        rows: impl Iterator<Item = BatchRow<'r>>,
        progress: &Progress,
    ) -> Result<u64, SqlError> {
        self.copy(progress).send(session, rows, row_with_record(self.form))
    }

    /// The COPY that adds rows.
    pub(super) fn copy<'p>(&'p self, progress: &'p Progress) -> Copy<'p> {
        Copy { target: &self.target, form: self.form, counts: false, progress }
    }

    /// Gives the table an index on its records, where it has none yet.
    pub(super) fn index(&mut self, session: &mut Session) -> Result<(), SqlError> {
        if !self.is_indexed {
            session.batch(&format!("CREATE INDEX \"baton records\" ON {STAGING} ({RECORD})"))?;
            self.is_indexed = true;
        }
        Ok(())
    }

    /// Takes all rows out.
    pub(super) fn clear(&self, session: &mut Session) -> Result<(), SqlError> {
        session.batch(&format!("TRUNCATE {STAGING}"))
    }
}
