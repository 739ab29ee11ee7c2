//! One row into the table, by one statement of SQLite, and what became of it. A row that is refused has changed nothing.

mod insertion;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use diesel::result::Error;
use statemachine::OnConflict;

use self::insertion::{has_triggers, insertion, key_decides_alone};
use super::changed_keys::ChangedKeys;
use super::deferred;
use super::facts::Facts;
use super::ids::Ids;
use super::incoming_keys;
use super::keys::{Key, Taken};
use super::references::{Missing, References};
use super::refusal::Judge;
use super::row_outcome::{NotWritten, RowOutcome};
use super::statement::{Kind, Statement, forget_prepared};
use super::temporary_indexes::TemporaryIndexes;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::form::native::Native;
use crate::import::load::{Context, conflict_key};

/// What the pages of a load may take in memory: SQLite's own 2 MB hold few of an index's pages.
pub(super) const CACHE_KIB: u32 = 6 * 1024;

/// The savepoint of a batch.
const BATCH: &str = "\"baton batch\"";

/// A savepoint within that, which is there as long as the transaction is.
const ALIVE: &str = "\"baton alive\"";

/// The savepoint of one row.
const ROW: &str = "\"baton row\"";

/// Writes rows.
pub(super) struct Rows {
    insert: Statement,
    /// Opens the savepoint of a row and closes it, where a statement alone would not be undone as a whole.
    savepoint: Option<(Statement, Statement)>,
    taken: Option<Taken>,
    on_conflict: OnConflict,
    references: References,
    changed_keys: Option<ChangedKeys>,
    judge: Judge,
    ids: Ids,
    is_view: bool,
    /// References to rows of the same table are not looked at: they wait for all rows.
    references_wait: bool,
    temporary_indexes: TemporaryIndexes,
    /// Whether a row refers to nothing is asked behind its statement: a trigger may have written what it refers to, or the row is
    /// left out.
    checks_behind: bool,
    /// What SQLite checks at the commit is looked at when all rows are in; else as soon as can be.
    constraints_wait: bool,
    /// The column of the plan to sort by, where rows may be written in another order than the file's.
    pub(super) sorted_by: Option<usize>,
}

impl Rows {
    pub(super) fn new(
        connection: &mut SqliteConnection,
        context: Context<'_>,
        constraints_wait: bool,
    ) -> Result<Self, Failure> {
        let Context { job, table, plan, .. } = context;
        let failed = |error: Error| database_failure(&error, "prepare the load");
        let on_conflict = job.options.on_conflict;
        let names = conflict_key(table, plan, &job.options)?;
        let facts = Facts::read(connection, table)?;
        let key = match names.as_slice() {
            [] => None,
            names => Some(Key::of(names, table, &facts, plan)?),
        };
        connection
            .batch_execute(&format!("PRAGMA cache_size = -{CACHE_KIB}; SAVEPOINT {BATCH}; SAVEPOINT {ALIVE}"))
            .map_err(failed)?;
        forget_prepared(connection);
        let insert = insertion(table, plan, &facts, key.as_ref(), on_conflict);
        let taken = key.clone().map(|key| Taken::none(connection, key, table)).transpose().map_err(failed)?;
        let has_triggers = has_triggers(connection, &insert, plan, table)?;
        let references = References::of(&facts, table, plan, constraints_wait);
        let updates = on_conflict == OnConflict::Update;
        let incoming_keys = if updates || references.are_within() || references.are_deferred {
            incoming_keys::read(connection, table).map_err(failed)?
        } else {
            Vec::new()
        };
        let temporary_indexes = TemporaryIndexes::of(&incoming_keys, &facts);
        let changed_keys = key
            .as_ref()
            .filter(|_| updates)
            .and_then(|key| ChangedKeys::of(incoming_keys, table, &facts, key, plan));
        let order_is_free =
            !has_triggers && !references.are_within() && key_decides_alone(&facts, table, key.as_ref());
        let sorted_by = match &key {
            None => table
                .primary_key
                .first()
                .and_then(|name| plan.columns.iter().position(|column| column.name == *name)),
            Some(key) => key.first_place(),
        };
        // A trigger may leave what was done before it fails (FAIL); and a row that waits for another is tried twice.
        let may_wait = changed_keys
            .as_ref()
            .is_some_and(|changed_keys| changed_keys.are_within || changed_keys.are_deferred);
        // A row that is left out is held to no reference, which is known behind the statement.
        let checks_behind = has_triggers || on_conflict == OnConflict::Skip;
        let needs_savepoint =
            has_triggers || references.are_within() || may_wait || (checks_behind && references.are_deferred);
        let mut rows = Self {
            insert,
            savepoint: needs_savepoint.then(savepoint),
            taken,
            on_conflict,
            references,
            changed_keys,
            judge: Judge::new(table, &facts, has_triggers, CACHE_KIB),
            ids: Ids::of(table, plan),
            is_view: facts.is_view,
            references_wait: false,
            temporary_indexes,
            checks_behind,
            constraints_wait,
            sorted_by: sorted_by.filter(|_| order_is_free),
        };
        // What is kept is in the file's order.
        rows.sorted_by = rows.sorted_by.filter(|_| !rows.may_break_unseen());
        Ok(rows)
    }

    /// Whether rows that are only inserted come in another order than the file's: which of two is refused is then to be found
    /// out in the file's order.
    pub(super) fn sorts_insertions(&self) -> bool {
        self.sorted_by.is_some() && self.taken.is_none()
    }

    pub(super) fn on_conflict(&self) -> OnConflict {
        self.on_conflict
    }

    pub(super) fn references(&self) -> &References {
        &self.references
    }

    /// What an upsert may change under rows that refer to it.
    pub(super) fn changed_keys(&self) -> Option<&ChangedKeys> {
        self.changed_keys.as_ref()
    }

    /// Whether a row may break a constraint at the commit without a word of its own: by a trigger, a default, or what others refer
    /// to. Then which row it was is known only by all of them.
    pub(super) fn may_break_unseen(&self) -> bool {
        !self.constraints_wait
            && (self.judge.has_triggers
                || self.references.are_within()
                || self.references.are_partly_known
                || self.changed_keys.is_some())
    }

    pub(super) fn references_wait(&self) -> bool {
        self.references_wait
    }

    pub(super) fn table(&self) -> &str {
        self.judge.table()
    }

    /// Writes one row.
    pub(super) fn write(
        &mut self,
        connection: &mut SqliteConnection,
        record: u64,
        values: &[Native<'_>],
    ) -> Result<RowOutcome, NotWritten> {
        if let Some(refusal) = self.ids.refusal(connection, values) {
            return Err(NotWritten::Refused(refusal));
        }
        let mut is_asked_behind = false;
        if self.references_wait || (self.references.are_deferred && !self.constraints_wait) {
            match self.references.missing(connection, values)? {
                Some(missing) if !missing.may_come && self.checks_behind => is_asked_behind = true,
                Some(missing) if !missing.may_come => return Err(missing.refused()),
                Some(_) if !self.references_wait => return Err(NotWritten::TooEarly),
                _ => {}
            }
        }
        let noted = |error: Error| database_failure(&error, "look for what a row changes");
        if let Some(changed_keys) = &self.changed_keys
            && changed_keys.are_deferred
            && !self.references_wait
            && !self.constraints_wait
            && changed_keys.is_any(connection, values).map_err(noted)?
        {
            return Err(NotWritten::TooEarly);
        }
        self.step(connection, Savepoint::Open)?;
        if let Some(changed_keys) = self.changed_keys.as_ref().filter(|_| self.references_wait) {
            changed_keys.note(connection, record, values).map_err(noted)?;
        }
        match self.insert.execute(connection, values) {
            Ok(changed) => {
                let is_written = changed > 0 || self.is_view;
                self.ids.note(values);
                if is_asked_behind
                    && is_written
                    && let Some(missing) = self.references.missing(connection, values)?
                    && !missing.may_come
                {
                    self.undo_row(connection, missing)?;
                }
                self.step(connection, Savepoint::Close)?;
                self.outcome(connection, values, is_written)
                    .map_err(|error| database_failure(&error, "remember a row's key").into())
            }
            Err(error) => Err(self.not_written(connection, values, &error)),
        }
    }

    /// Undoes a row that turned out to refer to nothing.
    fn undo_row(&self, connection: &mut SqliteConnection, missing: Missing) -> Result<(), NotWritten> {
        if let Some(taken) = &self.taken {
            taken.has_met();
        }
        connection
            .batch_execute(&format!("ROLLBACK TO {ROW}; RELEASE {ROW}"))
            .map_err(|error| database_failure(&error, "undo a row that refers to nothing"))?;
        Err(missing.refused())
    }

    fn outcome(
        &self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
        is_written: bool,
    ) -> Result<RowOutcome, Error> {
        let Some(taken) = &self.taken else {
            return Ok(if is_written { RowOutcome::New } else { RowOutcome::Dropped });
        };
        let has_met = taken.has_met();
        if is_written {
            return Ok(match (taken.take(connection, values)?, has_met) {
                (false, true) => RowOutcome::Duplicate,
                (true, true) => RowOutcome::Updated,
                // Also where an earlier row had its key, and a trigger has taken that one away.
                (_, false) => RowOutcome::New,
            });
        }
        if self.on_conflict != OnConflict::Skip {
            return Ok(RowOutcome::Dropped);
        }
        Ok(if taken.is_taken(connection, values)? {
            RowOutcome::Duplicate
        } else if !self.judge.has_triggers || taken.is_in_table(connection, values)? {
            // Without a trigger a row is left out for its key alone.
            RowOutcome::Skipped
        } else {
            RowOutcome::Dropped
        })
    }

    fn not_written(
        &self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
        error: &Error,
    ) -> NotWritten {
        if let Some(taken) = &self.taken {
            taken.has_met();
        }
        let undone = match &self.savepoint {
            Some(_) => connection.batch_execute(&format!("ROLLBACK TO {ROW}; RELEASE {ROW}")),
            // The statement has undone itself; this tells whether the transaction is still there.
            None => connection.batch_execute(&format!("RELEASE {ALIVE}; SAVEPOINT {ALIVE}")),
        };
        if undone.is_err() {
            return NotWritten::Failed(self.judge.transaction_ended(connection, error));
        }
        match self.refused(connection, values, error) {
            Ok(not_written) => not_written,
            Err(failure) => NotWritten::Failed(failure),
        }
    }

    fn refused(
        &self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
        error: &Error,
    ) -> Result<NotWritten, Failure> {
        use diesel::result::DatabaseErrorKind::ForeignKeyViolation;

        let refusal = self.judge.refusal(connection, error)?;
        if !matches!(error, Error::DatabaseError(ForeignKeyViolation, _)) {
            return Ok(NotWritten::Refused(refusal));
        }
        // What waits is no error: this is one that does not, by RESTRICT or by what a trigger does.
        if self.references_wait {
            return Ok(NotWritten::Refused(refusal));
        }
        Ok(match self.references.missing(connection, values)? {
            Some(missing) if missing.may_come => NotWritten::TooEarly,
            Some(missing) => missing.refused(),
            // It takes away what other rows refer to, and a later row may bring that back.
            None if self.changed_keys.as_ref().is_some_and(|changed_keys| changed_keys.are_within) => {
                NotWritten::TooEarly
            }
            // Not by what the row says: by a default, or by what a trigger does.
            None => NotWritten::Refused(refusal),
        })
    }

    /// Lets references wait for all rows.
    pub(super) fn wait(&mut self, connection: &mut SqliteConnection) -> Result<(), Error> {
        self.references_wait = true;
        connection.batch_execute("PRAGMA defer_foreign_keys = ON")?;
        self.temporary_indexes.make(connection)
    }

    /// Prepares for more rows behind those that wait, once what was done before is undone.
    pub(super) fn go_on_waiting(&self, connection: &mut SqliteConnection) -> Result<(), Error> {
        if self.references_wait { self.temporary_indexes.make(connection) } else { Ok(()) }
    }

    /// Looks whether rows wait by constraints that SQLite checks at the commit, and prepares for more of them.
    pub(super) fn look_for_waiting(&self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        if !self.references.are_deferred || self.references_wait {
            return Ok(());
        }
        let holds = deferred::hold(connection);
        holds
            .and_then(|holds| if holds { Ok(()) } else { self.temporary_indexes.make_deferred(connection) })
            .map_err(|error| database_failure(&error, "look whether rows wait for others"))
    }

    fn step(&self, connection: &mut SqliteConnection, step: Savepoint) -> Result<(), Failure> {
        let Some((open, close)) = &self.savepoint else { return Ok(()) };
        let statement = if step == Savepoint::Open { open } else { close };
        let done = statement.execute(connection, &[]);
        done.map(|_| ()).map_err(|error| database_failure(&error, "set a row's savepoint"))
    }

    /// Begins what [`Rows::undo`] undoes.
    pub(super) fn mark(&self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        connection
            .batch_execute(&format!("RELEASE {BATCH}; SAVEPOINT {BATCH}; SAVEPOINT {ALIVE}"))
            .map_err(|error| database_failure(&error, "set a savepoint"))
    }

    /// Undoes all since [`Rows::mark`].
    pub(super) fn undo(&self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        connection
            .batch_execute(&format!("ROLLBACK TO {BATCH}; SAVEPOINT {ALIVE}"))
            .map_err(|error| database_failure(&error, "go back to a savepoint"))
    }

    /// Ends the load.
    pub(super) fn finish(self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        self.taken
            .map_or(Ok(()), |taken| taken.forget(connection))
            .and_then(|()| self.changed_keys.map_or(Ok(()), |changed_keys| changed_keys.forget(connection)))
            .and_then(|()| self.temporary_indexes.drop(connection))
            .and_then(|()| connection.batch_execute(&format!("RELEASE {BATCH}")))
            .map_err(|error| database_failure(&error, "finish the load"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    Open,
    Close,
}

fn savepoint() -> (Statement, Statement) {
    let open = Statement::new(Kind::Open, format!("SAVEPOINT {ROW}"), "");
    (open, Statement::new(Kind::Close, format!("RELEASE {ROW}"), ""))
}
