//! The rows of a file, one after another: those that fit are handed on, the others become rejects and are passed over.

use std::io::Read;

use statemachine::{FailureName, RejectLimit};

use super::check::{Row, check};
use super::csv::Reader;
use super::header::Plan;
use super::rejects::Rejects;
use super::value::Value;
use crate::failure::Failure;
use crate::job::progress::Progress;

/// Rows between two looks at the request to stop, and between two reports of progress.
const ROWS_PER_BEAT: u64 = 1000;

/// The rows of a file.
pub(crate) struct Rows<'a, R: Read> {
    reader: Reader<R>,
    plan: &'a Plan,
    rejects: Rejects,
    progress: &'a Progress,
    /// Rows and rejects that the progress does not show yet.
    unshown: (u64, u64),
}

impl<'a, R: Read> Rows<'a, R> {
    /// The rows that `reader` has left, behind the header.
    pub(crate) fn new(
        reader: Reader<R>,
        plan: &'a Plan,
        max_rejects: RejectLimit,
        progress: &'a Progress,
    ) -> Self {
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

/// An empty vector in the memory of another one: the row's values borrow from a record that is gone at the next, so that
/// their vector cannot live on as it is. Collecting in place keeps its allocation.
fn recycle<'b>(mut values: Vec<Value<'_>>) -> Vec<Value<'b>> {
    values.clear();
    values.into_iter().map(|_| Value::Null).collect()
}
