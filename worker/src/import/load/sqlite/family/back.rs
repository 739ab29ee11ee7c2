//! Rows that were taken out because what they refer to was not there, and that may come back: it is there by now, or comes back
//! with them. All that hang on a row come back in one round, from that row to the last one that refers to it, as far as each of
//! them is taken beside the others.

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl as _, sql_query};

use super::spool::{Kept, ORPHAN, State};
use super::{Family, Rows, TRIAL, beside, step};
use crate::failure::Failure;
use crate::import::form::native::{self, Native};
use crate::import::load::sqlite::references::References;
use crate::import::load::sqlite::statement::{Kind, Statement};
use crate::import::progress::Progress;

/// SQL: rows that may come back. One of an upsert might go and come without an end, by the turn with another one.
const MAY_RETURN: &str = "state = 3 AND record NOT IN (SELECT record FROM returns WHERE times > 9)";

/// SQL: rows that were taken out because they were guessed to refer to nothing. Each guess is looked at but once.
const GUESSED: &str = "state = 3 AND record IN (SELECT record FROM guessed)";

/// Rows that wait for others to come back, and those that are ready.
struct Waiting {
    /// One for each reference within the table.
    all: Vec<Wait>,
    waits: Statement,
    make_ready: Statement,
    /// None where a return is not counted.
    note_return: Option<Statement>,
}

/// By one reference.
struct Wait {
    insert: Statement,
    /// Rows that refer to one which is there by now: they may be ready, and wait for nothing by this reference any more.
    call: [Statement; 2],
    /// Rows that refer to one which is refused. Each is looked at but once.
    doubt: [Statement; 2],
}

impl Waiting {
    /// Makes room for them. Values compare as in the table.
    fn new(connection: &mut SqliteConnection, references: &References) -> QueryResult<Self> {
        connection.batch_execute(
            "CREATE TABLE IF NOT EXISTS returns (record INTEGER PRIMARY KEY, times INT); \
             DROP TABLE IF EXISTS ready; CREATE TABLE ready (record INTEGER PRIMARY KEY)",
        )?;
        let (mut all, mut each) = (Vec::new(), Vec::new());
        for (number, reference) in references.within().enumerate() {
            let compared = reference.compared.iter().enumerate();
            let columns: Vec<_> = compared.map(|(place, of)| format!("r{place} {of}")).collect();
            let names: Vec<_> = (0..columns.len()).map(|place| format!("r{place}")).collect();
            let (columns, names) = (columns.join(", "), names.join(", "));
            connection.batch_execute(&format!(
                "DROP TABLE IF EXISTS waits{number}; \
                 CREATE TABLE waits{number} (record INTEGER PRIMARY KEY, is_new INT, {columns}); \
                 CREATE INDEX waits_for{number} ON waits{number} ({names}, is_new)"
            ))?;
            let statement = |before: String, after: &str| {
                Statement::new(Kind::Other, format!("{before} WHERE ({names}) = ("), format!("){after}"))
            };
            let ready = || format!("INSERT OR IGNORE INTO ready SELECT record FROM waits{number}");
            let doubted = format!("UPDATE waits{number} SET is_new = 0");
            all.push(Wait {
                insert: Statement::new(Kind::Other, format!("INSERT INTO waits{number} VALUES ("), ")"),
                call: [statement(ready(), ""), statement(format!("DELETE FROM waits{number}"), "")],
                doubt: [statement(ready(), " AND is_new = 1"), statement(doubted, " AND is_new = 1")],
            });
            each.push(format!("SELECT record FROM waits{number}"));
        }
        let waits = format!("SELECT 1 FROM ({}) WHERE record = (", each.join(" UNION ALL "));
        let note = "INSERT INTO returns VALUES (";
        Ok(Self {
            all,
            waits: Statement::new(Kind::Other, waits, ") LIMIT 1"),
            make_ready: Statement::new(Kind::Other, "INSERT INTO ready VALUES (", ")"),
            note_return: Some(Statement::new(
                Kind::Other,
                note,
                ", 1) ON CONFLICT (record) DO UPDATE SET times = times + 1",
            )),
        })
    }

    /// Calls those that refer to a row.
    fn call(
        &self,
        connection: &mut SqliteConnection,
        references: &References,
        row: &[Native<'_>],
        is_there: bool,
    ) -> QueryResult<()> {
        for (reference, wait) in references.within().zip(&self.all) {
            let there = reference.there.as_deref().unwrap_or_default();
            let key: Vec<_> = there.iter().filter_map(|place| row.get(*place).copied()).collect();
            for statement in if is_there { &wait.call } else { &wait.doubt } {
                statement.execute(connection, &key)?;
            }
        }
        Ok(())
    }
}

impl Family {
    /// Takes back marks of rows whose reference is there by now, or comes back. Of those that were taken back before, some may
    /// exclude what they refer to, and so make orphans of others: each is tried, beside those that are there.
    pub(super) fn take_back_orphans(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        progress: &Progress,
        are_tried: bool,
    ) -> Result<bool, Failure> {
        let waiting = self.begin_waiting(connection, rows, progress, MAY_RETURN)?;
        self.take_back(connection, rows, progress, &waiting, are_tried)
    }

    /// Takes back marks of rows that were guessed wrong: what they refer to is there without them, or comes back.
    pub(super) fn take_back_guessed(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        progress: &Progress,
    ) -> Result<bool, Failure> {
        let mut waiting = self.begin_waiting(connection, rows, progress, GUESSED)?;
        waiting.note_return = None;
        self.take_back(connection, rows, progress, &waiting, false)
    }

    fn take_back(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        progress: &Progress,
        waiting: &Waiting,
        are_tried: bool,
    ) -> Result<bool, Failure> {
        let counts = self.counts;
        let mut changed = false;
        step(connection, &format!("SAVEPOINT {TRIAL}"))?;
        while let Some(page) = self.ready(progress)? {
            for kept in page {
                let values: Vec<_> = native::read_row(&kept.bytes).collect();
                let key = [Native::Integer(kept.record)];
                let spool = &mut self.spool.connection;
                let waits = waiting.waits.finds(spool, &key).map_err(|error| beside(&error))?;
                let state = match (are_tried, waits) {
                    (false, false) => State::LeftOut,
                    (false, true) => continue,
                    (true, false) => self.try_row(connection, rows, kept.record(), &values)?,
                    (true, true) => self.only_try(connection, rows, &kept, &values)?,
                };
                let references = rows.references();
                if let State::Refused(refusal) = state {
                    // What is at fault in the row itself is told, and not that it refers to another one which is refused.
                    let state = State::Orphan(refusal);
                    let kept = self.spool.keep(kept.record(), &kept.bytes, &state);
                    kept.and_then(|()| waiting.call(&mut self.spool.connection, references, &values, false))
                        .map_err(|error| beside(&error))?;
                } else if !waits {
                    changed = true;
                    let spool = &mut self.spool.connection;
                    let noted = waiting.note_return.as_ref().map_or(Ok(0), |note| note.execute(spool, &key));
                    noted
                        .and_then(|_| waiting.call(spool, references, &values, true))
                        .and_then(|()| self.spool.keep(kept.record(), &kept.bytes, &State::LeftOut))
                        .map_err(|error| beside(&error))?;
                }
            }
        }
        self.counts = counts;
        step(connection, &format!("ROLLBACK TO {TRIAL}; RELEASE {TRIAL}"))?;
        Ok(changed)
    }

    /// The rows that may come back, each with what it waits for.
    fn begin_waiting(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &Rows,
        progress: &Progress,
        condition: &str,
    ) -> Result<Waiting, Failure> {
        let references = rows.references();
        let waiting = Waiting::new(&mut self.spool.connection, references).map_err(|error| beside(&error))?;
        let mut after = None;
        while let Some(page) = self.page(&mut after, condition, progress)? {
            for kept in page {
                let values: Vec<_> = native::read_row(&kept.bytes).collect();
                let mut is_ready = true;
                let spool = &mut self.spool.connection;
                for (reference, wait) in references.within().zip(&waiting.all) {
                    if reference.is_met(connection, &values)? {
                        continue;
                    }
                    is_ready = false;
                    let mut row = vec![Native::Integer(kept.record), Native::Integer(1)];
                    row.extend(reference.here.iter().filter_map(|place| values.get(*place).copied()));
                    wait.insert.execute(spool, &row).map_err(|error| beside(&error))?;
                }
                if is_ready {
                    let row = [Native::Integer(kept.record)];
                    waiting.make_ready.execute(spool, &row).map_err(|error| beside(&error))?;
                }
            }
        }
        Ok(waiting)
    }

    /// The next rows that may be ready, which are so no more.
    fn ready(&mut self, progress: &Progress) -> Result<Option<Vec<Kept>>, Failure> {
        let page = self.page_of(progress, |spool| {
            let page = spool.ready()?;
            let last = page.last().map_or(-1, |kept| kept.record);
            sql_query("DELETE FROM ready WHERE record <= ?")
                .bind::<BigInt, _>(last)
                .execute(&mut spool.connection)?;
            Ok(page)
        })?;
        Ok((!page.is_empty()).then_some(page))
    }

    /// Looks once more at the rows that were taken out before they were ever in the table, each in its place in the file: it may be
    /// refused for what it is itself, or be left out.
    pub(super) fn look_again(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let unwritten = format!("state = {ORPHAN} AND record IN (SELECT record FROM unwritten)");
        if self.page(&mut None, &unwritten, progress)?.is_none() {
            return Ok(());
        }
        self.undo(connection, rows)?;
        self.write_rows(connection, rows, progress, &format!("(state < {ORPHAN} OR {unwritten})"))
    }

    /// What becomes of a row that was taken out, in its place among the others. What would be written is not.
    pub(super) fn look_at(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        kept: &Kept,
        values: &[Native<'_>],
    ) -> Result<State, Failure> {
        Ok(match self.only_try(connection, rows, kept, values)? {
            State::Refused(refusal) => State::Orphan(refusal),
            State::LeftOut => self.try_row(connection, rows, kept.record(), values)?,
            _ => kept.state(),
        })
    }

    /// What would become of a row beside those that are there.
    fn only_try(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        kept: &Kept,
        values: &[Native<'_>],
    ) -> Result<State, Failure> {
        let counts = self.counts;
        step(connection, &format!("SAVEPOINT {TRIAL}"))?;
        let state = self.try_row(connection, rows, kept.record(), values)?;
        step(connection, &format!("ROLLBACK TO {TRIAL}; RELEASE {TRIAL}"))?;
        self.counts = counts;
        Ok(state)
    }
}
