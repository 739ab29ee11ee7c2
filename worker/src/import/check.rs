//! From raw rows to rows: each field against its column. A row that does not fit becomes a reject and is passed over;
//! what comes out here is valid, and nobody checks it again.

use std::io::Read;

use statemachine::FailureName;

use super::csv::{RawRow, Reader};
use super::header::Plan;
use super::reject::{Misfit, Reason, Reject, Rejects};
use super::value::Value;
use crate::failure::Failure;
use crate::job::progress::Progress;

/// Rows between two looks at the request to stop, and between two reports of progress.
const ROWS_PER_BEAT: u64 = 1000;

/// A row that the table's columns take: a value for each column of the plan, in the plan's order.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) values: Vec<Value<'a>>,
}

/// The rows of a file.
pub(crate) struct Rows<'a, R> {
    reader: Reader<R>,
    plan: &'a Plan,
    rejects: Rejects,
    progress: &'a Progress,
    /// Rows and rejects that the progress does not show yet.
    unshown: (u64, u64),
}

impl<'a, R: Read> Rows<'a, R> {
    /// The rows that `reader` has left, behind the header.
    pub(crate) fn new(reader: Reader<R>, plan: &'a Plan, max_rejects: u64, progress: &'a Progress) -> Self {
        Self { reader, plan, rejects: Rejects::new(max_rejects), progress, unshown: (0, 0) }
    }

    /// Gives every row that fits to `take`, and returns how many did not.
    pub(crate) fn for_each(
        mut self,
        mut take: impl FnMut(&Row<'_>) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let mut buffer = Vec::with_capacity(self.plan.columns.len());
        while let Some(raw) = self.reader.next_row()? {
            let mut row = Row { values: recycle(buffer) };
            match check(&raw, self.plan, &mut row.values) {
                Ok(()) => {
                    take(&row)?;
                    self.unshown.0 += 1;
                }
                Err(reject) => {
                    self.rejects.add(reject)?;
                    self.unshown.1 += 1;
                }
            }
            buffer = recycle(row.values);
            if self.unshown.0 + self.unshown.1 >= ROWS_PER_BEAT {
                self.show();
                if self.progress.stop_requested() {
                    return Err(interrupted());
                }
            }
        }
        self.show();
        Ok(self.rejects.count())
    }

    fn show(&mut self) {
        let (rows, rejects) = std::mem::take(&mut self.unshown);
        self.progress.add_rows(rows, rejects);
    }
}

/// The failure of an import that was asked to stop.
pub(crate) fn interrupted() -> Failure {
    Failure::named(FailureName::Interrupted, "the worker was asked to stop, and rolled back")
}

fn check<'a>(raw: &RawRow<'a>, plan: &Plan, values: &mut Vec<Value<'a>>) -> Result<(), Reject> {
    if let Some(misfit) = misshapen(raw, plan) {
        return Err(Reject::of_row(raw.position, misfit));
    }
    for column in &plan.columns {
        let field = raw.fields.get(column.field).unwrap_or_default();
        let value = match column.kind.parse(field) {
            Ok(Value::Null) if !column.nullable => {
                Err(Misfit::new(Reason::Required, "is empty, but the column must have a value"))
            }
            other => other,
        };
        values.push(value.map_err(|misfit| Reject::of_value(raw.position, &column.name, field, misfit))?);
    }
    Ok(())
}

/// What is wrong with a row before any of its values is looked at.
fn misshapen(raw: &RawRow<'_>, plan: &Plan) -> Option<Misfit> {
    let mut misfit = if raw.has_stray_quote() {
        let says = "goes on behind a closing quote; a quote within a quoted field is written twice";
        Misfit::new(Reason::StrayQuote, says)
    } else if raw.fields.len() != plan.fields {
        let (has, expected) = (raw.fields.len(), plan.fields);
        let plural = if has == 1 { "field" } else { "fields" };
        Misfit::new(Reason::FieldCount, format!("has {has} {plural}, the header has {expected}"))
    } else {
        return None;
    };
    if raw.lines() > 1 {
        misfit.says.push_str(&format!("; it takes {} lines, is a quote misplaced?", raw.lines()));
    }
    Some(misfit)
}

/// An empty vector in the memory of another one: the row's values borrow from a record that is gone at the next, so that
/// their vector cannot live on as it is. Collecting in place keeps its allocation.
fn recycle<'b>(mut values: Vec<Value<'_>>) -> Vec<Value<'b>> {
    values.clear();
    values.into_iter().map(|_| Value::Null).collect()
}
