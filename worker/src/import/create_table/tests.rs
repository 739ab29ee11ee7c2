use super::*;

fn inferred(sample: &str) -> Result<String, String> {
    inferred_with(sample, &ImportOptions::default())
}

fn inferred_with(sample: &str, options: &ImportOptions) -> Result<String, String> {
    infer(sample.as_bytes(), "t", Dialect::Postgres, options).map_err(|refusal| refusal.to_string())
}

#[test]
fn types_come_from_the_values() {
    let sample = "id,code,amount,day,at,seen,active,key,note,empty\n\
        1,007,1.50,2024-02-29,2024-02-29 10:00:00,2024-02-29T10:00:00Z,true,67e55044-10b1-426f-9247-bb680e5fe0c8,x,\n\
        -2,012,3,2024-03-01,2024-02-29T10:00:01,2024-02-29T10:00:00+09:00,FALSE,,1,\n";
    assert_eq!(
        inferred(sample).unwrap(),
        "CREATE TABLE \"t\" (\n  \"id\" bigint,\n  \"code\" text,\n  \"amount\" numeric,\n  \"day\" date,\n  \
         \"at\" timestamp,\n  \"seen\" timestamptz,\n  \"active\" boolean,\n  \"key\" uuid,\n  \"note\" text,\n  \
         \"empty\" text\n)"
    );
}

#[test]
fn numbers_that_are_names_stay_text() {
    for value in ["0123", "+81312345678", "03-1234-5678", "1e5", "12345678901234567890.5", ".5"] {
        assert!(inferred(&format!("a\n{value}\n")).unwrap().contains("\"a\" text"), "{value}");
    }
    assert!(inferred("a\n0\n0.5\n").unwrap().contains("\"a\" numeric"));
}

#[test]
fn names_are_kept_and_quoted() {
    let sql =
        infer("Full \"Name\"\nx\n".as_bytes(), "s.t", Dialect::Sqlite, &ImportOptions::default()).unwrap();
    assert_eq!(sql, "CREATE TABLE \"s.t\" (\n  \"Full \"\"Name\"\"\" text\n)");
}

/// What a new table is called in SQL.
fn made_as(name: &str, dialect: Dialect) -> Result<String, Refusal> {
    let sql = infer("id\n1\n".as_bytes(), name, dialect, &ImportOptions::default())?;
    Ok(sql.strip_prefix("CREATE TABLE ").unwrap().split_once(" (\n").unwrap().0.to_owned())
}

#[test]
fn a_name_in_quotes_is_the_name_within_them() {
    for (name, postgres, sqlite) in [
        ("\"CTQ\"", "\"CTQ\"", Some("\"CTQ\"")),
        ("\"a.b\"", "\"a.b\"", Some("\"a.b\"")),
        ("main.\"a.b\"", "\"main\".\"a.b\"", Some("\"main\".\"a.b\"")),
        ("\"we\"\"ird\"", "\"we\"\"ird\"", Some("\"we\"\"ird\"")),
        ("public.\"a.b\"", "\"public\".\"a.b\"", None),
        ("\"temp\".\"t\"", "\"temp\".\"t\"", None),
    ] {
        assert_eq!(made_as(name, Dialect::Postgres).unwrap(), postgres);
        assert_eq!(made_as(name, Dialect::Sqlite).ok().as_deref(), sqlite);
    }
    assert_eq!(made_as("temp.t", Dialect::Sqlite).unwrap(), "\"temp.t\"");
    assert_eq!(
        made_as("\"temp\".t", Dialect::Sqlite).unwrap_err().to_string(),
        "SQLite has no schema temp for the table; leave it out, or write main"
    );
}

#[test]
fn a_table_whose_quotation_marks_make_no_name_is_not_made() {
    for name in ["\"people", "sales.\"people", "`people`", "we\"ird", "\"\"", "\"a\".\"b\".\"c\""] {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            assert_eq!(made_as(name, dialect), Err(Refusal::Quoted(name.to_owned())));
        }
    }
}

#[test]
fn a_table_whose_name_postgresql_would_cut_is_not_made_there() {
    let infer = |name: &str, dialect| infer("id\n1\n".as_bytes(), name, dialect, &ImportOptions::default());
    let (fits, long) = ("顧".repeat(21), "顧".repeat(22));
    for name in [long.clone(), format!("s.{long}"), format!("\"{long}\""), format!("main.\"{long}\"")] {
        assert_eq!(infer(&name, Dialect::Postgres), Err(Refusal::TableNameTooLong(long.clone())));
        assert!(infer(&name, Dialect::Sqlite).is_ok());
    }
    assert!(infer(&fits, Dialect::Postgres).is_ok());
    assert!(infer(&format!("\"{fits}\""), Dialect::Postgres).is_ok(), "quotes do not count");
    assert!(infer(&format!("\"{fits}\"\"\""), Dialect::Postgres).is_err(), "64 bytes");
}

#[test]
fn a_header_that_names_no_columns_is_refused() {
    assert_eq!(
        inferred("a,,b\n").unwrap_err(),
        "column 2 of the header has no name; give it one, or leave it out (--ignore-unknown)"
    );
    assert_eq!(
        inferred("a,A\n").unwrap_err(),
        "the header has the names \"a\" and \"A\", which are one column to an import; rename one, or map it to another"
    );
    // No mapping could mean one of them.
    assert_eq!(
        inferred("a,a\n").unwrap_err(),
        "the header has the name \"a\" twice; rename one of them in the file"
    );
    assert!(inferred("").unwrap_err().contains("the file is empty"));
    assert_eq!(
        inferred("a,b\0c\n").unwrap_err(),
        "the name \"b\\0c\" has the character U+0000, which no column's name can have; rename it in the file"
    );
}

#[test]
fn a_table_has_as_many_columns_as_the_database_takes() {
    for (dialect, server, most) in
        [(Dialect::Postgres, "PostgreSQL", 1600), (Dialect::Sqlite, "SQLite", 2000)]
    {
        let header =
            |columns: usize| (1..=columns).map(|number| format!("c{number}")).collect::<Vec<_>>().join(",");
        let made = |columns| infer(header(columns).as_bytes(), "t", dialect, &ImportOptions::default());
        assert!(made(most).is_ok());
        assert_eq!(made(most + 1), Err(Refusal::TooManyColumns { columns: most + 1, server, most }));
    }
}

#[test]
fn columns_without_a_name_at_the_end_of_the_header_are_left_out() {
    let table = "CREATE TABLE \"t\" (\n  \"a\" bigint,\n  \"b\" text\n)";
    for file in ["a,b,,\n1,x,,\n", "a,b, ,\"\"\n1,x,,\n2,y\n", "a,b,,\n1,x,,\nx,y,,z\nx,y,, \n"] {
        assert_eq!(inferred(file).unwrap(), table, "{file}");
    }
    assert_eq!(inferred(",,\n1,2,3\n").unwrap_err(), "the file has no columns");
    let options = ImportOptions { ignore_unknown: true, ..ImportOptions::default() };
    assert_eq!(inferred_with("a,,,b,\n1,2,3,x,\n", &options).unwrap(), table);
    let map = [(String::new(), "b".to_owned())].into();
    let mapped = ImportOptions { map, ..ImportOptions::default() };
    assert_eq!(inferred_with("a,,c\n1,x,y\n", &mapped).unwrap().matches("\"b\" text").count(), 1);
    assert_eq!(
        inferred_with("a,\n1,\n", &mapped).unwrap_err(),
        "the header has no name \"\" that could be mapped"
    );
}

#[test]
fn a_name_of_postgresqls_own_columns_is_refused_and_may_be_mapped() {
    let refusal = inferred("ctid,v\n1,2\n").unwrap_err();
    assert_eq!(
        refusal,
        "the name \"ctid\" is that of a column which PostgreSQL has in every table; map it to another one (--map NAME=COLUMN)"
    );
    let map = [("ctid".to_owned(), "c".to_owned())].into();
    let options = ImportOptions { map, ..ImportOptions::default() };
    assert!(inferred_with("ctid,v\n1,2\n", &options).unwrap().contains("\"c\" bigint"));
    assert!(inferred("CTID,Xmin\n1,2\n").is_ok(), "names in quotes keep their capitals");
    assert!(infer("ctid\n1\n".as_bytes(), "t", Dialect::Sqlite, &ImportOptions::default()).is_ok());
}

#[test]
fn names_that_postgresql_would_cut_are_refused_and_may_be_mapped() {
    let header = "顧客の氏名（登記簿に記載されたもの、法人は商号）";
    let refusal = inferred(&format!("{header}\nx\n")).unwrap_err();
    assert!(refusal.contains("has more than 63 bytes, the most that PostgreSQL keeps"), "{refusal}");
    let map = [(header.to_owned(), "name".to_owned())].into();
    let options = ImportOptions { map, ..ImportOptions::default() };
    let sql = inferred_with(&format!("{header}\nx\n"), &options).unwrap();
    assert_eq!(sql, "CREATE TABLE \"t\" (\n  \"name\" text\n)");
    assert_eq!(inferred_with("a\n1\n", &options).unwrap_err().matches("could be mapped").count(), 1);
}

#[test]
fn columns_without_a_header_are_numbered() {
    let options = ImportOptions { no_header: true, ..ImportOptions::default() };
    assert_eq!(
        inferred_with("1,x\n2,y\n", &options).unwrap(),
        "CREATE TABLE \"t\" (\n  \"column_1\" bigint,\n  \"column_2\" text\n)"
    );
    assert_eq!(inferred_with("", &options).unwrap_err(), "the file has no columns");
}

#[test]
fn the_options_say_what_is_null_and_how_dates_are_written() {
    let options = ImportOptions {
        null: Some("\\N".to_owned()),
        date_format: Some("%Y/%m/%d".to_owned()),
        ..ImportOptions::default()
    };
    let sql = inferred_with("n,day,at,e\n1,2024/2/9,2024/2/9 7:05,1\n\\N,\\N,\\N,\n", &options).unwrap();
    assert_eq!(
        sql,
        "CREATE TABLE \"t\" (\n  \"n\" bigint,\n  \"day\" date,\n  \"at\" timestamp,\n  \"e\" text\n)"
    );
}

#[test]
fn the_columns_of_a_file_of_rejects_are_no_columns_of_a_table() {
    let sql = inferred("baton_line,baton_reason,id\n2,is no integer,1\n").unwrap();
    assert_eq!(sql, "CREATE TABLE \"t\" (\n  \"id\" bigint\n)");
    let options = ImportOptions { no_header: true, ..ImportOptions::default() };
    let sql = inferred_with("2,is no integer (not_an_integer),7,x\n", &options).unwrap();
    assert_eq!(sql, "CREATE TABLE \"t\" (\n  \"column_1\" bigint,\n  \"column_2\" text\n)");
}

/// The type of a table's only column, in PostgreSQL and in SQLite.
fn types(values: &[&str]) -> [String; 2] {
    let file = format!("a\n{}\n", values.join("\n"));
    [Dialect::Postgres, Dialect::Sqlite].map(|dialect| {
        let sql = infer(file.as_bytes(), "t", dialect, &ImportOptions::default()).unwrap();
        sql.split_once("\"a\" ").unwrap().1.trim_end_matches("\n)").to_owned()
    })
}

#[test]
fn a_zone_is_kept_and_one_that_is_missing_is_not_made_up() {
    for zone in ["Z", "+00:00", " UTC", "+09", "-0330"] {
        let with = format!("1993-02-01 00:00:00{zone}");
        assert_eq!(types(&[&with]), ["timestamptz", "timestamptz"], "{zone}");
        assert_eq!(types(&[&with, "1993-02-01 00:00:00"]), ["text", "text"], "{zone}");
        assert_eq!(types(&["1993-02-01 00:00:00", &with]), ["text", "text"], "{zone}");
    }
    assert_eq!(types(&["9999-12-31T23:30:00-09:00"]), ["text", "text"], "no year 10000");
    assert_eq!(types(&["1993-02-01 10:00:00", "1993-02-01"]), ["text", "text"], "no midnight is made up");
    assert_eq!(types(&["1993-02-01 10:00:00.1234567"]), ["text", "text"]);
}

#[test]
fn what_a_number_would_lose_stays_text() {
    for value in ["1.10", "2.0", "2024.10", "0.00"] {
        assert_eq!(types(&["1.9", value]), ["numeric", "text"], "{value}");
    }
    for value in [
        "-0",
        "-0.0",
        "1.",
        "1234567890123456.5",
        "0x1F",
        "1_000",
        "１",
        " 1",
        "1 ",
        "NaN",
        "9223372036854775808",
    ] {
        assert_eq!(types(&[value]), ["text", "text"], "{value}");
    }
    assert_eq!(types(&["-9223372036854775808", "9223372036854775807"]), ["bigint", "integer"]);
}

#[test]
fn what_stands_around_a_value_or_in_its_form_stays_text() {
    let uuid = "67E55044-10B1-426F-9247-BB680E5FE0C8";
    assert_eq!(types(&[uuid]), ["uuid", "uuid"]);
    for value in
        [&format!("{{{uuid}}}"), "67e5504410b1426f9247bb680e5fe0c8", "67e5-504410b1-426f9247-bb680e5fe0c8x"]
    {
        assert_eq!(types(&[value])[1], "text", "{value}");
    }
    assert_eq!(types(&["True", "FALSE", "true"]), ["boolean", "boolean"]);
    for value in ["t", "yes", "on", " true", " 2024-02-29", "2024/02/29", "２０２４-02-29"] {
        assert_eq!(types(&[value]), ["text", "text"], "{value}");
    }
}

#[test]
fn the_whole_file_decides_also_where_it_is_packed() {
    use std::io::Write as _;

    for (last, expected) in [("7", "bigint"), ("3.5", "numeric"), ("abc", "text")] {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        write!(encoder, "a\n{}{last}\n", "1\n".repeat(100_000)).unwrap();
        let packed = encoder.finish().unwrap();
        let sql = infer(packed.as_slice(), "t", Dialect::Postgres, &ImportOptions::default()).unwrap();
        assert_eq!(sql, format!("CREATE TABLE \"t\" (\n  \"a\" {expected}\n)"));
    }
    let utf_16: Vec<u8> =
        format!("\u{feff}a\n{}x\n", "1\n".repeat(5000)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let sql = infer(utf_16.as_slice(), "t", Dialect::Postgres, &ImportOptions::default()).unwrap();
    assert!(sql.contains("\"a\" text"), "{sql}");
}

#[test]
fn null_in_two_spellings_stays_text_where_a_text_keeps_them_apart() {
    let of = |file: &str, options: &ImportOptions| inferred_with(file, options).unwrap();
    let plain = ImportOptions::default();
    assert!(of("a,b\n1,\"\"\n2,\n", &plain).contains("\"b\" text"));
    assert!(of("a,b\n1,\"\"\n2,\n3,4\n", &plain).contains("\"b\" text"));
    assert!(of("a,b\n1,\"\"\n2,4\n", &plain).contains("\"b\" bigint"));
    assert!(of("a,b\n1,\n2,4\n", &plain).contains("\"b\" bigint"));
    let null = ImportOptions { empty: Some(statemachine::EmptyFields::Null), ..plain };
    assert!(of("a,b\n1,\"\"\n2,\n3,4\n", &null).contains("\"b\" bigint"));
}

#[test]
fn rows_that_are_imported_decide_and_rejects_do_not() {
    assert!(inferred("a,b\n1,2\nx\nx,y,z\n").unwrap().contains("\"a\" bigint"));
    assert!(
        inferred("a,b\n1,2\nx,3,\n").unwrap().contains("\"a\" text"),
        "an empty field at the end is none"
    );
}
