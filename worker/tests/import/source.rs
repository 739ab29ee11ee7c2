//! The object, when S3 or the way to it misbehaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use statemachine::{FailureName, ImportOptions};

use super::objects::{answer, error, range_start, serve_bytes};
use super::world::{World, named};

const DDL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)";

fn file(rows: usize) -> String {
    let rows: String = (1..=rows).map(|id| format!("{id},name {id}\n")).collect();
    format!("id,name\n{rows}")
}

#[test]
fn a_connection_that_breaks_is_resumed_where_it_broke() {
    let world = World::sqlite(DDL);
    let object = file(20_000);
    let size = object.len() as u64;
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let s3 = serve_bytes(&world.runtime, move |_, head| {
        counted.fetch_add(1, Ordering::Relaxed);
        let from = range_start(head);
        assert_eq!(from > 0, head.contains("if-match: \"e1\""), "{head}");
        answer(&object, "e1", from, 100_000)
    });
    let job = world.job("1", "k.csv", "t", ImportOptions::default());
    let summary = world.run_from(&job, &s3).unwrap();
    assert_eq!((summary.rows, summary.bytes), (20_000, size));
    assert_eq!(requests.load(Ordering::Relaxed) as u64, size.div_ceil(100_000));
    assert_eq!(world.lines("SELECT max(id) || ' ' || sum(id) AS line FROM t"), ["20000 200010000"]);
    assert_eq!(job.progress.counters().bytes_total, size);
}

#[test]
fn an_object_that_is_replaced_while_it_is_read_is_not_mixed_with_the_new_one() {
    for changed in ["an etag", "a refused condition", "a deletion"] {
        let world = World::sqlite(DDL);
        let object = file(20_000);
        let s3 = serve_bytes(&world.runtime, move |number, head| match (number, changed) {
            (0, _) => answer(&object, "e1", 0, 100_000),
            (_, "an etag") => answer(&object, "e2", range_start(head), 100_000),
            (_, "a deletion") => error("404 Not Found", "NoSuchKey"),
            _ => error("412 Precondition Failed", "PreconditionFailed"),
        });
        let job = world.job("1", "k.csv", "t", ImportOptions::default());
        let (name, cause) = named(world.run_from(&job, &s3));
        assert_eq!(name, FailureName::SourceChanged, "{changed}");
        assert_eq!(cause, "s3://uploads/k.csv was replaced while it was read; import it again");
        assert_eq!(world.count("t"), 0);
    }
}

#[test]
fn what_s3_refuses_for_good_has_a_name_of_its_own() {
    for (status, code, expected) in [
        ("404 Not Found", "NoSuchKey", FailureName::SourceMissing),
        ("404 Not Found", "NoSuchBucket", FailureName::SourceMissing),
        ("404 Not Found", "NoSuchVersion", FailureName::SourceMissing),
        ("400 Bad Request", "KeyTooLongError", FailureName::SourceMissing),
        ("400 Bad Request", "InvalidBucketName", FailureName::SourceMissing),
        ("403 Forbidden", "AccessDenied", FailureName::SourceDenied),
        ("403 Forbidden", "InvalidObjectState", FailureName::SourceUnreadable),
        ("301 Moved Permanently", "PermanentRedirect", FailureName::SourceDenied),
    ] {
        let world = World::sqlite(DDL);
        let s3 = serve_bytes(&world.runtime, move |_, _| error(status, code));
        let job = world.job("1", "k.csv", "t", ImportOptions::default());
        let (name, cause) = named(world.run_from(&job, &s3));
        assert_eq!(name, expected, "{code}: {cause}");
        assert!(cause.contains("uploads"), "{cause}");
    }
}

#[test]
fn what_may_pass_is_tried_again_and_then_left_to_step_functions() {
    let world = World::sqlite(DDL);
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let s3 = serve_bytes(&world.runtime, move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        error("503 Slow Down", "SlowDown")
    });
    let job = world.job("1", "k.csv", "t", ImportOptions::default());
    let (name, cause) = named(world.run_from(&job, &s3));
    assert_eq!(name, FailureName::SourceUnavailable);
    assert_eq!(cause, "failed to read s3://uploads/k.csv at byte 0 for 5 s: SlowDown (503)");
    assert!((4..=10).contains(&requests.load(Ordering::Relaxed)));
}

#[test]
fn a_store_that_is_away_in_the_middle_of_a_load_is_waited_for() {
    let world = World::sqlite(DDL);
    let object = file(20_000);
    let s3 = serve_bytes(&world.runtime, move |number, head| match number {
        0 => answer(&object, "e1", 0, 100_000),
        1..=6 => error("503 Slow Down", "SlowDown"),
        _ => answer(&object, "e1", range_start(head), usize::MAX / 2),
    });
    let job = world.job("1", "k.csv", "t", ImportOptions::default());
    assert_eq!(world.run_from(&job, &s3).unwrap().rows, 20_000);
}

#[test]
fn one_bad_answer_costs_nothing() {
    let world = World::sqlite(DDL);
    let object = file(10);
    let s3 = serve_bytes(&world.runtime, move |number, _| match number {
        0 => error("500 Internal Server Error", "InternalError"),
        _ => answer(&object, "e1", 0, usize::MAX / 2),
    });
    let job = world.job("1", "k.csv", "t", ImportOptions::default());
    assert_eq!(world.run_from(&job, &s3).unwrap().rows, 10);
}

#[test]
fn an_object_that_is_not_there_is_missing() {
    let world = World::sqlite(DDL);
    let job = world.job("1", "other.csv", "t", ImportOptions::default());
    let (name, cause) = named(world.run(&job));
    assert_eq!((name, cause.as_str()), (FailureName::SourceMissing, "there is no s3://uploads/other.csv"));
}
