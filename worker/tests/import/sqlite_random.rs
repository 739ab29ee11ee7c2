//! Tables of SQLite whose rows refer to each other, and files for them, at random. The oracle is SQLite itself, with one statement
//! for each row, in the file's order; references within the table are deferred there.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection as _;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use statemachine::{Findings, ImportOptions, OnConflict};
use worker::db::Connection;

use super::world::{World, max_rejects};

const LATER: &str = "DEFERRABLE INITIALLY DEFERRED";

#[derive(Clone, Debug)]
struct Row {
    id: u8,
    code: &'static str,
    up: Option<&'static str>,
    p: Option<u8>,
    n: u8,
}

#[derive(Clone, Debug)]
struct Case {
    on_conflict: OnConflict,
    /// References to the table itself are deferred, and those to another one.
    later: (bool, bool),
    /// A trigger writes `n` into a table where it refers to another one; from 7 on it writes what may be missing there.
    has_trigger: bool,
    rows: Vec<Row>,
}

fn case() -> impl Strategy<Value = Case> {
    let row = (
        1..=5_u8,
        select(vec!["a", "b", "c", "d", "e"]),
        option::weighted(0.4, select(vec!["a", "b", "c", "d", "e", "q"])),
        option::weighted(0.3, prop_oneof![4 => 1..=2_u8, 1 => Just(3)]),
        prop_oneof![4 => 1..=2_u8, 1 => 3..=7_u8],
    );
    let row = row.prop_map(|(id, code, up, p, n)| Row { id, code, up, p, n });
    let conflicts = select(vec![OnConflict::Error, OnConflict::Skip, OnConflict::Update]);
    (conflicts, any::<(bool, bool)>(), any::<bool>(), vec(row, 1..7))
        .prop_map(|(on_conflict, later, has_trigger, rows)| Case { on_conflict, later, has_trigger, rows })
}

impl Case {
    fn ddl(&self, t: &str, later: (bool, bool)) -> String {
        let word = |later: bool| if later { LATER } else { "" };
        let trigger = format!(
            "CREATE TABLE audit_{t} (p INT REFERENCES p_{t} {LATER});
             CREATE TRIGGER tells_{t} AFTER INSERT ON {t} WHEN new.n < 7 BEGIN INSERT INTO audit_{t} VALUES (new.n); END;
             CREATE TRIGGER mends_{t} AFTER INSERT ON {t} WHEN new.n = 7 BEGIN INSERT OR IGNORE INTO p_{t} VALUES (3); END;"
        );
        format!(
            "CREATE TABLE p_{t} (id INTEGER PRIMARY KEY); INSERT INTO p_{t} VALUES (1), (2);
             CREATE TABLE {t} (id INTEGER PRIMARY KEY, code TEXT UNIQUE, up TEXT REFERENCES {t} (code) {}, \
               p INT REFERENCES p_{t} {}, n INT);
             INSERT INTO {t} (id, code, up) VALUES (1, 'a', NULL), (2, 'b', NULL), (3, 'c', 'a'); {}",
            word(later.0),
            word(later.1),
            if self.has_trigger { &trigger } else { "" }
        )
    }

    fn file(&self) -> String {
        let text = |number: Option<u8>| number.map_or_else(String::new, |number| number.to_string());
        let line = |row: &Row| {
            format!("{},{},{},{},{}\n", row.id, row.code, row.up.unwrap_or_default(), text(row.p), row.n)
        };
        format!("id,code,up,p,n\n{}", self.rows.iter().map(line).collect::<String>())
    }

    fn statement(&self, t: &str, row: &Row) -> String {
        let up = row.up.map_or("NULL".to_owned(), |up| format!("'{up}'"));
        let p = row.p.map_or("NULL".to_owned(), |p| p.to_string());
        let conflict = match self.on_conflict {
            OnConflict::Error => "",
            OnConflict::Skip => "ON CONFLICT (id) DO NOTHING",
            OnConflict::Update => {
                "ON CONFLICT (id) DO UPDATE SET code = excluded.code, up = excluded.up, p = excluded.p, n = excluded.n"
            }
        };
        format!("INSERT INTO {t} VALUES ({}, '{}', {up}, {p}, {}) {conflict}", row.id, row.code, row.n)
    }

    /// Whether SQLite takes all of these rows, and its commit, too.
    fn is_taken(&self, connection: &mut Connection, t: &str, rows: &BTreeSet<usize>) -> bool {
        let Connection::Sqlite(connection) = connection else { unreachable!() };
        connection.batch_execute(&format!("{}; BEGIN", self.ddl(t, (true, self.later.1)))).unwrap();
        let taken = rows
            .iter()
            .try_for_each(|row| connection.batch_execute(&self.statement(t, &self.rows[*row])))
            .and_then(|()| connection.batch_execute("COMMIT"));
        if taken.is_err() {
            connection.batch_execute("ROLLBACK").unwrap();
        }
        taken.is_ok()
    }

    /// An earlier row of a key is held to a reference of its own within the table, unless that is deferred.
    fn holds_earlier_rows(&self) -> bool {
        let ids: BTreeSet<_> = self.rows.iter().map(|row| row.id).collect();
        self.on_conflict == OnConflict::Update && !self.later.0 && ids.len() < self.rows.len()
    }
}

fn drop_all(t: &str) -> String {
    ["", "p_", "audit_"].map(|part| format!("DROP TABLE IF EXISTS {part}{t}; ")).concat()
}

fn content(world: &World, t: &str) -> Vec<String> {
    world.lines(&format!(
        "SELECT concat_ws(' ', id, code, coalesce(up, '-'), coalesce(p, '-'), n) AS line FROM {t} ORDER BY id"
    ))
}

fn compare(world: &World, raw: &mut Connection, case: &Case, number: u32) -> Result<(), TestCaseError> {
    let (imported, model) = (format!("t{number}"), "model");
    world.execute(&case.ddl(&imported, case.later));
    let options = ImportOptions { on_conflict: case.on_conflict, ..max_rejects(99) };
    let (result, findings) = world.import_as(&imported, case.file().as_bytes(), &imported, options);
    prop_assert!(result.is_ok(), "{:?} {:?}", result, findings);
    let all: BTreeSet<_> = (0..case.rows.len()).collect();
    let rejected: BTreeSet<_> =
        findings.first_rejects.iter().map(|reject| reject.record as usize - 1).collect();
    let kept: BTreeSet<_> = all.difference(&rejected).copied().collect();
    let execute = |raw: &mut Connection, sql: &str| {
        let Connection::Sqlite(raw) = raw else { unreachable!() };
        raw.batch_execute(&format!("PRAGMA foreign_keys = OFF; {sql}; PRAGMA foreign_keys = ON")).unwrap();
    };
    prop_assert!(case.is_taken(raw, model, &kept), "what is kept does not hold: {:?}", findings);
    prop_assert_eq!(content(world, &imported), content(world, model), "{:?}", findings);
    execute(raw, &drop_all(model));
    if !case.holds_earlier_rows() {
        check_rejects(raw, case, &findings, &kept, &mut |raw| execute(raw, &drop_all(model)))?;
    }
    execute(raw, &drop_all(&imported));
    Ok(())
}

/// No row is a reject that SQLite takes beside those that are kept; nor any, where it takes all.
fn check_rejects(
    raw: &mut Connection,
    case: &Case,
    findings: &Findings,
    kept: &BTreeSet<usize>,
    drop: &mut dyn FnMut(&mut Connection),
) -> Result<(), TestCaseError> {
    let all: BTreeSet<_> = (0..case.rows.len()).collect();
    let is_taken = case.is_taken(raw, "model", &all);
    drop(raw);
    prop_assert!(!is_taken || kept.len() == all.len(), "all rows hold: {:?}", findings);
    // Beside a row that breaks a deferred constraint, others may be rejects that hold only at the commit.
    if !findings.notes.is_empty() {
        return Ok(());
    }
    for row in all.difference(kept) {
        let with_it = kept.iter().copied().chain([*row]).collect();
        let is_taken = case.is_taken(raw, "model", &with_it);
        drop(raw);
        prop_assert!(!is_taken, "row {} holds: {:?}", row + 1, findings);
    }
    Ok(())
}

#[test]
fn what_is_kept_and_what_is_rejected_is_what_sqlite_makes_of_the_rows_one_by_one() {
    let default = Config::default();
    let seed = if let RngSeed::Fixed(_) = default.rng_seed { default.rng_seed } else { RngSeed::Fixed(1) };
    let config = Config {
        cases: if default.cases == 256 { 250 } else { default.cases },
        failure_persistence: None,
        rng_seed: seed,
        ..default
    };
    let number = std::cell::Cell::new(0_u32);
    let world = World::sqlite("SELECT 1");
    let raw = std::cell::RefCell::new(world.database.connect().unwrap());
    let outcome = TestRunner::new(config).run(&case(), |case| {
        number.set(number.get() + 1);
        compare(&world, &mut raw.borrow_mut(), &case, number.get())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => {
            panic!("{reason}\n{}\n{}", case.ddl("t", case.later), case.file())
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}
