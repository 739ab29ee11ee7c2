//! The reader against the `csv` crate read plainly, on generated files: the same fields, whatever the encoding, the
//! delimiter and the line breaks, and however the bytes arrive; positions that lead back to the record; and each record as
//! the file has it.

use std::io::{self, Read};

use csv_core::ReadRecordResult;
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
    Reader::new(Decoded::new(pieces, options)?, options.delimiter.is_none())
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

fn read_plainly(text: &[u8], delimiter: &str, escape: bool) -> Vec<Vec<Vec<u8>>> {
    let mut builder = csv::ReaderBuilder::new();
    let delimiter = delimiter.parse::<statemachine::Delimiter>().unwrap().byte();
    builder.has_headers(false).flexible(true).delimiter(delimiter);
    builder.escape(escape.then_some(b'\\')).double_quote(!escape);
    let mut reader = builder.from_reader(text);
    reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
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
}

const ENCODINGS: [Encoding; 6] = [
    Encoding::Utf8,
    Encoding::Cp932,
    Encoding::EucJp,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
    Encoding::Windows1252,
];

fn encoded(encoding: Encoding, text: &str) -> Vec<u8> {
    let format =
        Format { encoding, ..Decoded::new(&b""[..], &ImportOptions::default()).unwrap().format().clone() };
    let mut bytes = Vec::new();
    format.encode(text, &mut bytes);
    bytes
}

fn file() -> impl Strategy<Value = File> {
    let how = (select(ENCODINGS.to_vec()), select(vec![",", ";", "tab", "|"]), any::<bool>(), any::<bool>());
    how.prop_flat_map(|(encoding, delimiter, escape, has_mark)| {
        // Characters with second bytes that look like signs of ASCII, and with halves that look like line breaks.
        let field = match encoding {
            Encoding::Cp932 | Encoding::EucJp => r#"[a-c ,;|\t"\n\r\\表ソ機能髙ﾊ～]{0,6}"#,
            Encoding::Windows1252 => r#"[a-c ,;|\t"\n\r\\é€’ß]{0,6}"#,
            _ => r#"[a-c ,;|\t"\n\r\\東é😀ਊ一、]{0,6}"#,
        };
        let record = (vec(field, 1..5), select(vec!["\n", "\r\n", "\r"]), 0..3_usize);
        (vec(record, 0..20), any::<bool>()).prop_map(move |(records, has_last_break)| {
            let mut file = File {
                encoding,
                delimiter,
                escape,
                bytes: Vec::new(),
                text: Vec::new(),
                records: Vec::new(),
                lines: Vec::new(),
            };
            let sign = delimiter.parse::<statemachine::Delimiter>().unwrap().byte();
            if has_mark && matches!(encoding, Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be) {
                file.bytes = encoded(encoding, "\u{FEFF}");
            }
            let count = records.len();
            for (index, (fields, line_break, blank_lines)) in records.into_iter().enumerate() {
                file.append(&line_break.repeat(blank_lines));
                file.lines.push(line_at(&file.text));
                let start = file.bytes.len();
                let mut builder = csv::WriterBuilder::new();
                builder.quote_style(csv::QuoteStyle::Always).delimiter(sign).double_quote(!escape);
                let mut writer = builder.escape(b'\\').from_writer(Vec::new());
                // This writer escapes quotes, and not its own escape.
                let fields =
                    fields.iter().map(|field| if escape { field.replace('\\', "") } else { field.clone() });
                writer.write_record(fields.collect::<Vec<_>>()).unwrap();
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
        self.text.extend(match self.encoding {
            Encoding::Cp932 => {
                encoding_rs::SHIFT_JIS.decode_without_bom_handling(&bytes).0.as_bytes().to_vec()
            }
            Encoding::EucJp => encoding_rs::EUC_JP.decode_without_bom_handling(&bytes).0.as_bytes().to_vec(),
            Encoding::Windows1252 => {
                encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes).0.as_bytes().to_vec()
            }
            _ => text.as_bytes().to_vec(),
        });
        self.bytes.extend(bytes);
    }
}

/// Line of a record that begins behind `text`, counted the slow way.
fn line_at(text: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n").replace('\r', "\n");
    text.matches('\n').count() as u64 + 1
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_written_file_is_read_as_the_csv_crate_reads_its_text(file in file(), sizes in vec(1..7_usize, 1..5)) {
        let options = options(Some(file.encoding), file.delimiter, file.escape);
        let records = read_with(&file.bytes, sizes, &options).unwrap();
        prop_assert_eq!(fields_of(&records), read_plainly(&file.text, file.delimiter, file.escape));
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
            prop_assert_eq!(fields_of(&records), read_plainly(text.as_bytes(), ",", false));
            for record in records {
                let start = record.position.byte as usize;
                prop_assert_eq!(&record.original, &bytes[start..start + record.original.len()]);
                prop_assert!(start == 0 || bytes[start - 1] == b'\n');
            }
        }
    }

    #[test]
    fn any_bytes_are_read_as_the_csv_crate_reads_them_or_end_inside_a_quote(
        text in vec(select(b"ab,\"\n\r \xE6\xFF\0".to_vec()), 0..60),
        sizes in vec(1..7_usize, 1..5),
    ) {
        match read(&text, sizes) {
            Ok(records) => prop_assert_eq!(fields_of(&records), read_plainly(&text, ",", false)),
            Err(failure) => {
                prop_assert!(failure.to_string().contains("never closed"), "{}", failure);
                // The state machine itself agrees: a line break behind the file does not end its last record.
                let mut core = csv_core::Reader::new();
                let (mut out, mut ends, mut rest) = ([0; 128], [0; 128], &text[..]);
                let ended = loop {
                    let (result, read, ..) = core.read_record(rest, &mut out, &mut ends);
                    rest = &rest[read..];
                    match result {
                        ReadRecordResult::Record => {}
                        _ => break core.read_record(b"\n", &mut out, &mut ends).0,
                    }
                };
                prop_assert_eq!(ended, ReadRecordResult::InputEmpty);
            }
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
        reader.next_row().unwrap().unwrap().has_stray_quote()
    };
    for text in ["\"a\"b,c\n", "\"a\" ,b", "\"a\\\"b\",c", "x,\"a\n2,b\n3,\"c\"\n"] {
        assert!(is_stray(text), "{text:?}");
    }
    for text in ["a,b", "\"a\",\"b\"\r\n", "\"a\"\"b\",\"\"", "5\" pipe,a\"b\"", "\"a\nb\"\n", "\"\"\"\"\n"] {
        assert!(!is_stray(text), "{text:?}");
    }
}

#[test]
fn a_quote_that_never_closes_is_bounded() {
    for encoding in ENCODINGS {
        let text =
            [encoded(encoding, "a,b\n1,\""), encoded(encoding, "x").repeat(4 * MAX_RECORD_BYTES)].concat();
        let mut reader = open(&text, vec![usize::MAX], &options(Some(encoding), ",", false)).unwrap();
        reader.next_row().unwrap().unwrap();
        let failure = reader.next_row().err().unwrap();
        let says = "the record at line 2 has more than 1048576 bytes";
        assert!(failure.to_string().contains(says), "{encoding}: {failure}");
        assert!(reader.csv.get_ref().current().len() < 2 * MAX_RECORD_BYTES);
    }
}

#[test]
fn a_record_at_the_bound_is_read_and_blank_lines_do_not_count() {
    let text = [vec![b'\n'; 3 * MAX_RECORD_BYTES], vec![b'x'; MAX_RECORD_BYTES]].concat();
    let records = read(&text, vec![usize::MAX]).unwrap();
    assert_eq!(records[0].fields[0].len(), MAX_RECORD_BYTES);
    assert_eq!(records[0].position.line, 3 * MAX_RECORD_BYTES as u64 + 1);
    let text = vec![b'x'; MAX_RECORD_BYTES + 1];
    assert!(read(&text, vec![usize::MAX]).is_err());
}

#[test]
fn more_fields_than_a_table_has_columns_are_refused() {
    let text = ",".repeat(MAX_FIELDS);
    assert!(read(text.as_bytes(), vec![usize::MAX]).unwrap_err().to_string().contains("1601 fields"));
    assert_eq!(read(&text.as_bytes()[1..], vec![usize::MAX]).unwrap()[0].fields.len(), MAX_FIELDS);
}

#[test]
fn a_file_that_ends_inside_a_quote_is_refused_and_one_without_a_last_line_break_is_not() {
    let failure = read(b"a,b\n1,\"x\n2,y\n", vec![3]).unwrap_err().to_string();
    assert!(failure.contains("a quote in the record at line 2 is never closed"), "{failure}");
    assert_eq!(read(b"a,b\n1,\"x\"", vec![3]).unwrap().len(), 2);
    assert_eq!(read(b"a,b\n1,5\" pipe", vec![3]).unwrap().len(), 2);
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
