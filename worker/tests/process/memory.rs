//! What the worker needs of memory in its worst cases: 64 MB, and four times the largest record.

use serde_json::json;
use statemachine::{ImportResult, Report};

use super::run_worker;
use crate::import::world::World;
use crate::step_functions::Answer;

/// How much more code a build has that is not optimised.
const UNOPTIMISED_BYTES: u32 = if cfg!(debug_assertions) { 16_000_000 } else { 0 };

/// What it may need for records of so many bytes, in KiB.
fn limit_kib(largest_record: u32) -> u32 {
    (64_000_000 + UNOPTIMISED_BYTES + 4 * largest_record) / 1024
}

/// Imports `file` into `t`, and returns the report and the peak in KiB.
fn import(world: &World, file: &[u8], options: &serde_json::Value) -> (ImportResult, u32) {
    world.put("t.csv", file);
    let ended = run_worker(world, ("i", "t.csv", "t"), options, |_| Answer::Taken);
    assert_eq!(ended.exit, Some(0), "{:?}", ended.reports);
    let report: Report<ImportResult> = serde_json::from_str(&ended.told()).unwrap();
    (report.result, ended.peak_kib)
}

#[test]
fn long_words_about_a_thousand_rejects_take_no_more_memory() {
    let world = World::postgres(
        "CREATE TABLE t (id int, name text);
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW.id % 10 = 0 THEN RAISE EXCEPTION '% %', NEW.id, repeat('x', 20000); END IF;
           RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let rows: String = (0..10_000).map(|id| format!("{id},name {id}\n")).collect();
    let (report, peak) = import(&world, format!("id,name\n{rows}").as_bytes(), &json!({"max_rejects": 1000}));
    assert_eq!((report.rows, report.rejects), (9000, 1000));
    assert!(peak < limit_kib(20), "{peak} KiB");
}

#[test]
fn a_file_of_rejects_alone_takes_no_more_memory() {
    for world in World::both("CREATE TABLE t (id INTEGER, name TEXT, CHECK (id < 0))") {
        // Every other one is refused by the database.
        let rows: String = (0..40_000)
            .map(|id| if id % 2 == 0 { format!("x{id},name {id}\n") } else { format!("{id},name {id}\n") })
            .collect();
        let (report, peak) =
            import(&world, format!("id,name\n{rows}").as_bytes(), &json!({"max_rejects": "100%"}));
        assert_eq!((report.rows, report.rejects), (0, 40_000));
        assert!(peak < limit_kib(20), "{peak} KiB");
    }
}

#[test]
fn as_many_columns_as_a_table_can_have_take_no_more_memory() {
    let columns = |of: &str| (0..1600).map(|number| format!("c{number}{of}")).collect::<Vec<_>>().join(",");
    for world in World::both(&format!("CREATE TABLE t ({}, CHECK (c0 > 0))", columns(" INTEGER"))) {
        let row = (0..1600).map(|number| (100_000 + number).to_string()).collect::<Vec<_>>().join(",");
        let bad = row.replacen("100000", "-1", 1);
        let file = format!("{}\n{}{bad}\n", columns(""), format!("{row}\n").repeat(2000));
        let (report, peak) = import(&world, file.as_bytes(), &json!({"max_rejects": 1}));
        assert_eq!((report.rows, report.rejects), (2000, 1));
        assert!(peak < limit_kib(12_000), "{peak} KiB");
    }
}

#[test]
fn an_upsert_with_a_bad_row_takes_no_more_memory() {
    for world in World::both("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, CHECK (name <> 'bad'))") {
        let mut rows: Vec<_> = (0..200_000_u64)
            .map(|row| format!("{},a name of some length {row}\n", row * 7919 % 200_003))
            .collect();
        rows[150_000] = "5,bad\n".to_owned();
        let file = format!("id,name\n{}", rows.concat());
        let options = json!({"on_conflict": "update", "max_rejects": 1});
        let (report, peak) = import(&world, file.as_bytes(), &options);
        assert_eq!((report.rejects, report.findings.rows_read), (1, 200_000));
        assert!(peak < limit_kib(40), "{peak} KiB");
    }
}

#[test]
fn records_of_ten_megabytes_take_four_times_as_much_besides() {
    for world in World::both("CREATE TABLE t (id INTEGER PRIMARY KEY, document TEXT)") {
        let document = "0123456789".repeat(1_000_000);
        // One of them is refused, and looked for among the others.
        let file: String = [1, 2, 2, 3].map(|id| format!("{id},{document}\n")).concat();
        let (report, peak) =
            import(&world, format!("id,document\n{file}").as_bytes(), &json!({"max_rejects": 1}));
        assert_eq!((report.rows, report.rejects), (3, 1));
        assert!(peak < limit_kib(10_000_004), "{peak} KiB");
    }
}

#[test]
fn two_workers_on_one_sqlite_take_as_much_as_one_each() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, number INTEGER)");
    let file = |from: u32| {
        let rows: String =
            (0..100_000_u32).map(|row| format!("{},a name of some length,{row}\n", from + row)).collect();
        format!("id,name,number\n{rows}")
    };
    let ended: Vec<_> = std::thread::scope(|scope| {
        let workers = [("a", 0), ("b", 1_000_000)].map(|(id, from)| {
            world.put(&format!("{id}.csv"), file(from).as_bytes());
            let world = &world;
            scope.spawn(move || {
                let key = format!("{id}.csv");
                run_worker(world, (id, &key, "t"), &json!({}), |_| Answer::Taken)
            })
        });
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(world.count("t"), 200_000);
    for ended in ended {
        assert!(ended.exit == Some(0) && ended.peak_kib < limit_kib(40), "{} KiB", ended.peak_kib);
    }
}
