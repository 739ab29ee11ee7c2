//! Rows that refer to rows of their own table. As on PostgreSQL a row may come before the one that it refers to: from the
//! first such row on SQLite's own check waits for the commit, and each row is kept beside the database as well. When all are
//! in, those that refer to nothing are known, and those that take away what others refer to. They become rejects: all is undone
//! up to that first row, and done without them, since a row that is refused changes nothing, and its key is free for another
//! one. What is a reject for a row that is not there is one only where no row can be there.
//!
//! In a second load, behind one whose constraints did not hold at the end, all rows are kept that may break one unseen.

mod back;
mod coming;
mod relations;
mod sift;
mod spool;

use std::rc::Rc;

use diesel::connection::SimpleConnection as _;
use diesel::result::Error;
use diesel::{QueryResult, SqliteConnection};

use self::relations::Relations;
use self::sift::Sift;
use self::spool::{Kept, MAY_COME, Spool, State};
use super::changed_keys::ChangedKeys;
use super::deferred;
use super::refusal::Refusal;
use super::row_outcome::{Counts, NotWritten};
use super::rows::Rows;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::form::native::{self, Native};
use crate::import::progress::Progress;
use crate::import::reading::interrupted;
use crate::import::reject::Reject;

/// What is undone when rows are found to refer to nothing.
const FAMILY: &str = "\"baton family\"";

/// What is undone when rows were only tried.
const TRIAL: &str = "\"baton trial\"";

/// Rows that are in the table until it is known whether they may stay.
pub(super) struct Family {
    spool: Spool,
    /// What was counted before the first of them.
    before: Counts,
    counts: Counts,
    /// Those that break other constraints are looked for.
    sift: Option<Rc<Sift>>,
}

impl Family {
    /// No row yet.
    pub(super) fn begin(
        connection: &mut SqliteConnection,
        rows: &Rows,
        counts: Counts,
    ) -> Result<Self, Failure> {
        let notes = rows.changed_keys().map_or(Ok(()), |changed_keys| changed_keys.begin(connection));
        notes
            .and_then(|()| connection.batch_execute(&format!("SAVEPOINT {FAMILY}")))
            .map_err(|error| database_failure(&error, "begin to keep rows"))?;
        let spool = Spool::new().map_err(|error| beside(&error))?;
        Ok(Self { spool, before: counts, counts, sift: None })
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
        let state = self.try_row(connection, rows, record, &values)?;
        self.spool.keep(record, bytes, &state).map_err(|error| beside(&error))
    }

    fn try_row(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        record: u64,
        values: &[Native<'_>],
    ) -> Result<State, Failure> {
        match rows.write(connection, record, values) {
            Ok(outcome) => {
                self.counts.add(outcome);
                Ok(if outcome.is_taken(rows.on_conflict()) { State::Written } else { State::LeftOut })
            }
            Err(NotWritten::Refused(refusal)) => Ok(State::Refused(refusal)),
            // References wait from here on, so that no row is too early.
            Err(NotWritten::TooEarly) if !rows.references_wait() => {
                rows.wait(connection)
                    .map_err(|error| database_failure(&error, "let references wait for all rows"))?;
                self.try_row(connection, rows, record, values)
            }
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
        reject: impl FnMut(Reject),
    ) -> Result<Counts, Failure> {
        let mut are_tried = false;
        loop {
            if self.find_orphans(connection, rows, progress)? {
                self.undo(connection, rows)?;
                if self.refuse_orphans(connection, rows, progress)? {
                    self.write_again(connection, rows, progress)?;
                    if !self.take_back_guessed(connection, rows, progress)? {
                        continue;
                    }
                    self.undo(connection, rows)?;
                }
            } else if self.refuse_replacing(connection, rows)? {
                self.undo(connection, rows)?;
            } else if self.take_back_orphans(connection, rows, progress, are_tried)? {
                are_tried = true;
                self.undo(connection, rows)?;
            } else if self.sift.is_none() && rows.may_break_unseen() && !hold(connection)? {
                self.undo(connection, rows)?;
                self.sift = Some(Rc::new(self.begin_sift(connection, rows, progress)?));
            } else {
                break;
            }
            self.write_again(connection, rows, progress)?;
        }
        self.look_again(connection, rows, progress)?;
        connection
            .batch_execute(&format!("RELEASE {FAMILY}"))
            .map_err(|error| database_failure(&error, "finish rows that refer to each other"))?;
        self.report(progress, reject)?;
        Ok(self.counts)
    }

    /// Ends without a look at references: reports what the database has refused for another reason.
    pub(super) fn give_up(mut self, progress: &Progress, reject: impl FnMut(Reject)) -> Result<(), Failure> {
        self.report(progress, reject)
    }

    fn report(&mut self, progress: &Progress, mut reject: impl FnMut(Reject)) -> Result<(), Failure> {
        let mut after = None;
        while let Some(page) = self.page(&mut after, "state > 1", progress)? {
            for kept in page {
                if let State::Refused(Refusal { column, misfit })
                | State::Orphan(Refusal { column, misfit })
                | State::Replaces(Refusal { column, misfit }) = kept.state()
                {
                    reject(Reject::of_database(kept.record(), column, misfit));
                }
            }
        }
        Ok(())
    }

    /// Notes the rows of the table that refer to nothing. Where a row was there until a later one of the file changed it, that one
    /// is the fault, and not what had referred to it by then.
    fn find_orphans(
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
                let references = rows.references();
                for (number, reference) in references.within().enumerate() {
                    if !references.holds_to(reference) || reference.is_met(connection, &values)? {
                        continue;
                    }
                    let is_moved_later = |changed_keys: &ChangedKeys, connection: &mut _| {
                        changed_keys.is_moved_later(connection, reference, kept.record(), &values)
                    };
                    if !rows
                        .changed_keys()
                        .map_or(Ok(false), |changed_keys| is_moved_later(changed_keys, connection))?
                    {
                        found = true;
                        self.spool.note_orphan(kept.record, number).map_err(|error| beside(&error))?;
                    }
                }
            }
        }
        Ok(found)
    }

    /// Marks those of them that can refer to nothing, and what hangs on them; returns whether of some that is guessed. All rows of
    /// the file are undone: the table has what it has without them.
    fn refuse_orphans(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &Rows,
        progress: &Progress,
    ) -> Result<bool, Failure> {
        let references = rows.references();
        let relations =
            Relations::new(&mut self.spool.connection, references).map_err(|error| beside(&error))?;
        let mut after = None;
        while let Some(page) = self.page(&mut after, MAY_COME, progress)? {
            for kept in page {
                let values: Vec<_> = native::read_row(&kept.bytes).collect();
                let is_there: Result<Vec<_>, _> =
                    references.within().map(|reference| reference.is_met(connection, &values)).collect();
                relations
                    .add(&mut self.spool.connection, &kept, &values, references, &is_there?)
                    .map_err(|error| beside(&error))?;
            }
        }
        let missing: Vec<_> = references.within().map(|reference| reference.missing()).collect();
        relations.mark(&mut self.spool.connection, &missing).map_err(|error| beside(&error))
    }

    /// Marks the rows that took away what other rows still refer to.
    fn refuse_replacing(&mut self, connection: &mut SqliteConnection, rows: &Rows) -> Result<bool, Failure> {
        let Some(changed_keys) = rows.changed_keys() else { return Ok(false) };
        let blamed = changed_keys.blamed(connection)?;
        for (record, refusal) in &blamed {
            self.spool.refuse(*record, refusal).map_err(|error| beside(&error))?;
        }
        Ok(!blamed.is_empty())
    }

    /// Undoes all rows.
    fn undo(&mut self, connection: &mut SqliteConnection, rows: &Rows) -> Result<(), Failure> {
        self.counts = self.before;
        connection
            .batch_execute(&format!("ROLLBACK TO {FAMILY}"))
            .and_then(|()| rows.go_on_waiting(connection))
            .map_err(|error| database_failure(&error, "undo rows that refer to nothing"))
    }

    /// Writes the rows that are not marked.
    fn write_again(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        progress: &Progress,
    ) -> Result<(), Failure> {
        self.write_rows(connection, rows, progress, "state < 3")
    }

    fn write_rows(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        progress: &Progress,
        condition: &str,
    ) -> Result<(), Failure> {
        let mut after = None;
        while let Some(page) = self.page(&mut after, condition, progress)? {
            match self.sift.clone() {
                Some(sift) => self.sift(connection, rows, &sift, &page)?,
                None => self.write_page(connection, rows, &page)?,
            }
        }
        Ok(())
    }

    fn write_page(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        page: &[Kept],
    ) -> Result<(), Failure> {
        for kept in page {
            let values: Vec<_> = native::read_row(&kept.bytes).collect();
            let state = match kept.state() {
                State::Orphan(_) => self.look_at(connection, rows, kept, &values)?,
                _ => self.try_row(connection, rows, kept.record(), &values)?,
            };
            // What is kept may be of a try that was undone.
            if state != kept.state() || self.sift.is_some() {
                self.spool.keep(kept.record(), &kept.bytes, &state).map_err(|error| beside(&error))?;
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
        let page = self.page_of(progress, |spool| spool.page(*after, condition))?;
        *after = page.last().map(|kept| kept.record);
        Ok((!page.is_empty()).then_some(page))
    }

    fn page_of(
        &mut self,
        progress: &Progress,
        read: impl FnOnce(&mut Spool) -> QueryResult<Vec<Kept>>,
    ) -> Result<Vec<Kept>, Failure> {
        progress.next_phase();
        if progress.stop_requested() {
            return Err(interrupted());
        }
        read(&mut self.spool).map_err(|error| beside(&error))
    }
}

fn step(connection: &mut SqliteConnection, sql: &str) -> Result<(), Failure> {
    connection.batch_execute(sql).map_err(|error| database_failure(&error, "set a savepoint"))
}

fn hold(connection: &mut SqliteConnection) -> Result<bool, Failure> {
    deferred::hold(connection).map_err(|error| database_failure(&error, "check deferred constraints"))
}

fn beside(error: &Error) -> Failure {
    database_failure(error, "keep rows that refer to each other in a temporary file beside the database")
}
