//! Files as people have them: in other encodings, with other delimiters, packed.

use std::io::Write as _;

use statemachine::{FailureName, ImportOptions};

use super::world::{World, named};

const DDL: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(5,2))";

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_packed_japanese_file_with_semicolons_is_imported() {
    let (file, ..) =
        encoding_rs::SHIFT_JIS.encode("id;name;price\r\n1;表示 機能;1.50\r\n2;\"髙田;ｿﾉ他\";2\r\n");
    for packed in [file.to_vec(), gzip(&file), zstd::encode_all(&*file, 3).unwrap()] {
        let world = World::sqlite(DDL);
        assert_eq!(world.import(&packed, "people", ImportOptions::default()).unwrap().rows, 2);
        assert_eq!(world.lines("SELECT name AS line FROM people ORDER BY id"), ["表示 機能", "髙田;ｿﾉ他"]);
    }
}

#[test]
fn what_the_import_declares_is_not_guessed() {
    let world = World::sqlite(DDL);
    let options = r#"{"encoding": "windows-1252", "delimiter": "tab", "escape": "\\"}"#;
    let file = b"id\tname\tprice\n1\t\"\xBD \\\"kg\\\"\"\t2\n";
    world.import(file, "people", serde_json::from_str(options).unwrap()).unwrap();
    assert_eq!(world.lines("SELECT name AS line FROM people"), ["½ \"kg\""]);
}

#[test]
fn an_archive_that_was_cut_off_is_no_shorter_file() {
    let world = World::sqlite(DDL);
    let rows: String = (1..5000).map(|id| format!("{id},x,1\n")).collect();
    let packed = gzip(format!("id,name,price\n{rows}").as_bytes());
    let cut_off = &packed[..packed.len() / 2];
    let (name, cause) = named(world.import(cut_off, "people", ImportOptions::default()));
    assert_eq!(name, FailureName::SourceUnreadable);
    assert!(cause.starts_with("the gzip archive is damaged or cut off"), "{cause}");
    assert_eq!(world.count("people"), 0);
}
