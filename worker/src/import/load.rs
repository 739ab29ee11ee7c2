//! Rows into the table. The reader fills batches on a thread of its own, this one hands them to the database; all of it
//! within one transaction, which somebody else begins and ends.

pub(crate) mod keep_alive;
mod postgres;
mod sqlite;
pub(crate) mod transaction;

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};

use statemachine::{FailureName, ImportOptions, OnConflict};

use self::keep_alive::KeepAlive;
use super::batch::Batch;
use super::csv::Reader;
use super::form::Form;
use super::header::Plan;
use super::reading::{Done, Exchange, Reading};
use super::rejects::{Rejects, Verdict};
use super::table::{Table, shown};
use crate::db::Connection;
use crate::failure::Failure;
use crate::import::import_job::ImportJob;
use crate::import::progress::Progress;
use crate::import::stages::Stage;

/// How many batches there are: one is filled while the other is written.
const BATCHES: usize = 2;

/// What is said where deferred constraints did not hold in the end.
const CHECKED_EARLY: &str = "constraints that the database checks at the commit did not hold there; to find the rows that break them, \
                             each row was held to them when it was written";

/// What a load is about.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) job: &'a ImportJob<'a>,
    pub(crate) table: &'a Table,
    pub(crate) plan: &'a Plan,
    pub(crate) rejects: &'a Rejects,
}

impl Context<'_> {
    /// A load that ends for its rejects, with a note on what was not tried, and on what tries it.
    fn left_off(&self, note: &str) -> Loaded {
        let is_dry_run = self.job.options.dry_run;
        let note = if is_dry_run { note.to_owned() } else { format!("{note}; --dry-run tries all") };
        Loaded { notes: vec![note], ..Loaded::default() }
    }
}

/// How rows are loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadMode {
    /// The indexes are dropped before, and built afterwards.
    pub(crate) rebuild_indexes: bool,
    /// Constraints that are declared to be checked at the commit are checked at the end; else as soon as can be.
    pub(crate) constraints_wait: bool,
}

/// What the database took.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Rows written.
    pub(crate) rows: u64,
    /// Of them, those that changed a row that was there before.
    pub(crate) updated: u64,
    /// Rows whose key was there before, and which were not written.
    pub(crate) skipped: u64,
    /// Rows beside which another row of the file counts.
    pub(crate) duplicates: u64,
    /// Rows that the database left out without an error: a trigger returned no row for them.
    pub(crate) dropped: u64,
    /// Whether it had rows that were not tried, since the import fails for its rejects.
    pub(crate) has_untried: bool,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
    /// What a person should know of the table with these rows in it: it is not true of an import that fails.
    pub(crate) afterwards: Vec<String>,
}

/// Why a load ended without its rows in the table.
#[derive(Debug)]
pub(crate) enum NotLoaded {
    /// For this failure.
    Failed(Failure),
    /// The table's indexes, built after the load, refuse rows: only a load with the indexes in place can tell which.
    WithoutIndexes,
    /// The table is another one than the file was matched with: somebody has changed it before the load had its lock.
    TableChanged,
    /// Constraints that wait for the commit refuse rows: only a load that has each statement checked can tell which.
    AtTheEnd,
}

impl From<Failure> for NotLoaded {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Where rows go within the transaction: one for each database.
trait Load {
    /// The form in which it takes rows.
    fn form(&self) -> Form;

    /// How many bytes of rows a batch has. The more rows are sorted at a time, the fewer pages of an index each of them
    /// touches; two batches, with their marks, are the most of the 64 MB that a worker may take.
    fn batch_bytes(&self) -> usize;

    /// The column of the plan that it sorts rows by, if it does.
    fn sorted_by(&self) -> Option<usize>;

    /// Writes a batch, which is sorted. Rows that the database refuses become rejects.
    fn write(&mut self, connection: &mut Connection, batch: &mut Batch) -> Result<Verdict, NotLoaded>;

    /// Ends without a look at what is held back, since there are too many rejects and nothing stays. Says what was not looked at.
    fn give_up(self) -> Result<Loaded, NotLoaded>;

    /// Writes what is held back, and says what the database has taken in all.
    fn finish(self, connection: &mut Connection) -> Result<Loaded, NotLoaded>;
}

/// Loads all rows that `reader` has left, behind the header.
pub(crate) fn load<R: Read + Send>(
    connection: &mut Connection,
    context: Context<'_>,
    reader: Reader<R>,
    mode: LoadMode,
) -> Result<(Loaded, Done), NotLoaded> {
    match &*connection {
        Connection::Postgres(_) => {
            let loader = postgres::Loader::new(connection, context, mode)?;
            run(connection, context, reader, loader)
        }
        Connection::Sqlite(_) => {
            let loader = sqlite::Loader::new(connection, context, mode)?;
            run(connection, context, reader, loader)
        }
    }
}

fn run<R: Read + Send>(
    connection: &mut Connection,
    context: Context<'_>,
    reader: Reader<R>,
    mut loader: impl Load,
) -> Result<(Loaded, Done), NotLoaded> {
    let is_given_up = AtomicBool::new(false);
    let reading = Reading {
        is_given_up: &is_given_up,
        reader,
        plan: context.plan,
        form: loader.form(),
        sorted_by: loader.sorted_by(),
        limit: context.job.options.limit,
        rejects: context.rejects,
        progress: &context.job.progress,
    };
    let span = tracing::Span::current();
    let mut taken = 0;
    let done = std::thread::scope(|scope| {
        let (full, batches) = sync_channel(BATCHES);
        let (emptied, empty) = sync_channel(BATCHES);
        let bytes = loader.batch_bytes();
        for number in 0..BATCHES {
            // There is room for all that exist.
            let _ = emptied.send(if number == 0 { Batch::first(bytes) } else { Batch::new(bytes) });
        }
        let reader = scope.spawn(move || span.in_scope(|| reading.run(Exchange { full, empty })));
        let progress = &context.job.progress;
        let written = write_all(connection, &mut loader, &batches, &emptied, progress, &mut taken);
        if written.is_err() || context.rejects.verdict() != Verdict::Within {
            // The reader may go on for as long as the file is: nothing is to wait for that.
            transaction::abandon(connection);
        }
        is_given_up.store(written.is_err(), Relaxed);
        progress.enter(Stage::Read);
        // The reader ends when nobody takes its batches.
        drop((batches, emptied));
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What the database says comes first: a reader that was cut off has nothing to say.
        written?;
        Ok::<_, NotLoaded>(read?)
    })?;
    // Rows that will not stay need not be brought to their end.
    context.job.progress.enter(Stage::Load);
    let mut loaded = if context.rejects.verdict() == Verdict::Within {
        loader.finish(connection)?
    } else {
        loader.give_up()?
    };
    loaded.notes.extend(untried(loaded.has_untried, done.fitting.saturating_sub(taken)));
    Ok((loaded, done))
}

/// What is said of rows that were read and not tried: those that the loader had, how many it does not say, or those that it never
/// got.
fn untried(has_untried: bool, left: u64) -> Option<String> {
    let rows = match (has_untried, left) {
        (false, 0) => return None,
        (true, _) => "rows that had been read were",
        (false, 1) => "1 row was checked and",
        (false, left) => &format!("{left} rows were checked and"),
    };
    Some(format!(
        "{rows} not tried on the database, after there were more rejects than are allowed: it may refuse some of them; --dry-run \
         tries all"
    ))
}

fn write_all(
    connection: &mut Connection,
    loader: &mut impl Load,
    batches: &Receiver<Batch>,
    emptied: &SyncSender<Batch>,
    progress: &Progress,
    taken: &mut u64,
) -> Result<(), NotLoaded> {
    progress.enter(Stage::Read);
    let mut keep_alive = KeepAlive::new(progress, Stage::Read);
    loop {
        let mut batch = match batches.recv_timeout(keep_alive::PERIOD) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => {
                keep_alive.keep(connection)?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        progress.enter(Stage::Load);
        *taken += batch.len() as u64;
        let verdict = loader.write(connection, &mut batch)?;
        progress.enter(Stage::Read);
        batch.clear();
        if verdict != Verdict::Within {
            return Ok(());
        }
        // A reader that has read all there is takes no more.
        let _ = emptied.send(batch);
    }
}

/// The columns by which rows are the same for an upsert: those that the import names, or the primary key. Empty where rows
/// are only inserted.
fn conflict_key(table: &Table, plan: &Plan, options: &ImportOptions) -> Result<Vec<String>, Failure> {
    let invalid = |cause: String| Failure::named(FailureName::OptionsInvalid, cause);
    if options.on_conflict == OnConflict::Error {
        return match options.key.as_slice() {
            [] => Ok(Vec::new()),
            _ => Err(invalid("a key is of use only where on_conflict is skip or update".to_owned())),
        };
    }
    if options.rebuild_indexes {
        return Err(invalid("rebuild_indexes drops the very index that on_conflict goes by".to_owned()));
    }
    let key = if options.key.is_empty() { table.primary_key.clone() } else { options.key.clone() };
    if key.is_empty() {
        return Err(invalid(format!(
            "the table {} has no primary key; name the columns of a unique key for on_conflict",
            shown(&table.name)
        )));
    }
    for name in &key {
        if !table.columns.iter().any(|column| column.name == *name) {
            return Err(invalid(format!(
                "the table {} has no column {} for the key",
                shown(&table.name),
                shown(name)
            )));
        }
        if !plan.columns.iter().any(|column| column.name == *name) {
            return Err(invalid(format!("the file does not fill the column {} of the key", shown(name))));
        }
    }
    Ok(key)
}

/// The failure where a load that was to find the refused rows is refused as the one before.
pub(crate) fn refused_again() -> Failure {
    let cause = "the table refuses the rows at the end, and takes them one by one";
    Failure::named(FailureName::Internal, cause)
}

/// A loader was given the other database's connection, which only a fault of our own can bring about.
fn wrong_database() -> Failure {
    Failure::named(FailureName::Internal, "the rows were prepared for another database")
}
