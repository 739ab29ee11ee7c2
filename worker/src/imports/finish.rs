//! The end of an attempt, in its row.

use chrono::NaiveDateTime;
use diesel::Connection as _;
use diesel::prelude::*;
use statemachine::{FailureName, Findings, ImportId, Report};

use super::lock_wait::unless_busy;
use super::{ImportStatus, attempts, select, stored};
use crate::db::schema::imports;
use crate::db::{Connection, escaped, now, unavailable, unavailable_after_claim};
use crate::failure::Failure;
use crate::job::progress::Counters;

/// Whose the import was when a failure was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The attempt's; the failure is in the row.
    Recorded,
    /// The attempt had committed after all, for all that the work heard: this is its report.
    HadCommitted(Report),
    /// Another attempt's; the row is as it was.
    NotOurs,
    /// Somebody else has the lock that this needs: to be tried again.
    Busy,
}

/// Ends an import with SUCCESS, if it is still this attempt's. `false` if not. To be called in a transaction: the import
/// and its attempt end together.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn succeed(
    connection: &mut Connection,
    import_id: &ImportId,
    report: &Report,
    bytes_total: u64,
) -> Result<bool, Failure> {
    let failed = |error| unavailable_after_claim(&format!("set import {import_id} to SUCCESS"), &error);
    let json = storable(connection, json_of(report));
    let findings = storable(connection, json_of(&*report.findings));
    let sha256 = report.findings.sha256.as_deref().filter(|_| !report.findings.dry_run);
    let now = now(connection).map_err(failed)?;
    let changed = diesel::update(imports::table)
        .filter(imports::id.eq(import_id.as_str()))
        .filter(imports::attempt.eq(report.attempt))
        .filter(imports::status.eq(ImportStatus::Running.as_str()))
        .set((
            imports::status.eq(ImportStatus::Success.as_str()),
            imports::lease_expires_at.eq(None::<NaiveDateTime>),
            (imports::rows_done.eq(stored(report.rows)), imports::rejects.eq(stored(report.rejects))),
            (imports::bytes_done.eq(stored(report.bytes)), imports::bytes_total.eq(stored(bytes_total))),
            (imports::report.eq(json), imports::findings.eq(findings)),
            imports::sha256.eq(sha256),
            (imports::updated_at.eq(now), imports::finished_at.eq(now)),
        ))
        .execute(connection)
        .map_err(failed)?;
    if changed == 1 {
        let counters =
            Counters { rows: report.rows, rejects: report.rejects, bytes: report.bytes, bytes_total };
        attempts::end(connection, (import_id, report.attempt), None, counters, now).map_err(failed)?;
    }
    Ok(changed == 1)
}

/// Ends an attempt with FAILURE, if the import is still its own. Waits for a lock as long as the connection does.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn fail(
    connection: &mut Connection,
    import_id: &ImportId,
    attempt: i32,
    failure: (FailureName, &str),
    counters: Counters,
    findings: Option<&Findings>,
) -> Result<Failed, Failure> {
    let failed = |error| unavailable(&format!("set import {import_id} to FAILURE"), &error);
    let cause = storable(connection, failure.1.to_owned());
    let findings = findings.map(|findings| storable(connection, json_of(findings)));
    let recorded = connection.transaction(|connection| {
        let now = now(connection)?;
        let changed = diesel::update(imports::table)
            .filter(imports::id.eq(import_id.as_str()))
            .filter(imports::attempt.eq(attempt))
            .filter(imports::status.eq(ImportStatus::Running.as_str()))
            .set((
                imports::status.eq(ImportStatus::Failure.as_str()),
                imports::lease_expires_at.eq(None::<NaiveDateTime>),
                (imports::rows_done.eq(stored(counters.rows)), imports::rejects.eq(stored(counters.rejects))),
                (
                    imports::bytes_done.eq(stored(counters.bytes)),
                    imports::bytes_total.eq(stored(counters.bytes_total)),
                ),
                (imports::error.eq(failure.0.as_str()), imports::cause.eq(&cause)),
                imports::findings.eq(&findings),
                (imports::updated_at.eq(now), imports::finished_at.eq(now)),
            ))
            .execute(connection)?;
        if changed == 1 {
            let ended = Some((failure.0.as_str(), cause.as_str()));
            attempts::end(connection, (import_id, attempt), ended, counters, now)?;
        }
        Ok(changed == 1)
    });
    match unless_busy(recorded).map_err(failed)? {
        Some(true) => return Ok(Failed::Recorded),
        Some(false) => {}
        None => return Ok(Failed::Busy),
    }
    let row = select(connection, import_id).map_err(failed)?;
    let committed = row.filter(|row| row.status == ImportStatus::Success && row.attempt == attempt);
    Ok(committed.and_then(|row| row.report()).map_or(Failed::NotOurs, Failed::HadCommitted))
}

#[expect(clippy::expect_used, reason = "strings and numbers")]
fn json_of(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("reports and findings are plain JSON")
}

/// A text for people, or JSON, as the database can store it: one whose encoding is not Unicode gets escapes.
pub(super) fn storable(connection: &Connection, text: String) -> String {
    match connection {
        Connection::Postgres(session) if !session.is_unicode() => escaped(&text).into_owned(),
        _ => text,
    }
}
