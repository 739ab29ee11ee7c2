//! What the fields of a file are before anything is made of them: empty or NULL, cut by a line break, larger than usual.

use statemachine::{EmptyFields, FailureName, ImportOptions};

use super::world::{World, max_rejects, named};

#[test]
fn an_empty_field_in_quotes_is_the_empty_text_and_one_without_is_null() {
    for world in World::both("CREATE TABLE t (id INTEGER, v TEXT NOT NULL, w VARCHAR(5), n INTEGER)") {
        let file = b"id,v,w,n\n1,\"\",\"\",\"\"\n2,\"\",,\n3,,x,1\n";
        let (result, findings) = world.import_as("a", file, "t", max_rejects(1));
        assert_eq!(result.unwrap().rows, 2);
        assert_eq!(findings.first_rejects[0].says, "is empty, but the column must have a value");
        let query = "SELECT id || '|' || v || '|' || coalesce(w, 'null') || '|' || coalesce(CAST(n AS text), 'null') AS line \
            FROM t ORDER BY id";
        assert_eq!(world.lines(query), ["1|||null", "2||null|null"]);
    }
}

#[test]
fn an_import_says_what_empty_fields_are_where_it_means_otherwise() {
    for world in World::both("CREATE TABLE t (id INTEGER, v TEXT, n INTEGER)") {
        for (number, empty) in [(1, EmptyFields::Null), (3, EmptyFields::Text)] {
            let file = format!("id,v,n\n{number},\"\",\"\"\n{},,\n", number + 1);
            let options = ImportOptions { empty: Some(empty), ..ImportOptions::default() };
            world.import_as(&number.to_string(), file.as_bytes(), "t", options).0.unwrap();
        }
        let query = "SELECT id || coalesce(v, 'null') || coalesce(CAST(n AS text), 'null') AS line FROM t ORDER BY id";
        assert_eq!(world.lines(query), ["1nullnull", "2nullnull", "3null", "4null"]);
    }
}

#[test]
fn the_text_of_null_is_text_in_quotes_and_that_is_told() {
    for world in World::both("CREATE TABLE t (v TEXT, n INTEGER)") {
        let options = ImportOptions { null: Some("NULL".to_owned()), ..ImportOptions::default() };
        let (result, findings) = world.import_as("a", b"v,n\nNULL,NULL\n\"NULL\",\"NULL\"\n", "t", options);
        assert_eq!(result.unwrap().rows, 2);
        let query =
            "SELECT coalesce(v, 'null') || coalesce(CAST(n AS text), 'null') AS line FROM t ORDER BY v";
        let mut lines = world.lines(query);
        lines.sort();
        assert_eq!(lines, ["NULLnull", "nullnull"]);
        assert!(
            findings.notes[0].starts_with("\"NULL\" stands in quotes in 1 field"),
            "{:?}",
            findings.notes
        );
    }
}

#[test]
fn the_text_of_null_in_quotes_is_a_reject_where_a_text_column_does_not_take_it() {
    let of_both =
        [("varchar(3)", "too_long"), ("char(3)", "too_long"), ("char(4)", "NULL"), ("varchar(4)", "NULL")];
    let of_postgres = [
        ("short", "too_long"),
        ("\"char\"[]", "refused"),
        ("bytea", "\\x4e554c4c"),
        ("mood", "not_in_enum"),
        ("named", "NULL"),
        ("plain", "null"),
    ];
    let of_sqlite = [("NVARCHAR2(3)", "too_long"), ("BLOB", "not_hex"), ("TEXT(3)", "too_long")];
    let ddl = "CREATE DOMAIN short AS varchar(3); CREATE TYPE mood AS ENUM ('', 'ok'); \
               CREATE TYPE named AS ENUM ('NULL', 'ok'); CREATE TYPE plain AS ENUM ('ok')";
    let worlds = [(World::postgres(ddl), &of_postgres[..]), (World::sqlite("SELECT 1"), &of_sqlite[..])];
    let none_has = [("integer", "null"), ("date", "null"), ("json", "null"), ("uuid", "null")];
    for (world, own) in &worlds {
        for (number, (kind, expected)) in of_both.iter().chain(*own).chain(&none_has).enumerate() {
            world.execute(&format!("CREATE TABLE t{number} (id int, v {kind})"));
            let options = ImportOptions { null: Some("NULL".to_owned()), ..max_rejects(1) };
            let file = b"id,v\n1,\"NULL\"\n2,NULL\n";
            let (result, findings) =
                world.import_as(&format!("i{number}"), file, &format!("t{number}"), options);
            let rows = result.unwrap().rows;
            let query =
                format!("SELECT coalesce(CAST(v AS text), 'null') AS line FROM t{number} ORDER BY id");
            let mut found = world.lines(&query);
            found.extend(findings.first_rejects.iter().map(|reject| reject.reason.clone()));
            let is_stored = matches!(*expected, "NULL" | "null" | "\\x4e554c4c");
            let lines = if is_stored { [*expected, "null"] } else { ["null", *expected] };
            assert_eq!(
                (rows, found),
                (1 + u64::from(is_stored), lines.map(str::to_owned).to_vec()),
                "{kind}"
            );
            let says = findings.first_rejects.first().map(|reject| reject.says.as_str());
            let advice = "; in quotes it is a value, with --empty null it is NULL";
            assert!(
                *expected == "refused" || says.is_none_or(|says| says.ends_with(advice)),
                "{kind}: {says:?}"
            );
        }
    }
}

#[test]
fn a_carriage_return_within_a_line_is_part_of_the_value() {
    for world in World::both("CREATE TABLE t (id INTEGER, v TEXT)") {
        let file = b"id,v\n1,x\ry\n2,\"a\rb\"\n3,z\r\n";
        let (result, findings) = world.import_as("a", file, "t", ImportOptions::default());
        assert_eq!(result.unwrap().rows, 3);
        assert_eq!(world.lines("SELECT v AS line FROM t ORDER BY id"), ["x\ry", "a\rb", "z"]);
        assert!(
            findings.notes[0].starts_with("1 row has a carriage return outside quotes"),
            "{:?}",
            findings.notes
        );
    }
}

#[test]
fn a_blank_line_is_null_in_a_file_of_one_column_and_told_in_others() {
    for world in World::both(
        "CREATE TABLE one (v TEXT); CREATE TABLE must (v TEXT NOT NULL); CREATE TABLE two (a TEXT, b TEXT)",
    ) {
        let (result, _) = world.import_as("a", b"v\nx\n\ny\n", "one", ImportOptions::default());
        assert_eq!(result.unwrap().rows, 3);
        assert_eq!(world.lines("SELECT coalesce(v, 'null') AS line FROM one ORDER BY 1"), ["null", "x", "y"]);
        let (result, findings) = world.import_as("b", b"v\nx\n\ny\n\n", "must", ImportOptions::default());
        assert_eq!(result.unwrap().rows, 2);
        assert_eq!(findings.notes, ["2 blank lines were passed over: the column must have a value"]);
        let (result, findings) =
            world.import_as("c", b"a,b\n1,2\n\n3,4\n\n", "two", ImportOptions::default());
        assert_eq!((result.unwrap().rows, findings.rows_read), (2, 2));
        assert_eq!(findings.notes, ["1 blank line was passed over"]);
    }
}

#[test]
fn blanks_beyond_a_columns_length_are_cut_and_told() {
    for world in World::both("CREATE TABLE t (v VARCHAR(3))") {
        let (result, findings) = world.import_as("a", b"v\nabc  \nabcd\nabc\n", "t", max_rejects(1));
        assert_eq!(result.unwrap().rows, 2);
        assert_eq!(world.lines("SELECT v AS line FROM t"), ["abc", "abc"]);
        assert!(
            findings.notes[0].starts_with("blanks at the end of 1 field were cut"),
            "{:?}",
            findings.notes
        );
    }
}

#[test]
fn a_quote_behind_a_blank_is_a_reject_and_one_within_a_value_is_part_of_it() {
    for world in World::both("CREATE TABLE t (id INTEGER, v TEXT)") {
        let file = b"id,v\n1, \"x\"\n2,y\"q\"\n3,5\" pipe\n4,\"a\"b\n5,\"a\" \n";
        let (result, findings) = world.import_as("a", file, "t", max_rejects(3));
        assert_eq!(result.unwrap().rows, 2);
        assert_eq!(world.lines("SELECT v AS line FROM t ORDER BY id"), ["y\"q\"", "5\" pipe"]);
        let says: Vec<_> =
            findings.first_rejects.iter().map(|reject| (reject.line, reject.says.as_str())).collect();
        let behind = "has text behind a closing quote; a quote within a quoted field is written twice";
        let before = "has a blank before an opening quote; write the quote directly behind the delimiter";
        assert_eq!(says, [(2, before), (5, behind), (6, behind)]);
    }
}

#[test]
fn a_record_of_megabytes_is_loaded_and_one_above_the_bound_is_a_reject() {
    for world in World::both("CREATE TABLE t (id INTEGER, j JSON, raw BYTEA)") {
        let json = format!("{{\"\"a\"\":\"\"{}\"\"}}", "x".repeat(5 << 20));
        let file = format!("id,j,raw\n1,\"{json}\",\\x{}\n2,,\n", "0f".repeat(1 << 20));
        let (result, _) = world.import_as("a", file.as_bytes(), "t", ImportOptions::default());
        assert_eq!(result.unwrap().rows, 2);
        let query = "SELECT length(CAST(j AS text)) || ' ' || length(raw) AS line FROM t WHERE id = 1";
        assert_eq!(world.lines(query), [format!("{} {}", (5 << 20) + 8, 1 << 20)]);
        let bound = ImportOptions { max_record_bytes: 1_000_000.try_into().unwrap(), ..max_rejects(1) };
        let (result, findings) = world.import_as("b", file.as_bytes(), "t", bound);
        assert_eq!(result.unwrap().rows, 1);
        let reject = &findings.first_rejects[0];
        let bytes = file.lines().nth(1).unwrap().len();
        assert_eq!((reject.line, reject.reason.as_str()), (2, "record_too_large"));
        assert_eq!(
            reject.says,
            format!("has {bytes} bytes, more than the 1000000 that max_record_bytes allows")
        );
    }
}

#[test]
fn an_unclosed_quote_fails_the_file_with_the_line_where_it_opens() {
    let world = World::sqlite("CREATE TABLE t (id INTEGER, v TEXT)");
    let rows: String = (4..20_000).map(|id| format!("{id},z\n")).collect();
    let (name, cause) = named(world.import(
        format!("id,v\n1,\"a\nb\"\n3,\"c\n{rows}").as_bytes(),
        "t",
        ImportOptions::default(),
    ));
    assert_eq!(name, FailureName::SourceUnreadable);
    assert!(cause.contains("the quote that opens at line 4 is never closed; close it"), "{cause}");
}

#[test]
fn notes_count_the_fields_of_rows_that_are_stored_and_no_others() {
    let world = World::postgres("CREATE TABLE t (id integer, v varchar(3), b bytea, w text)");
    let rejected = "id,v,b,w\nx,\"abc  \",ab,\"NULL\"\ny,\"abc  \",ab,p\rq\n";
    let options = || ImportOptions { null: Some("NULL".to_owned()), ..max_rejects(2) };
    let (result, findings) = world.import_as("a", rejected.as_bytes(), "t", options());
    assert_eq!(result.unwrap().rows, 0);
    assert_eq!(findings.notes, [""; 0]);
    let file = format!("{rejected}3,\"abc  \",ab,\"NULL\"\n4,abc,\\x00,p\rq\n");
    let (result, findings) = world.import_as("b", file.as_bytes(), "t", options());
    assert_eq!(result.unwrap().rows, 2);
    for begin in [
        "1 row has a carriage return",
        "\"NULL\" stands in quotes in 1 field,",
        "blanks at the end of 1 field were cut",
        "1 field for bytea",
    ] {
        assert!(findings.notes.iter().any(|note| note.starts_with(begin)), "{begin}: {:?}", findings.notes);
    }
    let others = "; rows that the database refused or left out count, too";
    assert!(findings.notes.iter().all(|note| !note.ends_with(others)), "{:?}", findings.notes);
    world.execute("CREATE TABLE u (id integer PRIMARY KEY, v varchar(3))");
    let (result, findings) = world.import_as("c", b"id,v\n1,\"abc \"\n1,\"xyz \"\n", "u", max_rejects(1));
    assert_eq!(result.unwrap().rows, 1);
    assert!(findings.notes[0].starts_with("blanks at the end of 2 fields were cut"), "{:?}", findings.notes);
    assert!(findings.notes[0].ends_with(others), "{:?}", findings.notes);
}
