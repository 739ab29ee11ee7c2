//! The `imports` table: what is to be imported, whose it is at the moment, and what became of it. Every statement that
//! changes a claimed row is guarded by the attempt's number, so that a worker that was replaced changes nothing.

mod abandoned;
mod attempts;
mod claim;
mod finish;
mod hours;
mod lock_wait;
mod open;
mod remade_table;
mod renew;
mod search;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::result::Error;
use statemachine::{FailureName, Findings, Import, ImportId, ImportOptions, Report, Source};

use crate::db::schema::imports;
use crate::db::{Connection, unavailable, unavailable_after_claim};
use crate::failure::Failure;
use crate::job::Job;
pub use abandoned::{EndedExecution, end_what_was_left};
pub use attempts::{AttemptRow, Claimant, Ended, attempts};
pub use claim::{Claim, Held, claim};
pub use finish::{Failed, fail, succeed};
pub use hours::{HourCount, counts_by_hour};
pub use lock_wait::wait_briefly;
pub use open::{OpenCounts, count_open};
pub(crate) use remade_table::forget_files;
pub use renew::{Lease, Renewal, Renewer};
pub use search::{InvalidPosition, LOOKED_AT, Page, Position, Search, search};

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportStatus {
    /// Registered, not begun.
    Pending,
    /// Claimed by an execution, under a lease.
    Running,
    /// The rows are in the table.
    Success,
    /// The last attempt failed; another may claim the import.
    Failure,
}

/// A row of the `imports` table.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = imports)]
pub struct ImportRow {
    /// The import's id.
    pub id: String,
    /// `s3://bucket/key`.
    pub source: String,
    /// The version of the object, in a versioned bucket.
    pub version_id: Option<String>,
    /// The table to import into, optionally with its schema.
    pub table_name: String,
    /// [`ImportOptions`] as JSON.
    pub options: String,
    /// Where the import stands.
    #[diesel(deserialize_as = String)]
    pub status: ImportStatus,
    /// How often the import was claimed.
    pub attempt: i32,
    /// The execution that claimed it last.
    pub execution_arn: Option<String>,
    /// Until when no other execution may claim it.
    pub lease_expires_at: Option<NaiveDateTime>,
    /// Rows loaded by the last attempt; in the table only once the status is SUCCESS.
    pub rows_done: i64,
    /// Rows rejected by the last attempt.
    pub rejects: i64,
    /// Bytes read by the last attempt.
    pub bytes_done: i64,
    /// Bytes of the source, 0 while not known.
    pub bytes_total: i64,
    /// The name of the last attempt's failure.
    pub error: Option<String>,
    /// Its cause.
    pub cause: Option<String>,
    /// [`Report`] as JSON.
    pub report: Option<String>,
    /// When the import was registered, UTC.
    pub created_at: NaiveDateTime,
    /// When the row, or its progress, last changed, UTC.
    pub updated_at: NaiveDateTime,
    /// When the last attempt began, UTC.
    pub started_at: Option<NaiveDateTime>,
    /// When the last attempt ended, UTC.
    pub finished_at: Option<NaiveDateTime>,
    /// [`Findings`] of the last attempt as JSON.
    pub findings: Option<String>,
    /// SHA-256 of the object that was imported whole, in hexadecimal digits.
    pub sha256: Option<String>,
}

/// An import to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImport {
    /// The import's id.
    pub import_id: ImportId,
    /// Where the data is.
    pub source: Source,
    /// The version of the object, in a versioned bucket.
    pub version_id: Option<String>,
    /// The table to import into, optionally with its schema.
    pub table: String,
    /// How to read and load.
    pub options: ImportOptions,
}

impl NewImport {
    /// The import that a message describes; `None` where it names an id alone.
    #[must_use]
    pub fn of(import: &Import) -> Option<Self> {
        Some(Self {
            import_id: import.import_id.clone(),
            source: import.source.clone()?,
            version_id: import.version_id.clone(),
            table: import.table.clone()?,
            options: import.options.clone(),
        })
    }
}

/// Whether an import is registered now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It is.
    Yes,
    /// Somebody else has the database's lock for writing: to be tried again.
    Busy,
}

/// What of an import is registered otherwise, such as `another table and other options`; none where it is registered just so.
#[must_use]
pub fn registered_otherwise(row: &ImportRow, new: &NewImport) -> Option<String> {
    let differing = differences(row, new);
    (!differing.is_empty()).then(|| differing.join(" and "))
}

/// Registers an import as PENDING. An import that is registered just so, in whatever status, is fine. Waits for a lock as
/// long as the connection does.
///
/// # Errors
/// `Import.Contradiction` where the import is registered otherwise; `Import.DatabaseUnavailable`.
pub fn register(connection: &mut Connection, new: &NewImport) -> Result<Registered, Failure> {
    // A look needs no lock, and one that is there already, no error in the server's log.
    if let Some(row) = look(connection, &new.import_id)? {
        return agree(&row, new);
    }
    let doing = || format!("register import {}", new.import_id);
    let inserted = lock_wait::unless_busy(insert(connection, new));
    match inserted.map_err(|error| unavailable(&doing(), &error))? {
        None => return Ok(Registered::Busy),
        Some(0) => {}
        Some(_) => return Ok(Registered::Yes),
    }
    let row = look(connection, &new.import_id)?.ok_or_else(|| unavailable(&doing(), &Error::NotFound))?;
    agree(&row, new)
}

/// Inserts the row, unless it is there.
fn insert(connection: &mut Connection, new: &NewImport) -> QueryResult<usize> {
    let options = options_json(&new.options);
    let values = (
        imports::id.eq(new.import_id.as_str()),
        imports::source.eq(new.source.to_string()),
        imports::version_id.eq(new.version_id.as_deref()),
        imports::table_name.eq(&new.table),
        imports::options.eq(&options),
    );
    let insert = diesel::insert_into(imports::table).values(values).on_conflict_do_nothing();
    match connection {
        Connection::Postgres(connection) => insert.execute(connection),
        Connection::Sqlite(connection) => insert.execute(connection),
    }
}

/// An import that is registered must be the same.
fn agree(row: &ImportRow, new: &NewImport) -> Result<Registered, Failure> {
    let Some(otherwise) = registered_otherwise(row, new) else { return Ok(Registered::Yes) };
    // Read by whoever sent the message.
    Err(Failure::named(
        FailureName::Contradiction,
        format!(
            "import {} is registered with {otherwise}; send this one with another import_id, or the import_id alone, which \
             asks for what is registered",
            new.import_id
        ),
    ))
}

fn differences(row: &ImportRow, new: &NewImport) -> Vec<&'static str> {
    let same_options =
        serde_json::from_str(&row.options).is_ok_and(|options: ImportOptions| options == new.options);
    [
        ("another source", row.source == new.source.to_string()),
        ("another version_id", row.version_id == new.version_id),
        ("another table", row.table_name == new.table),
        ("other options", same_options),
    ]
    .into_iter()
    .filter_map(|(part, same)| (!same).then_some(part))
    .collect()
}

/// One import, with its progress as of now.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn find(connection: &mut Connection, import_id: &ImportId) -> Result<Option<ImportRow>, Failure> {
    let mut rows: Vec<_> = look(connection, import_id)?.into_iter().collect();
    renew::merge_progress(connection, &mut rows);
    Ok(rows.pop())
}

/// One import as it stands in its row.
fn look(connection: &mut Connection, import_id: &ImportId) -> Result<Option<ImportRow>, Failure> {
    select(connection, import_id).map_err(|error| unavailable(&format!("read import {import_id}"), &error))
}

/// Waits for other imports of the same file into a table that are about to commit, and has those that come later wait for the
/// end of this transaction: of two imports of one file the second one sees the first by [`same_files`]. `table` is the
/// table's full name, however the imports spell it.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub(crate) fn await_same_file(connection: &mut Connection, table: &str, sha256: &str) -> Result<(), Failure> {
    // SQLite has one writer at a time anyway.
    let Connection::Postgres(connection) = connection else { return Ok(()) };
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<diesel::sql_types::Text, _>(format!("baton file {sha256} {table}"))
        .execute(connection)
        .map(drop)
        .map_err(|error| unavailable("wait for other imports of the file", &error))
}

/// The other imports of the same file that succeeded, the latest first: the id, the table as the import spells it, and the one that
/// its rows went into, as SQL, where that is known.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub(crate) fn same_files(
    connection: &mut Connection,
    job: &Job,
    sha256: &str,
) -> Result<Vec<(String, String, Option<String>)>, Failure> {
    let found: Vec<(String, String, Option<String>)> = imports::table
        .filter(imports::sha256.eq(sha256))
        .filter(imports::status.eq(ImportStatus::Success.as_str()))
        .filter(imports::id.ne(job.import_id.as_str()))
        .order(imports::finished_at.desc())
        .select((imports::id, imports::table_name, imports::findings))
        .load(connection)
        .map_err(|error| unavailable_after_claim("look for an earlier import of the file", &error))?;
    let went_into = |json: Option<String>| serde_json::from_str::<Findings>(&json?).ok()?.table;
    Ok(found.into_iter().map(|(id, name, json)| (id, name, went_into(json))).collect())
}

fn select(connection: &mut Connection, import_id: &ImportId) -> QueryResult<Option<ImportRow>> {
    imports::table.find(import_id.as_str()).select(ImportRow::as_select()).first(connection).optional()
}

impl ImportRow {
    /// The report of the attempt that succeeded.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.report.as_deref().and_then(|json| serde_json::from_str(json).ok())
    }

    /// What the last attempt found in the file, as far as it came.
    #[must_use]
    pub fn findings(&self) -> Option<Findings> {
        self.findings.as_deref().and_then(|json| serde_json::from_str(json).ok())
    }
}

impl ImportStatus {
    /// The status as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
        }
    }
}

impl TryFrom<String> for ImportStatus {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        [Self::Pending, Self::Running, Self::Success, Self::Failure]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(text)
    }
}

fn options_json(options: &ImportOptions) -> String {
    #[expect(clippy::expect_used, reason = "a number and a boolean")]
    serde_json::to_string(options).expect("options are plain JSON")
}

/// A counter as the database stores it.
fn stored(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}
