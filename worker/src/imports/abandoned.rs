//! Imports that were abandoned, whose end no worker has written: the execution ended before a worker claimed the import, or
//! the worker was killed. Who has seen that end writes it, so that the row does not say for ever that the import waits or
//! runs. What a worker has written that was stopped, who knows no more than that, takes the name that the execution has.

use chrono::NaiveDateTime;
use diesel::Connection as _;
use diesel::prelude::*;
use statemachine::ImportId;

use super::finish::storable;
use super::lock_wait::unless_busy;
use super::{ImportRow, ImportStatus, attempts};
use crate::db::schema::imports;
use crate::db::{Connection, now, unavailable};
use crate::failure::Failure;
use crate::job::progress::Counters;

/// An execution that has ended without success, and no worker of which is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedExecution<'a> {
    /// The execution.
    pub execution_arn: &'a str,
    /// The error that it ended with.
    pub error: &'a str,
    /// Its cause, for people.
    pub cause: &'a str,
}

/// Ends an import with FAILURE that an execution has left as it is in `seen`: PENDING, or RUNNING under that execution. One that
/// is FAILURE under it gets the error and the cause; its attempt keeps what its worker wrote.
/// Returns whether it did: a row that has changed since, or that is another execution's, stays. To the claims of others
/// FAILURE is what PENDING is, and an attempt that is alive after all cannot commit any more.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn end_what_was_left(
    connection: &mut Connection,
    seen: &ImportRow,
    by: &EndedExecution<'_>,
) -> Result<bool, Failure> {
    let is_left = match seen.status {
        ImportStatus::Pending => true,
        ImportStatus::Running | ImportStatus::Failure => {
            seen.execution_arn.as_deref() == Some(by.execution_arn)
        }
        ImportStatus::Success => false,
    };
    let Ok(import_id) = seen.id.parse::<ImportId>() else { return Ok(false) };
    if !is_left {
        return Ok(false);
    }
    let cause = storable(connection, by.cause.to_owned());
    let ended = connection.transaction(|connection| {
        let now = now(connection)?;
        let finished_at = seen.finished_at.filter(|_| seen.status == ImportStatus::Failure);
        let changed = diesel::update(imports::table)
            .filter(imports::id.eq(import_id.as_str()))
            .filter(imports::attempt.eq(seen.attempt))
            .filter(imports::status.eq(seen.status.as_str()))
            .set((
                imports::status.eq(ImportStatus::Failure.as_str()),
                imports::execution_arn.eq(by.execution_arn),
                imports::lease_expires_at.eq(None::<NaiveDateTime>),
                // What was seen has the progress of SQLite, which lies beside the row.
                (imports::rows_done.eq(seen.rows_done), imports::rejects.eq(seen.rejects)),
                (imports::bytes_done.eq(seen.bytes_done), imports::bytes_total.eq(seen.bytes_total)),
                (imports::error.eq(by.error), imports::cause.eq(&cause)),
                (imports::updated_at.eq(now), imports::finished_at.eq(finished_at.unwrap_or(now))),
            ))
            .execute(connection)?;
        if changed == 1 && seen.status == ImportStatus::Running {
            let failure = Some((by.error, cause.as_str()));
            attempts::end(connection, (&import_id, seen.attempt), failure, counters(seen), now)?;
        }
        Ok(changed == 1)
    });
    let ended = unless_busy(ended)
        .map_err(|error| unavailable(&format!("set import {import_id} to FAILURE"), &error))?;
    // Who has the lock may be a worker of the import that is alive.
    Ok(ended == Some(true))
}

fn counters(seen: &ImportRow) -> Counters {
    let counted = |number: i64| u64::try_from(number).unwrap_or(0);
    Counters {
        rows: counted(seen.rows_done),
        rejects: counted(seen.rejects),
        bytes: counted(seen.bytes_done),
        bytes_total: counted(seen.bytes_total),
    }
}
