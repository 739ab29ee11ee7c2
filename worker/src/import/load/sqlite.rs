//! SQLite: one prepared statement, executed for each row. In the file's order wherever that could make a difference, else
//! in the order of the key, which costs fewer pages. A row that SQLite refuses is undone by itself and becomes a reject.

mod changed_keys;
mod deferred;
mod facts;
mod family;
mod ids;
mod incoming_keys;
mod keys;
mod references;
mod refusal;
mod row_outcome;
mod rows;
mod statement;
mod temporary_indexes;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use statemachine::FailureName;

use self::family::Family;
use self::row_outcome::{Counts, NotWritten};
use self::rows::Rows;
use super::{CHECKED_EARLY, Context, Load, LoadMode, Loaded, NotLoaded};
use crate::db::failure::database_failure;
use crate::db::{Connection, LEAVE_IT};
use crate::failure::Failure;
use crate::import::batch::Batch;
use crate::import::form::Form;
use crate::import::form::native;
use crate::import::reading::interrupted;
use crate::import::reject::Reject;
use crate::import::rejects::Verdict;

/// Rows between two looks at the request to stop.
const ROWS_PER_LOOK: usize = 1000;

/// How many bytes of rows a batch has: less than for a database whose pages lie in another process.
const BATCH_BYTES: usize = 12 * 1024 * 1024;

/// What is said of rows that wait for others when there are too many rejects.
const ORPHANS: &str = "rows that refer to a missing row of the same table were not looked for, after there were more rejects than \
                       are allowed";

/// Rows on their way into a table.
pub(super) struct Loader<'a> {
    context: Context<'a>,
    rows: Rows,
    /// Rows that wait for others, from the first one on that refers to a later one; all rows, where only all of them tell which
    /// one breaks a constraint.
    family: Option<Family>,
    counts: Counts,
    /// Constraints are left to the commit.
    constraints_wait: bool,
}

/// What follows when SQLite refuses a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusals {
    AreTheEnd,
    AreRejects,
}

/// How a batch ended.
enum Ended {
    /// All of it was written, or rejected.
    Whole,
    /// A row was refused, after so many others.
    Refused(u64),
    /// There are too many rejects.
    Enough,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        connection: &mut Connection,
        context: Context<'a>,
        mode: LoadMode,
    ) -> Result<Self, Failure> {
        let connection = sqlite(connection)?;
        if context.job.options.rebuild_indexes {
            let cause = "rebuild_indexes is for PostgreSQL; SQLite's indexes stay as they are";
            return Err(Failure::named(FailureName::OptionsInvalid, cause));
        }
        connection.batch_execute(LEAVE_IT).map_err(|error| database_failure(&error, "prepare the load"))?;
        let LoadMode { constraints_wait, .. } = mode;
        let rows = Rows::new(connection, context, constraints_wait)?;
        let counts = Counts::default();
        let keeps_all = rows.may_break_unseen();
        let family = keeps_all.then(|| Family::begin(connection, &rows, counts)).transpose()?;
        Ok(Self { context, rows, family, counts, constraints_wait })
    }

    /// Writes the rows of a batch, in the batch's order.
    fn write_rows(
        &mut self,
        connection: &mut SqliteConnection,
        batch: &Batch,
        refusals: Refusals,
    ) -> Result<Ended, Failure> {
        let progress = &self.context.job.progress;
        let mut written = 0;
        let mut values = Vec::with_capacity(self.context.plan.columns.len());
        for (number, row) in batch.rows().enumerate() {
            // At each row: a trigger may take long for one.
            if progress.stop_requested() {
                return Err(interrupted());
            }
            if number % ROWS_PER_LOOK == 0 || number.is_power_of_two() {
                self.rows.look_for_waiting(connection)?;
            }
            if let Some(family) = &mut self.family {
                family.write(connection, &mut self.rows, row.record, row.bytes)?;
                progress.add_rows(1, 0);
                continue;
            }
            values.clear();
            values.extend(native::read_row(row.bytes));
            match self.rows.write(connection, row.record, &values) {
                Ok(outcome) => {
                    self.counts.add(outcome);
                    written += 1;
                    progress.add_rows(1, 0);
                }
                Err(NotWritten::Failed(failure)) => return Err(failure),
                Err(_) if refusals == Refusals::AreTheEnd => return Ok(Ended::Refused(written)),
                Err(NotWritten::Refused(refusal)) => {
                    progress.add_rows(0, 1);
                    let reject = Reject::of_database(row.record, refusal.column, refusal.misfit);
                    self.context.rejects.add(reject);
                    if self.context.rejects.has_enough() {
                        return Ok(Ended::Enough);
                    }
                }
                Err(NotWritten::TooEarly) => {
                    let mut family = Family::begin(connection, &self.rows, self.counts)?;
                    family.write(connection, &mut self.rows, row.record, row.bytes)?;
                    progress.add_rows(1, 0);
                    self.family = Some(family);
                }
            }
        }
        Ok(Ended::Whole)
    }

    /// Writes a batch that is sorted. Of two rows that cannot both be there the first one of the file is to stay: where one is
    /// refused, all of it is written once more, in the file's order.
    fn write_sorted(
        &mut self,
        connection: &mut SqliteConnection,
        batch: &mut Batch,
    ) -> Result<Ended, Failure> {
        self.rows.mark(connection)?;
        let before = self.counts;
        let ended = self.write_rows(connection, batch, Refusals::AreTheEnd)?;
        let Ended::Refused(written) = ended else { return Ok(ended) };
        self.context.job.progress.take_back_rows(written);
        self.rows.undo(connection)?;
        self.counts = before;
        batch.unsort();
        self.write_rows(connection, batch, Refusals::AreRejects)
    }
}

impl Load for Loader<'_> {
    fn form(&self) -> Form {
        Form::Native
    }

    fn batch_bytes(&self) -> usize {
        BATCH_BYTES
    }

    fn sorted_by(&self) -> Option<usize> {
        self.rows.sorted_by
    }

    fn write(&mut self, connection: &mut Connection, batch: &mut Batch) -> Result<Verdict, NotLoaded> {
        let connection = sqlite(connection)?;
        let ended = if self.rows.sorts_insertions() {
            self.write_sorted(connection, batch)?
        } else {
            self.write_rows(connection, batch, Refusals::AreRejects)?
        };
        Ok(match ended {
            Ended::Enough => Verdict::Enough,
            Ended::Whole | Ended::Refused(_) => self.context.rejects.verdict(),
        })
    }

    fn give_up(self) -> Result<Loaded, NotLoaded> {
        let mut loaded = Loaded::default();
        if let Some(family) = self.family {
            family.give_up(&self.context.job.progress, reject_later(self.context))?;
            loaded = self.context.left_off(ORPHANS);
        }
        loaded.notes.extend((!self.constraints_wait).then(|| CHECKED_EARLY.to_owned()));
        Ok(loaded)
    }

    fn finish(mut self, connection: &mut Connection) -> Result<Loaded, NotLoaded> {
        let connection = sqlite(connection)?;
        if let Some(family) = self.family.take() {
            let progress = &self.context.job.progress;
            self.counts = family.finish(connection, &mut self.rows, progress, reject_later(self.context))?;
        }
        let is_kept = self.context.rejects.verdict() == Verdict::Within;
        let holds = |connection: &mut _| {
            deferred::hold(connection).map_err(|error| database_failure(&error, "check deferred constraints"))
        };
        if is_kept && !holds(connection)? {
            return Err(if self.constraints_wait { NotLoaded::AtTheEnd } else { nobodys_fault().into() });
        }
        self.rows.finish(connection)?;
        let mut loaded = self.counts.loaded();
        loaded.notes.extend((!self.constraints_wait).then(|| CHECKED_EARLY.to_owned()));
        Ok(loaded)
    }
}

/// The failure where constraints do not hold with all rows, and each row for itself breaks none.
fn nobodys_fault() -> Failure {
    let cause = "foreign keys do not hold when all rows are in, and which row breaks them is not known: \
                 a trigger leaves references to rows that are not there";
    Failure::named(FailureName::ConstraintViolation, cause)
}

/// Rejects a row that had counted as written.
fn reject_later(context: Context<'_>) -> impl FnMut(Reject) {
    move |reject| {
        context.job.progress.take_back_rows(1);
        context.job.progress.add_rows(0, 1);
        context.rejects.add(reject);
    }
}

fn sqlite(connection: &mut Connection) -> Result<&mut SqliteConnection, Failure> {
    match connection {
        Connection::Sqlite(connection) => Ok(connection),
        Connection::Postgres(_) => Err(super::wrong_database()),
    }
}
