//! One import, from top to bottom: open the source, match its header with the table, load what fits, settle what does not,
//! commit. It runs on a blocking thread; the network and the checking go on beside it. Row contents never reach a log.

pub mod create_table;
pub mod progress;

mod batch;
mod check;
mod check_all;
mod csv;
mod decode;
mod form;
mod header;
mod import_job;
mod imported_files;
mod load;
mod metrics;
mod order;
mod read_all;
mod reading;
mod records;
mod reject;
mod rejects;
mod rejects_file;
mod settle;
mod source;
mod stages;
mod table;
mod value;

use std::io::Read;
use std::sync::Arc;

use statemachine::{FailureName, ImportOptions, Report};
use tokio::runtime::Handle;

use crate::config::AllowedTables;
use crate::db::failure::sql_failure;
use crate::db::{Connection, Database, Watch, at_work};
use crate::failure::Failure;
use crate::imports;
use crate::job::{Job, Work};
use crate::ledger::{JobRow, Rules};
pub use check_all::{Checked, check_all};
pub use decode::Utf8Reader;
use import_job::ImportJob;
pub use import_job::Summary;
use load::{Context, LoadMode, NotLoaded, transaction};
use progress::Progress;
pub use read_all::{Counts, read_all};
pub use records::each_record;
use rejects::Rejects;
use source::{Object, Source};
use stages::Stage;
pub use table::writable_tables;

/// How often a load is begun again because others have changed the table.
const MOST_CHANGES: u32 = 3;

/// The import of a CSV file, as the work of a job.
#[derive(Clone, Debug)]
pub struct CsvImport {
    /// The tables that may be written.
    pub allowed: AllowedTables,
    /// Where the files are.
    pub s3: aws_sdk_s3::Client,
    /// What reads from there while the import works.
    pub runtime: Handle,
}

impl Work for CsvImport {
    type Progress = Progress;

    const RULES: &'static Rules = &imports::RULES;

    fn run(self, job: &Job<Progress>, database: &Database) -> Result<(), Failure> {
        let ended = run(job, database, &self.allowed, &self.s3, &self.runtime);
        job.progress.end();
        ended.map(drop)
    }

    fn tell_end(row: &JobRow, progress: &Progress, end: Result<&Report, &Failure>) {
        metrics::tell(row, progress, end);
    }
}

/// What an import works with.
#[derive(Clone, Copy)]
struct Import<'a> {
    job: &'a ImportJob<'a>,
    database: &'a Database,
    allowed: &'a AllowedTables,
    s3: &'a aws_sdk_s3::Client,
    runtime: &'a Handle,
}

/// Imports the job's source into its table, in one transaction with [`ImportJob::commit`].
///
/// Must be called on a thread that may block, while `runtime` runs.
///
/// # Errors
/// A [`Failure`] with a name of the contract, or [`Failure::NotOurs`]; then nothing was written.
pub fn run(
    job: &Job<Progress>,
    database: &Database,
    allowed: &AllowedTables,
    s3: &aws_sdk_s3::Client,
    runtime: &Handle,
) -> Result<Summary, Failure> {
    let job = &ImportJob::of(job)?;
    table::check_allowed(&job.table, allowed)?;
    let import = Import { job, database, allowed, s3, runtime };
    let mut mode = LoadMode { rebuild_indexes: job.options.rebuild_indexes, constraints_wait: true };
    let mut changes = 0;
    let ended = loop {
        match import.attempt(mode) {
            // The rows that an index refuses when it is built are found by a load that has it in place.
            Err(NotLoaded::WithoutIndexes) if mode.rebuild_indexes => {
                tracing::info!("The indexes refuse rows; loading again with them in place");
                mode.rebuild_indexes = false;
            }
            // At the end nobody knows any more which rows they are.
            Err(NotLoaded::AtTheEnd) if mode.constraints_wait => {
                tracing::info!(
                    "Deferred constraints refuse rows; loading again with them checked behind each row"
                );
                mode.constraints_wait = false;
            }
            Err(NotLoaded::TableChanged) if changes < MOST_CHANGES => {
                tracing::info!("Others have changed the table; loading again into what it is now");
                changes += 1;
            }
            ended => break ended,
        }
        job.progress.begin_again();
    };
    ended.map_err(|refused| match refused {
        // A statement that was cancelled, or a connection that was given up, only says how the work was stopped.
        NotLoaded::Failed(Failure::Named { .. }) if job.progress.stop_requested() => reading::interrupted(),
        NotLoaded::Failed(failure) => failure,
        NotLoaded::TableChanged => Failure::named(
            FailureName::DatabaseUnavailable,
            format!(
                "others changed the table {} each time before the import could have its lock",
                table::shown(&job.table)
            ),
        ),
        NotLoaded::WithoutIndexes | NotLoaded::AtTheEnd => load::refused_again(),
    })
}

impl Import<'_> {
    fn attempt(&self, mode: LoadMode) -> Result<Summary, NotLoaded> {
        let job = self.job;
        let source = Source::open(job, self.s3, self.runtime);
        let object = source.object();
        let reader = open(source, &job.options)?;
        let mut connection = self.connect()?;
        match &connection {
            Connection::Postgres(_) => self.load(&mut connection, reader, &object, mode),
            Connection::Sqlite(_) => at_work::watched(
                || job.progress.next_phase(),
                || self.load(&mut connection, reader, &object, mode),
            ),
        }
    }

    /// A connection on which whatever takes long is watched: the import gets on while the database works.
    fn connect(&self) -> Result<Connection, Failure> {
        let (at_work, stop) = (Arc::clone(&self.job.progress), Arc::clone(&self.job.progress));
        let watch = Watch::new(move || at_work.next_phase(), move || stop.stop_requested())
            .waiting_for_locks_up_to(self.job.stall_limit);
        let mut connection = self.database.connect_watched(watch)?;
        if let Connection::Postgres(session) = &mut connection {
            session.keep_settings().map_err(|error| sql_failure(&error, "ask for the session's settings"))?;
        }
        Ok(connection)
    }

    fn load(
        &self,
        connection: &mut Connection,
        mut reader: csv::Reader<Source>,
        object: &Object,
        mode: LoadMode,
    ) -> Result<Summary, NotLoaded> {
        let job = self.job;
        let table = table::read(connection, &job.table, self.allowed)?;
        let surroundings = table::surroundings(connection, &table)?;
        let plan = header::read(&mut reader, &table, &job.options)?;
        let rejects = Rejects::new(job.options.max_rejects, job.options.dry_run);
        let loaded = transaction::within_turn(connection, &job.progress, |connection| {
            if job.options.dry_run {
                transaction::mark(connection)?;
            }
            let context = Context { job, table: &table, plan: &plan, rejects: &rejects };
            let (loaded, read) = load::load(connection, context, reader, mode)?;
            // The load has waited for the table's lock, and whoever had it may have given a column another type, to which
            // the database has rounded without a word, or have made a trigger. Now nobody can any more.
            if table::read(connection, &job.table, self.allowed)? != table
                || table::surroundings(connection, &table)? != surroundings
            {
                return Err(NotLoaded::TableChanged);
            }
            let rejected = rejects.finish()?;
            if rejected.failure(read.rows_read).is_some() {
                // Settling reads the source once more.
                transaction::abandon(connection);
            } else if job.options.dry_run {
                transaction::go_back(connection)?;
            }
            job.progress.enter(Stage::Settle);
            let settled = settle::settle(self, connection, (&table, &plan), object, loaded, read, rejected)?;
            job.commit(connection, &settled)?;
            Ok(settled)
        });
        match loaded {
            // Statements that were made for what the table was do not fit what it is.
            Err(NotLoaded::Failed(Failure::Named { name: FailureName::DatabaseMisconfigured, .. }))
                if table::read(connection, &job.table, self.allowed).is_ok_and(|now| now != table) =>
            {
                Err(NotLoaded::TableChanged)
            }
            loaded => loaded,
        }
    }
}

/// Opens a source as the options say, and as it turns out to be written where they do not.
fn open<R: Read>(source: R, options: &ImportOptions) -> Result<csv::Reader<R>, Failure> {
    let text = decode::Decoded::new(source, options)?;
    csv::Reader::new(text, options)
}
