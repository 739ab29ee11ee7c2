//! The reader's side of an import: records are read and checked, those that fit become rows of a batch in the database's own
//! form, the others rejects. It runs on a thread of its own, so that all of this goes on beside the database's work.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender};

use statemachine::FailureName;

use super::batch::Batch;
use super::check::check;
use super::csv::Reader;
use super::decode::Format;
use super::form::Form;
use super::header::Plan;
use super::order;
use super::reject::Reason;
use super::rejects::{Rejects, Verdict};
use super::value::Value;
use crate::failure::Failure;
use crate::import::progress::Progress;

/// Records between two looks at the request to stop.
const RECORDS_PER_LOOK: u64 = 1000;

/// What the reader needs to know.
pub(crate) struct Reading<'a, R: Read> {
    pub(crate) reader: Reader<R>,
    pub(crate) plan: &'a Plan,
    /// The form that rows take.
    pub(crate) form: Form,
    /// Which column of the plan rows are sorted by; none where it would bring nothing.
    pub(crate) sorted_by: Option<usize>,
    /// How many records are read at the most.
    pub(crate) limit: Option<u64>,
    pub(crate) rejects: &'a Rejects,
    pub(crate) progress: &'a Progress,
    /// Becomes true when the database has refused the load: what follows need not be read.
    pub(crate) is_given_up: &'a AtomicBool,
}

/// Where batches go, and where they come back from.
pub(crate) struct Exchange {
    pub(crate) full: SyncSender<Batch>,
    pub(crate) empty: Receiver<Batch>,
}

/// What was read, and how far.
pub(crate) struct Done {
    /// How the file is written, as far as its rows were read.
    pub(crate) format: Format,
    /// Records that were read, rejects among them.
    pub(crate) rows_read: u64,
    /// The file was read to its end.
    pub(crate) whole: bool,
    /// What a person should know of how the file was read.
    pub(crate) notes: Vec<String>,
    /// Rows that the database could be given, and what a person should know of how their values were read.
    pub(crate) fitting: u64,
    pub(crate) notes_of_values: Vec<String>,
}

impl<R: Read> Reading<'_, R> {
    /// Reads all records, or as many as the import wants: what stands behind those has no say. Ends early where there are too
    /// many rejects, or where nobody takes the batches any more.
    pub(crate) fn run(mut self, exchange: Exchange) -> Result<Done, Failure> {
        let mut exchange = Some(exchange);
        let mut batch = exchange.as_ref().and_then(|exchange| exchange.empty.recv().ok()).unwrap_or_default();
        let mut buffer = Vec::with_capacity(self.plan.columns.len());
        let (mut rows_read, mut fitting) = (0, 0);
        let mut whole = true;
        let (mut blank_lines, mut has_enough) = (0_u64, false);
        let is_enough = |rows_read| self.limit.is_some_and(|limit| rows_read >= limit);
        while !is_enough(rows_read)
            && let Some(raw) = self.reader.next_row()?
        {
            if self.is_given_up.load(Relaxed) {
                whole = false;
                break;
            }
            rows_read += 1;
            let mut values: Vec<Value<'_>> = recycle(buffer);
            let checked = check(&raw, self.plan, &mut values)
                .and_then(|()| self.form.check(&self.plan.columns, &values));
            let is_kept = checked.is_ok();
            match checked {
                // Once there are too many rejects nothing is written any more; what follows is only checked.
                Ok(()) if exchange.is_none() => {}
                Ok(()) => {
                    let record = raw.position.record;
                    if batch.is_full(record, raw.bytes.len()) && !hand_over(&mut batch, exchange.as_ref()) {
                        whole = false;
                        fitting += 1;
                        break;
                    }
                    let sorted_by = self.sorted_by.and_then(|column| values.get(column));
                    let key = sorted_by.map_or(0, order::key);
                    if self.form == Form::Native && sorted_by == Some(&Value::Null) {
                        // SQLite numbers such a row itself, by the rows that are there then.
                        batch.keep_order();
                    }
                    batch.push(record, key, |out| self.form.write(out, &self.plan.columns, &values));
                }
                // In a file of one column a blank line is a row; where it cannot be one, it is just blank.
                Err(unfit) if raw.is_blank && unfit.misfit.reason == Reason::Required => {
                    rows_read -= 1;
                    blank_lines += 1;
                }
                Err(unfit) => {
                    self.progress.add_misread_row();
                    let verdict = self.rejects.add(unfit.reject(&raw, self.plan));
                    if verdict == Verdict::Exceeded {
                        exchange = None;
                    }
                    if self.rejects.has_enough() {
                        (whole, has_enough) = (false, true);
                        break;
                    }
                }
            }
            buffer = recycle(values);
            fitting += u64::from(is_kept);
            self.reader.end_row(is_kept);
            self.plan.rules.end_row(is_kept);
            if rows_read % RECORDS_PER_LOOK == 0 && self.progress.stop_requested() {
                return Err(interrupted());
            }
        }
        if !batch.is_empty() && exchange.is_some() {
            hand_over(&mut batch, exchange.as_ref());
        }
        let mut notes = self.reader.notes();
        if blank_lines > 0 {
            let lines = if blank_lines == 1 { "blank line was" } else { "blank lines were" };
            notes.push(format!("{blank_lines} {lines} passed over: the column must have a value"));
        }
        notes.extend(self.plan.notes.iter().cloned());
        if has_enough {
            notes.push(format!("the file was read to record {rows_read} alone: there were too many rejects"));
        }
        let notes_of_values =
            self.reader.notes_of_values().into_iter().chain(self.plan.rules.notes()).collect();
        let format = self.reader.format().clone();
        if whole && is_enough(rows_read) {
            whole = self.reader.is_at_end();
            // It may be why the source ended.
            if self.progress.stop_requested() {
                return Err(interrupted());
            }
        }
        Ok(Done { format, rows_read, whole, notes, fitting, notes_of_values })
    }
}

/// Gives a full batch away, sorted, for an empty one. `false` where nobody takes it: the other side has failed, and says why.
fn hand_over(batch: &mut Batch, exchange: Option<&Exchange>) -> bool {
    let Some(exchange) = exchange else { return false };
    // Here, so that the database does not wait for it.
    batch.sort();
    if exchange.full.send(std::mem::take(batch)).is_err() {
        return false;
    }
    match exchange.empty.recv() {
        Ok(empty) => {
            *batch = empty;
            true
        }
        Err(_) => false,
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
