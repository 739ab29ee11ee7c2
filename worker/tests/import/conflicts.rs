//! Rows that are in the table already, or twice in the file: rejected, skipped or updated, and counted.

use statemachine::{FailureName, Findings, ImportOptions, OnConflict};

use super::world::{World, max_rejects, named};

const DDL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER CHECK (n < 100));\
    INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2)";

const FILE: &[u8] = b"id,name\n2,TWO\n3,three\n3,THREE\n4,four\n2,Two\n";

fn on_conflict(on_conflict: OnConflict) -> ImportOptions {
    ImportOptions { on_conflict, ..ImportOptions::default() }
}

fn counts(findings: &Findings) -> (u64, u64, u64, u64) {
    (findings.rows_read, findings.updated, findings.skipped, findings.duplicates)
}

fn rows(world: &World) -> Vec<String> {
    let n = "coalesce(CAST(n AS text), '-')";
    world.lines(&format!("SELECT CAST(id AS text) || ' ' || name || ' ' || {n} AS line FROM t ORDER BY id"))
}

#[test]
fn skip_leaves_what_is_there_and_takes_the_first_of_the_file() {
    for world in World::both(DDL) {
        let (result, findings) = world.import_as("s", FILE, "t", on_conflict(OnConflict::Skip));
        assert_eq!(result.unwrap().rows, 2);
        // Both rows with the key 2 are skipped for the row of the table; the second 3 for the first one of the file.
        assert_eq!(counts(&findings), (5, 0, 2, 1), "{findings:?}");
        assert_eq!(rows(&world), ["1 one 1", "2 two 2", "3 three -", "4 four -"]);
    }
}

#[test]
fn update_changes_what_is_there_and_takes_the_last_of_the_file() {
    for world in World::both(DDL) {
        let (result, findings) = world.import_as("u", FILE, "t", on_conflict(OnConflict::Update));
        assert_eq!(result.unwrap().rows, 3);
        assert_eq!(counts(&findings), (5, 1, 0, 2), "{findings:?}");
        assert_eq!(rows(&world), ["1 one 1", "2 Two 2", "3 THREE -", "4 four -"]);
    }
}

#[test]
fn error_rejects_them_with_their_lines() {
    for world in World::both(DDL) {
        let options = ImportOptions { key: Vec::new(), ..max_rejects(3) };
        let (result, findings) = world.import_as("e", FILE, "t", options);
        assert_eq!(result.unwrap().rows, 2);
        let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(lines, [2, 4, 6]);
        assert_eq!(rows(&world), ["1 one 1", "2 two 2", "3 three -", "4 four -"]);
    }
}

#[test]
fn an_upsert_goes_by_any_unique_key_and_null_is_like_nothing() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, n INTEGER, UNIQUE (a, b));\
        INSERT INTO t VALUES (1, 'x', 'y', 1)";
    for world in World::both(ddl) {
        let options =
            ImportOptions { key: vec!["b".to_owned(), "a".to_owned()], ..on_conflict(OnConflict::Update) };
        let file = b"id,a,b,n\n7,x,y,2\n8,x,,3\n9,x,,4\n10,p,q,5\n";
        let (result, findings) = world.import_as("k", file, "t", options);
        assert_eq!((result.unwrap().rows, counts(&findings)), (4, (4, 1, 0, 0)));
        let sums = "SELECT CAST(count(*) AS text) || ' ' || CAST(sum(n) AS text) AS line FROM t";
        assert_eq!(world.lines(sums), ["4 14"]);
    }
}

#[test]
fn an_upsert_rejects_what_breaks_another_rule() {
    for world in World::both(DDL) {
        let options =
            ImportOptions { max_rejects: max_rejects(1).max_rejects, ..on_conflict(OnConflict::Update) };
        let (result, findings) =
            world.import_as("r", b"id,name,n\n1,a,7\n2,b,100\n5,c,9\n5,d,8\n", "t", options);
        assert_eq!(result.unwrap().rows, 2, "{findings:?}");
        assert_eq!((findings.first_rejects[0].line, findings.first_rejects[0].reason.as_str()), (3, "check"));
        assert_eq!(counts(&findings), (4, 1, 0, 1));
        assert_eq!(rows(&world), ["1 a 7", "2 two 2", "5 d 8"]);
    }
}

#[test]
fn a_key_that_decides_nothing_is_refused_before_anything_is_written() {
    for world in World::both(DDL) {
        let refused = |id: &str, options| {
            let (name, cause) = named(world.import_as(id, FILE, "t", options).0);
            assert_eq!(name, FailureName::OptionsInvalid, "{cause}");
            cause
        };
        let by = |key: &str, on_conflict| ImportOptions {
            key: vec![key.to_owned()],
            on_conflict,
            ..ImportOptions::default()
        };
        assert!(refused("a", by("name", OnConflict::Skip)).contains("key"));
        assert!(refused("b", by("nobody", OnConflict::Update)).contains("no column \"nobody\""));
        assert!(refused("c", by("n", OnConflict::Update)).contains("does not fill the column \"n\""));
        assert!(refused("d", by("id", OnConflict::Error)).contains("on_conflict"));
    }
}

#[test]
fn two_unique_indexes_on_a_key_have_to_agree_on_which_values_are_the_same() {
    let world = World::postgres(
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE TABLE t (k text PRIMARY KEY, v text); CREATE UNIQUE INDEX t_any_case ON t (k COLLATE ci);
         CREATE TABLE same (k text PRIMARY KEY, n int UNIQUE); CREATE UNIQUE INDEX ON same (k COLLATE \"C\");
         CREATE UNIQUE INDEX ON same (k text_pattern_ops); CREATE UNIQUE INDEX t_null ON same (n) NULLS NOT DISTINCT",
    );
    for (id, on_conflict) in [("t", OnConflict::Skip), ("u", OnConflict::Update)] {
        let options = ImportOptions { on_conflict, ..ImportOptions::default() };
        let (name, cause) = named(world.import_as(id, b"k,v\na,1\nA,2\n", "t", options).0);
        assert_eq!(name, FailureName::OptionsInvalid, "{cause}");
        assert!(cause.contains("\"t_pkey\" and \"t_any_case\" on it differ"), "{cause}");
    }
    let options = |key: &str| ImportOptions { key: vec![key.to_owned()], ..on_conflict(OnConflict::Skip) };
    let (result, findings) = world.import_as("s", b"k,n\na,1\nA,2\na,3\n", "same", options("k"));
    assert_eq!((result.unwrap().rows, counts(&findings)), (2, (3, 0, 0, 1)));
    let (_, cause) = named(world.import_as("n", b"k,n\nb,\n", "same", options("n")).0);
    assert!(cause.contains("t_null"), "{cause}");
}

#[test]
fn an_upsert_of_many_rows_is_the_table_of_one_row_at_a_time() {
    let world = World::postgres("CREATE TABLE t (id int PRIMARY KEY, v int, w text)");
    world.execute("INSERT INTO t SELECT i, -i, 'old' FROM generate_series(1, 40000, 2) i");
    let rows: String = (0..60_000_u32).map(|row| format!("{},{row}\n", row * 7919 % 50_000 + 1)).collect();
    let file = format!("id,v\n{rows}");
    let (result, findings) = world.import_as("m", file.as_bytes(), "t", on_conflict(OnConflict::Update));
    assert_eq!(result.unwrap().rows, 50_000);
    assert_eq!(counts(&findings), (60_000, 20_000, 0, 10_000));
    let mut expected: Vec<_> = (0..50_000_u32).map(|_| 0).collect();
    (0..60_000_u32).for_each(|row| expected[(row * 7919 % 50_000) as usize] = row);
    let sum: u64 = expected.iter().enumerate().map(|(id, v)| (id as u64 + 1) * u64::from(*v)).sum();
    assert_eq!(world.lines("SELECT sum(id::bigint * v)::text AS line FROM t"), [sum.to_string()]);
    assert_eq!(world.lines("SELECT count(*)::text AS line FROM t WHERE w = 'old'"), ["20000"]);
}

#[test]
fn a_partitioned_table_is_upserted_too() {
    let world = World::postgres(
        "CREATE TABLE t (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
         CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (3);
         CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (3) TO (100);
         INSERT INTO t VALUES (1, 'one'), (2, 'two')",
    );
    let (result, findings) = world.import_as("p", FILE, "t", on_conflict(OnConflict::Update));
    assert_eq!((result.unwrap().rows, counts(&findings)), (3, (5, 1, 0, 2)));
    let (result, findings) = world.import_as("q", b"id,name\n1,x\n5,five\n200,far\n", "t", max_rejects(2));
    assert_eq!(result.unwrap().rows, 1);
    let told: Vec<_> = findings.first_rejects.iter().map(|reject| (reject.line, &*reject.reason)).collect();
    assert_eq!(told, [(2, "unique"), (4, "check")]);
}
