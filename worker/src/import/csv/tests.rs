//! Files as they come, small ones each with one thing that is unusual.

use statemachine::{Encoding, ImportOptions};

use super::properties::{ENCODINGS, encoded, fields_of, open, options, read, read_with};
use super::*;

#[test]
fn text_behind_a_closing_quote_is_told_and_other_quotes_are_not() {
    let is_stray = |text: &str| {
        let mut reader = open(text.as_bytes(), vec![9], &options(None, ",", false)).unwrap();
        reader.next_row().unwrap().unwrap().quotes().stray
    };
    for text in ["\"a\"b,c\n", "\"a\" ,b", "\"a\\\"b\",c", "x,\"a\n2,b\n3,\"c\"\n", "\"a\"\r,b\n"] {
        assert!(is_stray(text), "{text:?}");
    }
    for text in ["a,b", "\"a\",\"b\"\r\n", "\"a\"\"b\",\"\"", "5\" pipe,a\"b\"", "\"a\nb\"\n", "\"\"\"\"\n"] {
        assert!(!is_stray(text), "{text:?}");
    }
}

#[test]
fn rejects_of_any_number_of_fields_are_read_with_the_delimiter_behind_their_line_numbers() {
    let rejects =
        "3;\"5 fields, not 3\";a;b;c;d;e\n7;\"2 fields, not 3\";a;b\n9;\"id: empty, but needed\";;b;c\n";
    let options = ImportOptions { no_header: true, ..ImportOptions::default() };
    let mut reader = open(rejects.as_bytes(), vec![usize::MAX], &options).unwrap();
    let mut counts = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        counts.push(row.fields.len());
    }
    assert_eq!(counts, [7, 4, 5]);
}

const LIMIT: usize = 256 * 1024;

fn small(encoding: Option<Encoding>) -> ImportOptions {
    ImportOptions { max_record_bytes: (LIMIT as u64).try_into().unwrap(), ..options(encoding, ",", false) }
}

#[test]
fn however_the_bytes_of_a_record_above_the_bound_arrive_nothing_of_it_is_kept() {
    let small = ImportOptions { max_record_bytes: 1024.try_into().unwrap(), ..options(None, ",", false) };
    let bytes = format!("a,b\n1,{}\r\n2,y\n", "x".repeat(2000));
    for chunks in [vec![usize::MAX], vec![1], vec![1500, 1, 300]] {
        let mut reader = open(bytes.as_bytes(), chunks.clone(), &small).unwrap();
        reader.next_row().unwrap().unwrap();
        let row = reader.next_row().unwrap().unwrap();
        let too_large = TooLarge { bytes: 2002, lines: 1, limit: 1024 };
        assert_eq!(
            (row.too_large, row.fields.len(), &*row.original()),
            (Some(too_large), 0, &b""[..]),
            "{chunks:?}"
        );
        assert_eq!(reader.next_row().unwrap().unwrap().fields.get(1), Some(&b"y"[..]), "{chunks:?}");
    }
}

#[test]
fn a_record_above_the_bound_is_passed_over_in_constant_memory() {
    for encoding in ENCODINGS {
        let long = encoded(encoding, "x").repeat(4 * LIMIT);
        let parts = [encoded(encoding, "a,b\n1,\"\n"), long, encoded(encoding, "\"\n2,\"y\"\n")];
        let bytes = parts.concat();
        let mut reader = open(&bytes, vec![usize::MAX], &small(Some(encoding))).unwrap();
        reader.next_row().unwrap().unwrap();
        let row = reader.next_row().unwrap().unwrap();
        let too_large = TooLarge { bytes: 4 * LIMIT as u64 + 5, lines: 2, limit: LIMIT };
        assert_eq!(
            (row.too_large, row.fields.len(), row.position.line),
            (Some(too_large), 0, 2),
            "{encoding}"
        );
        let row = reader.next_row().unwrap().unwrap();
        assert_eq!((row.fields.get(1), row.position.line), (Some(&b"y"[..]), 4));
        assert_eq!((row.position.record, &*row.original()), (2, &encoded(encoding, "2,\"y\"")[..]));
        assert_eq!(row.position.byte as usize, bytes.len() - encoded(encoding, "2,\"y\"\n").len());
        assert!(reader.next_row().unwrap().is_none());
        assert!(reader.window.current().len() < 2 * LIMIT);
    }
}

#[test]
fn a_record_at_the_bound_is_read_and_blank_lines_do_not_count() {
    let text = [b"a,b\n", &vec![b'\n'; 3 * LIMIT][..], &vec![b'x'; LIMIT], b"\n"].concat();
    let records = read_with(&text, vec![usize::MAX], &small(None)).unwrap();
    assert_eq!(records[1].fields[0].len(), LIMIT);
    assert_eq!(records[1].position.line, 3 * LIMIT as u64 + 2);
    let mut reader = open(&text[4 + 3 * LIMIT..], vec![usize::MAX], &small(None)).unwrap();
    assert_eq!(reader.next_row().unwrap().unwrap().too_large, None);
    let text = vec![b'x'; LIMIT + 1];
    let mut reader = open(&text, vec![usize::MAX], &small(None)).unwrap();
    let too_large = reader.next_row().unwrap().unwrap().too_large.unwrap();
    assert_eq!((too_large.bytes, too_large.lines), (LIMIT as u64 + 1, 1));
}

#[test]
fn more_fields_than_a_table_has_columns_are_counted() {
    let text = format!("a,b\n{}\n1,2\n", ",".repeat(5 * MAX_FIELDS));
    let mut reader = open(text.as_bytes(), vec![usize::MAX], &options(None, ",", false)).unwrap();
    let lengths: Vec<_> =
        std::iter::from_fn(|| reader.next_row().unwrap().map(|row| row.fields.len())).collect();
    assert_eq!(lengths, [2, 5 * MAX_FIELDS + 1, 2]);
}

#[test]
fn a_quote_that_is_never_closed_is_told_with_the_line_where_it_opens() {
    let failure = |text: &str, options: &ImportOptions| {
        read_with(text.as_bytes(), vec![3], options).unwrap_err().to_string()
    };
    let usual = options(None, ",", false);
    let says = failure("a,b\n1,\"x\n2,y\n", &usual);
    assert!(says.contains("the quote that opens at line 2 is never closed; close it"), "{says}");
    let says = failure("a,b\n\"1\n2\n3\",\"x\n2,y\n", &usual);
    assert!(says.contains("opens at line 4 is never closed (its record begins at line 2);"), "{says}");
    let long = format!("a,b\n\"1\n{}\",\"x\n2,y\n", "z\n".repeat(LIMIT));
    let says = failure(&long, &small(None));
    assert!(says.contains(&format!("opens at line {} is never closed", LIMIT + 3)), "{says}");
    let escaped = ImportOptions { escape: Some("\\".parse().unwrap()), ..usual };
    let says = failure("a,b\n1,\"C:\\\"\n2,y\n", &escaped);
    let advice = r#"write a quote within quotes as \", and \ itself as \\, as the option escape says"#;
    assert!(says.contains("line 2 is never closed; close it") && says.contains(advice), "{says}");
    assert_eq!(read(b"a,b\n1,\"x\"", vec![3]).unwrap().len(), 2);
    assert_eq!(read(b"a,b\n1,5\" pipe", vec![3]).unwrap().len(), 2);
}

#[test]
fn a_blank_line_is_a_row_of_a_file_of_one_column_only() {
    let fields = |text: &str| {
        let records = read_with(text.as_bytes(), vec![2], &options(None, ",", false)).unwrap();
        records.iter().map(|record| record.fields.len()).collect::<Vec<_>>()
    };
    assert_eq!(fields("\n\na\nx\n\ny\r\n\r\n"), [1, 1, 1, 1, 1]);
    assert_eq!(fields("\r\ra\rx\r\ry\r\n"), [1, 1, 1, 1]);
    assert_eq!(fields("\na,b\n\n1,2\n\r\n\n3,4\n\n"), [2, 2, 2]);
    let lines =
        read(b"a\nx\n\ny\n", vec![2]).unwrap().iter().map(|record| record.position.line).collect::<Vec<_>>();
    assert_eq!(lines, [1, 2, 3, 4]);
}

fn notes(text: &str) -> Vec<String> {
    let mut reader = open(text.as_bytes(), vec![5], &options(None, ",", false)).unwrap();
    let mut is_row = false;
    while reader.next_row().unwrap().is_some() {
        // The first record is the header.
        reader.end_row(std::mem::replace(&mut is_row, true));
    }
    reader.notes_of_values().into_iter().chain(reader.notes()).collect()
}

#[test]
fn blank_lines_between_rows_are_counted() {
    assert_eq!(notes("\n\na,b\n\n1,2\n\r\n\n3,4\n\n\n"), ["3 blank lines were passed over"]);
    assert_eq!(notes("a,b\r1,2\r\r3,4\r\r\r"), ["1 blank line was passed over"]);
    assert_eq!(notes("\na,b\r\n1,2\r\n\r\n"), [""; 0]);
    assert_eq!(notes("a\nx\n\ny\n"), [""; 0]);
}

#[test]
fn a_cr_within_a_line_is_part_of_the_value_and_counted() {
    for (text, v) in [
        ("id,v\n1,x\ry\n2,z\n", "x\ry"),
        ("id,v\r\n1,x\ry\r\n2,z\r\n", "x\ry"),
        ("id,v\n1,\rx\ry\r\n2,z\n", "\rx\ry"),
        ("id,v\n\n1,a\u{b}b\u{c}c\u{85}d\u{2028}e\rf\n2,z\n", "a\u{b}b\u{c}c\u{85}d\u{2028}e\rf"),
    ] {
        let records = read(text.as_bytes(), vec![3]).unwrap();
        assert_eq!((records.len(), &records[1].fields[1][..]), (3, v.as_bytes()), "{text:?}");
        let note = "1 row has a carriage return outside quotes, which was taken for part of the value";
        assert!(notes(text).iter().any(|told| told.starts_with(note)), "{text:?}");
    }
    assert_eq!(notes("id,v\r\n1,\"x\ry\"\r\n2,z\r\r\n"), [""; 0]);
    // What stands in the header is no value.
    assert_eq!(notes("id,v\rw\n1,x\n2,z\n"), [""; 0]);
}

#[test]
fn mixed_line_ends_and_those_of_one_kind_give_the_same_rows() {
    for ends in [["\n", "\r\n"], ["\r\n", "\n"], ["\r", "\r"], ["\r\r\n", "\n"]] {
        let text = format!("a,b{0}1,\"x\"{1}2,y{0}", ends[0], ends[1]);
        let records = read(text.as_bytes(), vec![3]).unwrap();
        let expected = [[b"a", b"b"], [b"1", b"x"], [b"2", b"y"]]
            .map(|record| record.map(|field| field.to_vec()).to_vec());
        assert_eq!(fields_of(&records), expected, "{text:?}");
        assert_eq!(records[2].position.line, 3, "{text:?}");
    }
}

#[test]
fn a_first_line_that_is_longer_than_the_head_does_not_hide_how_lines_end() {
    let long = "x\r".repeat(50_000);
    let records = read(format!("1,{long}y\n2,z\n").as_bytes(), vec![1000]).unwrap();
    assert_eq!((records.len(), records[0].fields[1].len()), (2, long.len() + 1));
    let long = "x\n".repeat(50_000);
    let records = read(format!("1,\"{long}\"\r2,z\r").as_bytes(), vec![1000]).unwrap();
    assert_eq!((records.len(), records[0].fields[1].len()), (2, long.len()));
}

#[test]
fn what_fills_a_file_up_to_its_end_is_no_row() {
    for tail in ["\r\n\u{1a}", "\u{1a}", "\n\u{1a}\0\0\0", "\r\n\0\0", "\u{1a}\u{1a}\0"] {
        let records = read(format!("a,b\r\n1,x{tail}").as_bytes(), vec![2]).unwrap();
        assert_eq!((records.len(), &records[1].fields[1][..]), (2, &b"x"[..]), "{tail:?}");
    }
    let records = read(b"a,b\n\x1A,x\n\0,y\n1,\x1A\n1,z\0", vec![2]).unwrap();
    let first: Vec<_> = records.iter().map(|record| record.fields[0].clone()).collect();
    assert_eq!(first, [&b"a"[..], b"\x1A", b"\0", b"1", b"1"]);
    assert_eq!((&records[3].fields[1][..], &records[4].fields[1][..]), (&b"\x1A"[..], &b"z\0"[..]));
    assert_eq!(read(b"a\nx\n\x1A", vec![2]).unwrap().len(), 2);
    assert_eq!(read(b"a,b\n1,\"x\"\x1A", vec![2]).unwrap()[1].fields[1], b"x");
}

#[test]
fn what_fills_a_file_up_to_its_end_is_no_part_of_the_original_row_in_any_encoding() {
    for encoding in ENCODINGS {
        for (row, tail) in
            [("1,x", "\u{1a}"), ("1,\"x\ny\"", "\u{1a}\0\0"), ("1,x", ""), ("1,x", "\r\n\u{1a}")]
        {
            let text = encoded(encoding, &format!("a,b\r\n{row}{tail}"));
            let records = read_with(&text, vec![3], &options(Some(encoding), ",", false)).unwrap();
            assert_eq!(records[1].original, encoded(encoding, row), "{encoding} {tail:?}");
        }
    }
}

#[test]
fn a_character_that_cannot_be_read_is_told_with_its_place_in_the_object() {
    // "表", then a byte that begins no character; and a file that ends within one.
    let file = b"id,name\r\n1,\x95\x5C\r\n2,\x95\x5C\xA0x\r\n3,\x95";
    let records = read_with(file, vec![4], &options(Some(Encoding::Cp932), ",", false)).unwrap();
    let undecodable: Vec<_> = records.iter().map(|record| record.undecodable).collect();
    assert_eq!(undecodable, [None, None, Some((19, 0xA0)), Some((25, 0x95))]);
    assert_eq!(records[2].fields[1], b"\xE8\xA1\xA8\xFFx");
    assert_eq!(records[3].fields[1], b"\xFF");
    assert_eq!(records[3].original, b"3,\x95");
}

#[test]
fn the_format_is_what_the_file_turned_out_to_be() {
    let file = encoded(Encoding::Cp932, "番号;氏名\r\n1;山田\r\n");
    let mut reader = open(&file, vec![5], &ImportOptions::default()).unwrap();
    reader.next_row().unwrap();
    let format = reader.format();
    assert_eq!((format.encoding, format.delimiter, format.line_break), (Encoding::Cp932, b';', "\r\n"));
    assert_eq!(format.encoding_from, super::super::decode::EncodingFrom::Detected);
}
