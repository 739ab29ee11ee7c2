//! Finds out which staged rows the table refuses, and writes the others: first by queries, each of which tells all rows that
//! break a constraint; what no query tells, by trying. What comes of it is what would come of one row after the other, in the
//! file's order.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;

use super::by_query::{self, Culprits, Destination};
use super::by_trying::{Range, Trial};
use super::constraint::{self, Constraint, Kind};
use super::facts::Facts;
use super::index::Index;
use super::insertion::Insertion;
use super::parents_first::{self, Order};
use super::refusal::Refusal;
use super::refused_records::{Entry, RefusedRecords};
use super::sequences::Sequences;
use super::staging::{RECORD, STAGING, Staging};
use super::{Context, is_row_error, write_failure};
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::db::postgres::sqlstate::Meaning;
use crate::failure::Failure;
use crate::import::reading::interrupted;
use crate::import::reject::{Misfit, Reason, Reject};

/// How often queries are asked: a table has few constraints, and each is asked about once, twice where rows refer to each
/// other.
pub(super) const QUERIES: usize = 50;

/// SQL: every row.
pub(super) const ALL: &str = "true";

/// What sifting needs to know.
pub(super) struct Sift<'a> {
    pub(super) context: Context<'a>,
    pub(super) facts: Facts,
    pub(super) indexes: &'a [Index],
    pub(super) sequences: &'a Sequences,
    pub(super) insertion: &'a Insertion,
    pub(super) staging: &'a mut Staging,
    pub(super) refused: &'a mut RefusedRecords,
    /// Deferred constraints are checked when all rows are in.
    pub(super) constraints_wait: bool,
    /// What came of it so far.
    pub(super) sifted: Sifted,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sifted {
    /// Rows that were written.
    pub(super) written: u64,
    /// Rows that became rejects.
    pub(super) refused: u64,
}

impl Sift<'_> {
    /// Writes the staged rows that the table takes; the others become rejects. `error` is what came of an attempt to write
    /// them, where there was one. Ends early where there are too many rejects.
    pub(super) fn run(mut self, session: &mut Session, error: Option<SqlError>) -> Result<Sifted, Failure> {
        let insertion = self.insertion;
        let policies: Vec<_> = error.iter().filter_map(policy).collect();
        if !self.facts.is_told_by_queries() || !self.ask_all(session, error)? {
            self.sort_parents_first(session, None)?;
            self.sifted.written += self.try_rows(session, policies, &|rows| insertion.of(rows), None)?;
            self.read_refused(session)?;
        }
        Ok(self.sifted)
    }

    /// Asks queries as long as they tell anything. Returns whether nothing is left to do.
    fn ask_all(&mut self, session: &mut Session, mut error: Option<SqlError>) -> Result<bool, Failure> {
        for _ in 0..QUERIES {
            self.look_up()?;
            let last = match error.take() {
                Some(error) => error,
                None => match self.insert(session)? {
                    Ok(written) => {
                        self.sifted.written += written;
                        return Ok(true);
                    }
                    Err(error) => error,
                },
            };
            match self.ask(session, &last)? {
                Asked::Told if !self.context.rejects.has_enough() => {}
                Asked::Told | Asked::Written => return Ok(true),
                Asked::Unknown => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Tries to write all staged rows. The inner error is one that rows may be guilty of.
    fn insert(&self, session: &mut Session) -> Result<Result<u64, SqlError>, Failure> {
        match session.in_savepoint(|session| session.execute(&self.statement(), &[])) {
            Ok(written) => Ok(Ok(written)),
            Err(error) if is_row_error(&error) => Ok(Err(error)),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Asks which staged rows break the constraint that an error names.
    fn ask(&mut self, session: &mut Session, error: &SqlError) -> Result<Asked, Failure> {
        let Some(constraint) = self.constraint(session, error)? else { return Ok(Asked::Unknown) };
        if self.take(session, &constraint, ALL)? == Some(true) {
            return Ok(Asked::Told);
        }
        let Kind::Unique(Some(index)) = &constraint.kind else { return Ok(Asked::Unknown) };
        if !constraint.is_filled_by(self.context.plan) {
            return Ok(Asked::Unknown);
        }
        match self.insert_first_of_each_key(session, &constraint, index) {
            // The earlier rows of these keys are there: the later ones have no place.
            Ok(Some((written, later))) => {
                self.reject(vec![later], &constraint);
                self.sifted.written += written;
                Ok(Asked::Written)
            }
            // An earlier row of a key may be one that is refused, and the later one then has its place.
            Err(error) if is_row_error(&error) => match self.constraint(session, &error)? {
                Some(constraint) if self.take(session, &constraint, ALL)? == Some(true) => Ok(Asked::Told),
                _ => Ok(Asked::Unknown),
            },
            Err(error) => Err(self.failure(&error)),
            Ok(None) => Ok(Asked::Unknown),
        }
    }

    /// Writes the first row of each key; the later ones are given back. Nothing where no key is repeated.
    fn insert_first_of_each_key(
        &self,
        session: &mut Session,
        constraint: &Constraint,
        index: &Index,
    ) -> Result<Option<(u64, Culprits)>, SqlError> {
        session.in_savepoint(|session| {
            let later = by_query::take_later_of_a_key(session, constraint, index)?;
            if later.records.is_empty() {
                return Ok(None);
            }
            Ok(Some((session.execute(&self.statement(), &[])?, later)))
        })
    }

    /// Writes all staged rows, in the file's order.
    fn statement(&self) -> String {
        self.insertion.of(&format!("(SELECT * FROM {STAGING} ORDER BY {RECORD}) s"))
    }

    fn constraint(&self, session: &mut Session, error: &SqlError) -> Result<Option<Constraint>, Failure> {
        let Some(refusal) = Refusal::of(error) else { return Ok(None) };
        let constraint = Constraint::of(session, &refusal, self.context.table, self.indexes);
        constraint.map_err(|error| self.failure(&error))
    }

    /// Rejects the rows that break a constraint whatever the other rows are, of those that `which` names, as SQL for the row
    /// `s`. Returns whether there were any, if that can be told.
    pub(super) fn take(
        &mut self,
        session: &mut Session,
        constraint: &Constraint,
        which: &str,
    ) -> Result<Option<bool>, Failure> {
        let Context { table, plan, .. } = self.context;
        // A query that fails, for whatever reason of its own, only means that the rows are found otherwise.
        let own_rows = self.facts.own_rows(table);
        let into = Destination { table, own_rows: &own_rows, plan };
        let told = session.in_savepoint(|session| by_query::take(session, constraint, into, which));
        let Some(told) = self.unless_serious(told)? else { return Ok(None) };
        let is_any = !told.is_empty();
        self.reject(told, constraint);
        Ok(Some(is_any))
    }

    /// Takes out the rows that break the constraint which an error names. `held` says which rows are held to it, as SQL for the
    /// row `s`; none where that cannot be asked. Returns whether there were any.
    pub(super) fn tells(
        &mut self,
        session: &mut Session,
        error: &SqlError,
        held: impl Fn(&Kind) -> Option<String>,
    ) -> Result<bool, Failure> {
        if !self.facts.is_told_by_queries() {
            return Ok(false);
        }
        let Some(constraint) = self.constraint(session, error)? else { return Ok(false) };
        let Some(which) = held(&constraint.kind) else { return Ok(false) };
        Ok(self.take(session, &constraint, &which)? == Some(true))
    }

    /// Where rows refer to each other, has each one tried behind those that it refers to. `key` is what rows have in common that
    /// stay in the file's order, and whether a row has it, as SQL.
    pub(super) fn sort_parents_first(
        &mut self,
        session: &mut Session,
        key: Option<(String, String)>,
    ) -> Result<(), Failure> {
        if self.facts.refers_to_itself {
            self.look_up()?;
            let Context { table, plan, .. } = self.context;
            // An index that is made behind the UPDATE that numbers the rows is used by no query of the same transaction: the
            // rows' old versions would be missing in it.
            let sorted =
                self.staging.index(session).and_then(|()| parents_first::sort(session, table, plan, key));
            self.staging.order = sorted.map_err(|error| self.failure(&error))?;
        }
        Ok(())
    }

    /// Has the server try the staged rows, and writes down those that it refuses. Returns how many it wrote.
    pub(super) fn try_rows(
        &mut self,
        session: &mut Session,
        mut policies: Vec<String>,
        insert: &dyn Fn(&str) -> String,
        cut: Option<&str>,
    ) -> Result<u64, Failure> {
        self.refused.make(session).map_err(|error| self.failure(&error))?;
        self.staging.index(session).map_err(|error| self.failure(&error))?;
        let Some(range) = self.bounds(session).map_err(|error| self.failure(&error))? else { return Ok(0) };
        loop {
            self.look_up()?;
            let trial = Trial {
                insert,
                one_by_one: !self.facts.is_foreign,
                most: self.context.rejects.wanted(),
                policies: &policies,
                cut,
                has_circles: self.staging.order == Order::WithCircles,
            };
            match session.in_savepoint(|session| trial.run(session, range)) {
                Ok(written) => return Ok(written),
                // In the server's handler a policy's refusal looks like a missing permission.
                Err(error) => match policy(&error) {
                    Some(message) if !policies.contains(&message) => policies.push(message),
                    _ => return Err(self.failure(&error)),
                },
            }
        }
    }

    /// Makes rejects of the records that the server wrote down.
    pub(super) fn read_refused(&mut self, session: &mut Session) -> Result<(), Failure> {
        let table = self.context.table;
        let failed = |error| write_failure(&error, table);
        let mut known = HashMap::new();
        if self.staging.order != Order::OfTheFile {
            parents_first::restore_refused(session).map_err(failed)?;
        }
        self.refused.open(session).map_err(failed)?;
        loop {
            let page = self.refused.next_page(session).map_err(failed)?;
            if page.is_empty() {
                break;
            }
            for Entry { record, refusal, .. } in page {
                let name = (refusal.schema.clone(), refusal.table.clone(), refusal.constraint.clone());
                let blamed = match known.entry(name) {
                    MapEntry::Occupied(found) => found.into_mut(),
                    MapEntry::Vacant(place) => place.insert(self.blamed(session, &refusal).map_err(failed)?),
                };
                let is_changed = self.facts.may_change_rows;
                let number = |constraint: &Constraint| self.sequences.blame(constraint);
                self.add(match blamed {
                    Blamed::Elsewhere => refusal.of_other_table(record),
                    Blamed::Here(constraint) => match constraint.as_ref().and_then(number) {
                        Some(says) => Reject::of_database(record, None, Misfit::new(Reason::Unique, says)),
                        None if self.facts.is_view => refusal.of_row_of_view(record),
                        None => refusal.of_row(record, constraint.as_ref(), is_changed),
                    },
                });
            }
        }
        // The server may have stopped at as many as are of use.
        self.context.rejects.has_enough();
        self.refused.close(session).map_err(failed)
    }

    fn blamed(&self, session: &mut Session, refusal: &Refusal) -> Result<Blamed, SqlError> {
        let table = self.context.table;
        // A view's rows are refused by the table below.
        if self.facts.has_triggers
            && !self.facts.is_view
            && constraint::is_elsewhere(session, refusal, table)?
        {
            return Ok(Blamed::Elsewhere);
        }
        Constraint::of(session, refusal, table, self.indexes).map(Blamed::Here)
    }

    fn reject(&mut self, told: Vec<Culprits>, constraint: &Constraint) {
        let column = match constraint.columns.as_slice() {
            [column] if !column.is_empty() => Some(column),
            _ => None,
        };
        for Culprits { records, reason, says } in told {
            for record in records {
                self.add(Reject::of_database(record, column.cloned(), Misfit::new(reason, says.clone())));
            }
        }
    }

    fn add(&mut self, reject: Reject) {
        self.sifted.refused += 1;
        self.context.job.progress.add_rows(0, 1);
        self.context.rejects.add(reject);
    }

    fn bounds(&self, session: &mut Session) -> Result<Option<Range>, SqlError> {
        let rows = session.query(&format!("SELECT min({RECORD}), max({RECORD}) FROM {STAGING}"), &[])?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(row.try_get::<_, Option<i64>>(0)?.zip(row.try_get(1)?))
    }

    pub(super) fn look_up(&self) -> Result<(), Failure> {
        let progress = &self.context.job.progress;
        progress.next_phase();
        if progress.stop_requested() { Err(interrupted()) } else { Ok(()) }
    }

    /// What a question brought; nothing where it only could not be answered.
    fn unless_serious<T>(&self, answer: Result<T, SqlError>) -> Result<Option<T>, Failure> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.meaning() == Meaning::Outage => Err(self.failure(&error)),
            Err(_) => Ok(None),
        }
    }

    pub(super) fn failure(&self, error: &SqlError) -> Failure {
        write_failure(error, self.context.table)
    }
}

/// What refused a row.
enum Blamed {
    /// A table that a trigger writes into.
    Elsewhere,
    /// The table, by this constraint if it is one.
    Here(Option<Constraint>),
}

/// What asking for the rows that break a constraint came to.
enum Asked {
    /// Rows were found and taken out.
    Told,
    /// Rows were found, and the others are written.
    Written,
    /// No query tells.
    Unknown,
}

/// The message of a policy of row-level security that refuses a row.
fn policy(error: &SqlError) -> Option<String> {
    let server = error.server()?;
    (server.code().code() == "42501" && is_row_error(error)).then(|| server.message().to_owned())
}
