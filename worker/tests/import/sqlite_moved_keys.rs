//! An upsert of SQLite that changes what other rows refer to: a key may go and come back within the file. At random:
//! `sqlite_random`.

use statemachine::{ImportOptions, OnConflict};

use super::world::{World, max_rejects};

fn update(most: u64) -> ImportOptions {
    ImportOptions { on_conflict: OnConflict::Update, ..max_rejects(most) }
}

fn rows(world: &World) -> Vec<String> {
    world.lines("SELECT id || code || '>' || coalesce(up, '') AS line FROM t ORDER BY id")
}

const DDL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE, up TEXT REFERENCES t (code)); \
    INSERT INTO t VALUES (1, 'a', NULL), (2, 'b', NULL), (3, 'c', 'a')";

#[test]
fn a_key_moves_to_a_later_row_of_the_file() {
    for (file, expected) in [
        ("id,code\n1,z\n2,a\n", ["1z>", "2a>", "3c>a"]),
        ("id,code,up\n1,z,\n2,a,\n", ["1z>", "2a>", "3c>a"]),
        // The row that refers to it follows, by an update of its own.
        ("id,code,up\n1,z,\n3,c,z\n", ["1z>", "2b>", "3c>z"]),
        // A later row refers to it, and the row itself to a later one.
        ("id,code,up\n1,z,a\n2,a,z\n", ["1z>a", "2a>z", "3c>a"]),
    ] {
        let deferred =
            DDL.replace("REFERENCES t (code)", "REFERENCES t (code) DEFERRABLE INITIALLY DEFERRED");
        for ddl in [DDL, &deferred] {
            let world = World::sqlite(ddl);
            let (result, findings) = world.import_as("a", file.as_bytes(), "t", update(0));
            assert!(result.is_ok(), "{file} {result:?} {findings:#?}");
            assert_eq!(rows(&world), expected, "{file}");
        }
    }
}

#[test]
fn a_row_that_takes_a_key_away_for_good_is_the_reject() {
    let others = "CREATE TABLE others (code TEXT REFERENCES t (code)); INSERT INTO others VALUES ('b')";
    let world = World::sqlite(&format!("{DDL}; {others}"));
    // The first row begins to wait; the keys a and b go, and rows of both tables refer to them.
    let file = b"id,code,up\n7,g,h\n1,y,\n2,z,\n8,h,\n";
    let (result, findings) = world.import_as("a", file, "t", update(9));
    let told: Vec<_> =
        findings.first_rejects.iter().map(|reject| (reject.line, reject.says.as_str())).collect();
    let expected = [
        (3, "replaces a key that a row of t refers to"),
        (4, "replaces a key that a row of others refers to"),
    ];
    assert_eq!((result.unwrap().rows, told.as_slice()), (2, expected.as_slice()), "{findings:#?}");
    assert_eq!(rows(&world), ["1a>", "2b>", "3c>a", "7g>h", "8h>"]);
}

#[test]
fn actions_of_references_follow_a_key_that_moves() {
    for (action, expected) in [
        ("ON UPDATE CASCADE", vec!["1z>", "2b>", "3c>z", "4d>z", "5e>d"]),
        ("ON UPDATE SET NULL", vec!["1z>", "2b>", "3c>", "4d>", "5e>d"]),
    ] {
        let world = World::sqlite(&DDL.replace("t (code)", &format!("t (code) {action}")));
        // The last row moves what the first one refers to.
        let file = b"id,code,up\n5,e,d\n4,d,a\n1,z,\n";
        let (result, findings) = world.import_as("a", file, "t", update(0));
        assert!(result.is_ok(), "{action} {result:?} {findings:#?}");
        assert_eq!(rows(&world), expected, "{action}");
    }
    // RESTRICT does not wait: the row is a reject, and says so.
    let world = World::sqlite(&DDL.replace("t (code)", "t (code) ON UPDATE RESTRICT"));
    let (result, findings) = world.import_as("a", b"id,code,up\n1,z,q\n2,y,\n9,q,\n", "t", update(9));
    assert_eq!((result.unwrap().rows, findings.first_rejects[0].line), (2, 2), "{findings:#?}");
    assert_eq!(rows(&world), ["1a>", "2y>", "3c>a", "9q>"]);
}

#[test]
fn a_key_of_two_columns_moves_and_comes_back() {
    let world = World::sqlite(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT COLLATE NOCASE, up_a TEXT, up_b TEXT, UNIQUE (a, b), \
           FOREIGN KEY (up_a, up_b) REFERENCES t (a, b)); \
         INSERT INTO t VALUES (1, 1, 'x', NULL, NULL), (2, 2, 'x', NULL, NULL), (3, 3, 'x', '1', 'X')",
    );
    // The file fills one column of the key alone.
    let (result, findings) = world.import_as("a", b"id,a\n1,9\n2,1\n", "t", update(0));
    assert!(result.is_ok(), "{result:?} {findings:#?}");
    let (result, findings) = world.import_as("b", b"id,a\n2,8\n4,5\n", "t", update(1));
    assert_eq!((result.unwrap().rows, findings.first_rejects[0].line), (1, 2), "{findings:#?}");
}
