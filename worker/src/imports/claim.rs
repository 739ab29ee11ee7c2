//! Claiming an import: one conditional UPDATE that raises the attempt's number. Whoever raised it last is the only one
//! who can commit. Who only waits takes no lock: a look comes first.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::Connection as _;
use diesel::prelude::*;
use statemachine::{FailureName, Import, ImportOutcome, Report};

use super::lock_wait::unless_busy;
use super::{Claimant, ImportRow, ImportStatus, NewImport, Registered, attempts, find, register, select};
use crate::db::schema::imports;
use crate::db::{Connection, now, unavailable};
use crate::failure::Failure;

/// How often a claim is tried again because the row changed between the UPDATE and the look at it.
const TRIES: usize = 5;

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The import is this worker's, under the row's attempt number.
    Claimed(Box<ImportRow>),
    /// An earlier worker of this execution committed it, and could not say so: the report to give now.
    AlreadyDone(Report),
    /// Another execution imported it: the report of that.
    Duplicate(Report),
    /// Another execution holds it under a lease that has not lapsed.
    Held(Held),
    /// Somebody else has the lock that a claim needs: to be tried again.
    Busy,
}

/// What is known of an import that another execution holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What the other has done so far, reported as a duplicate.
    pub report: Report,
    /// The other's attempt.
    pub attempt: i32,
    /// Until when its lease lasts, by the database's clock.
    pub lease_expires_at: Option<NaiveDateTime>,
}

impl Held {
    /// Whether the attempt that held the import at an earlier look has renewed its lease since. Only that proves that the
    /// import is in good hands: a lease is renewed only by an attempt that its execution waits for. A new attempt proves
    /// nothing yet; it may be that of a container which its execution has given up, and which claims when it wakes.
    #[must_use]
    pub fn has_beaten_since(&self, earlier: &Self) -> bool {
        self.attempt == earlier.attempt && self.lease_expires_at > earlier.lease_expires_at
    }
}

/// Claims an import for an execution, for as long as `lease`; registers it first where the message describes it.
///
/// # Errors
/// `Import.NotRegistered`, `Import.Contradiction`, `Import.DatabaseUnavailable`.
pub fn claim(
    connection: &mut Connection,
    import: &Import,
    by: &Claimant<'_>,
    lease: Duration,
) -> Result<Claim, Failure> {
    if let Some(new) = NewImport::of(import)
        && register(connection, &new)? == Registered::Busy
    {
        return Ok(Claim::Busy);
    }
    let doing = format!("claim import {}", import.import_id);
    let execution_arn = by.execution_arn;
    for _ in 0..TRIES {
        // What a replaced attempt had done by then. Not in the transaction, whose first statement must take SQLite's lock
        // for writing; what a beat adds in between is no loss.
        let Some(before) = find(connection, &import.import_id)? else { return Err(not_registered(import)) };
        let seen_at = now(connection).map_err(|error| unavailable(&doing, &error))?;
        if let Some(claim) = not_free(&before, execution_arn, seen_at) {
            return Ok(claim);
        }
        let claimed = connection.transaction(|connection| {
            let now = now(connection)?;
            let claimed = raise_attempt(connection, import, execution_arn, now, lease)?;
            let row = select(connection, &import.import_id)?.filter(|_| claimed == 1);
            if let Some(row) = &row {
                attempts::begin(connection, row, by, &before, now)?;
            }
            Ok(row)
        });
        match unless_busy(claimed).map_err(|error| unavailable(&doing, &error))? {
            Some(Some(row)) => return Ok(Claim::Claimed(Box::new(row))),
            // Somebody was quicker, and is seen at the next look.
            Some(None) => {}
            None => return Ok(Claim::Busy),
        }
    }
    Err(Failure::named(
        FailureName::DatabaseUnavailable,
        format!("failed to {doing}: the row changed each time, {TRIES} times"),
    ))
}

/// What is known of an import that cannot be claimed as it is.
fn not_free(row: &ImportRow, execution_arn: &str, now: NaiveDateTime) -> Option<Claim> {
    let is_ours = row.execution_arn.as_deref() == Some(execution_arn);
    match row.status {
        ImportStatus::Success if is_ours => Some(Claim::AlreadyDone(report_of(row, ImportOutcome::Imported))),
        ImportStatus::Success => Some(Claim::Duplicate(report_of(row, ImportOutcome::Duplicate))),
        ImportStatus::Running if !is_ours && row.lease_expires_at.is_some_and(|end| end > now) => {
            Some(Claim::Held(Held {
                report: report_of(row, ImportOutcome::Duplicate),
                attempt: row.attempt,
                lease_expires_at: row.lease_expires_at,
            }))
        }
        ImportStatus::Running | ImportStatus::Pending | ImportStatus::Failure => None,
    }
}

fn raise_attempt(
    connection: &mut Connection,
    import: &Import,
    execution_arn: &str,
    now: NaiveDateTime,
    lease: Duration,
) -> QueryResult<usize> {
    let running = ImportStatus::Running.as_str();
    let free = imports::status
        .eq(ImportStatus::Pending.as_str())
        .or(imports::status.eq(ImportStatus::Failure.as_str()));
    let ours_or_lapsed = imports::execution_arn.eq(execution_arn).or(imports::lease_expires_at.le(now));
    diesel::update(imports::table)
        .filter(imports::id.eq(import.import_id.as_str()))
        .filter(free.or(imports::status.eq(running).and(ours_or_lapsed)))
        .set((
            imports::status.eq(running),
            imports::attempt.eq(imports::attempt + 1),
            imports::execution_arn.eq(execution_arn),
            imports::lease_expires_at.eq(lease_end(now, lease)),
            (imports::rows_done.eq(0), imports::rejects.eq(0)),
            (imports::bytes_done.eq(0), imports::bytes_total.eq(0)),
            (
                imports::error.eq(None::<&str>),
                imports::cause.eq(None::<&str>),
                imports::findings.eq(None::<&str>),
            ),
            imports::updated_at.eq(now),
            imports::started_at.eq(now),
            imports::finished_at.eq(None::<NaiveDateTime>),
        ))
        .execute(connection)
}

/// The end of a lease that begins now.
pub(super) fn lease_end(now: NaiveDateTime, lease: Duration) -> NaiveDateTime {
    TimeDelta::from_std(lease)
        .ok()
        .and_then(|lease| now.checked_add_signed(lease))
        .unwrap_or(NaiveDateTime::MAX)
}

fn not_registered(import: &Import) -> Failure {
    Failure::named(
        FailureName::NotRegistered,
        format!(
            "import {} has no row in the table imports, and the message has neither source nor table; register it, \
             or describe it in the message",
            import.import_id
        ),
    )
}

fn report_of(row: &ImportRow, outcome: ImportOutcome) -> Report {
    let counted = |number: i64| u64::try_from(number).unwrap_or_default();
    let so_far = || Report {
        import_id: row.id.clone(),
        outcome,
        table: row.table_name.clone(),
        rows: counted(row.rows_done),
        rejects: counted(row.rejects),
        bytes: counted(row.bytes_done),
        attempt: row.attempt,
        elapsed_ms: 0,
        findings: Box::new(row.findings().unwrap_or_default()),
    };
    Report { outcome, ..row.report().unwrap_or_else(so_far) }
}
