//! Rows that only the database can refuse: each is found, with its line, and the others are written.

use statemachine::{FailureName, ImportOptions, OnConflict};

use super::world::{World, max_rejects, named};

const DDL: &str = "CREATE TABLE teams (id INTEGER PRIMARY KEY); INSERT INTO teams VALUES (1);\
    CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT UNIQUE, age INTEGER CHECK (age >= 0), \
    team INTEGER REFERENCES teams (id))";

#[test]
fn each_violation_is_a_reject_with_its_line() {
    for world in World::both(DDL) {
        world.execute("INSERT INTO people VALUES (100, 'old@x', 1, 1)");
        let file = "id,email,age,team\n1,a@x,1,1\n1,b@x,2,1\n2,a@x,3,1\n3,c@x,-1,1\n4,d@x,1,9\n100,e@x,1,1\n5,f@x,5,1\n";
        let (result, findings) = world.import_as("v", file.as_bytes(), "people", max_rejects(5));
        let summary = result.unwrap();
        assert_eq!((summary.rows, summary.rejects), (2, 5), "{findings:#?}");
        let told: Vec<_> =
            findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect();
        assert_eq!(told, [(3, "unique"), (4, "unique"), (5, "check"), (6, "foreign_key"), (7, "unique")]);
        assert_eq!(findings.reasons["unique"], 3);
        assert_eq!(world.lines("SELECT CAST(id AS text) AS line FROM people ORDER BY id"), ["1", "5", "100"]);
    }
}

#[test]
fn what_postgresql_refuses_is_told_in_words_of_the_file() {
    let world = World::postgres(DDL);
    world.execute("INSERT INTO people VALUES (100, 'old@x', 1, 1)");
    let file = "id,email,age,team\n100,a@x,1,1\n1,b@x,2,1\n1,c@x,2,1\n3,d@x,-1,1\n4,e@x,1,9\n";
    let (name, cause) = named(world.import(file.as_bytes(), "people", ImportOptions::default()));
    assert_eq!(name, FailureName::TooManyRejects);
    let told: Vec<_> = cause.lines().collect();
    assert_eq!(
        told,
        [
            "4 rows were rejected, the import allows 0:",
            "line 2, column id: \"100\" is in the table already (unique)",
            "line 4, column id: \"1\" is also in an earlier row of the file (unique)",
            "line 5, column age: \"-1\" breaks the check (age >= 0) (check)",
            "line 6, column team: \"9\" refers to a row of public.teams that is not there (foreign_key)",
        ]
    );
    assert_eq!(world.count("people"), 1);
}

#[test]
fn what_no_query_can_tell_is_found_by_halving() {
    let world = World::postgres(
        "CREATE TABLE t (id int PRIMARY KEY, during int4range, EXCLUDE USING gist (during WITH &&));
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN IF NEW.id % 1000 = 7 THEN RAISE EXCEPTION 'seven is not wanted'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let rows: String = (1..=3000).map(|id| format!("{id},\"[{id},{})\"\n", id + 1)).collect();
    let file = format!("id,during\n{rows}4000,\"[5,7)\"\n4001,nonsense\n");
    let (result, findings) = world.import_as("h", file.as_bytes(), "t", max_rejects(10));
    assert_eq!(result.unwrap().rows, 2997);
    let told: Vec<_> =
        findings.first_rejects.iter().map(|reject| (reject.line, reject.reason.as_str())).collect();
    assert_eq!(
        told,
        [(8, "refused"), (1008, "refused"), (2008, "refused"), (3002, "exclusion"), (3003, "refused")]
    );
    assert!(findings.first_rejects[0].says.contains("seven is not wanted"), "{findings:?}");
    assert!(findings.first_rejects[4].says.contains("malformed range literal"), "{findings:?}");
}

#[test]
fn the_first_of_two_equal_rows_is_written_in_whatever_order_the_keys_come() {
    for world in World::both("CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER UNIQUE)") {
        let (result, findings) = world.import_as("o", b"id,n\nz,1\na,1\nz,2\nb,3\n", "t", max_rejects(2));
        let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
        assert_eq!((result.unwrap().rows, lines), (2, vec![3, 4]));
        assert_eq!(world.lines("SELECT id AS line FROM t ORDER BY id"), ["b", "z"]);
    }
}

#[test]
fn a_row_may_refer_to_a_later_one_and_a_deferred_constraint_is_told_with_its_line() {
    let world = World::postgres(
        "CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes (id) DEFERRABLE INITIALLY DEFERRED)",
    );
    let (result, findings) = world.import_as("t", b"id,parent\n1,2\n2,3\n3,\n4,9\n", "nodes", max_rejects(1));
    assert_eq!((result.unwrap().rows, findings.first_rejects[0].line), (3, 5));
    let (result, _) =
        world.import_as("u", b"id,parent\n5,6\n6,7\n7,8\n8,99\n10,1\n", "nodes", max_rejects(9));
    assert_eq!(result.unwrap().rows, 1, "who refers to a row that is refused is refused");
}

#[test]
fn many_violations_in_many_batches_are_counted_exactly() {
    let world = World::postgres("CREATE TABLE t (id int PRIMARY KEY, v text)");
    world.execute("INSERT INTO t SELECT i * 100, 'old' FROM generate_series(1, 3000) i");
    let text = "x".repeat(60);
    let rows: String = (1..=300_000).map(|id| format!("{id},{text}\n")).collect();
    let options = ImportOptions { max_rejects: "1%".parse().unwrap(), ..ImportOptions::default() };
    let (result, findings) = world.import_as("m", format!("id,v\n{rows}").as_bytes(), "t", options);
    let summary = result.unwrap();
    assert_eq!((summary.rows, summary.rejects), (297_000, 3000));
    assert_eq!((findings.rows_read, findings.rejects_file.unwrap().rows), (300_000, 3000));
    assert_eq!(world.count("t"), 300_000);
}

#[test]
fn a_value_whose_own_syntax_a_check_or_a_trigger_cannot_read_is_a_reject() {
    let function = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM to_tsquery(NEW.v); RETURN NEW; END $$";
    let tables = [
        "CREATE TABLE t (id int PRIMARY KEY, v text, q tsquery GENERATED ALWAYS AS (to_tsquery('simple', v)) STORED)",
        "CREATE TABLE t (id int PRIMARY KEY, v text CHECK (to_tsquery('simple', v) IS NOT NULL))",
        "CREATE DOMAIN asked AS text CHECK (to_tsquery('simple', VALUE) IS NOT NULL); CREATE TABLE t (id int PRIMARY KEY, v asked)",
        &format!(
            "{function}; CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
        ),
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX ON t USING gin ((to_tsquery('simple', v)::text::tsvector))",
    ];
    for table in tables {
        for on_conflict in [OnConflict::Error, OnConflict::Update] {
            let world = World::postgres(table);
            let options = ImportOptions { on_conflict, ..max_rejects(2) };
            let (result, findings) = world.import_as("q", b"id,v\n1,a\n2,a &\n3,b\n4,c | |\n", "t", options);
            assert_eq!(result.unwrap().rows, 2, "{table}: {findings:?}");
            assert_eq!(
                findings.first_rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(),
                [3, 5],
                "{table}"
            );
        }
    }
}

#[test]
fn a_trigger_whose_own_statement_cannot_be_read_blames_no_row() {
    let world = World::postgres(
        "CREATE TABLE t (id int);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELEC 1'; RETURN NEW; END $$;
         CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    );
    let (name, cause) = named(world.import_as("s", b"id\n1\n2\n", "t", max_rejects(9)).0);
    assert_eq!(name, FailureName::DatabaseMisconfigured, "{cause}");
}
