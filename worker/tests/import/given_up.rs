//! An import that will fail holds nothing in the database while the rest of its file is read.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use statemachine::{FailureName, ImportOptions};
use worker::db::Connection;

use super::objects::{answer, range_start, serve_bytes};
use super::world::{World, max_rejects, named};

const DDL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)";

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(20);

/// The store's answer to the second request waits until this is dropped.
type Held = Sender<()>;

/// A store that sends the first 100,000 bytes, and the rest, or the second copy, once it is let.
fn holding(world: &World, object: String) -> (aws_sdk_s3::Client, Held) {
    let (hold, held) = channel::<()>();
    let held = Mutex::new(held);
    let s3 = serve_bytes(&world.runtime, move |number, head| {
        if number == 1 {
            let _ = held.lock().unwrap().recv();
        }
        answer(&object, "e1", range_start(head), if number == 0 { 100_000 } else { usize::MAX / 2 })
    });
    (s3, hold)
}

/// Whether nobody else has a transaction open: in SQLite, whether the lock for writing is free.
fn is_free(world: &World) -> bool {
    if world.is_postgres() {
        // The pause is the server's.
        let open = "SELECT CAST(count(*) AS text) AS line FROM pg_stat_activity, pg_sleep(0.02) \
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
        return world.lines(open) == ["0"];
    }
    let Connection::Sqlite(mut other) = world.database.connect().unwrap() else { unreachable!() };
    other.batch_execute("PRAGMA busy_timeout = 20; BEGIN IMMEDIATE; ROLLBACK").is_ok()
}

/// Imports a file, and waits while the store holds its second answer until the database is free.
fn import_while_held(world: &World, object: String, options: ImportOptions) -> (FailureName, String) {
    let (s3, hold) = holding(world, object);
    let job = world.job("1", "k.csv", "t", options);
    std::thread::scope(|scope| {
        let import = scope.spawn(|| world.run_from(&job, &s3));
        let until = Instant::now() + DEADLINE;
        let is_given_up = || job.progress.counters().rejects > 0 && is_free(world);
        while !is_given_up() {
            assert!(Instant::now() < until, "the transaction of an import that fails is still open");
            assert!(!import.is_finished(), "the import has not waited: {:?}", import.join());
        }
        drop(hold);
        named(import.join().unwrap())
    })
}

#[test]
fn too_many_rejects_end_the_transaction_before_the_file_ends() {
    for world in World::both(DDL) {
        let rows: String = (1..=20_000).map(|id| format!("{id},name {id}\n")).collect();
        let object = format!("id,name\nx,name\n{rows}");
        let (name, cause) = import_while_held(&world, object, ImportOptions::default());
        assert_eq!((name, world.count("t")), (FailureName::TooManyRejects, 0), "{cause}");
    }
}

#[test]
fn too_large_a_share_of_rejects_ends_it_before_the_source_is_read_again() {
    for world in World::both(DDL) {
        let options = ImportOptions { max_rejects: "1%".parse().unwrap(), ..max_rejects(0) };
        let (name, cause) = import_while_held(&world, "id,name\n1,a\nx,b\n2,c\n".to_owned(), options);
        assert_eq!((name, world.count("t")), (FailureName::TooManyRejects, 0), "{cause}");
        assert!(cause.ends_with("line 3, column id: \"x\" is no integer (not_an_integer)"), "{cause}");
    }
}
