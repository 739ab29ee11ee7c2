//! The beat in the database: it renews the lease and tells the progress, and learns whether the job is still its own.
//!
//! This is where the two databases differ. In PostgreSQL a beat is one UPDATE of the row. In SQLite the load holds the
//! database's one write lock from its first row to its commit: a beat cannot write there, and nobody can claim. So the
//! progress goes into a database beside it, `<file>-progress`, and whoever reads a running job reads it there.

use std::path::Path;
use std::time::Duration;

use chrono::NaiveDateTime;
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::Value;
use statemachine::JobId;

use super::claim::lease_end;
use super::finish::storable;
use super::{JobRow, JobStatus, select};
use crate::db::schema::{job_progress, jobs};
use crate::db::{Connection, Database, now, sqlite, unavailable};
use crate::failure::Failure;

/// Whose the job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// This attempt's.
    Ours,
    /// Another attempt's, or no longer running.
    NotOurs,
}

/// What a beat does to the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// It lasts its whole time again, which tells others that the job is in good hands.
    Renewed,
    /// It lasts as long as it did; the beat tells the progress alone.
    AsItIs,
}

/// Renews the lease of one attempt, over a connection of its own. Blocks.
pub struct Renewer {
    database: Database,
    job_id: JobId,
    attempt: i32,
    lease: Duration,
    connections: Option<Connections>,
}

struct Connections {
    rows: Connection,
    /// Beside a SQLite database.
    progress: Option<SqliteConnection>,
}

impl Renewer {
    /// A renewer for one attempt; it connects at its first beat.
    #[must_use]
    pub fn new(database: Database, job_id: JobId, attempt: i32, lease: Duration) -> Self {
        Self { database, job_id, attempt, lease, connections: None }
    }

    /// Writes the progress, and renews the lease if that is asked for.
    ///
    /// # Errors
    /// `Import.DatabaseUnavailable`; the next beat connects anew.
    pub fn renew(&mut self, progress: &Value, lease: Lease) -> Result<Renewal, Failure> {
        let mut connections = match self.connections.take() {
            Some(connections) => connections,
            None => self.connect()?,
        };
        let renewal = self
            .renew_over(&mut connections, &progress.to_string(), lease)
            .map_err(|error| unavailable(&format!("renew the lease of the job {}", self.job_id), &error))?;
        self.connections = Some(connections);
        Ok(renewal)
    }

    fn connect(&self) -> Result<Connections, Failure> {
        let mut rows = self.database.connect()?;
        let progress = match &mut rows {
            Connection::Postgres(_) => None,
            Connection::Sqlite(rows) => Some(
                // To wait for the lock would be to wait for the load.
                rows.batch_execute("PRAGMA busy_timeout = 0")
                    .and_then(|()| open_progress(rows))
                    .map_err(|error| unavailable("open the progress beside the database", &error))?,
            ),
        };
        Ok(Connections { rows, progress })
    }

    fn renew_over(&self, connections: &mut Connections, told: &str, lease: Lease) -> QueryResult<Renewal> {
        let rows = &mut connections.rows;
        let now = now(rows)?;
        let updated = self.update(rows, told, now, lease).map(|changed| changed == 1);
        let is_ours = match &mut connections.progress {
            None => updated?,
            Some(progress) => {
                // Before the load has begun the lease counts; while it runs the database is locked, and reading must do.
                let is_ours = updated.or_else(|_| self.owns(rows))?;
                if is_ours {
                    self.write_progress(progress, told, now)?;
                }
                is_ours
            }
        };
        Ok(if is_ours { Renewal::Ours } else { Renewal::NotOurs })
    }

    fn update(
        &self,
        connection: &mut Connection,
        told: &str,
        now: NaiveDateTime,
        lease: Lease,
    ) -> QueryResult<usize> {
        let told = storable(connection, told.to_owned());
        // `None` leaves the column alone.
        let lease_end = (lease == Lease::Renewed).then(|| lease_end(now, self.lease));
        diesel::update(jobs::table)
            .filter(jobs::id.eq(self.job_id.as_str()))
            .filter(jobs::attempt.eq(self.attempt))
            .filter(jobs::status.eq(JobStatus::Running.as_str()))
            .set((
                lease_end.map(|end| jobs::lease_expires_at.eq(end)),
                jobs::progress.eq(told),
                jobs::updated_at.eq(now),
            ))
            .execute(connection)
    }

    fn owns(&self, connection: &mut Connection) -> QueryResult<bool> {
        let row = select(connection, &self.job_id)?;
        Ok(row.is_some_and(|row| row.attempt == self.attempt && row.status == JobStatus::Running))
    }

    fn write_progress(
        &self,
        progress: &mut SqliteConnection,
        told: &str,
        now: NaiveDateTime,
    ) -> QueryResult<usize> {
        diesel::replace_into(job_progress::table)
            .values((
                job_progress::job_id.eq(self.job_id.as_str()),
                job_progress::attempt.eq(self.attempt),
                job_progress::progress.eq(told),
                job_progress::beat_at.eq(now),
            ))
            .execute(progress)
    }
}

/// Puts the progress beside a SQLite database into the rows of running jobs. Progress that cannot be read is older
/// progress, not an error.
pub(super) fn merge_progress(connection: &mut Connection, rows: &mut [JobRow]) {
    let Connection::Sqlite(connection) = connection else { return };
    let mut running = rows.iter_mut().filter(|row| row.status == JobStatus::Running).peekable();
    if running.peek().is_none() {
        return;
    }
    let progress = match progress_path(connection) {
        Ok(path) if Path::new(&path).exists() => open_progress(connection),
        _ => return,
    };
    let Ok(mut progress) = progress else { return };
    for row in running {
        let beat: QueryResult<Option<Beat>> = job_progress::table
            .find(&row.id)
            .filter(job_progress::attempt.eq(row.attempt))
            .select(Beat::as_select())
            .first(&mut progress)
            .optional();
        if let Ok(Some(beat)) = beat {
            row.progress = Some(beat.progress);
            row.updated_at = row.updated_at.max(beat.beat_at);
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = job_progress)]
struct Beat {
    progress: String,
    beat_at: NaiveDateTime,
}

fn open_progress(beside: &mut SqliteConnection) -> QueryResult<SqliteConnection> {
    let path = progress_path(beside)?;
    let mut connection = SqliteConnection::establish(&path)
        .map_err(|error| diesel::result::Error::QueryBuilderError(Box::new(error)))?;
    connection.batch_execute("PRAGMA busy_timeout = 5000")?;
    sqlite::use_log(&mut connection)?;
    connection.batch_execute(
        // A log without waiting for the disk: a power cut takes the last beats, and the worker that sent them, along.
        "PRAGMA synchronous = NORMAL; \
         CREATE TABLE IF NOT EXISTS baton_progress (job_id text NOT NULL PRIMARY KEY, attempt integer NOT NULL, \
         progress text NOT NULL, beat_at timestamp NOT NULL)",
    )?;
    Ok(connection)
}

fn progress_path(connection: &mut SqliteConnection) -> QueryResult<String> {
    let file = diesel::dsl::sql::<diesel::sql_types::Text>(
        "SELECT file FROM pragma_database_list WHERE name = 'main'",
    )
    .get_result::<String>(connection)?;
    Ok(format!("{file}-progress"))
}
