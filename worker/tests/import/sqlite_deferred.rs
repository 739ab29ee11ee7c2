//! Constraints of SQLite that are checked at the commit. What holds there is taken; what does not is found with its rows, by a
//! second load.

use statemachine::{FailureName, Findings, ImportOptions, OnConflict};

use super::world::{World, max_rejects, named};

const LATER: &str = "DEFERRABLE INITIALLY DEFERRED";

fn told(findings: &Findings) -> Vec<(u64, &str)> {
    findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect()
}

fn update(most: u64) -> ImportOptions {
    ImportOptions { on_conflict: OnConflict::Update, ..max_rejects(most) }
}

fn is_noted(findings: &Findings) -> bool {
    findings.notes.iter().any(|note| note.contains("checks at the commit"))
}

fn rows(world: &World, table: &str) -> Vec<String> {
    world.lines(&format!("SELECT id || '>' || coalesce(up, '') AS line FROM {table} ORDER BY id"))
}

#[test]
fn of_rows_that_are_updated_only_the_last_is_held_to_a_reference_at_the_commit() {
    let world = World::sqlite(&format!(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1), (2);
         CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES p {LATER})"
    ));
    let (result, findings) = world.import_as("l", b"id,up\n1,9\n1,2\n2,1\n", "t", update(0));
    assert_eq!((result.unwrap().rows, findings.duplicates, is_noted(&findings)), (2, 1, false));
    assert_eq!(rows(&world, "t"), ["1>2", "2>1"]);
    // Where one is refused in the end, it is found.
    let (result, findings) = world.import_as("m", b"id,up\n3,9\n4,1\n4,8\n5,2\n", "t", update(3));
    result.unwrap();
    assert_eq!(told(&findings), [(2, "foreign_key"), (4, "foreign_key")]);
    assert!(is_noted(&findings));
    assert_eq!(rows(&world, "t"), ["1>2", "2>1", "4>1", "5>2"]);
}

#[test]
fn a_row_that_is_updated_may_have_referred_to_nothing_in_its_own_table() {
    let world =
        World::sqlite(&format!("CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t {LATER})"));
    let (result, findings) = world.import_as("a", b"id,up\n1,9\n2,3\n1,2\n3,1\n", "t", update(0));
    assert_eq!((result.unwrap().rows, findings.duplicates, is_noted(&findings)), (3, 1, false));
    assert_eq!(rows(&world, "t"), ["1>2", "2>3", "3>1"]);
}

/// A trigger of the row writes into another table, which refers to a third one at the commit.
fn audited(up: &str) -> String {
    format!(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1), (2);
         CREATE TABLE audit (p_id INT REFERENCES p {LATER});
         CREATE TABLE t (id INTEGER PRIMARY KEY, up INT {up}, n INT);
         CREATE VIEW v AS SELECT * FROM t;
         CREATE TRIGGER tells AFTER INSERT ON t WHEN new.n < 90 BEGIN INSERT INTO audit VALUES (new.n); END;
         CREATE TRIGGER mends AFTER INSERT ON t WHEN new.n > 90 BEGIN INSERT INTO p VALUES (new.n - 90); END;
         CREATE TRIGGER writes INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.id, new.up, new.n); END"
    )
}

#[test]
fn a_row_whose_trigger_breaks_a_reference_at_the_commit_is_the_reject() {
    for table in ["t", "v"] {
        // A later row may mend it.
        let world = World::sqlite(&audited(""));
        let (result, findings) = world.import_as("a", b"id,n\n1,1\n2,7\n3,97\n", table, max_rejects(0));
        assert_eq!((result.unwrap().rows, is_noted(&findings)), (3, false), "{table}");
        let file = b"id,n\n4,2\n5,8\n6,1\n7,9\n8,2\n";
        let (result, findings) = world.import_as("b", file, table, max_rejects(2));
        assert_eq!((result.unwrap().rows, is_noted(&findings)), (3, true), "{table}");
        assert_eq!(told(&findings), [(3, "foreign_key"), (5, "foreign_key")], "{table}");
        assert_eq!(world.lines("SELECT group_concat(id) AS line FROM t"), ["1,2,3,4,6,8"]);
        let (result, findings) = world.import_as("c", b"id,n\n9,8\n", table, max_rejects(0));
        let (name, cause) = named(result);
        assert_eq!((name, is_noted(&findings)), (FailureName::TooManyRejects, true));
        assert!(cause.contains("leaves a reference to a row that is not there"), "{cause}");
    }
}

#[test]
fn a_dry_run_sees_what_the_commit_would() {
    for table in ["t", "v"] {
        let world = World::sqlite(&audited(""));
        let options = ImportOptions { dry_run: true, ..max_rejects(1) };
        let (result, findings) = world.import_as("d", b"id,n\n1,1\n2,7\n", table, options);
        assert_eq!((result.unwrap().rows, told(&findings)), (1, vec![(3, "foreign_key")]), "{table}");
        assert_eq!((world.count("t"), world.count("audit")), (0, 0), "{table}");
    }
}

#[test]
fn a_row_whose_trigger_breaks_a_reference_is_found_among_rows_that_wait_for_each_other() {
    // What is broken waits for the commit by itself, or because the rows wait.
    for ddl in [
        audited("REFERENCES t"),
        audited("REFERENCES t").replace(LATER, ""),
        audited(&format!("REFERENCES t {LATER}")),
    ] {
        let world = World::sqlite(&ddl);
        // A chain to a later row, a circle, and who hangs on the row that breaks something.
        let file = b"id,up,n\n1,4,1\n2,3,2\n3,2,1\n4,,2\n5,6,1\n6,,8\n7,6,1\n8,99,1\n9,1,1\n";
        let (result, findings) = world.import_as("a", file, "t", max_rejects(9));
        let expected = [(6, "foreign_key"), (7, "foreign_key"), (8, "foreign_key"), (9, "foreign_key")];
        assert_eq!((result.unwrap().rows, told(&findings)), (5, expected.to_vec()), "{ddl} {findings:#?}");
        assert_eq!(rows(&world, "t"), ["1>4", "2>3", "3>2", "4>", "9>1"], "{ddl}");
        assert_eq!(world.lines("SELECT group_concat(p_id, '') AS line FROM audit"), ["12121"], "{ddl}");
    }
}

/// What a trigger does to the table itself is told from rows that only wait.
#[test]
fn a_row_whose_trigger_breaks_references_of_its_own_table_is_the_reject() {
    let trigger = |name: &str, n: u8, action: &str| {
        format!("CREATE TRIGGER {name} AFTER INSERT ON t WHEN new.n = {n} BEGIN {action}; END;")
    };
    let triggers = trigger("takes", 6, "DELETE FROM t WHERE id = 1")
        + &trigger("sets", 7, "UPDATE t SET up = 99 WHERE id = new.id")
        + &trigger("turns", 8, "UPDATE t SET up = 5 WHERE id = new.id");
    for later in ["", LATER] {
        for (file, rejected, left) in [
            ("3,4,1\n4,,1\n5,,6\n6,5,1\n", vec![4, 5], ["1>", "2>1", "3>4", "4>"]),
            ("3,4,1\n5,4,7\n4,,1\n", vec![3], ["1>", "2>1", "3>4", "4>"]),
            // A row of the file has the key that is taken away, and does not bring it.
            ("3,4,1\n1,,1\n5,,6\n4,,1\n", vec![3, 4], ["1>", "2>1", "3>4", "4>"]),
            // Its reference comes.
            ("5,4,1\n4,,8\n", vec![], ["1>", "2>1", "4>5", "5>4"]),
        ] {
            let world = World::sqlite(&format!(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t {later}, n INT);
                 INSERT INTO t VALUES (1, NULL, 1), (2, 1, 1); {triggers}"
            ));
            let (result, findings) =
                world.import_as("a", format!("id,up,n\n{file}").as_bytes(), "t", max_rejects(9));
            let lines: Vec<_> = told(&findings).into_iter().map(|(line, _)| line).collect();
            assert!(result.is_ok(), "{later} {file} {result:?}");
            assert_eq!(
                (lines, rows(&world, "t").as_slice()),
                (rejected, left.map(str::to_owned).as_slice()),
                "{findings:#?}"
            );
        }
    }
}

#[test]
fn a_default_that_refers_to_nothing_at_the_commit_rejects_its_rows() {
    let world = World::sqlite(&format!(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);
         CREATE TABLE t (id INTEGER PRIMARY KEY, up INT DEFAULT 7 REFERENCES p {LATER})"
    ));
    let (result, findings) = world.import_as("a", b"id\n1\n2\n", "t", max_rejects(2));
    assert_eq!((result.unwrap().rows, told(&findings)), (0, vec![(2, "foreign_key"), (3, "foreign_key")]));
}

#[test]
fn many_rows_among_which_a_few_break_a_reference_cost_little() {
    let world = World::sqlite(&audited(""));
    let lines: String =
        (1..=20_000).map(|id| format!("{id},{}\n", if id % 2_000 == 0 { 50 } else { 1 })).collect();
    let (result, findings) = world.import_as("a", format!("id,n\n{lines}").as_bytes(), "t", max_rejects(10));
    assert_eq!((result.unwrap().rows, findings.reasons["foreign_key"]), (19_990, 10));
}

/// SQLite does not find the row itself by a value that is only equal to its key, unless the key is its number.
#[test]
fn a_row_refers_to_itself_by_the_value_that_sqlite_takes() {
    for (columns, file, rejected) in [
        ("id INTEGER PRIMARY KEY, up TEXT", "1,1\n2,3\n3,3\n", vec![]),
        ("id INTEGER UNIQUE, up TEXT", "1,\n2,1\n3,3\n4,5\n5,\n6,3\n", vec![4, 7]),
        ("id TEXT PRIMARY KEY, up INT", "1,\n2,1\n3,3\n4,5\n5,\n6,3\n", vec![4, 7]),
        ("id TEXT COLLATE NOCASE PRIMARY KEY, up TEXT", "a,A\nb,b\nc,B\nd,E\ne,\n", vec![2]),
    ] {
        for later in ["", LATER] {
            let world = World::sqlite(&format!("CREATE TABLE t ({columns} REFERENCES t (id) {later})"));
            for on_conflict in [OnConflict::Error, OnConflict::Update] {
                let options = ImportOptions { on_conflict, key: key(on_conflict), ..max_rejects(9) };
                world.execute("PRAGMA foreign_keys = OFF; DELETE FROM t");
                let id = format!("{on_conflict:?}").to_lowercase();
                let (result, findings) =
                    world.import_as(&id, format!("id,up\n{file}").as_bytes(), "t", options);
                result.unwrap();
                let lines: Vec<_> = told(&findings).into_iter().map(|(line, _)| line).collect();
                assert_eq!(lines, rejected, "{columns} {later} {findings:#?}");
            }
        }
    }
}

fn key(on_conflict: OnConflict) -> Vec<String> {
    if on_conflict == OnConflict::Error { Vec::new() } else { vec!["id".to_owned()] }
}
