//! Rows that refer to rows of their own table. As on PostgreSQL a row may come before the one that it refers to: from the
//! first such row on SQLite's own check waits for the commit, and each row is kept beside the database as well. When all are
//! in, those that refer to nothing are known. They become rejects: all is undone up to that first row, and done without them,
//! since a row that is refused changes nothing, and its key is free for another one.

mod spool;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use diesel::result::Error;

use self::spool::{Kept, Spool, State};
use super::refusal::Refusal;
use super::rows::{Counts, NotWritten, Rows};
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::form::native::{self, Native};
use crate::import::reading::interrupted;
use crate::import::reject::Reject;
use crate::job::progress::Progress;

/// What is undone when rows are found to refer to nothing.
const FAMILY: &str = "\"baton family\"";

/// How often rows that referred to nothing may turn out to refer to something after all, once others are gone.
const SECOND_THOUGHTS: usize = 10;

/// Rows that are in the table until it is known whether they may stay.
pub(super) struct Family {
    spool: Spool,
    /// What was counted before the first of them.
    before: Counts,
    counts: Counts,
}

impl Family {
    /// Lets references wait for all rows.
    pub(super) fn begin(
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        counts: Counts,
    ) -> Result<Self, Failure> {
        connection
            .batch_execute(&format!("SAVEPOINT {FAMILY}; PRAGMA defer_foreign_keys = ON"))
            .map_err(|error| database_failure(&error, "let references wait for all rows"))?;
        rows.references_wait = true;
        let spool = Spool::new().map_err(|error| beside(&error))?;
        Ok(Self { spool, before: counts, counts })
    }

    /// Writes a row, for now.
    pub(super) fn write(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        record: u64,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        let values: Vec<_> = native::read_row(bytes).collect();
        let state = self.try_row(connection, rows, &values)?;
        self.spool.keep(record, bytes, &state).map_err(|error| beside(&error))
    }

    fn try_row(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        values: &[Native<'_>],
    ) -> Result<State, Failure> {
        match rows.write(connection, values) {
            Ok(outcome) => {
                self.counts.add(outcome);
                Ok(if outcome.is_taken(rows.on_conflict()) { State::Written } else { State::LeftOut })
            }
            Err(NotWritten::Refused(refusal)) => Ok(State::Refused(refusal)),
            // References wait, so that no row is too early.
            Err(NotWritten::TooEarly) => Ok(State::LeftOut),
            Err(NotWritten::Failed(failure)) => Err(failure),
        }
    }

    /// Finds the rows that may not stay, and what is left without them. The rejects go to `reject`, in the file's order.
    pub(super) fn finish(
        mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        progress: &Progress,
        mut reject: impl FnMut(Reject),
    ) -> Result<Counts, Failure> {
        let mut thoughts = 0;
        loop {
            // First those of the time before: the rows that they refer to are all there now, or will not be.
            let taken_back =
                thoughts < SECOND_THOUGHTS && self.take_back_orphans(connection, rows, progress)?;
            let refused = self.refuse_orphans(connection, rows, progress)?;
            if !taken_back && !refused {
                break;
            }
            thoughts += 1;
            self.begin_again(connection, rows, progress)?;
        }
        connection
            .batch_execute(&format!("RELEASE {FAMILY}"))
            .map_err(|error| database_failure(&error, "finish rows that refer to each other"))?;
        let mut after = None;
        while let Some(page) = self.page(&mut after, "state > 1", progress)? {
            for kept in page {
                if let State::Refused(Refusal { column, misfit })
                | State::Orphan(Refusal { column, misfit }) = kept.state()
                {
                    reject(Reject::of_database(kept.record(), column, misfit));
                }
            }
        }
        Ok(self.counts)
    }

    /// Marks rows of the table that refer to nothing, and those that refer to them.
    fn refuse_orphans(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &Rows,
        progress: &Progress,
    ) -> Result<bool, Failure> {
        let mut found = false;
        let mut after = None;
        while let Some(page) = self.page(&mut after, "state = 0", progress)? {
            for kept in page {
                let values: Vec<_> = native::read_row(&kept.bytes).collect();
                for (number, reference) in rows.references().within().enumerate() {
                    if !reference.is_met(connection, &values)? {
                        found = true;
                        self.spool.note_orphan(kept.record, number).map_err(|error| beside(&error))?;
                        break;
                    }
                }
            }
        }
        if !found {
            return Ok(false);
        }
        for (number, reference) in rows.references().within().enumerate() {
            self.spool.relate(number, reference).map_err(|error| beside(&error))?;
        }
        let mut after = None;
        while let Some(page) = self.page(&mut after, "state = 0", progress)? {
            self.spool.note_relations(&page, rows.references()).map_err(|error| beside(&error))?;
        }
        let misfits: Vec<_> = rows.references().within().map(|reference| reference.missing()).collect();
        self.spool.mark_orphans(&misfits).map_err(|error| beside(&error))?;
        Ok(true)
    }

    /// Takes back marks of rows whose reference is there by now.
    fn take_back_orphans(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &Rows,
        progress: &Progress,
    ) -> Result<bool, Failure> {
        let mut changed = false;
        let mut after = None;
        while let Some(page) = self.page(&mut after, "state = 3", progress)? {
            for kept in page {
                let values: Vec<_> = native::read_row(&kept.bytes).collect();
                let mut is_met = true;
                for reference in rows.references().within() {
                    is_met = is_met && reference.is_met(connection, &values)?;
                }
                if is_met {
                    changed = true;
                    self.spool
                        .keep(kept.record(), &kept.bytes, &State::LeftOut)
                        .map_err(|error| beside(&error))?;
                }
            }
        }
        Ok(changed)
    }

    /// Undoes all, and writes the rows that are not marked.
    fn begin_again(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        progress: &Progress,
    ) -> Result<(), Failure> {
        connection
            .batch_execute(&format!("ROLLBACK TO {FAMILY}"))
            .map_err(|error| database_failure(&error, "undo rows that refer to nothing"))?;
        self.counts = self.before;
        let mut after = None;
        while let Some(page) = self.page(&mut after, "state < 3", progress)? {
            for kept in page {
                let values: Vec<_> = native::read_row(&kept.bytes).collect();
                let state = self.try_row(connection, rows, &values)?;
                if state != kept.state() {
                    self.spool.keep(kept.record(), &kept.bytes, &state).map_err(|error| beside(&error))?;
                }
            }
        }
        Ok(())
    }

    fn page(
        &mut self,
        after: &mut Option<i64>,
        condition: &str,
        progress: &Progress,
    ) -> Result<Option<Vec<Kept>>, Failure> {
        progress.next_phase();
        if progress.stop_requested() {
            return Err(interrupted());
        }
        let page = self.spool.page(*after, condition).map_err(|error| beside(&error))?;
        *after = page.last().map(|kept| kept.record);
        Ok((!page.is_empty()).then_some(page))
    }
}

fn beside(error: &Error) -> Failure {
    database_failure(error, "keep rows that refer to each other in a temporary file beside the database")
}
