//! Rows that do not fit: where they stand, and why, as a person reads it.

use statemachine::{Encoding, FailureName, ImportOptions};

use super::world::{World, max_rejects, named};

/// The one reject of a file, as the failure's cause tells it.
fn reject(ddl: &str, file: &[u8]) -> String {
    let (name, cause) = named(World::sqlite(ddl).import(file, "t", ImportOptions::default()));
    assert_eq!(name, FailureName::TooManyRejects, "{cause}");
    cause.strip_prefix("1 row was rejected, the import allows 0:\n").unwrap().to_owned()
}

#[test]
fn each_reason_has_its_sentence() {
    let cases: &[(&str, &str, &str)] = &[
        ("INTEGER", "abc", "\"abc\" is no integer (not_an_integer)"),
        (
            "INTEGER",
            "9223372036854775808",
            "\"9223372036854775808\" is out of range: the column takes -9223372036854775808 to \
             9223372036854775807 (out_of_range)",
        ),
        ("DECIMAL(5,2)", "1,5", "\"1,5\" is no decimal number (not_a_decimal)"),
        (
            "DECIMAL(5,2)",
            "1.005",
            "\"1.005\" has more digits behind the point than the column keeps (2) (too_precise)",
        ),
        (
            "DECIMAL(5,2)",
            "1000",
            "\"1000\" is out of range: the column takes 3 digits before the point (out_of_range)",
        ),
        (
            "NUMERIC",
            "1234567890.1234567",
            "\"1234567890.1234567\" has more than 15 digits, which the column cannot keep exactly (too_precise)",
        ),
        ("REAL", "fast", "\"fast\" is no number (not_a_number)"),
        (
            "BOOLEAN",
            "maybe",
            "\"maybe\" is neither true nor false (true/false, t/f, yes/no, y/n, on/off, 1/0) (not_a_boolean)",
        ),
        ("DATE", "29.2.2024", "\"29.2.2024\" is no date (for example 2024-02-29) (not_a_date)"),
        ("DATE", "2023-02-29", "\"2023-02-29\" is out of range: there is no such day or time (out_of_range)"),
        ("TIME", "noon", "\"noon\" is no time of day (for example 23:59:59) (not_a_time)"),
        (
            "TIMESTAMP",
            "today",
            "\"today\" is no date and time (for example 2024-02-29 23:59:59) (not_a_timestamp)",
        ),
        (
            "TIMESTAMP",
            "2024-02-29T12:00:00+09:00",
            "\"2024-02-29T12:00:00+09:00\" has a time zone other than UTC, which the column would lose \
             (zone_unexpected)",
        ),
        (
            "TIMESTAMPTZ",
            "2024-02-29 12:00:00",
            "\"2024-02-29 12:00:00\" has no time zone, which the column needs (for example Z or +09:00) (zone_missing)",
        ),
        ("UUID", "1234", "\"1234\" is no UUID (not_a_uuid)"),
        ("JSON", "{a}", "\"{a}\" is no JSON: key must be a string at line 1 column 2 (not_json)"),
        ("BLOB", "00ff", "\"00ff\" is not \\x and pairs of hexadecimal digits (not_hex)"),
        ("VARCHAR(3)", "東京都庁", "\"東京都庁\" has 4 characters, the column takes 3 (too_long)"),
        ("TEXT", "a\0b", "\"a\\0b\" has a NUL character (nul_character)"),
        ("INTEGER NOT NULL", "", "is empty, but the column must have a value (required)"),
    ];
    for (declared, value, says) in cases {
        let ddl = format!("CREATE TABLE t (id INTEGER, v {declared})");
        let quoted = value.replace('"', "\"\"");
        let file = format!("id,v\n1,\"{quoted}\"\n");
        assert_eq!(reject(&ddl, file.as_bytes()), format!("line 2, column v: {says}"));
    }
}

#[test]
fn reasons_of_postgresqls_own_types_have_their_sentences() {
    let world = World::postgres(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
         CREATE TABLE t (mood mood, number numeric, small int2, day date, j jsonb)",
    );
    let file = "mood,number,small,day,j\n\
        Happy,1,1,,\n\
        ,1e200000,1,,\n\
        ,,１２３４５６,,\n\
        ,,,2024-02-29 BC,\n\
        ,,,,\"\"\"\\u0000\"\"\"\n";
    world.put("file.csv", file.as_bytes());
    let (_, cause) = named(world.run(&world.job("2", "file.csv", "t", max_rejects(4))));
    let expected = [
        "line 2, column mood: \"Happy\" is not one of: sad, ok, happy (not_in_enum)",
        "line 3, column number: \"1e200000\" is out of range: the column takes 131072 digits before and 16383 behind the \
         point (out_of_range)",
        "line 4, column small: \"１２３４５６\" is out of range: the column takes -32768 to 32767 (out_of_range)",
        "line 5, column day: \"2024-02-29 BC\" is out of range: there is no such day or time (out_of_range)",
        "line 6, column j: \"\\\"\\\\u0000\\\"\" has a NUL character (\\u0000) in a string (nul_character)",
    ];
    assert_eq!(cause.lines().skip(1).collect::<Vec<_>>(), expected);
}

#[test]
fn reasons_that_come_from_the_options_have_their_sentences() {
    let options = ImportOptions {
        null: Some("NULL".to_owned()),
        date_format: Some("%d.%m.%Y".to_owned()),
        ..max_rejects(4)
    };
    let world = World::sqlite("CREATE TABLE t (id INTEGER NOT NULL, v TEXT, day DATE, at TIMESTAMP)");
    let file = b"id,v,day,at\n,a,,\nNULL,b,,\n1,NULL,NULL,NULL\n2,,29.02.2024,29.02.2024 7:05\n\
        3,c,31.02.2024,NULL\n4,d,2/29/2024,NULL\n5,e,NULL,now\n";
    let (_, cause) = named(world.import(file, "t", options.clone()));
    let expected = [
        "line 2, column id: is empty, and an empty field is not NULL here (empty)",
        "line 3, column id: \"NULL\" means NULL, but the column must have a value (required)",
        "line 6, column day: \"31.02.2024\" is out of range: there is no such day or time (out_of_range)",
        "line 7, column day: \"2/29/2024\" is no date (for example 2024-02-29 or 03.02.2001) (not_a_date)",
        "line 8, column at: \"now\" is no date and time (for example 2024-02-29 23:59:59 or 03.02.2001) (not_a_timestamp)",
    ];
    assert_eq!(cause.lines().skip(1).collect::<Vec<_>>(), expected);
    let options = ImportOptions { max_rejects: max_rejects(5).max_rejects, ..options };
    world.run(&world.job("2", "file.csv", "t", options)).unwrap();
    let query = "SELECT id || '|' || coalesce(v, 'null') || '|' || coalesce(day, 'null') || '|' || coalesce(at, 'null') \
        AS line FROM t ORDER BY id";
    assert_eq!(world.lines(query), ["1|null|null|null", "2||2024-02-29|2024-02-29 07:05:00"]);
}

#[test]
fn bytes_that_are_no_utf8_are_a_reject_with_their_place() {
    let options = ImportOptions { encoding: Some(Encoding::Utf8), ..ImportOptions::default() };
    let world = World::sqlite("CREATE TABLE t (id INTEGER, v TEXT)");
    let (_, cause) = named(world.import(b"id,v\r\n1,caf\xE9\r\n", "t", options));
    let says = cause.lines().last().unwrap();
    assert_eq!(
        says,
        "line 2, column v: \"caf\u{FFFD}\" cannot be decoded: byte 0xE9 at offset 11 of the file (undecodable)"
    );
}

#[test]
fn a_ragged_row_is_a_reject_and_the_lines_in_quotes_are_counted() {
    let file = b"id,v\n\n1,\"two\nlines\"\r\n\n2,a,b\n3\n";
    let world = World::sqlite("CREATE TABLE t (id INTEGER, v TEXT)");
    let (_, cause) = named(world.import(file, "t", max_rejects(1)));
    assert_eq!(
        cause,
        "2 rows were rejected, the import allows 1:\n\
         line 6: has 3 fields, the header has 2 (field_count)\n\
         line 7: has 1 field, the header has 2 (field_count)"
    );
}

#[test]
fn a_quote_in_the_wrong_place_is_suspected_where_a_row_takes_many_lines() {
    let says = reject("CREATE TABLE t (id INTEGER, v TEXT)", b"id,v\n1,\"a\n2,b\n3,\"c\"\n");
    assert_eq!(
        says,
        "line 2: has text behind a closing quote; a quote within a quoted field is written twice; it takes 3 lines, is a \
         quote misplaced? (stray_quote)"
    );
    let says = reject("CREATE TABLE t (id INTEGER, v TEXT)", b"id,v\n1,\"a\n2,b\",3\n");
    assert_eq!(
        says,
        "line 2: has 3 fields, the header has 2; it takes 2 lines, is a quote misplaced? (field_count)"
    );
}

#[test]
fn rows_within_the_limit_are_left_out_and_counted() {
    for world in World::both("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)") {
        let summary = world.import(b"id,v\n1,1\n2,x\n3,3\n4,y\n", "t", max_rejects(2)).unwrap();
        assert_eq!((summary.rows, summary.rejects), (2, 2));
        assert_eq!(world.lines("SELECT CAST(id AS text) AS line FROM t ORDER BY id"), ["1", "3"]);
    }
}

#[test]
fn only_the_first_rejects_are_told_and_the_import_stops_when_enough_is_known() {
    let rows: String = (0..5000).map(|row| format!("x{row}\n")).collect();
    let world = World::sqlite("CREATE TABLE t (id INTEGER)");
    let (_, cause) = named(world.import(format!("id\n{rows}").as_bytes(), "t", max_rejects(30)));
    assert!(
        cause.starts_with(
            "1031 rows were rejected, the import allows 30; the first:\nline 2, column id: \"x0\""
        )
    );
    assert_eq!(cause.lines().count(), 21);
}

#[test]
fn columns_without_a_name_at_the_end_are_none_as_long_as_they_are_empty() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER, v TEXT)");
    let (_, cause) = named(world.import(b"id,v,,\n1,a,,\n2,b\n3,c,,x\n4\n", "t", ImportOptions::default()));
    assert_eq!(
        cause,
        "2 rows were rejected, the import allows 0:\n\
         line 4: has a value in field 4, which has no name in the header (field_count)\n\
         line 5: has 1 field, the header has 4 (field_count)"
    );
}
