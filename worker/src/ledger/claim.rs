//! Claiming a job: one conditional UPDATE that raises the attempt's number. Whoever raised it last is the only one
//! who can commit. Who only waits takes no lock: a look comes first.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::Connection as _;
use diesel::prelude::*;
use serde_json::Value;
use statemachine::{FailureName, JobId};

use super::lock_wait::unless_busy;
use super::register::of_another_kind;
use super::{
    About, Claimant, JobRow, JobStatus, NewJob, Registered, Rules, attempts, find, register, select,
};
use crate::db::schema::jobs;
use crate::db::{Connection, now, unavailable};
use crate::failure::Failure;

/// How often a claim is tried again because the row changed between the UPDATE and the look at it.
const TRIES: usize = 5;

/// The job that a worker was started for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub rules: &'static Rules,
    /// What is to be done, where the message says so; `None` where it named an id alone.
    pub input: Option<Value>,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The job is this worker's, under the row's attempt number.
    Claimed(Box<JobRow>),
    /// An earlier worker of this execution committed it, and could not say so.
    AlreadyDone(Box<JobRow>),
    /// Another execution has done it.
    Duplicate(Box<JobRow>),
    /// Another execution holds it under a lease that has not lapsed.
    Held(Box<Held>),
    /// Somebody else has the lock that a claim needs: to be tried again.
    Busy,
}

/// What is known of a job that another execution holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The row, with the other's progress.
    pub row: JobRow,
}

impl Held {
    /// Whether the attempt that held the job at an earlier look has renewed its lease since. Only that proves that the
    /// job is in good hands: a lease is renewed only by an attempt that its execution waits for. A new attempt proves
    /// nothing yet; it may be that of a container which its execution has given up, and which claims when it wakes.
    #[must_use]
    pub fn has_beaten_since(&self, earlier: &Self) -> bool {
        self.row.attempt == earlier.row.attempt && self.row.lease_expires_at > earlier.row.lease_expires_at
    }
}

/// Claims a job for an execution, for as long as `lease`; registers it first where the message describes it.
///
/// # Errors
/// `Import.NotRegistered`, `Import.Contradiction`, `Import.DatabaseUnavailable`.
pub fn claim(
    connection: &mut Connection,
    asked: &Asked,
    by: &Claimant<'_>,
    lease: Duration,
) -> Result<Claim, Failure> {
    let Asked { id, rules, input } = asked;
    if let Some(input) = input.clone()
        && register(connection, &NewJob { id: id.clone(), rules, input })? == Registered::Busy
    {
        return Ok(Claim::Busy);
    }
    let doing = format!("claim {} {id}", rules.kind);
    let execution_arn = by.execution_arn;
    for _ in 0..TRIES {
        // What a replaced attempt had done by then. Not in the transaction, whose first statement must take SQLite's lock
        // for writing; what a beat adds in between is no loss.
        let Some(before) = find(connection, id)? else { return Err(not_registered(asked)) };
        if before.kind != rules.kind.as_str() {
            return Err(of_another_kind(&before, rules));
        }
        let seen_at = now(connection).map_err(|error| unavailable(&doing, &error))?;
        if let Some(claim) = not_free(&before, execution_arn, seen_at) {
            return Ok(claim);
        }
        let claimed = connection.transaction(|connection| {
            let now = now(connection)?;
            let claimed = raise_attempt(connection, id, execution_arn, now, lease)?;
            let row = select(connection, id)?.filter(|_| claimed == 1);
            if let Some(row) = &row {
                attempts::begin(connection, row, by, &before, now)?;
                complete(connection, row, rules)?;
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

/// What is known of a job that cannot be claimed as it is.
fn not_free(row: &JobRow, execution_arn: &str, now: NaiveDateTime) -> Option<Claim> {
    let is_ours = row.execution_arn.as_deref() == Some(execution_arn);
    match row.status {
        JobStatus::Success if is_ours => Some(Claim::AlreadyDone(Box::new(row.clone()))),
        JobStatus::Success => Some(Claim::Duplicate(Box::new(row.clone()))),
        JobStatus::Running if !is_ours && row.lease_expires_at.is_some_and(|end| end > now) => {
            Some(Claim::Held(Box::new(Held { row: row.clone() })))
        }
        JobStatus::Running | JobStatus::Pending | JobStatus::Failure => None,
    }
}

fn raise_attempt(
    connection: &mut Connection,
    id: &JobId,
    execution_arn: &str,
    now: NaiveDateTime,
    lease: Duration,
) -> QueryResult<usize> {
    let running = JobStatus::Running.as_str();
    let free = jobs::status.eq(JobStatus::Pending.as_str()).or(jobs::status.eq(JobStatus::Failure.as_str()));
    let ours_or_lapsed = jobs::execution_arn.eq(execution_arn).or(jobs::lease_expires_at.le(now));
    diesel::update(jobs::table)
        .filter(jobs::id.eq(id.as_str()))
        .filter(free.or(jobs::status.eq(running).and(ours_or_lapsed)))
        .set((
            jobs::status.eq(running),
            jobs::attempt.eq(jobs::attempt + 1),
            jobs::execution_arn.eq(execution_arn),
            jobs::lease_expires_at.eq(lease_end(now, lease)),
            jobs::progress.eq(None::<&str>),
            (jobs::error.eq(None::<&str>), jobs::cause.eq(None::<&str>), jobs::details.eq(None::<&str>)),
            jobs::updated_at.eq(now),
            jobs::started_at.eq(now),
            jobs::finished_at.eq(None::<NaiveDateTime>),
        ))
        .execute(connection)
}

/// A program that registers a job itself need not say what lists and searches show of it.
fn complete(connection: &mut Connection, row: &JobRow, rules: &Rules) -> QueryResult<()> {
    if row.subject.is_some() || row.source.is_some() {
        return Ok(());
    }
    let Ok(input) = serde_json::from_str(&row.input) else { return Ok(()) };
    let About { subject, source } = (rules.about)(&input);
    if subject.is_none() && source.is_none() {
        return Ok(());
    }
    diesel::update(jobs::table.find(&row.id))
        .set((jobs::subject.eq(subject), jobs::source.eq(source)))
        .execute(connection)
        .map(drop)
}

/// The end of a lease that begins now.
pub(super) fn lease_end(now: NaiveDateTime, lease: Duration) -> NaiveDateTime {
    TimeDelta::from_std(lease)
        .ok()
        .and_then(|lease| now.checked_add_signed(lease))
        .unwrap_or(NaiveDateTime::MAX)
}

fn not_registered(asked: &Asked) -> Failure {
    let (id, kind) = (&asked.id, &asked.rules.kind);
    Failure::named(
        FailureName::NotRegistered,
        format!(
            "{kind} {id} has no row in Baton's table of jobs, and the message does not describe it; register it, or describe it in the message"
        ),
    )
}
