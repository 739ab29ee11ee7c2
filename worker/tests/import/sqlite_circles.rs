//! Rows of SQLite that refer to each other in a circle: a row is a reject only where no row of the file, and none of the
//! table, can be what it refers to.

use statemachine::{Findings, ImportOptions, OnConflict};

use super::world::{World, max_rejects};

fn options(on_conflict: OnConflict) -> ImportOptions {
    ImportOptions { on_conflict, ..max_rejects(99) }
}

fn told(findings: &Findings) -> Vec<(u64, &str)> {
    findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect()
}

/// How the lines of the table read.
fn rows(world: &World) -> Vec<String> {
    world.lines("SELECT id || '>' || coalesce(up, '') AS line FROM t ORDER BY id")
}

#[test]
fn a_circle_holds_where_one_of_several_rows_of_a_key_is_bad() {
    for (on_conflict, file, rejected) in [
        // The second row of the key refers to nothing, the third one closes the circle.
        (OnConflict::Update, "1,2,\n2,99,\n2,1,\n", vec![(3, "foreign_key")]),
        (OnConflict::Error, "1,2,\n2,99,\n2,1,\n", vec![(3, "foreign_key")]),
        (OnConflict::Skip, "1,2,\n2,99,\n2,1,\n", vec![(3, "foreign_key")]),
        // A row of the key breaks a check.
        (OnConflict::Update, "1,2,\n2,1,500\n2,1,\n", vec![(3, "check")]),
        (OnConflict::Error, "1,2,\n2,1,500\n2,1,\n", vec![(3, "check")]),
    ] {
        let world = World::sqlite(DDL);
        let (result, findings) =
            world.import_as("a", format!("id,up,n\n{file}").as_bytes(), "t", options(on_conflict));
        assert_eq!((result.unwrap().rows, told(&findings)), (2, rejected), "{file} {findings:#?}");
        assert_eq!(rows(&world), ["1>2", "2>1"], "{on_conflict:?} {file}");
    }
}

const DDL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t, n INT CHECK (n < 100))";

#[test]
fn a_circle_with_a_bad_row_is_rejected_with_all_that_refer_to_it() {
    let world = World::sqlite(DDL);
    let file = b"id,up,n\n1,2,\n2,3,500\n3,1,\n4,3,\n5,6,\n6,5,\n";
    let (result, findings) = world.import_as("a", file, "t", options(OnConflict::Error));
    let expected = vec![(2, "foreign_key"), (3, "check"), (4, "foreign_key"), (5, "foreign_key")];
    assert_eq!((result.unwrap().rows, told(&findings)), (2, expected));
    assert_eq!(findings.first_rejects[0].says, "refers to a row of t that is not there");
    assert_eq!(rows(&world), ["5>6", "6>5"]);
}

/// The table has the key already: a row that refers to it refers to something, whatever becomes of the file's own row.
#[test]
fn what_the_table_has_is_there_also_when_the_files_row_is_bad() {
    let world = World::sqlite(&format!("{DDL}; INSERT INTO t VALUES (2, NULL, NULL)"));
    let file = b"id,up,n\n1,2,\n2,99,\n3,1,\n";
    let (result, findings) = world.import_as("a", file, "t", options(OnConflict::Update));
    assert_eq!((result.unwrap().rows, told(&findings)), (2, vec![(3, "foreign_key")]), "{findings:#?}");
    assert_eq!(rows(&world), ["1>2", "2>", "3>1"]);
}

#[test]
fn a_circle_holds_by_two_columns_and_whatever_their_case() {
    let world = World::sqlite(
        "CREATE TABLE t (a TEXT COLLATE NOCASE, b INT, id INT, up_a TEXT, up_b TEXT, n INT CHECK (n < 100), \
           PRIMARY KEY (a, b), FOREIGN KEY (up_a, up_b) REFERENCES t (a, b)) WITHOUT ROWID",
    );
    let file = b"id,a,b,up_a,up_b,n\n1,x,1,Y,2,\n2,y,2,q,9,\n3,Y,2,X,1,\n4,z,3,Y,2,\n";
    let (result, findings) = world.import_as("a", file, "t", options(OnConflict::Update));
    assert_eq!((result.unwrap().rows, told(&findings)), (3, vec![(3, "foreign_key")]), "{findings:#?}");
}

#[test]
fn a_circle_through_two_references_holds_beside_rows_that_clash() {
    let world = World::sqlite(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE, up INT REFERENCES t, peer TEXT REFERENCES t (code))",
    );
    // The first row has the code of the third, and refers to nothing by its other reference.
    let file = b"id,code,up,peer\n1,b,77,\n2,a,3,b\n3,b,2,a\n4,c,,b\n";
    let (result, findings) = world.import_as("a", file, "t", options(OnConflict::Error));
    assert_eq!((result.unwrap().rows, told(&findings)), (3, vec![(2, "foreign_key")]), "{findings:#?}");
    assert_eq!(rows(&world), ["2>3", "3>2", "4>"]);
}

/// Each round leaves out the rows that can refer to nothing, and all that hang on them: not one row a round.
#[test]
fn a_long_chain_to_nothing_of_keys_that_are_there_twice_costs_little() {
    for on_conflict in [OnConflict::Skip, OnConflict::Update, OnConflict::Error] {
        let world = World::sqlite(DDL);
        let lines: String = (1..=4000).map(|id| format!("{id},{},\n{id},{},\n", id + 1, id + 1)).collect();
        let file = format!("id,up,n\n{lines}9001,9002,\n9002,9001,\n");
        let (result, findings) = world.import_as("a", file.as_bytes(), "t", options_of_all(on_conflict));
        assert_eq!(result.unwrap().rows, 2);
        assert_eq!(findings.reasons.values().sum::<u64>(), 8000, "{on_conflict:?}");
        assert_eq!(rows(&world), ["9001>9002", "9002>9001"]);
    }
}

fn options_of_all(on_conflict: OnConflict) -> ImportOptions {
    ImportOptions { on_conflict, max_rejects: "100%".parse().unwrap(), ..ImportOptions::default() }
}

#[test]
fn a_report_says_that_rows_were_not_held_to_their_references() {
    let file = b"id,up,n\n4,,500\n1,2,\n3,88,\n6,,600\n5,,7\n";
    let inet = DDL.replace("n INT CHECK (n < 100)", "n inet");
    // PostgreSQL finds a value that is none when the rows wait; SQLite a row that breaks a check.
    let addresses = b"id,up,n\n1,2,\n3,88,\n4,,no\n5,,10.0.0.1\n";
    let note = "after there were more rejects than are allowed";
    let says = |findings: &Findings| findings.notes.iter().any(|told| told.contains(note));
    for (world, file) in
        [(World::sqlite(DDL), file.as_slice()), (World::postgres(&inet), addresses.as_slice())]
    {
        let (result, findings) = world.import_as("a", file, "t", max_rejects(0));
        assert!(result.is_err() && !findings.reasons.contains_key("foreign_key"), "{findings:#?}");
        assert!(says(&findings), "{findings:#?}");
        // What is known of the rows that wait is told.
        if !world.is_postgres() {
            assert_eq!(findings.reasons["check"], 2, "{findings:#?}");
        }
        // A dry run looks for them, and so does an import of which only the end tells that its rejects are too many.
        for (id, options) in [
            ("b", ImportOptions { dry_run: true, ..max_rejects(0) }),
            ("c", ImportOptions { max_rejects: "1%".parse().unwrap(), ..ImportOptions::default() }),
        ] {
            let (result, findings) = world.import_as(id, file, "t", options);
            assert!(result.is_err());
            assert_eq!(findings.reasons["foreign_key"], 2, "{findings:#?}");
            assert!(!says(&findings), "{findings:#?}");
        }
    }
}

#[test]
fn a_row_that_excludes_what_it_refers_to_takes_nobody_else_with_it() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, u INT UNIQUE, up INT REFERENCES t)";
    let deferred =
        format!("{ddl} DEFERRABLE INITIALLY DEFERRED").replace(") DEFERRABLE", " DEFERRABLE") + ")";
    for ddl in [ddl, &deferred] {
        for (file, rejected, left) in [
            // The first row has the value of the one that it refers to, which others refer to as well.
            ("1,7,2\n2,7,\n3,,2\n4,,3\n5,,1\n", vec![2, 6], vec!["2>", "3>2", "4>3"]),
            ("3,,2\n2,7,\n1,7,2\n", vec![4], vec!["2>", "3>2"]),
            ("1,7,2\n3,,2\n2,7,9\n9,,\n", vec![2], vec!["2>9", "3>2", "9>"]),
            // Each refers to the other.
            ("1,7,2\n2,7,1\n3,,2\n", vec![2, 3, 4], vec![]),
        ] {
            for on_conflict in [OnConflict::Error, OnConflict::Skip, OnConflict::Update] {
                let world = World::sqlite(ddl);
                let file = format!("id,u,up\n{file}");
                let (result, findings) = world.import_as("a", file.as_bytes(), "t", options(on_conflict));
                let lines: Vec<_> = told(&findings).into_iter().map(|(line, _)| line).collect();
                assert!(result.is_ok(), "{file} {result:?}");
                assert_eq!(
                    (lines, rows(&world)),
                    (rejected.clone(), left.iter().map(ToString::to_string).collect()),
                    "{ddl} {on_conflict:?} {file} {findings:#?}"
                );
            }
        }
    }
}
