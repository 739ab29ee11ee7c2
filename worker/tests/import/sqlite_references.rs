//! Rows of SQLite that refer to others: to rows of another table, and to earlier or later rows of their own.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use statemachine::{Findings, ImportOptions, OnConflict};

use super::world::World;

fn options(on_conflict: OnConflict) -> ImportOptions {
    ImportOptions { on_conflict, max_rejects: "100%".parse().unwrap(), ..ImportOptions::default() }
}

fn told(findings: &Findings) -> Vec<(u64, &str, Option<&str>)> {
    findings
        .first_rejects
        .iter()
        .map(|reject| (reject.line, reject.reason.as_str(), reject.column.as_deref()))
        .collect()
}

const NODES: &str = "CREATE TABLE teams (id INTEGER PRIMARY KEY); INSERT INTO teams VALUES (1);
    CREATE TABLE t (id INTEGER PRIMARY KEY, parent INT REFERENCES t, team INT REFERENCES teams, n INT CHECK (n < 100))";

fn ids(world: &World) -> String {
    world.lines("SELECT coalesce(group_concat(id), '') AS line FROM (SELECT id FROM t ORDER BY id)").remove(0)
}

#[test]
fn a_row_may_refer_to_a_later_one_beside_a_bad_row() {
    let world = World::sqlite(NODES);
    let file = b"id,parent,n\n2,1,1\n1,,1\n9,,500\n";
    let (result, findings) = world.import_as("a", file, "t", options(OnConflict::Error));
    assert_eq!((result.unwrap().rows, told(&findings)), (2, vec![(4, "check", None)]));
    assert_eq!(ids(&world), "1,2");
}

#[test]
fn who_refers_to_a_reject_is_a_reject() {
    let world = World::sqlite(NODES);
    let file = b"id,parent,team,n\n5,6,,\n6,7,,\n7,8,,\n8,99,,\n10,11,1,1\n11,11,,\n12,13,,\n13,,,500\n14,10,7,\n15,14,,\n";
    let (result, findings) = world.import_as("b", file, "t", options(OnConflict::Error));
    let parent = |line| (line, "foreign_key", Some("parent"));
    let expected = vec![
        parent(2),
        parent(3),
        parent(4),
        parent(5),
        parent(8),
        (9, "check", None),
        (10, "foreign_key", Some("team")),
        parent(11),
    ];
    assert_eq!((result.unwrap().rows, told(&findings)), (2, expected));
    assert_eq!(findings.first_rejects[0].says, "refers to a row of t that is not there");
    assert_eq!(ids(&world), "10,11");
}

#[test]
fn a_deferred_reference_is_a_reject_of_its_row() {
    let world = World::sqlite(
        "CREATE TABLE teams (id INTEGER PRIMARY KEY); INSERT INTO teams VALUES (1);
         CREATE TABLE t (id INTEGER PRIMARY KEY, parent INT REFERENCES t DEFERRABLE INITIALLY DEFERRED,
                         team INT REFERENCES teams DEFERRABLE INITIALLY DEFERRED)",
    );
    let file = b"id,parent,team\n1,2,1\n2,,\n3,,9\n4,8,1\n5,4,1\n";
    let (result, findings) = world.import_as("c", file, "t", options(OnConflict::Error));
    let lines: Vec<_> = told(&findings).into_iter().map(|(line, ..)| line).collect();
    assert_eq!((result.unwrap().rows, lines), (2, vec![4, 5, 6]));
    assert_eq!(ids(&world), "1,2");
}

#[test]
fn what_a_trigger_writes_may_be_what_a_row_refers_to() {
    for deferred in ["", "DEFERRABLE INITIALLY DEFERRED"] {
        let world = World::sqlite(&format!(
            "CREATE TABLE p (a INTEGER PRIMARY KEY);
             CREATE TABLE t (id INTEGER PRIMARY KEY, b INTEGER REFERENCES p {deferred});
             CREATE TRIGGER x AFTER INSERT ON t WHEN new.b < 100 BEGIN INSERT OR IGNORE INTO p VALUES (new.b); END"
        ));
        let (result, findings) =
            world.import_as("b", b"id,b\n1,1\n2,200\n3,2\n", "t", options(OnConflict::Error));
        let told: Vec<_> = told(&findings).into_iter().map(|(line, reason, _)| (line, reason)).collect();
        assert_eq!((result.unwrap().rows, told), (2, vec![(3, "foreign_key")]), "{deferred}");
        assert_eq!(ids(&world), "1,3");
        assert_eq!(world.count("p"), 2);
    }
}

#[test]
fn a_row_that_is_skipped_is_held_to_no_reference() {
    for deferred in ["", "DEFERRABLE INITIALLY DEFERRED"] {
        let world = World::sqlite(&format!(
            "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);
             CREATE TABLE t (id TEXT PRIMARY KEY, p_id INT REFERENCES p {deferred}); INSERT INTO t VALUES ('d', 1)"
        ));
        let file = b"id,p_id\nd,9\ne,1\ne,9\nf,9\nf,1\nf,9\n";
        let (result, findings) = world.import_as("s", file, "t", options(OnConflict::Skip));
        let told: Vec<_> = told(&findings).into_iter().map(|(line, reason, _)| (line, reason)).collect();
        assert_eq!((result.unwrap().rows, told), (2, vec![(5, "foreign_key")]), "{deferred}");
        assert_eq!((findings.skipped, findings.duplicates), (1, 2), "{deferred}");
        assert_eq!(ids(&world), "d,e,f");
    }
}

#[test]
fn an_orphan_leaves_its_key_to_another_row_of_the_file() {
    let world = World::sqlite(&format!("{NODES}; INSERT INTO t VALUES (3, NULL, NULL, 7)"));
    let file = b"id,parent,n\n1,99,1\n1,2,2\n2,,3\n3,99,4\n4,3,5\n1,,6\n";
    let (result, findings) = world.import_as("d", file, "t", options(OnConflict::Error));
    let told: Vec<_> = told(&findings).into_iter().map(|(line, reason, _)| (line, reason)).collect();
    assert_eq!(told, [(2, "foreign_key"), (5, "unique"), (7, "unique")]);
    assert_eq!(result.unwrap().rows, 3);
    let rows = "SELECT id || ' ' || coalesce(n, '') AS line FROM t ORDER BY id";
    assert_eq!(world.lines(rows), ["1 2", "2 3", "3 7", "4 5"]);
}

#[test]
fn an_update_may_refer_to_a_later_row_and_an_orphan_changes_nothing() {
    let world =
        World::sqlite(&format!("{NODES}; INSERT INTO t VALUES (1, NULL, NULL, 7), (2, NULL, NULL, 8)"));
    let file = b"id,parent,n\n1,5,1\n2,98,2\n5,1,3\n2,5,4\n6,99,5\n6,,6\n5,6,7\n";
    let (result, findings) = world.import_as("e", file, "t", options(OnConflict::Update));
    let rows = result.unwrap().rows;
    assert_eq!((rows, findings.updated, findings.duplicates), (4, 2, 1));
    let lines: Vec<_> = told(&findings).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(lines, [3, 6]);
    let rows = "SELECT id || ' ' || coalesce(parent, '-') || ' ' || n AS line FROM t ORDER BY id";
    assert_eq!(world.lines(rows), ["1 5 1", "2 5 4", "5 6 7", "6 - 6"]);
}

#[test]
fn a_reference_by_two_columns_without_a_row_number_is_one_too() {
    let world = World::sqlite(
        "CREATE TABLE t (a INT, b TEXT, up_a INT, up_b TEXT, PRIMARY KEY (a, b), FOREIGN KEY (up_a, up_b) REFERENCES t (a, b)) WITHOUT ROWID",
    );
    let file = b"a,b,up_a,up_b\n1,x,2,y\n2,y,,\n3,z,2,x\n4,w,3,z\n5,v,9,\n";
    let (result, findings) = world.import_as("f", file, "t", options(OnConflict::Error));
    assert_eq!(result.unwrap().rows, 3);
    assert_eq!(told(&findings), [(4, "foreign_key", None), (5, "foreign_key", None)]);
    assert_eq!(world.lines("SELECT group_concat(b) AS line FROM t"), ["x,y,v"]);
}

#[test]
fn rows_that_refer_to_each_other_at_random_are_kept_as_far_as_they_can_be() {
    let world = World::sqlite(&format!("{NODES}; INSERT INTO t VALUES (1, NULL, NULL, 1), (2, 1, NULL, 1)"));
    let _open = world.database.connect().unwrap();
    let rows = btree_map(3..40_u32, (proptest::option::of(1..45_u32), prop::bool::weighted(0.1)), 1..30);
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    let number = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&(rows, any::<u64>()), |(rows, shuffle)| {
            number.set(number.get() + 1);
            let mut order: Vec<_> = rows.keys().copied().collect();
            order.sort_by_key(|id| u64::from(*id).wrapping_mul(shuffle | 1) >> 7);
            let line = |id: &u32| {
                let (parent, is_bad) = rows[id];
                let parent = parent.map_or_else(String::new, |parent| parent.to_string());
                format!("{id},{parent},{}\n", if is_bad { 500 } else { 1 })
            };
            let file = format!("id,parent,n\n{}", order.iter().map(line).collect::<String>());
            let kept = kept(&rows);
            let id = format!("r{}", number.get());
            let (result, findings) = world.import_as(&id, file.as_bytes(), "t", options(OnConflict::Error));
            let summary = result.map_err(|failure| TestCaseError::fail(failure.to_string()))?;
            let expected: Vec<_> = [1, 2].iter().chain(&kept).map(u32::to_string).collect();
            prop_assert_eq!(ids(&world), expected.join(","), "{}", file);
            prop_assert_eq!(summary.rows, kept.len() as u64);
            prop_assert_eq!(summary.rejects, (rows.len() - kept.len()) as u64, "{:?}", findings);
            world.execute("PRAGMA foreign_keys = OFF; DELETE FROM t WHERE id > 2");
            Ok(())
        })
        .unwrap();
}

/// Good rows whose parents are good rows, and so on.
fn kept(rows: &BTreeMap<u32, (Option<u32>, bool)>) -> BTreeSet<u32> {
    let mut kept: BTreeSet<_> = rows.iter().filter(|(_, (_, is_bad))| !is_bad).map(|(id, _)| *id).collect();
    loop {
        let before = kept.len();
        let is_there = |parent: u32| parent <= 2 || kept.contains(&parent);
        let next: BTreeSet<_> = kept.iter().copied().filter(|id| rows[id].0.is_none_or(is_there)).collect();
        kept = next;
        if kept.len() == before {
            return kept;
        }
    }
}

/// Without an index SQLite would read all of the tables that refer, for each row.
#[test]
fn columns_that_refer_have_an_index_as_long_as_rows_wait_and_no_longer() {
    // What is not deferred waits only in a load that is done again.
    for (deferred, indexed) in [("", [3, 3]), ("DEFERRABLE INITIALLY DEFERRED", [2, 3])] {
        let world = World::sqlite(&format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE UNIQUE,
               parent INT REFERENCES t {deferred}, twin TEXT REFERENCES t (code) {deferred},
               other INT REFERENCES t {deferred});
             CREATE TABLE leaves (t_id INT REFERENCES t, id INTEGER PRIMARY KEY REFERENCES t);
             CREATE INDEX own ON t (other); CREATE TABLE seen (id INT, indexes INT);
             CREATE TRIGGER sees AFTER INSERT ON t BEGIN INSERT INTO seen SELECT new.id, count(*) FROM sqlite_schema
               WHERE name LIKE 'baton waiting %'; END"
        ));
        let row = |id| format!("{id},c{id},{},C{}\n", id / 2, id / 2);
        let rows: String = (2..=40).rev().map(row).collect::<String>() + "1,c1,,\n";
        for ((id, bad), indexed) in [("a", ""), ("b", "50,x,99,x\n")].into_iter().zip(indexed) {
            let file = format!("id,code,parent,twin\n{rows}{bad}");
            let (result, findings) = world.import_as(id, file.as_bytes(), "t", options(OnConflict::Error));
            assert_eq!((result.unwrap().rows, told(&findings).len()), (40, bad.len().min(1)), "{deferred}");
            // Of a load that was done again, only the last counts.
            let last = world.lines(
                "SELECT CAST(indexes AS text) AS line FROM seen WHERE id = 1 ORDER BY rowid DESC LIMIT 1",
            );
            assert_eq!(last, [indexed.to_string()], "{deferred} {bad}");
            assert_eq!(
                world.lines("SELECT name AS line FROM sqlite_schema WHERE name LIKE 'baton waiting %'"),
                [""; 0]
            );
            world.execute("DELETE FROM seen; DELETE FROM t");
        }
    }
}

#[test]
fn many_rows_that_come_before_their_parents_cost_little_more() {
    let world = World::sqlite(NODES);
    let rows: String = (1..=20_000_u32)
        .rev()
        .map(|id| format!("{id},{}\n", if id == 1 { String::new() } else { (id / 2).to_string() }))
        .collect();
    let file = format!("id,parent\n{rows}30001,30000\n30002,30001\n");
    let (result, findings) = world.import_as("m", file.as_bytes(), "t", options(OnConflict::Error));
    assert_eq!(result.unwrap().rows, 20_000);
    assert_eq!(findings.reasons["foreign_key"], 2);
}
