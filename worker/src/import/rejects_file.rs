//! The rejects file: the rejected rows as they stand in the source, each behind its line and its reason, in the source's own
//! encoding and with its own delimiter, so that it can be corrected and imported again as it is. It is made by reading the
//! source a second time: only then do all rejects stand in the file's order, those of the database among them, and no row
//! has to be kept in memory in the meantime.

mod place;
mod upload;

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use statemachine::{FailureName, RejectsFile};

use super::Import;
use super::csv::Reader;
use super::decode::Format;
use super::header::{Plan, REJECTS_COLUMNS};
use super::reading::interrupted;
use super::rejects::{Rejected, unkept};
use crate::failure::Failure;
use place::place;
use upload::Upload;

/// Records between two signs of progress.
const RECORDS_PER_BEAT: u64 = 1000;

/// Reads the source again by `reader`, completes the first rejects with where their rows stand, and writes the rejects file
/// unless the import is a dry run. Ends early once it is in vain.
///
/// # Errors
/// What is wrong with the source; `Import.SourceDenied` or `Import.SourceUnavailable` where the file cannot be written.
pub(crate) fn write<R: Read>(
    Import { job, s3, runtime, .. }: &Import<'_>,
    mut reader: Reader<R>,
    plan: &Plan,
    rejected: &mut Rejected,
    is_in_vain: &AtomicBool,
) -> Result<Option<RejectsFile>, Failure> {
    let mut upload = (!job.options.dry_run)
        .then(|| Upload::new(s3, runtime, &job.progress, place(&job.source, &job.import_id, job.attempt)));
    if !job.options.no_header
        && let Some(header) = reader.next_row()?
        && let Some(upload) = &mut upload
    {
        let header = header.original().into_owned();
        let format = reader.format();
        upload.push(format.mark())?;
        upload.push(&line(format, REJECTS_COLUMNS, Some(&header)))?;
    }
    let count = rejected.count();
    let mut sorted = rejected.sorted().iter().map_err(|error| unkept(&error, count))?;
    let mut next = || sorted.next().map_err(|error| unkept(&error, count));
    let mut reject = next()?;
    let mut rows = 0;
    let mut unlocated = rejected.first_mut().values().filter(|first| !first.is_located()).count();
    // Nothing is written of a dry run, so that the rows which are told of are enough.
    while let Some((record, reason)) = reject.as_ref().filter(|_| unlocated > 0 || upload.is_some())
        && let Some(row) = reader.next_row()?
    {
        let position = row.position;
        if let Some(first) = rejected.first_mut().get_mut(&position.record)
            && !first.is_located()
        {
            unlocated -= 1;
            let field = plan.columns.iter().find(|column| first.is_of(&column.name));
            first.locate(position, field.and_then(|column| row.fields.get(column.field)));
        }
        if position.record == *record {
            if let Some(upload) = &mut upload {
                // Of one that was too large nothing is kept, and not an empty field either, which a table would take for a row.
                let original = row.too_large.is_none().then(|| row.original().into_owned());
                upload.push(&line(
                    reader.format(),
                    [&position.line.to_string(), reason],
                    original.as_deref(),
                ))?;
            }
            rows += 1;
            reject = next()?;
        }
        if position.record % RECORDS_PER_BEAT == 0 {
            job.progress.read_on();
            if job.progress.stop_requested() || is_in_vain.load(Relaxed) {
                return Err(interrupted());
            }
        }
    }
    let Some(upload) = upload else { return Ok(None) };
    if let Some((record, _)) = reject {
        let cause = format!("the rejected record {record} was not found when the source was read again");
        return Err(Failure::named(FailureName::Internal, cause));
    }
    Ok(Some(RejectsFile { source: upload.finish()?, rows }))
}

/// A record with two fields before its own.
fn line(format: &Format, [first, second]: [&str; 2], original: Option<&[u8]>) -> Vec<u8> {
    let mut line = Vec::with_capacity(original.map_or(0, <[u8]>::len) + 128);
    let delimiter = char::from(format.delimiter).to_string();
    format.encode(&quoted(first, format), &mut line);
    format.encode(&delimiter, &mut line);
    format.encode(&quoted(second, format), &mut line);
    if let Some(original) = original {
        format.encode(&delimiter, &mut line);
        line.extend_from_slice(original);
    }
    format.encode(format.line_break, &mut line);
    line
}

/// A field in quotes where it needs them.
fn quoted(field: &str, format: &Format) -> String {
    if field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return field.to_owned();
    }
    let field = field.replace(['\n', '\r'], " ");
    match format.escape.map(char::from) {
        None => format!("\"{}\"", field.replace('"', "\"\"")),
        Some(escape) => {
            let twice = format!("{escape}{escape}");
            format!("\"{}\"", field.replace(escape, &twice).replace('"', &format!("{escape}\"")))
        }
    }
}
