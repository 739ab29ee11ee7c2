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

/// All that the server knows of the table's indexes and constraints, but for their numbers.
const EVERYTHING: &str = "SELECT concat_ws('|', c.relname, pg_get_indexdef(c.oid), c.reloptions, s.spcname, i.indisprimary, i.indimmediate,
      i.indisclustered, i.indisreplident, i.indisvalid, t.relreplident, obj_description(c.oid, 'pg_class'),
      (SELECT string_agg(concat(a.attnum, ':', a.attstattarget), ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid),
      con.conname, pg_get_constraintdef(con.oid), con.condeferrable, con.condeferred, obj_description(con.oid, 'pg_constraint')) AS line
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace LEFT JOIN pg_constraint con ON con.conindid = c.oid
    WHERE t.relname = 'full' ORDER BY 1";

#[test]
fn nothing_that_belongs_to_an_index_is_lost() {
    let world = World::postgres("SELECT 1");
    let database = world.lines("SELECT current_database()::text AS line").remove(0);
    world.execute(&format!("ALTER DATABASE {database} SET allow_in_place_tablespaces = on"));
    world.execute(&format!("CREATE TABLESPACE \"The {database}\" LOCATION ''"));
    world.execute(&format!(
        "CREATE TABLE \"full\" (id int, a text NOT NULL, b text, c int, r int4range, d int,
           CONSTRAINT \"The key\" PRIMARY KEY (id) INCLUDE (b) WITH (fillfactor = 70) USING INDEX TABLESPACE \"The {database}\"
             DEFERRABLE INITIALLY DEFERRED,
           CONSTRAINT apart UNIQUE NULLS NOT DISTINCT (b, c) WITH (fillfactor = 60), UNIQUE (a),
           CONSTRAINT once UNIQUE (d) DEFERRABLE, CONSTRAINT gaps EXCLUDE USING gist (r WITH &&) WHERE (c > 0));
         CREATE INDEX lowered ON \"full\" (lower(a) COLLATE \"C\" text_pattern_ops DESC NULLS LAST, c) INCLUDE (b)
           WITH (fillfactor = 50, deduplicate_items = off) WHERE c IS NOT NULL;
         CREATE INDEX hashed ON \"full\" USING hash (a) TABLESPACE \"The {database}\";
         ALTER INDEX lowered ALTER COLUMN 1 SET STATISTICS 500; ALTER TABLE \"full\" CLUSTER ON apart;
         ALTER TABLE \"full\" REPLICA IDENTITY USING INDEX full_a_key;
         COMMENT ON INDEX lowered IS 'it''s \\ lowered'; COMMENT ON INDEX apart IS 'an index';
         COMMENT ON CONSTRAINT apart ON \"full\" IS 'a constraint'"
    ));
    let before = world.lines(EVERYTHING);
    let (result, findings) =
        world.import_as("f", b"id,a,b,c,r,d\n1,x,,1,\"[1,3)\",1\n2,y,z,2,,2\n", "full", rebuild());
    assert_eq!(result.unwrap().rows, 2);
    assert!(findings.notes[0].starts_with("7 indexes"), "{findings:?}");
    assert_eq!(world.lines(EVERYTHING), before);
    assert!(
        before.iter().any(|line| line.contains("fillfactor=70") && line.contains("The test_")),
        "{before:#?}"
    );
}

#[test]
fn an_index_that_would_not_come_back_is_named_before_anything_is_dropped() {
    let world = World::postgres(
        "CREATE TABLE a (id int PRIMARY KEY, r int4range);
         ALTER TABLE a ADD CONSTRAINT gaps EXCLUDE USING gist (r WITH &&) WITH (fillfactor = 60);
         CREATE TABLE b (id int PRIMARY KEY, name text); CREATE VIEW v AS SELECT id, name FROM b GROUP BY id;
         CREATE TABLE c (id int, u uuid); CREATE INDEX by_u ON c (u); ALTER INDEX by_u DEPENDS ON EXTENSION plpgsql",
    );
    for (table, why) in [
        ("a", "its index gaps has storage parameters (fillfactor=60), which would be lost"),
        ("b", "its index b_pkey is needed by a view or another object"),
        ("c", "its index by_u belongs to an extension"),
    ] {
        let (name, cause) = named(world.import_as(table, b"id\n1\n", table, rebuild()).0);
        assert_eq!((name, cause.contains(why)), (FailureName::OptionsInvalid, true), "{cause}");
        assert!(cause.ends_with("or import without rebuild_indexes"), "{cause}");
    }
}

#[test]
fn a_setting_of_the_role_moves_no_index() {
    let world = World::postgres(DDL);
    let database = world.lines("SELECT current_database()::text AS line").remove(0);
    world.execute(&format!("ALTER DATABASE {database} SET default_tablespace = pg_global"));
    let (result, _) = world.import_as("r", b"id\n1\n", "t", rebuild());
    assert_eq!(result.unwrap().rows, 1);
}
