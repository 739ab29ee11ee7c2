//! Rows that refer to each other in a circle, in tables of PostgreSQL whose rows are tried one by one beside a bad row: what
//! loads without the bad row loads with it.

use statemachine::{Findings, ImportOptions, OnConflict};

use super::world::{World, max_rejects};

const TRIGGER: &str = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.v = 'no' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;";

fn lines(findings: &Findings) -> Vec<u64> {
    findings.first_rejects.iter().map(|reject| reject.line).collect()
}

fn options(on_conflict: OnConflict, rejects: u64) -> ImportOptions {
    ImportOptions { on_conflict, ..max_rejects(rejects) }
}

/// A table for each reason to try rows one by one, and a row that it refuses.
fn tables() -> Vec<(String, &'static str, &'static [OnConflict])> {
    const ALL: &[OnConflict] = &[OnConflict::Error, OnConflict::Skip, OnConflict::Update];
    const UPSERTS: &[OnConflict] = &[OnConflict::Skip, OnConflict::Update];
    let plain = "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, u int, v text)";
    vec![
        (format!("{plain}; {TRIGGER} CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"), "99,,,no", ALL),
        (format!("{plain}; {TRIGGER} CREATE TRIGGER f AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"), "99,,,no", ALL),
        (format!("{plain}; ALTER TABLE t ADD EXCLUDE (u WITH =); INSERT INTO t VALUES (0, NULL, 7)"), "99,,7,x", ALL),
        (format!("{plain}; CREATE UNIQUE INDEX ON t (u); INSERT INTO t VALUES (0, NULL, 7)"), "99,,7,x", UPSERTS),
        (format!("{plain}; CREATE UNIQUE INDEX ON t ((7 / u))"), "99,,0,x", ALL),
        (
            format!("{plain} PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (5);
                CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (5) TO (200); CREATE UNIQUE INDEX ON t_2 (u);
                INSERT INTO t VALUES (10, NULL, 7)"),
            "99,,7,x",
            ALL,
        ),
        (
            format!("{plain}; CREATE TABLE others (u int); ALTER TABLE t ADD UNIQUE (u); INSERT INTO t VALUES (99, NULL, 7);
                ALTER TABLE others ADD FOREIGN KEY (u) REFERENCES t (u); INSERT INTO others VALUES (7)"),
            "99,,8,x",
            &[OnConflict::Update],
        ),
    ]
}

/// A circle of three with rows behind it, a circle of two, a row of its own, and a row before its parent; some stand far apart.
#[test]
fn a_circle_is_written_beside_a_row_that_is_refused() {
    for (ddl, bad, ways) in tables() {
        for on_conflict in ways {
            for far in [0, 600] {
                let world = World::postgres(&ddl);
                let between: String = (0..far).map(|number| format!("{},,,x\n", 100 + number)).collect();
                let between = if ddl.contains("PARTITION") { String::new() } else { between };
                let file = format!(
                    "id,up,u,v\n6,1,,x\n1,2,,x\n{bad}\n4,5,,x\n2,3,,x\n{between}9,8,,x\n3,1,,x\n7,6,,x\n5,4,,x\n8,8,,x\n"
                );
                let (result, findings) = world.import_as("c", file.as_bytes(), "t", options(*on_conflict, 1));
                assert_eq!(lines(&findings), [4], "{ddl} {on_conflict:?}: {findings:?}");
                let rows = 9 + between.lines().count() as u64;
                assert_eq!(result.unwrap().rows, rows, "{ddl} {on_conflict:?}");
            }
        }
    }
}

/// A circle with a bad row is refused as a whole, and so is what refers to it. What it refers to itself is not.
#[test]
fn a_bad_row_takes_its_circle_along_and_no_other() {
    let ddl = format!(
        "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, boss int REFERENCES t, v text); {TRIGGER}
         CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
    );
    // 1 and 2 are a circle, 4 and 5 one that refers to it by 3, 6 refers to the latter; 7, 8 and 9 are one by both columns.
    let file = b"id,up,boss,v\n6,4,,x\n4,5,3,x\n5,4,,no\n3,1,,x\n1,2,,x\n2,1,2,x\n7,8,9,x\n8,7,,x\n9,,7,x\n";
    for on_conflict in [OnConflict::Error, OnConflict::Skip, OnConflict::Update] {
        let world = World::postgres(&ddl);
        let (result, findings) = world.import_as("b", file, "t", options(on_conflict, 3));
        assert_eq!((result.unwrap().rows, lines(&findings)), (6, vec![2, 3, 4]), "{findings:?}");
        let reasons: Vec<_> = findings.first_rejects.iter().map(|reject| reject.reason.as_str()).collect();
        assert_eq!(reasons, ["foreign_key", "foreign_key", "refused"], "{findings:?}");
        assert!(findings.first_rejects[1].says.contains("Key (up)=(5) is not present"), "{findings:?}");
    }
}

/// The first row has a unique value that comes again, and a key that comes again in a circle.
#[test]
fn a_row_loses_its_place_to_none_behind_it_because_its_key_comes_again_in_a_circle() {
    for (kind, on_conflict) in [
        ("UNIQUE (u)", OnConflict::Error),
        ("EXCLUDE (u WITH =)", OnConflict::Error),
        ("UNIQUE (u)", OnConflict::Skip),
    ] {
        let world = World::postgres(&format!(
            "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, u int, {kind})"
        ));
        let file = b"id,up,u\n1,,5\n1,4,6\n4,1,7\n3,,5\n4,3,8\n";
        let (result, findings) = world.import_as("f", file, "t", options(on_conflict, 3));
        result.unwrap();
        let rows = world.lines("SELECT concat_ws(' ', id, up, u) AS line FROM t ORDER BY id");
        assert_eq!(rows, ["1 5", "4 1 7"], "{kind} {on_conflict:?}: {findings:?}");
    }
}

/// Rows of a key that comes again stay in their order, whatever circle the key is in.
#[test]
fn the_last_row_of_a_key_in_a_circle_counts_for_an_update() {
    let ddl = format!(
        "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t, v text); {TRIGGER}
         CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
    );
    let file = b"id,up,v\n1,2,a\n1,3,b\n9,,no\n1,1,c\n2,1,d\n3,2,e\n2,,f\n";
    for (on_conflict, kept, rejects) in [
        (OnConflict::Update, ["1 1 c", "2 f", "3 2 e"], vec![4]),
        (OnConflict::Skip, ["1 2 a", "2 1 d", "3 2 e"], vec![4]),
        (OnConflict::Error, ["1 2 a", "2 1 d", "3 2 e"], vec![3, 4, 5, 8]),
    ] {
        let world = World::postgres(&ddl);
        let (result, findings) = world.import_as("u", file, "t", options(on_conflict, 4));
        result.unwrap();
        let rows = world.lines("SELECT concat_ws(' ', id, up, v) AS line FROM t ORDER BY id");
        assert_eq!(
            (rows.as_slice(), lines(&findings)),
            (&kept.map(str::to_owned)[..], rejects),
            "{findings:?}"
        );
    }
}
