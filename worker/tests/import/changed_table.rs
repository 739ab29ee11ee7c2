//! Tables that somebody changes while an import waits for their lock. The file is matched with the table anew: by the types that
//! it was matched with at first, the database would round values without a word.

use std::thread;
use std::time::{Duration, Instant};

use statemachine::{FailureName, Findings, ImportOptions, OnConflict};
use worker::db::Connection;
use worker::failure::Failure;

use super::world::World;

/// How long an import may take to come to the lock.
const DEADLINE: Duration = Duration::from_secs(60);

const FILE: &str = "id,n,at\n1,10.50,2024-01-01 00:00:00.5\n2,11,2024-01-01 00:00:01\n";
const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, n numeric(8,2), at timestamp)";

fn execute(connection: &mut Connection, sql: &str) {
    use diesel::connection::SimpleConnection as _;
    connection.batch_execute(sql).unwrap();
}

/// Imports the file as [`found`] does; what is stored.
fn imported(world: &World, change: &str, options: ImportOptions) -> (u64, Vec<String>) {
    let rows = found(world, change, options).1.unwrap();
    (rows, world.lines("SELECT concat_ws(' ', id, n, at) AS line FROM t ORDER BY id"))
}

/// Imports the file while another session changes the table, which commits when the import waits for it; what is found, and how
/// many rows are written.
fn found(world: &World, change: &str, options: ImportOptions) -> (Findings, Result<u64, Failure>) {
    let mut other = world.database.connect().unwrap();
    execute(&mut other, &format!("BEGIN; {change}"));
    world.put("file.csv", FILE.as_bytes());
    let job = world.job("a", "file.csv", "t", options);
    let rows = thread::scope(|scope| {
        let import = scope.spawn(|| world.run(&job));
        let waiting = "pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() WHERE NOT granted";
        let began = Instant::now();
        while world.count(waiting) == 0 {
            assert!(began.elapsed() < DEADLINE && !import.is_finished(), "the import does not wait");
            thread::yield_now();
        }
        execute(&mut other, "COMMIT");
        import.join().unwrap().map(|summary| summary.rows)
    });
    (job.progress.findings().cloned().unwrap_or_default(), rows)
}

#[test]
fn a_type_that_becomes_coarser_while_an_import_waits_for_the_table_rounds_no_value() {
    let changes = [
        "ALTER TABLE t ALTER n TYPE numeric(8,0), ALTER at TYPE timestamp(0)",
        "ALTER TABLE t RENAME TO old; CREATE TABLE t (id int PRIMARY KEY, n numeric(8,1), at timestamp(0))",
    ];
    for (change, on_conflict) in changes.into_iter().flat_map(|change| {
        [OnConflict::Error, OnConflict::Skip, OnConflict::Update].map(|on_conflict| (change, on_conflict))
    }) {
        let world = World::postgres(TABLE);
        let max_rejects = "100%".parse().unwrap();
        let options = ImportOptions { on_conflict, max_rejects, ..ImportOptions::default() };
        let (rows, stored) = imported(&world, change, options);
        assert_eq!((rows, stored.len()), (1, 1), "{change} {on_conflict:?} {stored:?}");
        assert!(stored[0].starts_with("2 11"), "{change} {on_conflict:?} {stored:?}");
    }
}

#[test]
fn a_trigger_or_a_rule_that_is_made_while_an_import_waits_for_the_table_is_told_as_what_it_is() {
    let trigger = "CREATE FUNCTION one() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$;
         CREATE TRIGGER one BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION one()";
    for on_conflict in [OnConflict::Error, OnConflict::Skip, OnConflict::Update] {
        let world = World::postgres(TABLE);
        let options = ImportOptions { on_conflict, ..ImportOptions::default() };
        let (findings, rows) = found(&world, trigger, options);
        let counts = (rows.unwrap(), findings.dropped, findings.skipped, findings.duplicates);
        assert_eq!(counts, (1, 1, 0, 0), "{on_conflict:?} {findings:#?}");
    }
    let world = World::postgres(TABLE);
    let rule = "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING";
    let (_, rows) = found(&world, rule, ImportOptions::default());
    assert!(matches!(rows, Err(Failure::Named { name: FailureName::DatabaseMisconfigured, .. })), "{rows:?}");
}

#[test]
fn a_column_that_is_added_while_an_import_waits_for_the_table_changes_nothing() {
    let world = World::postgres(TABLE);
    let (rows, stored) = imported(&world, "ALTER TABLE t ADD more text", ImportOptions::default());
    assert_eq!(
        (rows, stored),
        (2, vec!["1 10.50 2024-01-01 00:00:00.5".to_owned(), "2 11.00 2024-01-01 00:00:01".to_owned()])
    );
}

/// Whichever comes first, the table or the import: what is stored is what the file says.
#[test]
fn a_table_of_sqlite_that_is_replaced_while_an_import_waits_for_the_lock_keeps_what_the_file_says() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT)");
    world.put("file.csv", b"id,code\n1,007\n2,8\n");
    let options = ImportOptions { max_rejects: "100%".parse().unwrap(), ..ImportOptions::default() };
    let job = world.job("a", "file.csv", "t", options);
    let mut other = world.database.connect().unwrap();
    execute(&mut other, "BEGIN IMMEDIATE; DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, code INT)");
    thread::scope(|scope| {
        let import = scope.spawn(|| world.run(&job));
        let began = Instant::now();
        // It has begun to read, and the table is what it looks at next.
        while job.progress.counters().bytes_total == 0 {
            assert!(began.elapsed() < DEADLINE && !import.is_finished(), "the import does not begin");
            thread::yield_now();
        }
        execute(&mut other, "COMMIT");
        import.join().unwrap().unwrap();
    });
    let stored = world.lines("SELECT id || ' ' || code || ' ' || typeof(code) AS line FROM t ORDER BY id");
    let by_itself = World::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY, code INT)");
    let options = ImportOptions { max_rejects: "100%".parse().unwrap(), ..ImportOptions::default() };
    by_itself.import(b"id,code\n1,007\n2,8\n", "t", options).unwrap();
    let expected =
        by_itself.lines("SELECT id || ' ' || code || ' ' || typeof(code) AS line FROM t ORDER BY id");
    assert_eq!(stored, expected);
}

#[test]
fn an_upsert_into_a_table_whose_type_or_key_changes_while_it_waits_begins_again() {
    let changes = [
        "ALTER TABLE t ALTER n TYPE numeric(8,2) USING n::numeric",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (n)",
    ];
    for (change, on_conflict) in
        changes.into_iter().flat_map(|change| [(change, OnConflict::Skip), (change, OnConflict::Update)])
    {
        let world = World::postgres("CREATE TABLE t (id int PRIMARY KEY, n text, at timestamp)");
        let options = ImportOptions { on_conflict, ..ImportOptions::default() };
        let mut other = world.database.connect().unwrap();
        execute(&mut other, "INSERT INTO t VALUES (7, '7.5')");
        drop(other);
        let (_, rows) = found(&world, change, options);
        let stored = world.count("t");
        assert_eq!(rows.map_err(|failure| failure.to_string()), Ok(stored - 1), "{change} {on_conflict:?}");
    }
}
