//! A temporary table beside the one that is written: rows wait in it, each with its record, while the database finds out
//! which of them it takes. It has the columns that the file fills, without any constraint, and ends with the transaction.

use diesel::connection::SimpleConnection as _;

use super::copy::{CopyError, Extra, copy};
use crate::db::Session;
use crate::import::batch::Batch;
use crate::import::form::Form;
use crate::import::header::{Filled, Plan};
use crate::import::table::quoted;
use crate::import::value::Kind;
use crate::job::progress::Progress;

/// The table. Its name has a space so that nobody else's is like it.
pub(super) const STAGING: &str = "pg_temp.\"baton staging\"";

/// The column that says which record of the file a row is.
pub(super) const RECORD: &str = "\"baton record\"";

/// The staging table of one import.
pub(super) struct Staging<'a> {
    columns: &'a [Filled],
    form: Form,
    target: String,
    is_made: bool,
}

impl<'a> Staging<'a> {
    pub(super) fn new(plan: &'a Plan, form: Form) -> Self {
        let names: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        let target = format!("{STAGING} ({}, {RECORD})", names.join(", "));
        Self { columns: &plan.columns, form, target, is_made: false }
    }

    /// Adds rows. Makes the table first where there is none yet.
    pub(super) fn fill(
        &mut self,
        connection: &mut Session,
        batch: &Batch,
        progress: &Progress,
    ) -> Result<u64, CopyError> {
        if !self.is_made {
            connection.batch_execute(&self.definition())?;
            self.is_made = true;
        }
        copy(connection, (&self.target, self.form, Extra::Record), batch, progress)
    }

    /// Takes all rows out.
    pub(super) fn clear(&self, connection: &mut Session) -> diesel::QueryResult<()> {
        connection.batch_execute(&format!("TRUNCATE {STAGING}"))
    }

    fn definition(&self) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| {
                // A domain would check its rules, and a type without a binary writer its syntax, before the row can be found.
                let type_name = if column.kind == Kind::Opaque { "text" } else { &column.base_type };
                format!("{} {type_name}", quoted(&column.name))
            })
            .collect();
        format!(
            "CREATE TEMPORARY TABLE \"baton staging\" ({}, {RECORD} bigint NOT NULL) ON COMMIT DROP",
            columns.join(", ")
        )
    }
}

/// What a row of the staging table, named `s`, becomes in the table that is written.
pub(super) fn expressions(columns: &[Filled]) -> String {
    let expression = |column: &Filled| match column.kind {
        Kind::Opaque => format!("s.{}::{}", quoted(&column.name), column.base_type),
        _ => format!("s.{}", quoted(&column.name)),
    };
    columns.iter().map(expression).collect::<Vec<_>>().join(", ")
}
