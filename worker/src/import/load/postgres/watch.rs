//! A long statement, watched from a second connection. While PostgreSQL is at work on it, and not waiting for somebody
//! else's lock, the import gets on, though no counter moves: the sort and the index of millions of rows take their time.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use diesel::sql_types::{Bool, Integer};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl as _, sql_query};

use crate::db::failure::database_failure;
use crate::db::{Connection, Database};
use crate::failure::Failure;
use crate::import::reading::interrupted;
use crate::job::Job;

/// The time between two looks.
const LOOK: Duration = Duration::from_secs(1);

#[derive(QueryableByName)]
struct Pid {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

#[derive(QueryableByName)]
struct Busy {
    #[diesel(sql_type = Bool)]
    busy: bool,
}

/// Runs `statement`, and tells progress while the database is at work on it. A request to stop cancels it.
pub(super) fn watched<T>(
    connection: &mut PgConnection,
    job: &Job,
    database: &Database,
    statement: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
) -> Result<QueryResult<T>, Failure> {
    let pid: Pid = sql_query("SELECT pg_backend_pid() AS pid")
        .get_result(connection)
        .map_err(|error| database_failure(&error, "ask for the session's number"))?;
    let span = tracing::Span::current();
    let result = std::thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        scope.spawn(move || {
            let _within = span.enter();
            let mut watcher = None;
            // The channel closes when the statement has ended.
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                // Without a second connection nothing is told: beats then stop, and the statement is tried again.
                if watcher.is_none() {
                    watcher = database.connect().ok();
                }
                let Some(Connection::Postgres(watcher)) = &mut watcher else { continue };
                look(watcher, pid.pid, job);
            }
        });
        let result = statement(connection);
        drop(done);
        result
    });
    // One that was cancelled says so, in the words of the database.
    if result.is_err() && job.progress.stop_requested() { Err(interrupted()) } else { Ok(result) }
}

fn look(watcher: &mut PgConnection, pid: i32, job: &Job) {
    if job.progress.stop_requested() {
        // Should it not be heard, the next look tries again.
        let _ = sql_query("SELECT pg_cancel_backend($1) AS busy").bind::<Integer, _>(pid).execute(watcher);
        return;
    }
    let busy = sql_query(
        "SELECT state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock' AS busy FROM pg_stat_activity WHERE pid = $1",
    )
    .bind::<Integer, _>(pid)
    .get_result::<Busy>(watcher);
    if busy.is_ok_and(|busy| busy.busy) {
        job.progress.next_phase();
    }
}
