//! Values that PostgreSQL's own types take, or refuse, in ways of their own.

use statemachine::{Findings, ImportOptions};

use super::world::{World, max_rejects};

fn told(findings: &Findings) -> Vec<(u64, &str, &str)> {
    findings
        .first_rejects
        .iter()
        .map(|reject| (reject.line, reject.column.as_deref().unwrap_or("-"), reject.reason.as_str()))
        .collect()
}

#[test]
fn a_message_that_is_cut_within_a_character_is_one_reject() {
    let world = World::postgres(
        "CREATE EXTENSION cube; CREATE EXTENSION seg; CREATE TABLE t (id int, c cube, s seg, d int)",
    );
    let file =
        "id,c,s,d\n1,\"(1,2),(3,4)\",1.5,\n2,\"１(1,2),(3,4)\",,\n3,,１..2,\n4,\"(1,2),(東\",,\n5,,,\n";
    let (result, findings) = world.import_as("c", file.as_bytes(), "t", max_rejects(3));
    assert_eq!(result.unwrap().rows, 2, "{findings:?}");
    assert_eq!(told(&findings), [(3, "c", "refused"), (4, "s", "refused"), (5, "c", "refused")]);
    assert_eq!(findings.first_rejects[0].value.as_deref(), Some("１(1,2),(3,4)"));
}

#[test]
fn an_empty_field_in_quotes_is_null_where_the_server_never_writes_one() {
    let world = World::postgres(
        "CREATE TABLE t (id int, m money, x xid, c cid, y xid8, v tsvector, o \"char\", b varbit, i inet)",
    );
    let file =
        b"id,m,x,c,y,v,o,b,i\n1,\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n2,,,,,,,,\n3,1.5,7,8,9,a,b,1,::1\n";
    let (result, findings) = world.import_as("e", file, "t", ImportOptions::default());
    assert_eq!(result.unwrap().rows, 3, "{findings:?}");
    let rows = world.lines("SELECT coalesce(m::text, '-') || coalesce(x::text, '-') || coalesce(c::text, '-') || coalesce(y::text, '-')
        || coalesce('(' || v::text || ')', '-') || coalesce('(' || o::text || ')', '-') || coalesce('(' || b::text || ')', '-')
        || coalesce(i::text, '-') AS line FROM t ORDER BY id");
    assert_eq!(rows, ["----()()()-", "--------", "$1.50789('a')(b)(1)::1/128"]);
}

#[test]
fn a_nul_byte_is_a_reject_in_any_type() {
    let world = World::postgres("CREATE TABLE t (id int, b bytea, v tsvector, a text[], j json, x text)");
    let file = b"id,b,v,a,j,x\n1,a\0b,,,,\n2,,a\0b,,,\n3,,,{a\0},,\n4,,,,\"\"\"\0\"\"\",\n5,,,,,\0\n6,\\x00ff,a,{a},1,a\n";
    let (result, findings) = world.import_as("n", file, "t", max_rejects(5));
    assert_eq!(result.unwrap().rows, 1, "{findings:?}");
    let columns: Vec<_> = told(&findings).into_iter().map(|(line, column, _)| (line, column)).collect();
    assert_eq!(columns, [(2, "b"), (3, "v"), (4, "a"), (5, "j"), (6, "x")]);
    assert_eq!(world.lines("SELECT b::text AS line FROM t"), ["\\x00ff"]);
}

#[test]
fn white_space_for_bytea_is_its_bytes_where_it_is_ascii_and_else_no_bytes() {
    let world = World::postgres("CREATE TABLE t (id int, b bytea)");
    let file = "id,b\n1,\" \"\n2,\t\n3,\u{3000}\n4,\"\u{a0}\"\n5,é\n6,\"\"\n7,\n";
    for (id, null) in [("w", None), ("n", Some("-".to_owned()))] {
        let options = ImportOptions { null, ..max_rejects(3) };
        let (result, findings) = world.import_as(id, file.as_bytes(), "t", options);
        assert_eq!(result.unwrap().rows, 4, "{findings:?}");
        let not_hex: Vec<_> = (4..7).map(|line| (line, "b", "not_hex")).collect();
        assert_eq!(told(&findings), not_hex);
    }
    let bytes = world.lines("SELECT b::text AS line FROM t ORDER BY id, b LIMIT 4");
    assert_eq!(bytes, ["\\x20", "\\x20", "\\x09", "\\x09"]);
}
