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
    assert_eq!(sql, "CREATE TABLE \"s\".\"t\" (\n  \"Full \"\"Name\"\"\" text\n)");
}

#[test]
fn a_header_that_names_no_columns_is_refused() {
    assert_eq!(inferred("a,,b\n").unwrap_err(), "column 2 of the header has no name; give it one");
    assert_eq!(
        inferred("a,A\n").unwrap_err(),
        "the header has the name \"A\" twice; rename one, or map it to another"
    );
    assert!(inferred("").unwrap_err().contains("the file is empty"));
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
}
