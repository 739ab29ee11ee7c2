//! What PostgreSQL's own COPY writes and reads, beside what an import makes of it: the server is the judge of each text.

use statemachine::ImportOptions;

use super::world::{World, max_rejects};

/// Texts of each type that the server and the import both take.
const TAKEN: &[(&str, &[&str])] = &[
    (
        "date",
        &[
            "infinity",
            "-Infinity",
            "0044-03-15 BC",
            "4714-11-24 BC",
            "5874897-12-31",
            "12345-02-28",
            "2000-01-01 AD",
        ],
    ),
    ("time", &["24:00:00", "24:00", "24:00:00.000", "23:59:59.999999", "00:00"]),
    ("time(0)", &["24:00:00"]),
    (
        "timestamp",
        &[
            "infinity",
            "-infinity",
            "0044-03-15 12:00:00 BC",
            "0001-01-01 00:00:00 BC",
            "4714-11-24 00:00:00 BC",
            "294276-12-31 23:59:59.999999",
            "2024-02-29 24:00:00",
            "12345-01-01",
        ],
    ),
    (
        "timestamptz",
        &[
            "infinity",
            "-infinity",
            "0044-03-15 12:00:00+00 BC",
            "4714-11-24 00:00:00+00 BC",
            "294276-12-31 23:59:59.999999+00",
            "1900-01-01 08:05:43+08:05:43",
            "1900-01-01 08:05:43-15:59:59",
            "12345-01-01 00:00:00+14:00",
        ],
    ),
    ("numeric", &["NaN", "nan", "Infinity", "-Infinity", "inf", "+inf", "0e-16383", "1e131071", "-0.00"]),
    ("numeric(10,2)", &["NaN", "-99999999.99", "1e3"]),
    (
        "float8",
        &["1.7976931348623157e308", "-5e-324", "NaN", "-Infinity", "-0", "0x1F", "0x1.8p3", "nan(1)", "0.1"],
    ),
    ("real", &["3.4028235e38", "1e-45", "NaN", "Infinity", "-0", "0x1F", "0.1"]),
    ("bool", &["tru", "fal", "Ye", "of", "ON", " t "]),
    ("int4", &["+7", " -7\t", "-2147483648"]),
    (
        "uuid",
        &[
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11}",
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ],
    ),
    (
        "bytea",
        &["\\x 12 34", "\\x12 ", "a\\\\b\\001\\377", "plain text", " blanks ", "00ff", "\\x", "a,\"b\""],
    ),
    ("varchar(3)", &["abc  ", "ab  ", "東京都   ", "ab"]),
    ("char(3)", &["abc  ", "ab  ", "a"]),
    ("json", &[" 1 ", "\t{\"a\" : \"\\ud800\"}\n", "\"\\u0000\"", "1e400"]),
    ("jsonb", &[" 1 ", "{\"n\":1e400,\"a\":\"\\u00e9\"}", "\"\\ud83d\\ude00\"", "{\"a\":1,\"a\":2}"]),
];

/// The same of a server from version 16 on. An earlier one refuses them.
const TAKEN_BY_16: &[(&str, &[&str])] = &[
    ("int2", &["0x1F", "-0o17", "0b101", "1_000", "0x_7f"]),
    ("int8", &["-0x8000000000000000", "9_223_372_036_854_775_807"]),
    ("numeric", &["0xFFFFFFFFFFFFFFFFFFFF", "1_000.000_1", "1_0e1_0", "-0b11"]),
    ("date", &["+infinity"]),
    ("timestamptz", &["+infinity"]),
];

/// Texts that neither of them takes.
const REFUSED: &[(&str, &[&str])] = &[
    ("int4", &["1.0", "1e3", "0x", "1__0", "1_", "2147483648"]),
    ("numeric", &["+nan", "1e131072", "0e-16384", "1e-16384", "1._5"]),
    ("numeric(5,2)", &["Infinity", "-inf"]),
    ("float8", &["1_000", "1e400", "1e-400", "0x1p1024"]),
    ("bool", &["o", "2", "truee"]),
    ("date", &["0000-01-01", "4714-11-23 BC", "5874898-01-01", "2023-02-29", "inf", "12345-13-01"]),
    ("time", &["24:00:01", "25:00"]),
    ("timestamp", &["294277-01-01 00:00:00", "2024-02-29 24:00:01"]),
    ("timestamptz", &["4714-11-24 00:00:00+01 BC", "2024-02-29 12:00:00+16:00"]),
    ("uuid", &["a0e-ebc999c0b4ef8bb6d6bb9bd380a11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11"]),
    ("bytea", &["a\\b", "\\x1", "\\x1 2", "\\400", "\\X00"]),
    ("varchar(3)", &["abc\t", "abcd", "abc  d"]),
    ("jsonb", &["\"\\ud800\"", "\"\\u0000\"", "{'a':1}", "01"]),
    ("json", &["{a}", "\u{a0}1"]),
];

fn file(texts: &[&str]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["v", "written", "place"]).unwrap();
    for text in texts {
        writer.write_record([text, text, &""]).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Imports the texts into a column of the type, in the binary and in the text form of COPY, and returns how many of them are
/// rejects. What was written must be what the server reads of the same text.
fn rejects(world: &World, declared: &str, texts: &[&str]) -> u64 {
    let mut rejects = Vec::new();
    for place in ["text", "point"] {
        let id = world.count("pg_class");
        world.execute(&format!("CREATE TABLE t{id} (v {declared}, written text, place {place})"));
        let (result, _) = world.import_as(
            &id.to_string(),
            &file(texts),
            &format!("t{id}"),
            max_rejects(texts.len() as u64),
        );
        let summary = result.unwrap();
        assert_eq!(summary.rows + summary.rejects, texts.len() as u64);
        let others = format!(
            "SELECT v::text || ' for ' || written AS line FROM t{id} \
             WHERE v::text IS DISTINCT FROM CAST(CAST(written AS {declared}) AS text)"
        );
        assert_eq!(world.lines(&others), [""; 0], "{declared}");
        rejects.push(summary.rejects);
    }
    assert_eq!(rejects[0], rejects[1], "{declared}");
    rejects[0]
}

fn world() -> World {
    World::postgres(
        "CREATE FUNCTION is_taken(value text, type_name text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN \
         EXECUTE format('DO %L', format('DECLARE v %s := %L::text; BEGIN END', type_name, value)); RETURN 'taken'; \
         EXCEPTION WHEN OTHERS THEN RETURN 'refused'; END $$",
    )
}

fn verdicts(world: &World, declared: &str, texts: &[&str]) -> Vec<String> {
    let verdict = |text: &&str| {
        let text = text.replace('\\', "\\\\").replace('\'', "''");
        world.lines(&format!("SELECT is_taken(E'{text}', '{declared}') AS line")).remove(0)
    };
    texts.iter().map(verdict).collect()
}

fn is_16(world: &World) -> bool {
    let version = world.lines("SELECT current_setting('server_version_num') AS line");
    version[0].parse::<u32>().unwrap() >= 160_000
}

#[test]
fn what_the_server_reads_beyond_the_usual_forms_is_stored_as_it_reads_it() {
    let world = world();
    for (declared, texts) in TAKEN {
        assert_eq!(rejects(&world, declared, texts), 0, "{declared}");
    }
    let is_16 = is_16(&world);
    for (declared, texts) in TAKEN_BY_16 {
        let expected = if is_16 { 0 } else { texts.len() as u64 };
        assert_eq!(rejects(&world, declared, texts), expected, "{declared}");
        let verdict = if is_16 { "taken" } else { "refused" };
        assert_eq!(verdicts(&world, declared, texts), vec![verdict; texts.len()], "{declared}");
    }
}

#[test]
fn what_the_server_refuses_is_a_reject_and_not_a_value() {
    let world = world();
    for (declared, texts) in REFUSED {
        assert_eq!(rejects(&world, declared, texts), texts.len() as u64, "{declared}");
        assert_eq!(verdicts(&world, declared, texts), vec!["refused"; texts.len()], "{declared}");
    }
}

#[test]
fn json_keeps_what_stands_around_it_and_its_depth_is_the_servers_to_judge() {
    let world = World::postgres("CREATE TABLE t (v json, b jsonb)");
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let file = format!("v,b\n\" 1\t\",\" 2\t\"\n{deep},{deep}\n");
    world.import(file.as_bytes(), "t", ImportOptions::default()).unwrap();
    let query = "SELECT quote_literal(v::text) || left(b::text, 9) AS line FROM t ORDER BY length(v::text)";
    assert_eq!(world.lines(query), ["' 1\t'2".to_owned(), format!("'{deep}'[[[[[[[[[")]);
}

#[test]
fn an_empty_field_in_quotes_is_the_empty_value_if_the_server_has_one() {
    let world = World::postgres(
        "CREATE TYPE mood AS ENUM ('', 'ok'); CREATE DOMAIN word AS text NOT NULL;
         CREATE TABLE t (id int, v varchar(3), c char(3), w word, m mood, raw bytea, words tsvector, host inet,
         bits bit(2), day date, j jsonb)",
    );
    let columns = "id,v,c,w,m,raw,words,host,bits,day,j";
    let file = format!("{columns}\n1,\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n2,,,x,,,,,,,\n");
    world.import(file.as_bytes(), "t", ImportOptions::default()).unwrap();
    let fields: Vec<_> =
        columns.split(',').map(|column| format!("coalesce(quote_literal({column}::text), '-')")).collect();
    let query = format!("SELECT concat_ws('|', {}) AS line FROM t ORDER BY id", fields.join(", "));
    assert_eq!(world.lines(&query), ["'1'|''|''|''|''|E'\\\\x'|''|-|-|-|-", "'2'|-|-|'x'|-|-|-|-|-|-|-"]);
}

#[test]
fn an_escape_that_escapes_nothing_stays_as_it_does_for_copy() {
    for world in World::both("CREATE TABLE t (id int, v text)") {
        let file = concat!(
            "id,v\n",
            r#"1,"C:\new\temp""#,
            "\n",
            r#"2,"a\"b""#,
            "\n",
            r#"3,"c\\d""#,
            "\n",
            r"4,C:\new",
            "\n",
            r#"5,"\N""#,
            "\n",
            "6,\"tab\\\tx\\\ny\"\r\n",
            r#"7,"\\\"""#,
        );
        let options = ImportOptions { escape: Some("\\".parse().unwrap()), ..ImportOptions::default() };
        world.import(file.as_bytes(), "t", options).unwrap();
        let expected = [r"C:\new\temp", r#"a"b"#, r"c\d", r"C:\new", r"\N", "tab\\\tx\\\ny", r#"\""#];
        assert_eq!(world.lines("SELECT v AS line FROM t ORDER BY id"), expected);
    }
}
