//! Rows in equals rows out, in SQLite.

use statemachine::{FailureName, ImportOptions};

use super::world::{World, named};

const DDL: &str = "CREATE TABLE t (\
    id INTEGER PRIMARY KEY, b BOOLEAN, i INT, r REAL, d DECIMAL(12,2), n NUMERIC, v VARCHAR(10), c TEXT, u UUID, \
    day DATE, at TIME, ts TIMESTAMP, tz TIMESTAMPTZ, j JSON, raw BLOB, bare)";

const COLUMNS: &str = "id,b,i,r,d,n,v,c,u,day,at,ts,tz,j,raw,bare";

/// Every column as SQLite keeps it.
const QUERY: &str = "SELECT typeof(b)||' '||b||'|'||typeof(i)||' '||i||'|'||typeof(r)||' '||r||'|'||typeof(d)||' '||d\
    ||'|'||typeof(n)||' '||n||'|'||v||'|'||c||'|'||u||'|'||day||'|'||at||'|'||ts||'|'||tz||'|'||j\
    ||'|'||typeof(raw)||' '||hex(raw)||'|'||typeof(bare)||' '||bare AS line FROM t ORDER BY id";

#[test]
fn every_type_comes_back_as_it_was() {
    let world = World::sqlite(DDL);
    let file = format!(
        "{COLUMNS}\n\
         1,yes,-7,1.5,12345.60,9223372036854775807,\"a,b\",\"two\nlines \"\"quoted\"\"\",\
         67E55044-10B1-426F-9247-BB680E5FE0C8,2024-02-29,23:59:59.5,2024-02-29T12:00:00,2024-02-29T12:00:00+09:00,\
         \"{{\"\"a\"\": 1}}\",\\x00ff,007\n"
    );
    let summary = world.import(file.as_bytes(), "t", ImportOptions::default()).unwrap();
    assert_eq!((summary.rows, summary.rejects, summary.bytes), (1, 0, file.len() as u64));
    assert_eq!(
        world.lines(QUERY),
        ["integer 1|integer -7|real 1.5|real 12345.6|integer 9223372036854775807|a,b|two\nlines \"quoted\"|\
          67e55044-10b1-426f-9247-bb680e5fe0c8|2024-02-29|23:59:59.500|2024-02-29 12:00:00|\
          2024-02-29 03:00:00+00:00|{\"a\": 1}|blob 00FF|text 007"]
    );
}

#[test]
fn empty_fields_without_quotes_are_null_and_columns_that_are_not_given_have_their_default() {
    let world = World::sqlite(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER NOT NULL DEFAULT 5, \
        c INTEGER GENERATED ALWAYS AS (b * 2) STORED)",
    );
    world.import(b"a,id\n\"\",\n,9\n", "t", ImportOptions::default()).unwrap();
    let query = "SELECT id||' '||coalesce(a, 'null')||' '||b||' '||c AS line FROM t ORDER BY id";
    assert_eq!(world.lines(query), ["1  5 10", "9 null 5 10"]);
}

#[test]
fn a_generated_column_is_not_to_be_given() {
    let world = World::sqlite("CREATE TABLE t (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2))");
    let (name, cause) = named(world.import(b"a,b\n1,2\n", "t", ImportOptions::default()));
    assert_eq!(name, FailureName::HeaderMismatch);
    assert!(cause.contains("generated: \"b\", which the database computes itself"), "{cause}");
}

#[test]
fn a_strict_table_and_one_without_rowid_are_tables_too() {
    let world = World::sqlite("CREATE TABLE t (k TEXT PRIMARY KEY, i INT, a ANY) STRICT, WITHOUT ROWID");
    world.import(b"k,i,a\nx,1,007\n", "t", ImportOptions::default()).unwrap();
    assert_eq!(world.lines("SELECT k||' '||typeof(i)||' '||a AS line FROM t"), ["x integer 007"]);
    world.put("file.csv", b"k,i,a\n,1,2\n");
    let job = world.job("2", "file.csv", "t", ImportOptions::default());
    let (_, cause) = named(world.run(&job));
    assert!(
        cause.ends_with("line 2, column k: is empty, but the column must have a value (required)"),
        "{cause}"
    );
}

#[test]
fn names_that_need_quotes_are_quoted() {
    let world = World::sqlite("CREATE TABLE \"odd \"\"name\" (\"a \"\"b\" TEXT, \"select\" TEXT)");
    world.import(b"\"a \"\"b\",select\nx,y\n", "odd \"name", ImportOptions::default()).unwrap();
    assert_eq!(world.lines("SELECT \"a \"\"b\" || \"select\" AS line FROM \"odd \"\"name\""), ["xy"]);
}

#[test]
fn a_type_that_would_change_the_value_is_refused_by_name() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER, phone STRING)");
    let (name, cause) = named(world.import(b"id,phone\n1,0312345678\n", "t", ImportOptions::default()));
    assert_eq!(name, FailureName::ColumnUnsupported);
    assert!(cause.contains("\"phone\" of type STRING"), "{cause}");
}

#[test]
fn a_byte_order_mark_and_windows_line_breaks_make_no_difference() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER, v TEXT)");
    world.import(b"\xEF\xBB\xBFid,v\r\n1,a\r\n2,b", "t", ImportOptions::default()).unwrap();
    assert_eq!(world.lines("SELECT id||v AS line FROM t ORDER BY id"), ["1a", "2b"]);
}
