//! The reader against the `csv` crate read plainly, on generated files: the same fields, whatever the encoding, the
//! delimiter and the line breaks, and however the bytes arrive; positions that lead back to the record; and each record as
//! the file has it.

use std::io::{self, Read};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use statemachine::{Encoding, ImportOptions};

use super::*;

/// Gives its bytes in pieces of the sizes that are asked for, over and over.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap_or(1).min(self.bytes.len()).min(buffer.len());
        let (piece, rest) = self.bytes.split_at(size);
        buffer[..size].copy_from_slice(piece);
        self.bytes = rest;
        Ok(size)
    }
}

/// A record as it came out of the reader.
#[derive(Clone, Debug)]
struct Record {
    fields: Vec<Vec<u8>>,
    position: Position,
    original: Vec<u8>,
    undecodable: Option<(u64, u8)>,
}

fn options(encoding: Option<Encoding>, delimiter: &str, escape: bool) -> ImportOptions {
    ImportOptions {
        encoding,
        delimiter: Some(delimiter.parse().unwrap()),
        escape: escape.then(|| "\\".parse().unwrap()),
        ..ImportOptions::default()
    }
}

fn open<'a>(
    bytes: &'a [u8],
    sizes: Vec<usize>,
    options: &ImportOptions,
) -> Result<Reader<Pieces<'a>>, Failure> {
    let pieces = Pieces { bytes, sizes: sizes.into_iter().cycle() };
    Reader::new(Decoded::new(pieces, options)?, options)
}

fn read_with(bytes: &[u8], sizes: Vec<usize>, options: &ImportOptions) -> Result<Vec<Record>, Failure> {
    let mut reader = open(bytes, sizes, options)?;
    let mut records = Vec::new();
    while let Some(row) = reader.next_row()? {
        records.push(Record {
            fields: row.fields.iter().map(<[u8]>::to_vec).collect(),
            position: row.position,
            original: row.original().into_owned(),
            undecodable: row.undecodable(),
        });
    }
    Ok(records)
}

fn read(text: &[u8], sizes: Vec<usize>) -> Result<Vec<Record>, Failure> {
    read_with(text, sizes, &options(Some(Encoding::Utf8), ",", false))
}

fn fields_of(records: &[Record]) -> Vec<Vec<Vec<u8>>> {
    records.iter().map(|record| record.fields.clone()).collect()
}

/// What the csv crate reads. It knows nothing of CRs that are part of a value.
fn read_plainly(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.has_headers(false).flexible(true).from_reader(text);
    reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
}

/// The same byte by byte, in a file of LFs with more than one column; `None` where it ends inside quotes.
fn read_slowly(text: &[u8]) -> Option<Vec<Vec<Vec<u8>>>> {
    let (mut records, mut fields, mut field, mut raw) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut is_quoted, mut is_closed) = (false, false);
    for (at, &byte) in text.iter().chain(b"\n").enumerate() {
        let begins = field.is_empty() && !is_closed && !is_quoted && matches!(raw.last(), None | Some(b','));
        raw.push(byte);
        match byte {
            b'"' if begins => is_quoted = true,
            b'"' if is_quoted => (is_quoted, is_closed) = (false, true),
            b'"' if is_closed => {
                (is_quoted, is_closed) = (true, false);
                field.push(byte);
            }
            b',' if !is_quoted => {
                fields.push(std::mem::take(&mut field));
                is_closed = false;
            }
            b'\n' if is_quoted && at == text.len() => return None,
            b'\n' if !is_quoted => {
                let crs = raw.iter().rev().skip(1).take_while(|byte| **byte == b'\r').count();
                if raw.len() > crs + 1 {
                    field.truncate(field.len() - crs);
                    fields.push(std::mem::take(&mut field));
                    records.push(std::mem::take(&mut fields));
                }
                field.clear();
                raw.clear();
                is_closed = false;
            }
            _ => {
                is_closed = false;
                field.push(byte);
            }
        }
    }
    Some(records)
}

/// A file as a program would write it: what stands in the object, its text, and where its records begin and end in the
/// object.
#[derive(Clone, Debug)]
struct File {
    encoding: Encoding,
    delimiter: &'static str,
    escape: bool,
    bytes: Vec<u8>,
    text: Vec<u8>,
    records: Vec<std::ops::Range<usize>>,
    lines: Vec<u64>,
    fields: Vec<Vec<Vec<u8>>>,
}

const ENCODINGS: [Encoding; 10] = [
    Encoding::Utf8,
    Encoding::Cp932,
    Encoding::EucJp,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
    Encoding::Windows1252,
    Encoding::Gb18030,
    Encoding::Big5,
    Encoding::EucKr,
    Encoding::Iso2022Jp,
];

fn encoded(encoding: Encoding, text: &str) -> Vec<u8> {
    let format =
        Format { encoding, ..Decoded::new(&b""[..], &ImportOptions::default()).unwrap().format().clone() };
    let mut bytes = Vec::new();
    format.encode(text, &mut bytes);
    bytes
}

fn file() -> impl Strategy<Value = File> {
    let breaks = select(vec![vec!["\n", "\r\n", "\r\r\n"], vec!["\r"]]);
    let signs = select(vec![",", ";", "tab", "|"]);
    let how = (select(ENCODINGS.to_vec()), signs, any::<bool>(), any::<bool>(), breaks);
    how.prop_flat_map(|(encoding, delimiter, escape, has_mark, breaks)| {
        // Characters with second bytes that look like signs of ASCII, and with halves that look like line breaks.
        let field = match encoding {
            Encoding::Cp932 | Encoding::EucJp | Encoding::Iso2022Jp => {
                r#"[a-c ,;|\t"\n\r\\表ソ機能髙ﾊ～]{0,6}"#
            }
            Encoding::Gb18030 | Encoding::Big5 | Encoding::EucKr => r#"[a-c ,;|\t"\n\r\\許功蓋김]{0,6}"#,
            Encoding::Windows1252 => r#"[a-c ,;|\t"\n\r\\é€’ß]{0,6}"#,
            _ => r#"[a-c ,;|\t"\n\r\\東é😀ਊ一、]{0,6}"#,
        };
        let is_by_cr = breaks == ["\r"];
        let record = (vec(field, 2..5), select(breaks), 0..3_usize);
        (vec(record, 0..20), any::<bool>()).prop_map(move |(records, has_last_break)| {
            let mut file = File {
                encoding,
                delimiter,
                escape,
                bytes: Vec::new(),
                text: Vec::new(),
                records: Vec::new(),
                lines: Vec::new(),
                fields: Vec::new(),
            };
            let sign = delimiter.parse::<statemachine::Delimiter>().unwrap().byte();
            if has_mark && matches!(encoding, Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be) {
                file.bytes = encoded(encoding, "\u{FEFF}");
            }
            let count = records.len();
            for (index, (fields, line_break, blank_lines)) in records.into_iter().enumerate() {
                file.append(&line_break.repeat(blank_lines));
                file.lines.push(line_at(&file.text, is_by_cr));
                let start = file.bytes.len();
                let mut builder = csv::WriterBuilder::new();
                builder.quote_style(csv::QuoteStyle::Always).delimiter(sign).double_quote(!escape);
                let mut writer = builder.escape(b'\\').from_writer(Vec::new());
                // This writer escapes quotes, and not its own escape.
                let fields: Vec<_> = fields
                    .iter()
                    .map(|field| if escape { field.replace('\\', "") } else { field.clone() })
                    .collect();
                writer.write_record(&fields).unwrap();
                file.fields
                    .push(fields.iter().map(|field| decoded(encoding, &encoded(encoding, field))).collect());
                let mut record = String::from_utf8(writer.into_inner().unwrap()).unwrap();
                record.pop();
                file.append(&record);
                file.records.push(start..file.bytes.len());
                if has_last_break || index + 1 < count {
                    file.append(line_break);
                }
            }
            file
        })
    })
}

impl File {
    fn append(&mut self, text: &str) {
        // What the encoding does not have is another character in the text, too.
        let bytes = encoded(self.encoding, text);
        self.text.extend(decoded(self.encoding, &bytes));
        self.bytes.extend(bytes);
    }
}

fn decoded(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    let text = super::super::decode::codec(encoding).decode_without_bom_handling(bytes).0;
    // Two escape sequences in a row are an error for this decoder, and nothing for ours.
    text.replace('\u{FFFD}', if encoding == Encoding::Iso2022Jp { "" } else { "\u{FFFD}" }).into_bytes()
}

/// Line of a record that begins behind `text`, counted the slow way.
fn line_at(text: &[u8], is_by_cr: bool) -> u64 {
    let mut text = String::from_utf8_lossy(text).into_owned();
    if is_by_cr {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    text.matches('\n').count() as u64 + 1
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_written_file_comes_back_field_by_field_with_its_positions(file in file(), sizes in vec(1..7_usize, 1..5)) {
        let options = options(Some(file.encoding), file.delimiter, file.escape);
        let records = read_with(&file.bytes, sizes, &options).unwrap();
        prop_assert_eq!(fields_of(&records), file.fields);
        prop_assert_eq!(records.len(), file.records.len());
        for (index, record) in records.iter().enumerate() {
            prop_assert_eq!(record.position.record, index as u64);
            prop_assert_eq!(record.position.byte, file.records[index].start as u64);
            prop_assert_eq!(record.position.line, file.lines[index]);
            prop_assert_eq!(&record.original, &file.bytes[file.records[index].clone()]);
            prop_assert_eq!(record.undecodable, None);
        }
    }

    #[test]
    fn a_file_that_turns_out_not_to_be_ascii_is_read_from_its_first_record_on(
        rows in 0..6_usize,
        lead in "[a-z]{0,5}",
        sizes in vec(1..7_usize, 1..5),
    ) {
        let text = format!("id,name\r\n{}\"{lead}\n表示機能\",x\r\n東京,y", "1,abc\r\n".repeat(rows));
        for encoding in [Encoding::Cp932, Encoding::EucJp, Encoding::Utf8] {
            let bytes = encoded(encoding, &text);
            let records = read_with(&bytes, sizes.clone(), &ImportOptions::default()).unwrap();
            prop_assert_eq!(fields_of(&records), read_plainly(text.as_bytes()));
            for record in records {
                let start = record.position.byte as usize;
                prop_assert_eq!(&record.original, &bytes[start..start + record.original.len()]);
                prop_assert!(start == 0 || bytes[start - 1] == b'\n');
            }
        }
    }

    #[test]
    fn any_bytes_without_a_cr_are_read_as_the_csv_crate_reads_them(
        text in vec(select(b"ab,\"\n \xE6\xFF".to_vec()), 0..60),
        sizes in vec(1..7_usize, 1..5),
    ) {
        let text = [b"h,h\n", &text[..]].concat();
        if let Ok(records) = read(&text, sizes) {
            prop_assert_eq!(fields_of(&records), read_plainly(&text));
        }
    }

    #[test]
    fn any_bytes_are_read_as_byte_by_byte_or_end_inside_a_quote(
        text in vec(select(b"ab,\"\n\r \xE6\xFF\0".to_vec()), 0..60),
        sizes in vec(1..7_usize, 1..5),
    ) {
        let text = [b"h,h\n", &text[..], b"x"].concat();
        let lines = open(&text, sizes.clone(), &options(None, ",", false)).unwrap().style.lines;
        prop_assume!(lines == Lines::Lf);
        match (read(&text, sizes), read_slowly(&text)) {
            (Ok(records), Some(expected)) => prop_assert_eq!(fields_of(&records), expected),
            (Err(failure), None) => {
                prop_assert!(failure.to_string().contains("never closed"), "{}", failure);
            }
            (read, expected) => prop_assert!(false, "{:?} and {:?}", read, expected),
        }
    }

    #[test]
    fn any_bytes_in_any_encoding_lead_back_to_the_object(
        bytes in vec(prop_oneof![any::<u8>(), select(b"a,\"\n\r\x81\x82\x8F\0\xD8".to_vec())], 0..200),
        encoding in select(ENCODINGS.to_vec()),
        sizes in vec(1..7_usize, 1..5),
    ) {
        let options = options(Some(encoding), ",", false);
        // A mark in the bytes is none of the record.
        prop_assume!(!bytes.starts_with(b"\xFF\xFE") && !bytes.starts_with(b"\xFE\xFF"));
        let Ok(records) = read_with(&bytes, sizes, &options) else { return Ok(()) };
        for record in records {
            let start = record.position.byte as usize;
            prop_assert_eq!(&record.original, &bytes[start..start + record.original.len()]);
            let is_text = record.fields.iter().all(|field| std::str::from_utf8(field).is_ok());
            prop_assert_eq!(record.undecodable.is_none(), is_text);
            if let Some((at, byte)) = record.undecodable {
                prop_assert!((start..start + record.original.len()).contains(&(at as usize)));
                prop_assert_eq!(bytes[at as usize], byte);
            }
        }
    }
}

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

const LIMIT: usize = 256 * 1024;

fn small(encoding: Option<Encoding>) -> ImportOptions {
    ImportOptions { max_record_bytes: (LIMIT as u64).try_into().unwrap(), ..options(encoding, ",", false) }
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
    while reader.next_row().unwrap().is_some() {}
    reader.notes()
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
