//! PostgreSQL. Rows go straight into the table by COPY, batch by batch; a batch that the database refuses is looked into, so
//! that only the rows that are at fault become rejects. Where rows may be there already, or refer to rows that come later,
//! all of them are staged and written at the end.

mod by_pieces;
mod by_query;
mod by_trying;
mod constraint;
mod copy;
mod facts;
mod index;
mod insertion;
mod key;
mod loader;
mod parents_first;
mod partition;
mod rebuild;
mod refusal;
mod refused_records;
mod rights;
mod sequences;
mod server_checked;
mod sift;
mod staging;
mod types;
mod upsert;

use self::copy::{Copy, row_alone, row_with_record};
use self::facts::Facts;
use self::index::Index;
use self::insertion::Insertion;
use self::rebuild::Rebuild;
use self::refusal::{Refusal, is_row_error, names_no_table, write_failure};
use self::refused_records::RefusedRecords;
use self::rights::Missing;
use self::sequences::Sequences;
use self::server_checked::ServerChecked;
use self::sift::{Sift, Sifted};
use self::staging::Staging;
use self::upsert::Upsert;
use super::{Context, LoadMode, Loaded};
use crate::db::failure::sql_failure;
use crate::db::postgres::error::SqlError;
use crate::db::postgres::sqlstate::Meaning;
use crate::db::{Connection, Session};
use crate::failure::Failure;
use crate::import::batch::Batch;
use crate::import::form::Form;
use crate::import::rejects::Verdict;
use crate::import::table::{quoted, shown};

/// Rows on their way into a table.
pub(super) struct Loader<'a> {
    context: Context<'a>,
    form: Form,
    /// What stands behind `COPY`.
    target: String,
    way: Way,
    facts: Facts,
    missing: Missing,
    sequences: Sequences,
    indexes: Vec<Index>,
    server_checked: ServerChecked,
    staging: Staging,
    refused: RefusedRecords,
    insertion: Insertion,
    upsert: Option<Upsert>,
    rebuild: Option<Rebuild>,
    /// Deferred constraints are checked at the end.
    constraints_wait: bool,
    sorted_by: Option<usize>,
    /// The last batch was refused for another reason than its values: the next one will be, too.
    expects_refusals: bool,
    staged: u64,
    /// Rows were handed over, and the database has not been asked whether it takes them.
    has_untried: bool,
    loaded: Loaded,
}

/// How rows reach the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By COPY into the table itself.
    Directly,
    /// By COPY into the staging table, and from there batch by batch: COPY does not know how to write the table.
    ByBatch,
    /// By COPY into the staging table, and from there at the end.
    AtTheEnd,
}

impl<'a> Loader<'a> {
    /// Looks at the table, and prepares what the options ask for.
    pub(super) fn new(
        connection: &mut Connection,
        context: Context<'a>,
        mode: LoadMode,
    ) -> Result<Self, Failure> {
        let session = postgres(connection)?;
        let Context { job, table, plan, .. } = context;
        let failed = |error: SqlError| sql_failure(&error, "look at the table");
        let facts = Facts::read(session, table, plan, job.options.on_conflict).map_err(failed)?;
        // A constraint that is deferred tells of its rows only at the commit, when they are found no more. So it waits only
        // where it may hold at the end without having held before, and as long as it does hold.
        let constraints_wait = facts.may_hold_later && mode.constraints_wait;
        if facts.may_hold_later && !mode.constraints_wait {
            session.check_constraints_behind(table.oid).map_err(failed)?;
        } else if !constraints_wait {
            session.check_constraints().map_err(failed)?;
        }
        if mode.rebuild_indexes {
            Rebuild::check(session, table)?;
        }
        let indexes = index::read(session, table).map_err(failed)?;
        let types = types::read(session, table, plan).map_err(failed)?;
        let key = key::of_conflict(&indexes, &facts, table, plan, &job.options)?;
        let way = if key.is_some() || facts.refers_to_itself {
            Way::AtTheEnd
        } else if facts.has_row_security || facts.is_updatable_view {
            Way::ByBatch
        } else {
            Way::Directly
        };
        let upsert = key.map(|key| Upsert::new(table, plan, key, &indexes, &facts, job.options.on_conflict));
        let missing = Missing::of(session, table, plan, upsert.as_ref()).map_err(failed)?;
        let sequences = Sequences::read(session, table, plan).map_err(failed)?;
        missing.check(table, way != Way::Directly)?;
        let sorted_by =
            if mode.rebuild_indexes { None } else { key::sorting(&indexes, key, &facts, way, plan) };
        let rebuild = if mode.rebuild_indexes { Some(Rebuild::begin(session, table)?) } else { None };
        let form = Form::of_copy(&plan.columns);
        let names: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        Ok(Self {
            context,
            form,
            target: format!("{} ({})", table.sql, names.join(", ")),
            way,
            facts,
            missing,
            sequences,
            server_checked: ServerChecked::of(plan, &types, form, session.is_unicode()),
            staging: Staging::new(plan, &types, form),
            refused: RefusedRecords::default(),
            insertion: Insertion::plain(table, plan),
            upsert,
            rebuild,
            constraints_wait,
            sorted_by,
            expects_refusals: false,
            staged: 0,
            has_untried: false,
            loaded: Loaded::default(),
            indexes,
        })
    }

    /// Writes a batch into the table.
    fn write_directly(&mut self, session: &mut Session, batch: &mut Batch) -> Result<Verdict, Failure> {
        let mut error = None;
        if !self.expects_refusals {
            error = match self.try_copy(session, batch)? {
                Ok(()) => return Ok(Verdict::Within),
                Err(error) => Some(error),
            };
        }
        if error.as_ref().is_none_or(is_row_error) {
            self.missing.check_staging(self.context.table)?;
        }
        // An error that names a table is about a row of it, not about a value.
        if error.as_ref().is_some_and(names_no_table)
            && self.server_checked.take(session, batch, &mut self.refused, self.context)?
        {
            if self.verdict() != Verdict::Within {
                self.has_untried = true;
                return Ok(self.verdict());
            }
            error = match self.try_copy(session, batch)? {
                Ok(()) => return Ok(Verdict::Within),
                Err(error) => Some(error),
            };
        }
        if let Some(error) = error.as_ref().filter(|error| !is_row_error(error)) {
            return Err(self.failure(error));
        }
        self.expects_refusals = true;
        self.write_by_staging(session, batch, error)
    }

    /// The inner error is one that rows, or their values, may be guilty of.
    fn try_copy(&mut self, session: &mut Session, batch: &Batch) -> Result<Result<(), SqlError>, Failure> {
        let copy = self.copy();
        let copied = session.in_savepoint(|session| copy.send(session, batch.rows(), row_alone(self.form)));
        match copied {
            Ok(rows) => {
                self.loaded.rows += rows;
                self.loaded.dropped += (batch.len() as u64).saturating_sub(rows);
                Ok(Ok(()))
            }
            Err(error) if self.may_lie_in_the_rows(&error) && !session.is_out_of_step() => Ok(Err(error)),
            Err(error) => Err(self.copy_failure(session, &error)),
        }
    }

    /// Writes a batch through the staging table. `error` is what came of writing it otherwise.
    fn write_by_staging(
        &mut self,
        session: &mut Session,
        batch: &mut Batch,
        error: Option<SqlError>,
    ) -> Result<Verdict, Failure> {
        // Which of two rows is the first, the file says.
        batch.unsort();
        if !Staging::has_room(self.context.plan) {
            return self.write_in_pieces(session, batch);
        }
        let staged = self.stage(session, batch)?;
        if self.verdict() != Verdict::Within {
            self.has_untried = true;
            return Ok(self.verdict());
        }
        let all = staged == batch.len() as u64;
        let sifted = self.sift(session, error.filter(|_| all))?;
        self.staging.clear(session).map_err(|error| self.failure(&error))?;
        self.expects_refusals = sifted.refused > 0;
        self.add(sifted, staged);
        Ok(self.verdict())
    }

    /// Sends a batch in pieces into the table itself.
    fn write_in_pieces(&mut self, session: &mut Session, batch: &Batch) -> Result<Verdict, Failure> {
        let context = self.context;
        let mut refused = 0;
        let copy = self.copy();
        let sent = by_pieces::send(session, &copy, batch, row_alone(self.form), |record, error| {
            refused += 1;
            reject(context, record, error)
        });
        let written = sent.map_err(|error| self.failure(&error))?;
        self.loaded.rows += written;
        if self.verdict() != Verdict::Enough {
            self.loaded.dropped += (batch.len() as u64).saturating_sub(written + refused);
        }
        Ok(self.verdict())
    }

    /// Brings a batch into the staging table, but for rows with a value that its column's type does not read: they are
    /// rejects. Returns how many rows are there.
    fn stage(&mut self, session: &mut Session, batch: &mut Batch) -> Result<u64, Failure> {
        let progress = &self.context.job.progress;
        self.staging.make(session).map_err(|error| self.failure(&error))?;
        for _ in 0..2 {
            match session.in_savepoint(|session| self.staging.fill(session, batch.rows(), progress)) {
                Ok(staged) => return Ok(staged),
                Err(error) if self.may_lie_in_the_rows(&error) => {
                    let taken = self.server_checked.take(session, batch, &mut self.refused, self.context)?;
                    if !taken && !is_row_error(&error) {
                        return Err(self.failure(&error));
                    }
                    if !taken || self.verdict() != Verdict::Within {
                        break;
                    }
                }
                Err(error) => return Err(self.failure(&error)),
            }
        }
        if self.verdict() != Verdict::Within {
            return Ok(0);
        }
        let (context, copy) = (self.context, self.staging.copy(progress));
        let sent = by_pieces::send(session, &copy, batch, row_with_record(self.form), |record, error| {
            reject(context, record, error)
        });
        sent.map_err(|error| self.failure(&error))
    }

    /// Moves what is staged into the table.
    fn move_staged(&mut self, session: &mut Session) -> Result<(), Failure> {
        let staged = self.staged;
        let Some(upsert) = self.upsert.take() else {
            let sifted = self.sift(session, None)?;
            self.add(sifted, staged);
            return Ok(());
        };
        let upserted = upsert.run(session, self.sift_by(upsert.insertion()), staged)?;
        self.context.job.progress.add_rows(upserted.rows, 0);
        self.loaded = Loaded { notes: std::mem::take(&mut self.loaded.notes), ..upserted.into() };
        Ok(())
    }

    fn sift(&mut self, session: &mut Session, error: Option<SqlError>) -> Result<Sifted, Failure> {
        let insertion = self.insertion.clone();
        self.sift_by(&insertion).run(session, error)
    }

    fn sift_by<'s>(&'s mut self, insertion: &'s Insertion) -> Sift<'s> {
        Sift {
            context: self.context,
            facts: self.facts,
            indexes: &self.indexes,
            sequences: &self.sequences,
            insertion,
            staging: &mut self.staging,
            refused: &mut self.refused,
            constraints_wait: self.constraints_wait,
            sifted: Sifted::default(),
        }
    }

    /// Counts what came of so many staged rows.
    fn add(&mut self, Sifted { written, refused }: Sifted, staged: u64) {
        self.context.job.progress.add_rows(written, 0);
        self.loaded.rows += written;
        if self.verdict() == Verdict::Within {
            self.loaded.dropped += staged.saturating_sub(written + refused);
        }
    }

    fn copy(&self) -> Copy<'_> {
        Copy { target: &self.target, form: self.form, counts: true, progress: &self.context.job.progress }
    }

    /// Whether an error may come of what the rows hold. A type's input may say of a value whatever it likes.
    fn may_lie_in_the_rows(&self, error: &SqlError) -> bool {
        match error.meaning() {
            Meaning::Row => true,
            Meaning::SetUp | Meaning::Internal => error.server().is_some() && !self.server_checked.is_empty(),
            Meaning::Outage => false,
        }
    }

    fn verdict(&self) -> Verdict {
        self.context.rejects.verdict()
    }

    /// The failure of a COPY into the table. One that is refused before its first row, for a default that cannot be computed,
    /// say, is no row's fault.
    fn copy_failure(&self, session: &Session, error: &SqlError) -> Failure {
        let table = self.context.table;
        match Refusal::of(error).filter(|_| session.is_out_of_step() && is_row_error(error)) {
            Some(refusal) => refusal.failure(&format!("begin to write rows into {}", shown(&table.name))),
            None => self.failure(error),
        }
    }

    fn failure(&self, error: &SqlError) -> Failure {
        write_failure(error, self.context.table)
    }
}

/// Rejects a record for what the database said of it alone. Returns whether to go on.
fn reject(context: Context<'_>, record: u64, error: &SqlError) -> bool {
    context.job.progress.add_rows(0, 1);
    let refusal = Refusal::of(error).unwrap_or_default();
    context.rejects.add(refusal.of_row(record, None, false));
    !context.rejects.has_enough()
}

fn postgres(connection: &mut Connection) -> Result<&mut Session, Failure> {
    match connection {
        Connection::Postgres(session) => Ok(session),
        Connection::Sqlite(_) => Err(super::wrong_database()),
    }
}
