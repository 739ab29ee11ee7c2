//! All or nothing: what fails leaves nothing behind, and says why.

use diesel::connection::SimpleConnection as _;
use statemachine::{FailureName, ImportOptions};
use worker::config::AllowedTables;
use worker::db::Connection;
use worker::failure::Failure;
use worker::job::Gauge as _;

use super::world::{World, max_rejects, named};

const DDL: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER)";

#[test]
fn one_bad_row_leaves_nothing_in_the_table_by_default() {
    for world in World::both(DDL) {
        let mut file = "id,name,age\n".to_owned();
        (1..=5000).for_each(|id| file.push_str(&format!("{id},x,1\n")));
        file.push_str("5001,x,old\n");
        let (name, cause) = named(world.import(file.as_bytes(), "people", ImportOptions::default()));
        assert_eq!(name, FailureName::TooManyRejects);
        assert_eq!(
            cause,
            "1 row was rejected, the import allows 0:\nline 5002, column age: \"old\" is no integer (not_an_integer)"
        );
        assert_eq!(world.count("people"), 0);
        assert_eq!(world.count("\"baton_jobs\" WHERE status = 'SUCCESS'"), 0);
    }
}

#[test]
fn a_worker_that_was_replaced_commits_nothing() {
    for world in World::both(DDL) {
        world.put("file.csv", b"id,name,age\n1,a,1\n");
        let job = world.job("1", "file.csv", "people", ImportOptions::default());
        world.execute("UPDATE \"baton_jobs\" SET attempt = attempt + 1");
        assert!(matches!(world.run(&job), Err(Failure::NotOurs(_))));
        assert_eq!(world.count("people"), 0);
    }
}

#[test]
fn an_import_that_is_to_stop_rolls_back() {
    let world = World::sqlite(DDL);
    let rows: String = (1..=5000).map(|id| format!("{id},x,1\n")).collect();
    world.put("file.csv", format!("id,name,age\n{rows}").as_bytes());
    let job = world.job("1", "file.csv", "people", ImportOptions::default());
    job.progress.request_stop();
    assert_eq!(named(world.run(&job)).0, FailureName::Interrupted);
    assert_eq!(world.count("people"), 0);
}

#[test]
fn an_import_that_is_to_stop_in_the_middle_of_a_copy_is_interrupted_and_at_no_fault() {
    let world = World::postgres(DDL);
    let rows: String = (1..=20_000).map(|id| format!("{id},name of {id},1\n")).collect();
    let file = format!("id,name,age\n{rows}");
    world.put("file.csv", file.as_bytes());
    let job = world.job("1", "file.csv", "people", ImportOptions::default());
    let Connection::Postgres(mut other) = world.database.connect().unwrap() else { panic!("no PostgreSQL") };
    // A lock that lets the import look at the table, and write no row.
    other.batch_execute("BEGIN; LOCK TABLE people IN SHARE MODE").unwrap();
    let waiting =
        "pg_locks WHERE NOT granted AND mode = 'RowExclusiveLock' AND relation = 'people'::regclass";
    let ended = std::thread::scope(|scope| {
        let running = scope.spawn(|| world.run(&job));
        // The batch is whole, and the COPY waits for the lock.
        while world.count(waiting) == 0 && !running.is_finished() {
            std::thread::yield_now();
        }
        job.progress.request_stop();
        drop(other);
        running.join().unwrap()
    });
    assert_eq!(named(ended).0, FailureName::Interrupted);
    assert_eq!(world.count("people"), 0);
}

#[test]
fn a_header_that_does_not_fit_fails_once_with_all_that_is_wrong() {
    for world in World::both(DDL) {
        let (name, cause) = named(world.import(b"ID,nmae,age,Age\n", "people", ImportOptions::default()));
        assert_eq!(name, FailureName::HeaderMismatch);
        assert_eq!(
            cause,
            "the file's columns are not those of the table \"people\":\n\
             missing: \"name\", which must have a value; in the file, is it \"nmae\"?\n\
             unknown: \"nmae\", column 2 of the file; in the table, is it \"name\"?\n\
             twice: \"age\", columns 3 and 4 of the file; rename one of them in the file, or take it out\n\
             (ignore_unknown leaves unknown columns out)"
        );
    }
}

#[test]
fn a_file_without_rows_is_fine_and_one_without_a_header_is_not() {
    for world in World::both(DDL) {
        world.put("header.csv", b"name,id\n");
        let job = world.job("1", "header.csv", "people", ImportOptions::default());
        assert_eq!(world.run(&job).unwrap().rows, 0);
        assert_eq!(world.count("\"baton_jobs\" WHERE status = 'SUCCESS'"), 1);
        for empty in [&b""[..], b"\n\n", b"\xEF\xBB\xBF"] {
            world.put("empty.csv", empty);
            let job =
                world.job(&format!("e{}", empty.len()), "empty.csv", "people", ImportOptions::default());
            let (name, cause) = named(world.run(&job));
            assert_eq!(name, FailureName::SourceUnreadable);
            assert_eq!(cause, "the file is empty: it has not even a header");
        }
    }
}

#[test]
fn a_table_that_is_missing_is_told_with_its_nearest_names() {
    for world in World::both(DDL) {
        let (name, cause) = named(world.import(b"id\n", "poeple", ImportOptions::default()));
        assert_eq!(name, FailureName::TableMissing);
        assert_eq!(cause, "there is no table \"poeple\"; is it \"people\"?");
    }
}

#[test]
fn a_view_is_no_table() {
    for world in World::both("CREATE VIEW v AS SELECT 1 AS id") {
        let (name, cause) = named(world.import(b"id\n1\n", "v", ImportOptions::default()));
        // Not that it is missing: nobody is to make a table of this name.
        assert_eq!(name, FailureName::DatabaseMisconfigured);
        let says = if world.is_postgres() {
            "\"v\" is a view that PostgreSQL cannot insert into, and that has no trigger INSTEAD OF INSERT; import into the \
             table behind it, or create such a trigger"
        } else {
            "\"v\" is a view that has no trigger INSTEAD OF INSERT; import into the table behind it, or create such a \
             trigger"
        };
        assert_eq!(cause, says);
    }
}

#[test]
fn only_allowed_tables_are_written_and_never_our_own() {
    let world = World::sqlite(DDL);
    world.put("file.csv", b"id,name\n1,a\n");
    let job = world.job("1", "file.csv", "people", ImportOptions::default());
    let allowed = AllowedTables::parse("orders").unwrap();
    let refused = worker::import::run(&job, &world.database, &allowed, &world.s3, world.runtime.handle());
    assert_eq!(named(refused).0, FailureName::TableNotAllowed);
    let job = world.job("2", "file.csv", "baton_jobs", ImportOptions::default());
    assert_eq!(named(world.run(&job)).0, FailureName::TableNotAllowed);
    assert_eq!(world.count("people"), 0);
}

#[test]
fn a_quote_that_never_closes_ends_the_import_and_not_the_memory() {
    let world = World::sqlite(DDL);
    let file = [b"id,name\n1,\"".to_vec(), vec![b'x'; 3 * 1024 * 1024]].concat();
    let options = ImportOptions { max_record_bytes: 1_048_576.try_into().unwrap(), ..max_rejects(1000) };
    let (name, cause) = named(world.import(&file, "people", options));
    assert_eq!(name, FailureName::SourceUnreadable);
    let says = "the file ends inside a quoted field: the quote that opens at line 2 is never closed; close it, and write a quote within \
         quotes twice";
    assert_eq!(cause, says);
}

#[test]
fn a_database_that_is_locked_or_read_only_is_tried_again_later() {
    let world = World::postgres(DDL);
    world.put("file.csv", b"id,name\n1,a\n");
    let database = world.lines("SELECT current_database()::text AS line").remove(0);
    let set = |setting: &str| world.execute(&format!("ALTER DATABASE {database} SET {setting}"));
    set("lock_timeout = '50ms'");
    let Connection::Postgres(mut other) = world.database.connect().unwrap() else { panic!("no PostgreSQL") };
    other.batch_execute("BEGIN; LOCK TABLE people").unwrap();
    let (name, cause) = named(world.run(&world.job("1", "file.csv", "people", ImportOptions::default())));
    assert_eq!(name, FailureName::DatabaseUnavailable, "{cause}");
    assert!(cause.contains("lock timeout"), "{cause}");
    drop(other);
    let job = world.job("2", "file.csv", "people", ImportOptions::default());
    set("default_transaction_read_only = on");
    let (name, cause) = named(world.run(&job));
    assert_eq!(name, FailureName::DatabaseUnavailable, "{cause}");
    assert!(cause.contains("read-only"), "{cause}");
}

#[test]
fn a_database_that_goes_away_is_tried_again_later() {
    let world = World::postgres(
        "CREATE TABLE people (id int, name text); \
         CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
         CREATE TRIGGER leave BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION leave()",
    );
    let (name, cause) = named(world.import(b"id,name\n1,a\n", "people", ImportOptions::default()));
    assert_eq!(name, FailureName::DatabaseUnavailable, "{cause}");
    assert_eq!(world.count("people"), 0);
}
