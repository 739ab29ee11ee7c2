//! A database that knows the characters of Western Europe alone: what it cannot store is a reject of its row, and what is told of
//! it reaches the database all the same.

use statemachine::{Findings, Import, ImportOptions, ImportResult, OnConflict};
use worker::ledger::{Claimant, claim};

use super::world::{World, max_rejects, named};

fn latin(ddl: &str) -> World {
    in_encoding("LATIN1", ddl)
}

fn in_encoding(encoding: &str, ddl: &str) -> World {
    let outer = World::postgres("SELECT 1");
    let name = outer.lines("SELECT current_database() || '_latin' AS line").remove(0);
    outer.execute(&format!(
        "CREATE DATABASE {name} WITH ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    let port = outer.lines("SELECT inet_server_port()::text AS line").remove(0);
    let world = World::postgres_at(&format!("postgres://baton@127.0.0.1:{port}/{name}"));
    world.execute(ddl);
    world
}

fn told(findings: &Findings) -> Vec<(u64, Option<&str>, Option<&str>)> {
    let rejects = findings.first_rejects.iter();
    rejects.map(|reject| (reject.line, reject.column.as_deref(), reject.value.as_deref())).collect()
}

/// SQL_ASCII takes every byte for a character.
#[test]
fn a_text_that_has_too_many_bytes_for_its_column_is_a_reject_and_never_cut() {
    let world =
        in_encoding("SQL_ASCII", "CREATE TABLE t (id int PRIMARY KEY, v varchar(4), c char(4), w text)");
    let file = "id,v,c,w\n1,é   ,a,b\n2,é  ,éé,東京\n3,x,\"é   \",\n4,ab,  ab,\n5,ab    ,,\n";
    let (result, findings) = world.import_as("t", file.as_bytes(), "t", max_rejects(3));
    assert_eq!(result.unwrap().rows, 2, "{findings:?}");
    let expected =
        [(2, Some("v"), Some("é   ")), (4, Some("c"), Some("é   ")), (6, Some("v"), Some("ab    "))];
    assert_eq!(told(&findings), expected);
    assert_eq!(findings.first_rejects[0].says, "has 5 bytes, the type varchar holds 4");
    let stored = world.lines("SELECT concat_ws('|', id, v, c, w) AS line FROM t ORDER BY id");
    assert_eq!(stored, ["2|é  |éé|東京", "4|ab|  ab"]);
}

#[test]
fn what_the_databases_encoding_does_not_know_is_one_reject_each() {
    let world = latin("CREATE TABLE t (id int PRIMARY KEY, name text, tags text[], j jsonb)");
    let file = "id,name,tags,j\n1,Müller,{ä},\"{\"\"a\"\":\"\"é\"\"}\"\n2,東京,,\n3,,{東京},\n4,,,\"\"\"東京\"\"\"\n5,ÿ,,\n5,again,,\n";
    let (result, findings) = world.import_as("t", file.as_bytes(), "t", max_rejects(4));
    assert_eq!(result.unwrap().rows, 2, "{findings:?}");
    let expected = [
        (3, Some("name"), Some("東京")),
        (4, Some("tags"), Some("{東京}")),
        (5, Some("j"), Some("\"東京\"")),
        (7, Some("id"), Some("5")),
    ];
    assert_eq!(told(&findings), expected);
    assert_eq!(world.lines("SELECT name AS line FROM t ORDER BY id"), ["Müller", "ÿ"]);
    let stored = world.lines("SELECT result AS line FROM \"baton_jobs\"").remove(0);
    assert!(stored.is_ascii(), "{stored}");
    let stored: ImportResult = serde_json::from_str(&stored).unwrap();
    assert_eq!(told(&stored.findings), expected);
}

#[test]
fn an_upsert_and_references_reject_them_as_well() {
    let world = latin(
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(9) CHECK (name <> 'x'), self int REFERENCES t (id))",
    );
    for (id, on_conflict) in [("u", OnConflict::Update), ("s", OnConflict::Skip), ("e", OnConflict::Error)] {
        let options = ImportOptions { on_conflict, ..max_rejects(2) };
        let file = "id,name,self\n1,東京,\n2,Müller,2\n3,京,2\n";
        let (result, findings) = world.import_as(id, file.as_bytes(), "t", options);
        assert_eq!(result.unwrap().rows, 1);
        assert_eq!(told(&findings), [(2, Some("name"), Some("東京")), (4, Some("name"), Some("京"))]);
        world.execute("TRUNCATE t");
    }
}

#[test]
fn names_that_the_databases_encoding_does_not_know_are_told_once() {
    let world = latin("CREATE TABLE t (id int)");
    let (name, cause) = named(world.import_as("a", "id,東京\n1,2\n".as_bytes(), "t", max_rejects(9)).0);
    assert_eq!((name.as_str(), cause.contains("東京")), ("Import.HeaderMismatch", true), "{cause}");
    let import = Import {
        import_id: "b".parse().unwrap(),
        source: Some("s3://uploads/東京.csv".parse().unwrap()),
        version_id: None,
        table: Some("t".to_owned()),
        options: ImportOptions::default(),
    };
    let by = Claimant { execution_arn: "arn:execution", worker: "a host", version: "1" };
    let lease = std::time::Duration::from_secs(300);
    let failure = claim(&mut world.database.connect().unwrap(), &worker::imports::asked(&import), &by, lease)
        .unwrap_err()
        .to_string();
    assert!(failure.starts_with("Import.DatabaseMisconfigured"), "{failure}");
    assert!(failure.contains("use a database whose encoding is UTF8"), "{failure}");
}

/// `name` holds 63 bytes, and a character of the database's encoding has one.
#[test]
fn what_a_name_holds_goes_by_the_databases_encoding() {
    let world = latin("CREATE TABLE t (id int, n name, c \"char\")");
    let file = format!("id,n,c\n1,{0},é\n2,{0}é,é\n", "é".repeat(63));
    let (result, findings) = world.import_as("n", file.as_bytes(), "t", max_rejects(1));
    assert_eq!(result.unwrap().rows, 1, "{findings:?}");
    assert_eq!(findings.first_rejects[0].says, "has 64 bytes, the type name holds 63");
    // One byte beyond ASCII is written as its code.
    assert_eq!(world.lines("SELECT concat_ws(' ', length(n), c) AS line FROM t"), ["63 \\351"]);
}
