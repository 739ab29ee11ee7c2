//! What rows can be written to beside a plain table: views, foreign tables, partitions, whatever its name. What cannot be
//! written is refused with what to do.

use statemachine::{FailureName, ImportOptions, OnConflict};

use super::world::{World, max_rejects, named};

#[test]
fn a_view_with_a_trigger_instead_is_written_row_by_row() {
    let world = World::postgres(
        "CREATE TABLE base (id int PRIMARY KEY, name text CHECK (name <> 'BAD'));
         CREATE VIEW v AS SELECT id, name, id * 2 AS doubled FROM base;
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'drop' THEN RETURN NULL; END IF;
           INSERT INTO base VALUES (NEW.id, upper(NEW.name)); RETURN NEW; END $$;
         CREATE TRIGGER f INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f()",
    );
    let file = b"id,name,doubled\n1,a,\n2,bad,7\n3,drop,\n1,again,\n5,b,\n";
    let (result, findings) = world.import_as("v", file, "v", max_rejects(2));
    let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
    assert_eq!((result.unwrap().rows, findings.dropped, lines), (2, 1, vec![3, 5]), "{findings:?}");
    assert_eq!(world.lines("SELECT id || name AS line FROM base ORDER BY id"), ["1A", "5B"]);
    let options = ImportOptions { on_conflict: OnConflict::Update, ..ImportOptions::default() };
    let (name, cause) = named(world.import_as("u", b"id\n1\n", "v", options).0);
    assert_eq!(name, FailureName::OptionsInvalid);
    assert!(cause.ends_with("import into the table behind it"), "{cause}");
}

#[test]
fn a_view_that_the_database_can_write_through_is_a_table() {
    let world = World::postgres(
        "CREATE TABLE base (id serial PRIMARY KEY, tags varchar(3)[], n int, kind text DEFAULT 'x');
         CREATE VIEW v AS SELECT n, tags, id, n + 1 AS next FROM base WHERE n > 0 WITH CHECK OPTION",
    );
    let file = b"n,tags\n1,{abc}\n2,{abcd}\n-3,{a}\n4,\n";
    let (result, findings) = world.import_as("v", file, "v", max_rejects(2));
    let told: Vec<_> =
        findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect();
    assert_eq!((result.unwrap().rows, told), (2, vec![(3, "too_long"), (4, "check")]), "{findings:?}");
    assert_eq!(
        world.lines("SELECT concat_ws(' ', n, tags, kind) AS line FROM base ORDER BY n"),
        ["1 {abc} x", "4 x"]
    );
    let (name, cause) = named(world.import_as("w", b"n,next\n7,8\n", "v", ImportOptions::default()).0);
    assert_eq!(name, FailureName::HeaderMismatch, "{cause}");
}

#[test]
fn what_takes_no_rows_is_refused_with_what_to_do() {
    let world = World::postgres(
        "CREATE VIEW many AS SELECT 1 AS id UNION SELECT 2; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id;
         CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
         CREATE FOREIGN TABLE lines (id int) SERVER files OPTIONS (filename '/dev/null', format 'csv');
         CREATE TABLE ruled (id int); CREATE RULE nowhere AS ON INSERT TO ruled DO INSTEAD NOTHING;
         CREATE TABLE logged (id int); CREATE TABLE log (id int);
         CREATE RULE also AS ON INSERT TO logged DO ALSO INSERT INTO log VALUES (NEW.id)",
    );
    for (table, advice) in [
        ("many", "import into the table behind it, or create such a trigger"),
        ("kept", "then run REFRESH MATERIALIZED VIEW"),
        ("lines", "wrapper file_fdw does not write); import into a table of this database"),
        ("ruled", "rule ON INSERT (nowhere), which PostgreSQL's COPY does not run; make a trigger of it"),
        ("logged", "rule ON INSERT (also)"),
    ] {
        let (name, cause) = named(world.import_as(table, b"id\n1\n", table, max_rejects(9)).0);
        assert_eq!(name, FailureName::DatabaseMisconfigured, "{cause}");
        assert!(cause.contains(advice), "{cause}");
    }
    world.execute("DROP RULE also ON logged");
    assert_eq!(world.import_as("l", b"id\n1\n", "logged", max_rejects(0)).0.unwrap().rows, 1);
}

#[test]
fn a_foreign_table_takes_rows_and_refuses_them_one_by_one() {
    let world = World::postgres("CREATE TABLE base (id int PRIMARY KEY, name text)");
    let options = "SELECT format('host ''127.0.0.1'', port ''%s'', dbname ''%s''', inet_server_port(), current_database()) AS line";
    let options = world.lines(options).remove(0);
    world.execute(&format!(
        "CREATE EXTENSION postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({options});
         CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (user 'baton');
         CREATE FOREIGN TABLE far (id int, name text) SERVER other OPTIONS (table_name 'base', batch_size '10');
         CREATE TABLE parts (id int, name text) PARTITION BY LIST (name);
         CREATE FOREIGN TABLE parts_x PARTITION OF parts FOR VALUES IN ('x') SERVER other OPTIONS (table_name 'base')"
    ));
    let (result, findings) = world.import_as("f", b"id,name\n1,a\n2,b\n1,c\n4,d\n", "far", max_rejects(1));
    assert_eq!((result.unwrap().rows, findings.first_rejects[0].line), (3, 4), "{findings:?}");
    assert!(findings.notes.iter().any(|note| note.contains("committed by their own server")), "{findings:?}");
    let (result, findings) = world.import_as("p", b"id,name\n5,x\n6,y\n4,x\n", "parts", max_rejects(2));
    assert_eq!((result.unwrap().rows, findings.first_rejects.len()), (1, 2), "{findings:?}");
    assert_eq!(
        world.lines("SELECT string_agg(id || name, ' ' ORDER BY id) AS line FROM base"),
        ["1a 2b 4d 5x"]
    );
}

#[test]
fn a_table_is_found_by_its_name_whatever_stands_in_it() {
    let world = World::postgres(
        "CREATE TABLE \"my.table\" (id int); CREATE SCHEMA \"Sal.es\"; CREATE TABLE \"Sal.es\".\"or.ders\" (id int);
         CREATE TABLE \"we\"\"ird\" (id int); CREATE SCHEMA a; CREATE TABLE a.b (id int); CREATE TABLE \"a.b\" (id int)",
    );
    let names = [
        ("my.table", "\"my.table\""),
        ("public.my.table", "\"my.table\""),
        ("\"my.table\"", "\"my.table\""),
        ("Sal.es.or.ders", "\"Sal.es\".\"or.ders\""),
        ("\"Sal.es\".\"or.ders\"", "\"Sal.es\".\"or.ders\""),
        ("we\"ird", "\"we\"\"ird\""),
        ("\"we\"\"ird\"", "\"we\"\"ird\""),
        ("a.\"b\"", "a.b"),
        ("public.\"a.b\"", "\"a.b\""),
    ];
    for (number, (name, sql)) in names.into_iter().enumerate() {
        let before = world.count(sql);
        let (result, _) = world.import_as(&format!("n{number}"), b"id\n1\n", name, ImportOptions::default());
        assert_eq!((result.unwrap().rows, world.count(sql)), (1, before + 1), "{name}");
    }
    let (_, cause) = named(world.import_as("x", b"id\n1\n", "a.b", ImportOptions::default()).0);
    assert!(
        cause.contains("is the name of a.b and of public.\"a.b\"; write the one that is meant"),
        "{cause}"
    );
    let (name, _) = named(world.import_as("y", b"id\n1\n", "baton_ledger.jobs", ImportOptions::default()).0);
    assert_eq!(name, FailureName::TableNotAllowed);
}

#[test]
fn statement_triggers_see_rows_that_are_written_and_may_refuse_them() {
    let world = World::postgres(
        "CREATE TABLE t (id int PRIMARY KEY, n int); CREATE TABLE seen (n bigint);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF EXISTS (SELECT FROM fresh WHERE n < 0) THEN RAISE EXCEPTION 'below zero'; END IF;
           INSERT INTO seen SELECT count(*) FROM fresh; RETURN NULL; END $$;
         CREATE TRIGGER f AFTER INSERT ON t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION f()",
    );
    let rows: String =
        (1..=1000).map(|id| format!("{id},{}\n", if id % 300 == 0 { -1 } else { id })).collect();
    let (result, findings) = world.import_as("s", format!("id,n\n{rows}").as_bytes(), "t", max_rejects(3));
    let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
    assert_eq!((result.unwrap().rows, lines, findings.dropped), (997, vec![301, 601, 901], 0));
    assert_eq!(world.lines("SELECT sum(n)::text AS line FROM seen"), ["997"]);
}
