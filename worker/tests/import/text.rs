//! Files as people have them: in other encodings, with other delimiters, packed.

use std::io::Write as _;

use statemachine::{FailureName, ImportOptions};

use super::world::{World, max_rejects, named};

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
fn one_broken_character_rejects_its_row_and_leaves_the_others_as_they_are_written() {
    for (file, names) in [
        (
            &b"id,name\n1,Dvo\xC5\x99\xC3\xA1k\n2,\xC4\x8Cern\xC3\xBD\n3,Smith\n4,Nov\xC3\n"[..],
            &["Dvořák", "Černý", "Smith"][..],
        ),
        (b"id,name\n1,M\xC3\xBCller\n2,Fran\xC3\xA7ois\n3,Fran\xC3\n", &["Müller", "François"]),
        (b"id,name\n1,10 \xC2\xB0C\n2,\xC2\xA310\n3,\xC2\n", &["10 °C", "£10"]),
    ] {
        let world = World::sqlite(DDL);
        let (result, findings) = world.import_as("a", file, "people", max_rejects(1));
        assert_eq!(result.unwrap().rows, names.len() as u64);
        assert_eq!(world.lines("SELECT name AS line FROM people ORDER BY id"), names);
        assert_eq!(findings.encoding.as_deref(), Some("utf-8 (detected)"));
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
