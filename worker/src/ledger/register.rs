//! Registering a job: a row that says what is to be done. Who registers the same again finds it there; who registers another under
//! its id is told what differs.

use diesel::prelude::*;
use diesel::result::Error;
use serde_json::Value;
use statemachine::{FailureName, JobId};

use super::{About, JobRow, Rules, lock_wait, look};
use crate::db::schema::jobs;
use crate::db::{Connection, unavailable};
use crate::failure::Failure;

/// A job to be registered.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The job's id.
    pub id: JobId,
    /// Its kind.
    pub rules: &'static Rules,
    /// What is to be done.
    pub input: Value,
}

/// Whether a job is registered now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It is.
    Yes,
    /// Somebody else has the database's lock for writing: to be tried again.
    Busy,
}

/// What of a job is registered otherwise, such as `another table and other options`; none where it is registered just so.
#[must_use]
pub fn registered_otherwise(row: &JobRow, new: &NewJob) -> Option<String> {
    let normal = new.rules.normal;
    let registered = serde_json::from_str(&row.input).map_or(Value::Null, normal);
    differing(&registered, &normal(new.input.clone()))
}

/// What of an input differs, by the names of its fields; none where both are the same.
#[must_use]
pub fn differing(registered: &Value, wanted: &Value) -> Option<String> {
    if registered == wanted {
        return None;
    }
    let (Value::Object(registered), Value::Object(wanted)) = (registered, wanted) else {
        return Some("another input".to_owned());
    };
    let others = registered.keys().filter(|name| !wanted.contains_key(*name));
    let names = wanted.keys().filter(|name| registered.get(*name) != wanted.get(*name)).chain(others);
    let words = names.map(|name| match name.ends_with('s') {
        true => format!("other {name}"),
        false => format!("another {name}"),
    });
    Some(words.collect::<Vec<_>>().join(" and "))
}

/// Registers a job as PENDING. One that is registered just so, in whatever status, is fine. Waits for a lock as long as the
/// connection does.
///
/// # Errors
/// `Import.Contradiction` where the job is registered otherwise; `Import.DatabaseUnavailable`.
pub fn register(connection: &mut Connection, new: &NewJob) -> Result<Registered, Failure> {
    // A look needs no lock, and one that is there already, no error in the server's log.
    if let Some(row) = look(connection, &new.id)? {
        return agree(&row, new);
    }
    let doing = || format!("register {} {}", new.rules.kind, new.id);
    let inserted = lock_wait::unless_busy(insert(connection, new));
    match inserted.map_err(|error| unavailable(&doing(), &error))? {
        None => return Ok(Registered::Busy),
        Some(0) => {}
        Some(_) => return Ok(Registered::Yes),
    }
    let row = look(connection, &new.id)?.ok_or_else(|| unavailable(&doing(), &Error::NotFound))?;
    agree(&row, new)
}

/// Inserts the row, unless it is there.
fn insert(connection: &mut Connection, new: &NewJob) -> QueryResult<usize> {
    let input = new.input.to_string();
    let About { subject, source } = (new.rules.about)(&new.input);
    let values = (
        jobs::id.eq(new.id.as_str()),
        jobs::kind.eq(new.rules.kind.as_str()),
        jobs::input.eq(&input),
        (jobs::subject.eq(&subject), jobs::source.eq(&source)),
    );
    let insert = diesel::insert_into(jobs::table).values(values).on_conflict_do_nothing();
    match connection {
        Connection::Postgres(connection) => insert.execute(connection),
        Connection::Sqlite(connection) => insert.execute(connection),
    }
}

/// An id is one job's, whatever its kind.
pub(super) fn of_another_kind(row: &JobRow, rules: &Rules) -> Failure {
    Failure::named(
        FailureName::Contradiction,
        format!(
            "{} is the id of a job of the kind {}, not {}: an id is one job's, whatever its kind; take another id",
            row.id, row.kind, rules.kind
        ),
    )
}

/// A job that is registered must be the same.
fn agree(row: &JobRow, new: &NewJob) -> Result<Registered, Failure> {
    if row.kind != new.rules.kind.as_str() {
        return Err(of_another_kind(row, new.rules));
    }
    let Some(otherwise) = registered_otherwise(row, new) else { return Ok(Registered::Yes) };
    // Read by whoever sent the message.
    Err(Failure::named(
        FailureName::Contradiction,
        format!(
            "{kind} {id} is registered with {otherwise}; send this one with another import_id, or the import_id alone, which \
             asks for what is registered",
            kind = new.rules.kind,
            id = new.id
        ),
    ))
}
