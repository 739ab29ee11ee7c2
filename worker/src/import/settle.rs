//! What follows when all rows have been read: is the file one that was here before, were there too many rejects, where do
//! they go, what is to be said of it all.

use std::sync::atomic::AtomicBool;

use statemachine::{FailureName, Findings, ImportOptions};

use super::decode::Format;
use super::header::Plan;
use super::load::{Loaded, keep_alive};
use super::reading::Done;
use super::rejects::Rejected;
use super::source::{Object, Source};
use super::table::Table;
use super::{Import, imported_files, open, rejects_file};
use crate::db::Connection;
use crate::failure::Failure;
use crate::import::import_job::Summary;

/// Says what was found, and whether the import may be committed.
///
/// # Errors
/// `Import.TooManyRejects`, `Import.AlreadyImported`, or what is wrong with the source when it is read again.
pub(super) fn settle(
    import: &Import<'_>,
    connection: &mut Connection,
    (table, plan): (&Table, &Plan),
    object: &Object,
    loaded: Loaded,
    done: Done,
    mut rejected: Rejected,
) -> Result<Summary, Failure> {
    let job = import.job;
    let Done { format, rows_read, whole, mut notes, fitting, notes_of_values } = done;
    // Values were read before the database saw them. Which of its rows had such values is not kept.
    let and_others =
        if loaded.rows < fitting { "; rows that the database refused or left out count, too" } else { "" };
    notes.extend(notes_of_values.into_iter().map(|note| note + and_others));
    notes.extend(rejected.note());
    notes.extend(loaded.notes);
    if let Some(limit) = job.options.limit.filter(|limit| !whole && *limit == rows_read) {
        let rows = match limit {
            0 => "no row was".to_owned(),
            1 => "only the first row was".to_owned(),
            limit => format!("only the first {limit} rows were"),
        };
        notes.push(format!("{rows} read, as `limit` says; what stands behind was not looked at"));
    }
    let sha256 = object.sha256().filter(|_| whole);
    let is_failing = rejected.failure(rows_read).is_some();
    let same_file_as = match sha256 {
        // It fails for its rejects, whatever the database has to say, and nobody need wait for it.
        Some(sha256) if is_failing => {
            imported_files::latest(connection, &job.import_id, &table.sql, sha256).unwrap_or_default()
        }
        Some(sha256) => {
            imported_files::await_others(connection, &table.sql, sha256)?;
            imported_files::latest(connection, &job.import_id, &table.sql, sha256)?
        }
        None => None,
    };
    let mut findings = Findings {
        encoding: Some(format!("{} ({})", format.encoding, format.encoding_from)),
        delimiter: Some(shown(format.delimiter)),
        compression: format.compression.map(str::to_owned),
        rows_read,
        updated: loaded.updated,
        skipped: loaded.skipped,
        duplicates: loaded.duplicates,
        dropped: loaded.dropped,
        dry_run: job.options.dry_run,
        sha256: sha256.map(str::to_owned),
        table: Some(table.sql.clone()),
        same_file_as,
        notes,
        reasons: rejected.reasons(),
        ..Findings::default()
    };
    if job.options.once && findings.same_file_as.is_some() {
        let cause = already_imported(&findings);
        // No row is at fault: mostly they are in the table already, from the first time.
        job.progress.forget_rejects();
        findings.reasons.clear();
        job.progress.set_findings(findings.bounded());
        return Err(Failure::named(FailureName::AlreadyImported, cause));
    }
    if rejected.count() > 0 {
        let written = keep_alive::during(connection, &job.progress, |is_in_vain| {
            write_rejects(import, plan, object, &format, &mut rejected, is_in_vain)
        });
        match written {
            Ok(rejects_file) => findings.rejects_file = rejects_file,
            // The import fails for its rejects; that they could not be filed is a note beside that.
            Err(Failure::Named { cause, .. }) if is_failing => {
                findings.notes.push(format!("the rejects file is missing: {cause}"));
            }
            // Rows that are left out and written down nowhere would be lost.
            Err(failure) => return Err(failure),
        }
        findings.first_rejects = rejected.first();
    }
    if !is_failing {
        let afterwards = loaded.afterwards.into_iter();
        findings.notes.extend(afterwards.map(|note| match job.options.dry_run {
            true => format!("once it is imported: {note}"),
            false => note,
        }));
    }
    job.progress.set_findings(findings.bounded());
    match rejected.failure(rows_read) {
        Some(failure) => Err(failure),
        None => {
            Ok(Summary { rows: loaded.rows, rejects: rejected.count(), bytes: job.progress.counters().bytes })
        }
    }
}

/// Reads the source once more, as it was read the first time.
fn write_rejects(
    import: &Import<'_>,
    plan: &Plan,
    object: &Object,
    format: &Format,
    rejected: &mut Rejected,
    is_in_vain: &AtomicBool,
) -> Result<Option<statemachine::RejectsFile>, Failure> {
    let source = Source::open_again(import.job, import.s3, import.runtime, object);
    let options = ImportOptions {
        encoding: Some(format.encoding),
        delimiter: shown(format.delimiter).parse().ok(),
        ..import.job.options.clone()
    };
    let reader = open(source, &options)?;
    rejects_file::write(import, reader, plan, rejected, is_in_vain)
}

fn already_imported(findings: &Findings) -> String {
    format!(
        "the same file was imported into this table before, as {}; without `once` it would be imported again",
        findings.same_file_as.as_deref().unwrap_or_default()
    )
}

fn shown(delimiter: u8) -> String {
    if delimiter == b'\t' { "tab".to_owned() } else { char::from(delimiter).to_string() }
}
