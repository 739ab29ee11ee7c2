//! The indexes of an empty table, dropped before the load and built again after it.

use statemachine::{FailureName, ImportOptions};

use super::world::{World, max_rejects, named};

const DDL: &str = "CREATE TABLE t (id int CONSTRAINT \"The key\" PRIMARY KEY, name text UNIQUE, day date);
    CREATE INDEX by_day ON t (day DESC) WHERE day IS NOT NULL";

const INDEXES: &str =
    "SELECT pg_get_indexdef(indexrelid) AS line FROM pg_index WHERE indrelid = 't'::regclass ORDER BY 1";

fn rebuild() -> ImportOptions {
    ImportOptions { rebuild_indexes: true, ..ImportOptions::default() }
}

#[test]
fn the_indexes_are_as_they_were() {
    let world = World::postgres(DDL);
    let before = world.lines(INDEXES);
    let (result, findings) = world.import_as("r", b"id,name,day\n2,b,2024-01-01\n1,a,\n", "t", rebuild());
    assert_eq!((result.unwrap().rows, world.lines(INDEXES)), (2, before));
    assert!(findings.notes[0].starts_with("3 indexes"), "{findings:?}");
    let constraints =
        "SELECT conname::text AS line FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY 1";
    assert_eq!(world.lines(constraints), ["The key", "t_name_key"]);
}

#[test]
fn rows_that_an_index_refuses_are_rejects_all_the_same() {
    let world = World::postgres(DDL);
    let before = world.lines(INDEXES);
    let options = ImportOptions { rebuild_indexes: true, ..max_rejects(1) };
    let (result, findings) = world.import_as("r", b"id,name\n1,a\n2,b\n1,c\n", "t", options);
    let summary = result.unwrap();
    assert_eq!((summary.rows, summary.rejects, findings.first_rejects[0].line), (2, 1, 4));
    assert_eq!((summary.bytes, world.lines(INDEXES)), (20, before));
}

#[test]
fn a_table_that_is_in_use_is_left_alone() {
    let world = World::postgres(DDL);
    world.execute("INSERT INTO t VALUES (7, 'seven'); CREATE TABLE other (t int REFERENCES t (id))");
    let refused = |id| {
        let (name, cause) = named(world.import_as(id, b"id\n1\n", "t", rebuild()).0);
        assert_eq!(name, FailureName::OptionsInvalid, "{cause}");
        cause
    };
    assert!(refused("a").contains("other rows refer to it"));
    world.execute("DROP TABLE other");
    assert!(refused("b").contains("it is not empty"));
    assert_eq!(world.count("t"), 1);
}
