//! What SQLite refuses, ignores or changes on the way: each row is counted once, for the right reason.

use statemachine::{FailureName, Findings, ImportOptions, OnConflict};

use super::world::{World, max_rejects, named};

fn on_conflict(on_conflict: OnConflict, key: &[&str]) -> ImportOptions {
    let key = key.iter().map(|name| (*name).to_owned()).collect();
    ImportOptions { on_conflict, key, max_rejects: "100%".parse().unwrap(), ..ImportOptions::default() }
}

fn all_rejects() -> ImportOptions {
    on_conflict(OnConflict::Error, &[])
}

/// Rows, updated, skipped, duplicates, dropped, rejects.
fn counts(rows: u64, findings: &Findings) -> [u64; 6] {
    let rejects: u64 = findings.reasons.values().sum();
    let Findings { updated, skipped, duplicates, dropped, .. } = *findings;
    assert_eq!(rows + skipped + duplicates + dropped + rejects, findings.rows_read, "{findings:?}");
    [rows, updated, skipped, duplicates, dropped, rejects]
}

fn told(findings: &Findings) -> Vec<(u64, &str, Option<&str>)> {
    findings
        .first_rejects
        .iter()
        .map(|reject| (reject.line, reject.reason.as_str(), reject.column.as_deref()))
        .collect()
}

#[test]
fn the_files_order_decides_whatever_the_primary_key_is() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT UNIQUE, n INT)";
    let file = b"id,email,n\n2,ann@example.com,1\n1,ann@example.com,2\n";
    for (what, kept) in [(OnConflict::Update, "1 2"), (OnConflict::Skip, "2 1")] {
        let world = World::sqlite(ddl);
        let (result, findings) = world.import_as("o", file, "t", on_conflict(what, &["email"]));
        assert_eq!(counts(result.unwrap().rows, &findings), [1, 0, 0, 1, 0, 0]);
        assert_eq!(world.lines("SELECT id || ' ' || n AS line FROM t"), [kept]);
    }
}

#[test]
fn a_key_in_any_case_is_one_key_and_takes_the_files_spelling() {
    let ddl =
        "CREATE TABLE t (email TEXT PRIMARY KEY COLLATE NOCASE, n INT); INSERT INTO t VALUES ('bob', 0)";
    let world = World::sqlite(ddl);
    let file = b"email,n\nzoe,1\nBob,2\nANN,3\nZoe,4\nann,5\n";
    let (result, findings) = world.import_as("n", file, "t", on_conflict(OnConflict::Update, &[]));
    assert_eq!(counts(result.unwrap().rows, &findings), [3, 1, 0, 2, 0, 0]);
    let rows = world.lines("SELECT email || ' ' || n AS line FROM t ORDER BY n");
    assert_eq!(rows, ["Bob 2", "Zoe 4", "ann 5"]);
}

#[test]
fn a_refused_row_leaves_its_key_to_the_others() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT CHECK (v <> 'bad'), n INT)";
    let rows = "SELECT id || ' ' || v || ' ' || n AS line FROM t ORDER BY id";
    let world = World::sqlite(ddl);
    let file = b"id,v,n\n1,good,10\n1,bad,11\n2,ok,20\n";
    let (result, findings) = world.import_as("g", file, "t", on_conflict(OnConflict::Update, &[]));
    assert_eq!(counts(result.unwrap().rows, &findings), [2, 0, 0, 0, 0, 1]);
    assert_eq!(world.lines(rows), ["1 good 10", "2 ok 20"]);
    let file = b"id,v,n\n3,bad,1\n3,ok,2\n3,late,3\n";
    let (result, findings) = world.import_as("s", file, "t", on_conflict(OnConflict::Skip, &[]));
    assert_eq!(counts(result.unwrap().rows, &findings), [1, 0, 0, 1, 0, 1]);
    assert_eq!(world.lines(rows), ["1 good 10", "2 ok 20", "3 ok 2"]);
}

#[test]
fn a_row_that_a_trigger_ignores_is_counted_as_dropped() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
        CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.v = 'no' BEGIN SELECT RAISE(IGNORE); END";
    for what in [OnConflict::Error, OnConflict::Update, OnConflict::Skip] {
        let world = World::sqlite(ddl);
        let file = b"id,v\n1,a\n2,no\n3,c\n";
        let (result, findings) = world.import_as("d", file, "t", on_conflict(what, &[]));
        assert_eq!(counts(result.unwrap().rows, &findings), [2, 0, 0, 0, 1, 0]);
        assert_eq!(world.lines("SELECT id || v AS line FROM t ORDER BY id"), ["1a", "3c"]);
    }
}

#[test]
fn a_trigger_may_say_anything_and_its_row_is_a_reject() {
    for words in ["database is locked", "database or disk is full", "disk I/O error", "no such table: main.t"]
    {
        for how in ["ABORT", "FAIL"] {
            let world = World::sqlite(&format!(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
                 CREATE TRIGGER no AFTER INSERT ON t WHEN NEW.v = 'no' BEGIN SELECT RAISE({how}, '{words}'); END"
            ));
            let (result, findings) = world.import_as("a", b"id,v\n1,a\n2,no\n3,c\n", "t", all_rejects());
            assert_eq!(counts(result.unwrap().rows, &findings), [2, 0, 0, 0, 0, 1]);
            assert_eq!(told(&findings), [(3, "refused", None)]);
            assert!(findings.first_rejects[0].says.ends_with(words), "{findings:?}");
            // What was done before a FAIL is undone as well.
            assert_eq!(world.lines("SELECT id || v AS line FROM t ORDER BY id"), ["1a", "3c"]);
        }
    }
}

#[test]
fn a_row_without_an_id_is_a_reject_where_autoincrement_has_none_left() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)");
    let file = b"id,v\n,a\n9223372036854775807,b\n,c\n7,d\n,e\n";
    for (id, rejected) in [("first", [4, 6].as_slice()), ("again", &[2, 3, 4, 5, 6])] {
        let (result, findings) = world.import_as(id, file, "t", all_rejects());
        result.unwrap();
        assert_eq!(findings.first_rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), rejected);
        let says = &findings.first_rejects[findings.first_rejects.len() - 1].says;
        assert!(says.contains("AUTOINCREMENT has given the last id of the table \"t\""), "{says}");
        assert_eq!(
            world.lines("SELECT group_concat(v) AS line FROM (SELECT v FROM t ORDER BY id)"),
            ["a,d,b"]
        );
    }
}

#[test]
fn a_trigger_for_whose_row_autoincrement_has_no_id_left_is_named() {
    let world = World::sqlite(
        "CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT); CREATE TABLE t (v TEXT);
         INSERT INTO log VALUES (9223372036854775807, 'last');
         CREATE TRIGGER l AFTER INSERT ON t BEGIN INSERT INTO log (v) VALUES (NEW.v); END",
    );
    let (name, cause) = named(world.import_as("a", b"v\na\n", "t", all_rejects()).0);
    assert_eq!(name, FailureName::ConstraintViolation);
    assert!(cause.contains("AUTOINCREMENT has given the last id of the table \"log\""), "{cause}");
}

#[test]
fn a_trigger_that_ends_the_transaction_fails_the_import_and_is_named() {
    let world = World::sqlite(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
         CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.v = 'no' BEGIN SELECT RAISE(ROLLBACK, 'disk I/O error'); END",
    );
    let (name, cause) = named(world.import_as("r", b"id,v\n1,a\n2,no\n3,c\n", "t", all_rejects()).0);
    assert_eq!(name, FailureName::ConstraintViolation);
    assert!(cause.contains("RAISE(ABORT, …)") && cause.contains("disk I/O error"), "{cause}");
    assert_eq!(world.count("t"), 0);
}

#[test]
fn what_a_trigger_writes_elsewhere_is_not_blamed_on_a_column_of_the_file() {
    let world = World::sqlite(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, n INT NOT NULL CHECK (n > 0));
         CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, n INT CHECK (n < 100));
         CREATE TRIGGER log AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.id % 10, NEW.n); END",
    );
    let file = b"id,v,n\n1,a,1\n11,b,1\n2,c,0\n1,d,1\n3,e,100\n4,f,\n5,g,1\n";
    let (result, findings) = world.import_as("w", file, "t", all_rejects());
    assert_eq!(counts(result.unwrap().rows, &findings), [2, 0, 0, 0, 0, 5]);
    let expected = [
        (3, "refused", None),
        (4, "refused", None),
        (5, "unique", Some("id")),
        (6, "check", None),
        (7, "refused", None),
    ];
    assert_eq!(told(&findings), expected);
    assert_eq!(world.lines("SELECT group_concat(id) AS line FROM log"), ["1,5"]);
}

#[test]
fn a_key_is_free_again_where_a_trigger_takes_its_row_away() {
    for on_conflict in [OnConflict::Skip, OnConflict::Update] {
        let world = World::sqlite(
            "CREATE TABLE queue (k TEXT PRIMARY KEY, v INT); CREATE TABLE taken (k TEXT, v INT);
             CREATE TRIGGER f AFTER INSERT ON queue BEGIN
               INSERT INTO taken VALUES (NEW.k, NEW.v); DELETE FROM queue WHERE k = NEW.k AND NEW.v < 5; END",
        );
        let options = ImportOptions { on_conflict, ..ImportOptions::default() };
        let file = b"k,v\na,1\na,2\nb,3\na,5\na,6\n";
        let (result, findings) = world.import_as("q", file, "queue", options);
        assert_eq!(counts(result.unwrap().rows, &findings), [4, 0, 0, 1, 0, 0], "{on_conflict:?}");
        assert_eq!(world.lines("SELECT group_concat(k || v) AS line FROM taken"), ["a1,a2,b3,a5"]);
        let left = if on_conflict == OnConflict::Update { "a6" } else { "a5" };
        assert_eq!(world.lines("SELECT k || v AS line FROM queue"), [left]);
    }
}

#[test]
fn a_trigger_with_words_for_conflicts_of_its_own_keeps_them() {
    let world = World::sqlite(
        "CREATE TABLE tags (name TEXT PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, tag TEXT);
         CREATE TRIGGER tag AFTER INSERT ON t BEGIN INSERT OR IGNORE INTO tags VALUES (NEW.tag); END",
    );
    let (result, findings) = world.import_as("t", b"id,tag\n1,a\n2,a\n3,b\n", "t", all_rejects());
    assert_eq!(counts(result.unwrap().rows, &findings), [3, 0, 0, 0, 0, 0]);
    assert_eq!(world.lines("SELECT group_concat(name) AS line FROM tags"), ["a,b"]);
}

#[test]
fn a_table_made_to_replace_or_ignore_loses_no_row_untold() {
    for clause in ["REPLACE", "IGNORE", "FAIL", "ROLLBACK"] {
        let world = World::sqlite(&format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT {clause}, v TEXT UNIQUE ON CONFLICT {clause});
             INSERT INTO t VALUES (1, 'old')"
        ));
        let (result, findings) = world.import_as("e", b"id,v\n1,a\n2,b\n2,c\n3,b\n", "t", all_rejects());
        assert_eq!(counts(result.unwrap().rows, &findings), [1, 0, 0, 0, 0, 3], "{clause}");
        assert_eq!(world.lines("SELECT id || v AS line FROM t ORDER BY id"), ["1old", "2b"]);
    }
}

#[test]
fn rows_that_sqlite_numbers_are_numbered_in_the_files_order() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
    world.import(b"id,v\n5,a\n,b\n2,c\n,d\n", "t", ImportOptions::default()).unwrap();
    assert_eq!(world.lines("SELECT id || v AS line FROM t ORDER BY id"), ["2c", "5a", "6b", "7d"]);
    let file = b"id,v\n,e\n8,f\n";
    let (result, findings) = world.import_as("u", file, "t", on_conflict(OnConflict::Update, &[]));
    // The number that SQLite gave to the first row of the file is the second one's key.
    assert_eq!(counts(result.unwrap().rows, &findings), [1, 0, 0, 1, 0, 0]);
    assert_eq!(world.lines("SELECT id || v AS line FROM t WHERE id > 7"), ["8f"]);
}

#[test]
fn a_file_of_nothing_but_keys_is_an_update_too() {
    let world = World::sqlite("CREATE TABLE t (a INT, b TEXT, UNIQUE (a, b)); INSERT INTO t VALUES (1, 'x')");
    let file = b"a,b\n1,x\n2,y\n2,y\n3,\n3,\n";
    let (result, findings) = world.import_as("k", file, "t", on_conflict(OnConflict::Update, &["a", "b"]));
    assert_eq!(counts(result.unwrap().rows, &findings), [4, 1, 0, 1, 0, 0]);
    assert_eq!(world.count("t"), 4);
}

#[test]
fn a_view_with_a_trigger_instead_is_written_and_one_without_is_named() {
    let world = World::sqlite(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
         CREATE VIEW v AS SELECT id, name FROM t; CREATE VIEW w AS SELECT id FROM t;
         CREATE TRIGGER v_in INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (NEW.id, upper(NEW.name)); END",
    );
    let (result, findings) = world.import_as("v", b"id,name\n1,a\n2,b\n3,a\n", "v", all_rejects());
    assert_eq!(counts(result.unwrap().rows, &findings), [2, 0, 0, 0, 0, 1]);
    assert_eq!(world.lines("SELECT id || name AS line FROM t ORDER BY id"), ["1A", "2B"]);
    let (name, cause) = named(world.import_as("w", b"id\n9\n", "w", ImportOptions::default()).0);
    assert_eq!(name, FailureName::DatabaseMisconfigured);
    assert!(cause.contains("no trigger INSTEAD OF INSERT; import into the table behind it"), "{cause}");
}

#[test]
fn a_full_text_index_is_written_and_another_virtual_table_is_named() {
    let world = World::sqlite(
        "CREATE VIRTUAL TABLE docs USING fts5 (title, body); CREATE VIRTUAL TABLE boxes USING rtree (id, x, y)",
    );
    world.import(b"title,body\nAnn,one 007\nBob,\"two, three\"\n", "docs", ImportOptions::default()).unwrap();
    let found = world.lines("SELECT title || body AS line FROM docs WHERE docs MATCH 'three'");
    assert_eq!(found, ["Bobtwo, three"]);
    let (name, cause) = named(world.import_as("b", b"id,x,y\n1,1,2\n", "boxes", ImportOptions::default()).0);
    assert_eq!(name, FailureName::DatabaseMisconfigured);
    assert!(cause.contains("of the module rtree") && cause.contains("INSERT INTO \"boxes\""), "{cause}");
}

#[test]
fn a_full_text_index_that_keeps_no_values_is_named() {
    let world = World::sqlite(
        "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT);
         CREATE VIRTUAL TABLE words USING fts5 (title, content='');
         CREATE VIRTUAL TABLE \"Of docs\" USING fts5 (title, content='docs', content_rowid='id')",
    );
    for (id, table) in [("1", "words"), ("2", "Of docs")] {
        let (name, cause) = named(world.import_as(id, b"title\n007\n", table, ImportOptions::default()).0);
        assert_eq!(name, FailureName::DatabaseMisconfigured);
        assert!(cause.contains("without content of its own") && cause.contains(table), "{cause}");
    }
}

#[test]
fn a_table_with_a_dot_in_its_name_is_a_table() {
    let world = World::sqlite("CREATE TABLE \"sales.orders\" (id INTEGER PRIMARY KEY, v TEXT)");
    let options = on_conflict(OnConflict::Update, &[]);
    world.import(b"id,v\n1,a\n1,b\n", "sales.orders", options).unwrap();
    assert_eq!(world.lines("SELECT id || v AS line FROM \"sales.orders\""), ["1b"]);
}

#[test]
fn what_the_table_needs_and_sqlite_does_not_have_is_no_rows_fault() {
    let world = World::sqlite(
        "CREATE TABLE gone (id INT); CREATE TABLE t (id INTEGER PRIMARY KEY);
         CREATE TRIGGER log AFTER INSERT ON t BEGIN INSERT INTO gone VALUES (NEW.id); END; DROP TABLE gone",
    );
    let (name, cause) = named(world.import_as("m", b"id\n1\n", "t", all_rejects()).0);
    assert_eq!(name, FailureName::DatabaseMisconfigured);
    assert!(cause.contains("no such table: main.gone"), "{cause}");
}

#[test]
fn too_many_rejects_of_a_sorted_file_are_told_in_its_order() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY, u INT UNIQUE)");
    let (name, cause) = named(world.import_as("s", b"id,u\n9,1\n3,2\n4,1\n1,2\n", "t", max_rejects(1)).0);
    assert_eq!(name, FailureName::TooManyRejects);
    let lines: Vec<_> = cause.lines().skip(1).map(|line| &line[..6]).collect();
    assert_eq!(lines, ["line 4", "line 5"]);
}

#[test]
fn a_key_on_some_rows_or_on_an_expression_is_unique_beside_a_trigger_too() {
    for index in ["t (a) WHERE b = 1", "t (lower(a))"] {
        let world = World::sqlite(&format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INT); CREATE UNIQUE INDEX i ON {index};
             CREATE TABLE l (x INTEGER UNIQUE); INSERT INTO l VALUES (3);
             CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO l VALUES (new.id); END"
        ));
        let (result, findings) =
            world.import_as("k", b"id,a,b\n1,x,1\n2,x,1\n3,y,1\n1,z,0\n", "t", max_rejects(9));
        let told: Vec<_> =
            findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect();
        // What the trigger writes breaks a key of another table.
        assert_eq!(told, [(3, "unique"), (4, "refused"), (5, "unique")], "{index}");
        assert_eq!(result.unwrap().rows, 1);
    }
}

#[test]
fn what_a_trigger_says_of_conflicts_counts_beside_a_key_that_aborts_or_fails() {
    for clause in ["ABORT", "FAIL"] {
        let world = World::sqlite(&format!(
            "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);
             CREATE TABLE t (id INTEGER PRIMARY KEY, p_id INT REFERENCES p, a TEXT UNIQUE ON CONFLICT {clause});
             CREATE TRIGGER tp BEFORE INSERT ON t BEGIN INSERT OR IGNORE INTO p VALUES (new.p_id); END"
        ));
        let file = b"id,p_id,a\n1,1,x\n2,2,y\n3,2,z\n4,2,z\n";
        let (result, findings) = world.import_as("o", file, "t", max_rejects(9));
        let told: Vec<_> =
            findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect();
        assert_eq!((result.unwrap().rows, told), (3, vec![(5, "unique")]), "{clause}");
    }
}
