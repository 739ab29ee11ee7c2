//! A transaction in which the import waits for its source stays awake: its locks are those of a worker that lives.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use worker::db::Database;

use super::objects::{answer, error, range_start, serve_bytes};
use super::world::{World, max_rejects};

/// When the import's session last began to be idle in its transaction.
const IDLE_SINCE: &str = "SELECT CAST(state_change AS text) AS line FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'";

/// Times at which the session of an import began to be idle in its transaction.
#[derive(Clone)]
struct Idle {
    database: Database,
    since: Arc<Mutex<BTreeSet<String>>>,
}

impl Idle {
    fn of(world: &World) -> Self {
        Self { database: world.database.clone(), since: Arc::default() }
    }

    /// Looks, and says how many were seen.
    fn look(&self) -> usize {
        let mut since = self.since.lock().unwrap();
        since.extend(super::world::lines_of(&self.database, IDLE_SINCE));
        since.len()
    }
}

#[test]
fn no_transaction_is_idle_while_the_rejects_file_waits_for_its_source() {
    let world = World::postgres("CREATE TABLE t (id INTEGER, name TEXT)");
    let idle = Idle::of(&world);
    let seen = idle.clone();
    // The store is away for the second reading until the session has been busy twice.
    let s3 = serve_bytes(&world.runtime, move |number, head| match head.starts_with("get") {
        true if number > 0 && seen.look() < 3 => error("503 Slow Down", "SlowDown"),
        true => answer("id,name\n1,a\nx,b\n", "e1", range_start(head), usize::MAX / 2),
        false => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    });
    let job = world.job("1", "k.csv", "t", max_rejects(1));
    let summary = world.run_from(&job, &s3).unwrap();
    assert_eq!((summary.rows, summary.rejects), (1, 1));
    assert!(idle.since.lock().unwrap().len() >= 3);
}

#[test]
fn no_transaction_is_idle_while_a_batch_waits_for_a_slow_source() {
    let world = World::postgres("CREATE TABLE t (id INTEGER, name TEXT)");
    let idle = Idle::of(&world);
    let seen = idle.clone();
    let rows: String = (0..20_000).map(|id| format!("{id},name {id}\n")).collect();
    let object = format!("id,name\n{rows}");
    // One byte at a time, until the session has been busy twice.
    let s3 = serve_bytes(&world.runtime, move |number, head| {
        let sent = if number == 0 {
            200_000
        } else if seen.look() < 3 {
            1
        } else {
            usize::MAX / 2
        };
        answer(&object, "e1", range_start(head), sent)
    });
    let job = world.job("1", "k.csv", "t", max_rejects(0));
    assert_eq!(world.run_from(&job, &s3).unwrap().rows, 20_000);
    assert!(idle.since.lock().unwrap().len() >= 3);
}

#[test]
fn a_transaction_that_is_lost_while_the_source_is_slow_fails_at_once() {
    let world = World::postgres("CREATE TABLE t (id INTEGER, name TEXT)");
    let rows: String = (0..20_000).map(|id| format!("{id},name {id}\n")).collect();
    let (object, database) = (format!("id,name\n{rows}"), world.database.clone());
    let s3 = serve_bytes(&world.runtime, move |number, head| {
        if number > 0 {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
            database.connect().unwrap().batch_execute(end).unwrap();
        }
        answer(&object, "e1", range_start(head), if number == 0 { 200_000 } else { 1 })
    });
    let (job, begun) = (world.job("1", "k.csv", "t", max_rejects(0)), Instant::now());
    let (name, cause) = super::world::named(world.run_from(&job, &s3));
    assert_eq!(name, statemachine::FailureName::DatabaseUnavailable, "{cause}");
    assert!(begun.elapsed() < Duration::from_secs(60), "the whole source takes hours at this rate");
}
