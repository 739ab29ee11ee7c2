//! One import, from top to bottom: open the source, read the header, match it with the table, check each row, load,
//! commit. It runs on a blocking thread; the network is read beside it. Row contents never reach a log.

pub mod create_table;

mod check;
mod csv;
mod decode;
mod header;
mod load;
mod read_all;
mod reject;
mod rejects;
mod rows;
mod source;
mod table;
mod value;

use std::io::Read;

use statemachine::ImportOptions;

use crate::config::AllowedTables;
use crate::db::Database;
use crate::failure::Failure;
use crate::job::{Job, Summary};
pub use read_all::{Counts, read_all};

/// Imports the job's source into its table, in one transaction with [`Job::commit`].
///
/// Must be called on a thread that may block, while `runtime` runs.
///
/// # Errors
/// A [`Failure`] with a name of the contract, or [`Failure::NotOurs`]; then nothing was written.
pub fn run(
    job: &Job,
    database: &Database,
    allowed: &AllowedTables,
    s3: &aws_sdk_s3::Client,
    runtime: &tokio::runtime::Handle,
) -> Result<Summary, Failure> {
    table::check_allowed(&job.table, allowed)?;
    let source = source::Source::open(job, s3, runtime);
    let mut reader = open(source, &job.options)?;
    let header = read_header(&mut reader)?;
    let mut connection = database.connect()?;
    let table = table::read(&mut connection, &job.table, allowed)?;
    let plan = header::plan(&header, &table, &job.options)?;
    let rows = rows::Rows::new(reader, &plan, job.options.max_rejects, &job.progress);
    let summary = load::load(&mut connection, job, &table, &plan, rows)?;
    tracing::info!(
        import.id = %job.import_id,
        rows = summary.rows,
        rejects = summary.rejects,
        bytes = summary.bytes,
        "Imported {} rows into {:?}",
        summary.rows,
        job.table
    );
    Ok(summary)
}

/// Opens a source as the options say, and as it turns out to be written where they do not.
fn open<R: Read>(source: R, options: &ImportOptions) -> Result<csv::Reader<R>, Failure> {
    let text = decode::Decoded::new(source, options)?;
    csv::Reader::new(text, options.delimiter.is_none())
}

fn read_header<R: Read>(reader: &mut csv::Reader<R>) -> Result<Vec<String>, Failure> {
    match reader.next_row()? {
        Some(header) => header::names(header.fields),
        None => Err(decode::unreadable("the file is empty: it has not even a header")),
    }
}
