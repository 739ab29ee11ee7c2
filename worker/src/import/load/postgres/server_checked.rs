//! Values that the server has to check, since it alone can judge them. Where it refuses rows of a batch for one of their values, the columns in question go
//! into a second temporary table as they stand in the file, and the server says for each value whether the column's type
//! reads it: by the very function that COPY calls, so that nothing is decided otherwise than there.

mod check;
mod fields;

use self::check::{Check, Source, declared};
use self::fields::Transport;
use super::Context;
use super::copy::Copy;
use super::refused_records::{Entry, RefusedRecords};
use super::staging::RECORD;
use super::types::ColumnType;
use crate::db::Session;
use crate::db::failure::sql_failure;
use crate::db::postgres::error::SqlError;
use crate::failure::Failure;
use crate::import::batch::Batch;
use crate::import::form::Form;
use crate::import::header::{Filled, Plan};
use crate::import::value::Kind;

/// The table.
const DOUBT: &str = "pg_temp.\"baton doubt\"";

/// The columns whose values only the server can judge.
pub(super) struct ServerChecked {
    columns: Vec<Doubtful>,
    target: String,
    definition: String,
    /// The form of the batches.
    form: Form,
    is_made: bool,
}

/// One of them.
struct Doubtful {
    /// Which of the plan's columns it is.
    place: usize,
    transport: Transport,
    checks: Vec<Check>,
}

impl ServerChecked {
    /// The columns in doubt where rows are written in this form. In a database that does not know every character, text is
    /// in doubt, too.
    pub(super) fn of(plan: &Plan, types: &[ColumnType], form: Form, is_unicode: bool) -> Self {
        let mut columns = Vec::new();
        let mut definitions = Vec::new();
        for (place, (column, type_)) in plan.columns.iter().zip(types).enumerate() {
            if is_judged_here(column, type_, is_unicode) {
                continue;
            }
            let number = columns.len();
            let source = match (form, is_text(&column.kind), is_unicode) {
                (Form::Binary, false, _) => Source::Value,
                (_, _, true) => Source::Text,
                (_, _, false) => Source::Bytes,
            };
            let transport = match (form, &column.kind) {
                (Form::Text, _) => Transport::Unescaped,
                (_, Kind::Jsonb) => Transport::WithoutVersion,
                _ => Transport::AsItIs,
            };
            definitions.push(format!("c{number} {}", declared(type_, source)));
            columns.push(Doubtful { place, transport, checks: check::of(type_, source, number) });
        }
        Self {
            columns,
            target: DOUBT.to_owned(),
            definition: format!(
                "CREATE TEMPORARY TABLE \"baton doubt\" ({}, {RECORD} pg_catalog.int8 NOT NULL) ON COMMIT DROP",
                definitions.join(", ")
            ),
            form,
            is_made: false,
        }
    }

    /// Whether there is no column in doubt.
    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Takes the rows out of the batch that have a value which its column's type does not read. They are rejects. Returns
    /// whether there were any.
    pub(super) fn take(
        &mut self,
        session: &mut Session,
        batch: &mut Batch,
        refused: &mut RefusedRecords,
        context: Context<'_>,
    ) -> Result<bool, Failure> {
        if self.is_empty() || batch.is_empty() {
            return Ok(false);
        }
        let failed = |error: SqlError| sql_failure(&error, "check the values that the database refuses");
        // The server reads the values by their records: in another order each would lie on a page of its own.
        let filled = batch.in_file_order(|batch| self.fill(session, batch, refused, context));
        filled.map_err(failed)?;
        let checks =
            || self.columns.iter().flat_map(|column| column.checks.iter().map(move |check| (column, check)));
        for (step, (_, check)) in checks().enumerate() {
            check.run(session, step, context.rejects.wanted()).map_err(failed)?;
        }
        let checks: Vec<_> = checks().collect();
        let mut records = Vec::new();
        refused.open(session).map_err(failed)?;
        loop {
            let page = refused.next_page(session).map_err(failed)?;
            if page.is_empty() {
                break;
            }
            for Entry { record, step, refusal } in page {
                let Some((column, check)) = usize::try_from(step).ok().and_then(|step| checks.get(step))
                else {
                    continue;
                };
                if !check.is_of_value(&refusal.code) {
                    return Err(refusal.failure("check the values that the database refuses"));
                }
                let name = context.plan.columns.get(column.place).map_or("", |column| column.name.as_str());
                context.job.progress.add_rows(0, 1);
                context.rejects.add(refusal.of_value(record, name));
                records.push(record);
            }
        }
        refused.close(session).map_err(failed)?;
        // The server may have stopped at as many as are of use.
        context.rejects.has_enough();
        batch.remove(&records);
        Ok(!records.is_empty())
    }

    /// Brings the values of a batch into the table, in place of those that are in it.
    fn fill(
        &mut self,
        session: &mut Session,
        batch: &Batch,
        refused: &mut RefusedRecords,
        context: Context<'_>,
    ) -> Result<(), SqlError> {
        refused.make(session)?;
        if self.is_made {
            session.batch(&format!("TRUNCATE {DOUBT}; {}", check::WITHOUT_INDEX))?;
        } else {
            session.batch(&self.definition)?;
            self.is_made = true;
        }
        let copy =
            Copy { target: &self.target, form: Form::Binary, counts: false, progress: &context.job.progress };
        let wanted = self.columns.iter().map(|column| (column.place, column.transport));
        copy.send(session, batch.rows(), |out, row| {
            fields::append(out, self.form, row.bytes, wanted.clone(), row.record);
        })?;
        Ok(())
    }
}

/// Whether every value that comes this far is one that the column's type takes.
fn is_judged_here(column: &Filled, type_: &ColumnType, is_unicode: bool) -> bool {
    if type_.is_domain {
        return false;
    }
    match column.kind {
        Kind::Opaque | Kind::Truncating(_) | Kind::Json | Kind::Jsonb => false,
        Kind::Text { .. } | Kind::Enum(_) => is_unicode,
        _ => true,
    }
}

/// Whether a value's binary form is a text.
fn is_text(kind: &Kind) -> bool {
    kind.is_opaque() || matches!(kind, Kind::Text { .. } | Kind::Json | Kind::Jsonb | Kind::Enum(_))
}
