//! Rows that refer to other rows of the file, in every order, against the README's words: references are looked at when all
//! rows are in, so that a row may refer to a later one, and a row that refers to a reject is a reject.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use statemachine::{ImportOptions, OnConflict};

use super::world::{World, max_rejects};

const CASES: u32 = 120;

/// So many keys are drawn. One more is never there.
const KEYS: u8 = 6;

#[derive(Clone, Debug)]
struct Row {
    key: u8,
    parent: Option<u8>,
    value: &'static str,
}

#[derive(Clone, Debug)]
struct Case {
    rows: Vec<Row>,
    on_conflict: OnConflict,
    /// A trigger before each row, that refuses some: then no query tells.
    has_trigger: bool,
}

fn case(is_postgres: bool) -> impl Strategy<Value = Case> {
    let values = prop_oneof![5 => Just("x"), 3 => Just("y"), 1 => Just("bad"), 1 => Just("no")];
    let row = (1..=KEYS, option::weighted(0.6, 1..=KEYS + 1), values);
    let rows = vec(row.prop_map(|(key, parent, value)| Row { key, parent, value }), 1..14);
    let orders = Just((1..=KEYS).collect::<Vec<_>>()).prop_shuffle();
    let conflicts = select(vec![OnConflict::Error, OnConflict::Skip, OnConflict::Update]);
    let flags = (any::<bool>(), any::<bool>());
    (rows, orders, conflicts, flags).prop_map(
        move |(mut rows, order, on_conflict, (has_trigger, is_apart))| {
            // Where PostgreSQL tries rows one after the other, a later row takes no place in a circle that was refused: there, circles
            // are for keys that come once. Else a parent stands further on in an order that has nothing to do with the file's.
            let is_tried = has_trigger && is_postgres;
            let place = |key: u8| order.iter().position(|other| *other == key).unwrap_or(usize::MAX);
            let mut keys = BTreeSet::new();
            rows.retain(|row| !(is_tried && is_apart) || keys.insert(row.key));
            for row in &mut rows {
                let may_refer = |parent: &u8| !is_tried || is_apart || place(*parent) >= place(row.key);
                row.parent = row.parent.filter(may_refer);
            }
            Case { rows, on_conflict, has_trigger }
        },
    )
}

/// What comes of a case.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    table: BTreeMap<u8, (Option<u8>, String)>,
    rejected: Vec<u64>,
    rows: u64,
    updated: u64,
    skipped: u64,
    duplicates: u64,
}

/// What comes of the rows that are not `refused`, one after the other; and which of them were written.
fn apply(case: &Case, refused: &BTreeSet<usize>) -> (Outcome, Vec<usize>) {
    let old = BTreeMap::from([(1, (None, "old".to_owned()))]);
    let (mut outcome, mut written) = (Outcome { table: old, ..Outcome::default() }, Vec::new());
    let mut of_file = BTreeSet::new();
    for (place, row) in case.rows.iter().enumerate().filter(|(place, _)| !refused.contains(place)) {
        let is_there = outcome.table.contains_key(&row.key);
        match case.on_conflict {
            OnConflict::Error if is_there => continue,
            OnConflict::Skip if of_file.contains(&row.key) => outcome.duplicates += 1,
            OnConflict::Skip if is_there => outcome.skipped += 1,
            _ => {
                written.push(place);
                outcome.table.insert(row.key, (row.parent, row.value.to_owned()));
                if of_file.insert(row.key) {
                    outcome.rows += 1;
                    outcome.updated += u64::from(is_there);
                } else {
                    outcome.duplicates += 1;
                }
            }
        }
    }
    (outcome, written)
}

fn expected(case: &Case) -> Outcome {
    let is_bad = |row: &Row| row.value == "bad" || (case.has_trigger && row.value == "no");
    let mut refused: BTreeSet<_> = (0..case.rows.len()).filter(|place| is_bad(&case.rows[*place])).collect();
    loop {
        let (outcome, written) = apply(case, &refused);
        let is_orphan = |place: &&usize| {
            case.rows[**place].parent.is_some_and(|parent| !outcome.table.contains_key(&parent))
        };
        let orphans: Vec<_> = written.iter().filter(is_orphan).collect();
        if orphans.is_empty() {
            if case.on_conflict == OnConflict::Error {
                refused.extend((0..case.rows.len()).filter(|place| !written.contains(place)));
            }
            return Outcome { rejected: refused.iter().map(|place| *place as u64 + 1).collect(), ..outcome };
        }
        refused.extend(orphans);
    }
}

/// The table, and its trigger.
fn ddl(table: &str, case: &Case, is_postgres: bool) -> String {
    let made = format!(
        "CREATE TABLE {table} (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES {table} (id), v TEXT CHECK (v <> 'bad')); \
         INSERT INTO {table} VALUES (1, NULL, 'old');"
    );
    let trigger = match (case.has_trigger, is_postgres) {
        (false, _) => String::new(),
        (true, false) => format!(
            "CREATE TRIGGER {table}_no BEFORE INSERT ON {table} WHEN NEW.v = 'no' BEGIN SELECT RAISE(ABORT, 'no'); END;"
        ),
        (true, true) => format!(
            "CREATE FUNCTION f_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'no' THEN \
               RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER {table}_no BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION f_{table}();"
        ),
    };
    made + &trigger
}

fn compare(world: &World, case: &Case, number: u32) -> Result<(), TestCaseError> {
    let table = format!("t{number}");
    world.execute(&ddl(&table, case, world.is_postgres()));
    let shown = |parent: Option<u8>| parent.map_or_else(String::new, |parent| parent.to_string());
    let lines = case.rows.iter().map(|row| format!("{},{},{}\n", row.key, shown(row.parent), row.value));
    let file = format!("id,parent,v\n{}", lines.collect::<String>());
    let max_rejects = "100%".parse().unwrap();
    let options = ImportOptions { on_conflict: case.on_conflict, max_rejects, ..ImportOptions::default() };
    let (result, findings) = world.import_as(&table, file.as_bytes(), &table, options);
    let summary = result.map_err(|failure| TestCaseError::fail(failure.to_string()))?;
    let line = "id || ',' || coalesce(CAST(parent AS TEXT), '') || ',' || v";
    let there = world.lines(&format!("SELECT {line} AS line FROM {table}"));
    let row = |line: &String| {
        let fields: Vec<_> = line.split(',').collect();
        (fields[0].parse().unwrap(), (fields[1].parse().ok(), fields[2].to_owned()))
    };
    let found = Outcome {
        table: there.iter().map(row).collect(),
        rejected: findings.first_rejects.iter().map(|reject| reject.record).collect(),
        rows: summary.rows,
        updated: findings.updated,
        skipped: findings.skipped,
        duplicates: findings.duplicates,
    };
    prop_assert_eq!(found, expected(case), "{}{:?}", file, case);
    Ok(())
}

fn check(world: &World) {
    let config =
        Config { cases: CASES, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() };
    let number = std::cell::Cell::new(0_u32);
    let _open = world.database.connect().unwrap();
    let outcome = TestRunner::new(config).run(&case(world.is_postgres()), |case| {
        number.set(number.get() + 1);
        compare(world, &case, number.get())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{reason}\n{case:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn rows_that_refer_to_later_rows_are_written_in_sqlite() {
    check(&World::sqlite("SELECT 1"));
}

#[test]
fn rows_that_refer_to_later_rows_are_written_in_postgresql() {
    check(&World::postgres("SELECT 1"));
}

/// The server tries ranges of rows, because a trigger may refuse any: a parent that stands far behind its child is in another one.
#[test]
fn a_parent_far_behind_its_child_is_there_in_time() {
    let world = World::postgres(&ddl(
        "t",
        &Case { rows: Vec::new(), on_conflict: OnConflict::Error, has_trigger: true },
        true,
    ));
    // A chain that ends with the last row, behind a bad one.
    let rows: String = (2..3000).map(|key| format!("{key},{},x\n", key + 1)).collect();
    let file = format!("id,parent,v\n9999,,no\n{rows}3000,,x\n");
    let (result, findings) = world.import_as("t", file.as_bytes(), "t", max_rejects(1));
    assert_eq!(result.unwrap().rows, 2999, "{findings:#?}");
    assert_eq!(findings.first_rejects[0].line, 2);
}

/// Rows that refer to what is there, or to an earlier row, stay where they are: the first of two that clash is the one that counts.
#[test]
fn a_row_moves_only_behind_a_later_row_that_it_refers_to() {
    let trigger = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; \
         CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()";
    let unique = "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, p int REFERENCES t, v text); \
         INSERT INTO t VALUES (5, 5, NULL, 'there')";
    let code = format!(
        "CREATE TABLE t (id int PRIMARY KEY, code int UNIQUE, p int REFERENCES t (code), v text CHECK (v <> 'bad')); {trigger}"
    );
    let update = OnConflict::Update;
    for (ddl, file, on_conflict, kept, rejected) in [
        (unique, "id,u,p,v\n6,1,5,first\n3,1,,second\n5,7,,new\n", update, ["5new", "6first"], vec![3]),
        (
            unique,
            "id,u,p,v\n6,1,5,first\n3,1,,second\n5,7,,new\n",
            OnConflict::Skip,
            ["5there", "6first"],
            vec![3],
        ),
        (
            &code,
            "id,code,p,v\n3,2,3,first\n8,3,,x\n3,4,,second\n9,9,,bad\n",
            OnConflict::Error,
            ["3first", "8x"],
            vec![4, 5],
        ),
    ] {
        let world = World::postgres(ddl);
        let options = ImportOptions { on_conflict, ..max_rejects(9) };
        let (result, findings) = world.import_as("t", file.as_bytes(), "t", options);
        result.unwrap();
        assert_eq!(world.lines("SELECT id || v AS line FROM t ORDER BY id"), kept, "{findings:#?}");
        let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(lines, rejected, "{findings:#?}");
    }
}

#[test]
fn a_key_that_another_row_refers_to_is_told_as_the_database_tells_it() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, v text); INSERT INTO t VALUES (1, 'a', 'old'); \
         CREATE TABLE others (code text REFERENCES t (code)); INSERT INTO others VALUES ('a')";
    let own = "CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, v text, p text REFERENCES t (code)); \
         INSERT INTO t VALUES (1, 'a', 'old', NULL), (2, 'b', 'old', 'a')";
    for ddl in [ddl, own] {
        let world = World::postgres(ddl);
        let options = ImportOptions { on_conflict: OnConflict::Update, ..max_rejects(1) };
        let (result, findings) = world.import_as("t", b"id,code,v\n1,z,new\n3,c,new\n", "t", options);
        assert_eq!(result.unwrap().rows, 1);
        let reject = &findings.first_rejects[0];
        assert_eq!((reject.line, reject.column.as_deref(), reject.reason.as_str()), (2, None, "foreign_key"));
        assert!(reject.says.contains("Key (code)=(a) is still referenced from table"), "{reject:?}");
    }
}

/// The rows are more than what COPY is sent at once.
#[test]
fn a_generated_column_may_refer_to_a_row_far_behind() {
    let world = World::postgres(
        "CREATE TABLE t (path text PRIMARY KEY, v text, \
           up text GENERATED ALWAYS AS (substring(path from '^(.*)/')) STORED REFERENCES t)",
    );
    let text = "x".repeat(1 << 20);
    let rows: String = (0..20).map(|number| format!("a/{number},{text}\n")).collect();
    let file = format!("path,v\n{rows}a,\n");
    let (result, findings) = world.import_as("t", file.as_bytes(), "t", ImportOptions::default());
    assert_eq!(result.unwrap().rows, 21, "{:?}", findings.reasons);
}
