//! The reader against the `csv` crate read plainly, on generated files: the same fields, whatever the line breaks and
//! however the bytes arrive; and positions that lead back to the record.

use std::io::{self, Read};

use csv_core::ReadRecordResult;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

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

type Record = (Vec<Vec<u8>>, Position);

fn read(text: &[u8], sizes: Vec<usize>) -> Result<Vec<Record>, Failure> {
    let pieces = Pieces { bytes: text, sizes: sizes.into_iter().cycle() };
    let mut reader = Reader::new(pieces, 0, Settings::default());
    let mut records = Vec::new();
    while let Some(row) = reader.next_row()? {
        records.push((row.fields.iter().map(<[u8]>::to_vec).collect(), row.position));
    }
    Ok(records)
}

fn fields_of(records: &[Record]) -> Vec<Vec<Vec<u8>>> {
    records.iter().map(|(fields, _)| fields.clone()).collect()
}

fn read_plainly(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
}

/// A file as a program would write it, and how many lines each record has.
fn file() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    let field = "[a-c ,\"\n\r東é']{0,6}";
    let record = (vec(field, 1..5), select(vec!["\n", "\r\n", "\r"]), 0..3_usize);
    vec(record, 0..20).prop_map(|records| {
        let mut text = Vec::new();
        let mut starts = Vec::new();
        for (fields, line_break, blank_lines) in records {
            text.extend(line_break.repeat(blank_lines).bytes());
            starts.push(text.len());
            let mut writer =
                csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            writer.write_record(&fields).unwrap();
            text.extend(writer.into_inner().unwrap().strip_suffix(b"\n").unwrap());
            text.extend(line_break.bytes());
        }
        (text, starts)
    })
}

/// Line breaks before `offset`, counted the slow way.
fn line_at(text: &[u8], offset: usize) -> u64 {
    let before = String::from_utf8_lossy(&text[..offset]).replace("\r\n", "\n").replace('\r', "\n");
    let splits_a_break = offset > 0 && text[offset - 1] == b'\r' && text.get(offset) == Some(&b'\n');
    before.matches('\n').count() as u64 + 1 - u64::from(splits_a_break)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_written_file_is_read_as_the_csv_crate_reads_it((text, starts) in file(), sizes in vec(1..7_usize, 1..5)) {
        let records = read(&text, sizes).unwrap();
        prop_assert_eq!(fields_of(&records), read_plainly(&text));
        for (index, (start, (_, position))) in starts.into_iter().zip(records).enumerate() {
            prop_assert_eq!(position.record, index as u64);
            prop_assert_eq!(position.byte, start as u64);
            prop_assert_eq!(position.line, line_at(&text, start));
        }
    }

    #[test]
    fn any_bytes_are_read_as_the_csv_crate_reads_them_or_end_inside_a_quote(
        text in vec(select(b"ab,\"\n\r \xE6\xFF\0".to_vec()), 0..60),
        sizes in vec(1..7_usize, 1..5),
    ) {
        match read(&text, sizes) {
            Ok(records) => prop_assert_eq!(fields_of(&records), read_plainly(&text)),
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
}

#[test]
fn text_behind_a_closing_quote_is_told_and_other_quotes_are_not() {
    let is_stray = |text: &str| {
        let mut reader = Reader::new(text.as_bytes(), 0, Settings::default());
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
    let text = [b"a,b\n1,\"".to_vec(), vec![b'x'; 4 * MAX_RECORD_BYTES]].concat();
    let mut reader = Reader::new(text.as_slice(), 0, Settings::default());
    reader.next_row().unwrap().unwrap();
    let failure = reader.next_row().err().unwrap();
    assert!(failure.to_string().contains("the record at line 2 has more than 1048576 bytes"), "{failure}");
    assert!(reader.csv.get_ref().current().len() < 2 * MAX_RECORD_BYTES);
}

#[test]
fn a_record_at_the_bound_is_read_and_blank_lines_do_not_count() {
    let text = [vec![b'\n'; 3 * MAX_RECORD_BYTES], vec![b'x'; MAX_RECORD_BYTES]].concat();
    let records = read(&text, vec![usize::MAX]).unwrap();
    assert_eq!(records[0].0[0].len(), MAX_RECORD_BYTES);
    assert_eq!(records[0].1.line, 3 * MAX_RECORD_BYTES as u64 + 1);
    let text = vec![b'x'; MAX_RECORD_BYTES + 1];
    assert!(read(&text, vec![usize::MAX]).is_err());
}

#[test]
fn more_fields_than_a_table_has_columns_are_refused() {
    let text = ",".repeat(MAX_FIELDS);
    assert!(read(text.as_bytes(), vec![usize::MAX]).unwrap_err().to_string().contains("1601 fields"));
    assert_eq!(read(&text.as_bytes()[1..], vec![usize::MAX]).unwrap()[0].0.len(), MAX_FIELDS);
}

#[test]
fn a_file_that_ends_inside_a_quote_is_refused_and_one_without_a_last_line_break_is_not() {
    let failure = read(b"a,b\n1,\"x\n2,y\n", vec![3]).unwrap_err().to_string();
    assert!(failure.contains("a quote in the record at line 2 is never closed"), "{failure}");
    assert_eq!(read(b"a,b\n1,\"x\"", vec![3]).unwrap().len(), 2);
    assert_eq!(read(b"a,b\n1,5\" pipe", vec![3]).unwrap().len(), 2);
}
