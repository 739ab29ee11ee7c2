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
pub(super) struct Pieces<'a> {
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
pub(super) struct Kept {
    pub(super) fields: Vec<Vec<u8>>,
    pub(super) position: Position,
    pub(super) original: Vec<u8>,
    pub(super) undecodable: Option<(u64, u8)>,
}

pub(super) fn options(encoding: Option<Encoding>, delimiter: &str, escape: bool) -> ImportOptions {
    ImportOptions {
        encoding,
        delimiter: Some(delimiter.parse().unwrap()),
        escape: escape.then(|| "\\".parse().unwrap()),
        ..ImportOptions::default()
    }
}

pub(super) fn open<'a>(
    bytes: &'a [u8],
    sizes: Vec<usize>,
    options: &ImportOptions,
) -> Result<Reader<Pieces<'a>>, Failure> {
    let pieces = Pieces { bytes, sizes: sizes.into_iter().cycle() };
    Reader::new(Decoded::new(pieces, options)?, options)
}

pub(super) fn read_with(
    bytes: &[u8],
    sizes: Vec<usize>,
    options: &ImportOptions,
) -> Result<Vec<Kept>, Failure> {
    let mut reader = open(bytes, sizes, options)?;
    let mut records = Vec::new();
    while let Some(row) = reader.next_row()? {
        records.push(Kept {
            fields: row.fields.iter().map(<[u8]>::to_vec).collect(),
            position: row.position,
            original: row.original().into_owned(),
            undecodable: row.undecodable(),
        });
    }
    Ok(records)
}

pub(super) fn read(text: &[u8], sizes: Vec<usize>) -> Result<Vec<Kept>, Failure> {
    read_with(text, sizes, &options(Some(Encoding::Utf8), ",", false))
}

pub(super) fn fields_of(records: &[Kept]) -> Vec<Vec<Vec<u8>>> {
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

pub(super) const ENCODINGS: [Encoding; 14] = [
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
    Encoding::Windows1253,
    Encoding::Iso8859_2,
    Encoding::Koi8R,
    Encoding::Cp850,
];

pub(super) fn encoded(encoding: Encoding, text: &str) -> Vec<u8> {
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
            Encoding::Windows1253 | Encoding::Iso8859_2 | Encoding::Koi8R | Encoding::Cp850 => {
                r#"[a-c ,;|\t"\n\r\\éßαωłђЖя─█]{0,6}"#
            }
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
            let sign = char::from(delimiter.parse::<statemachine::Delimiter>().unwrap().byte());
            if has_mark && matches!(encoding, Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be) {
                file.bytes = encoded(encoding, "\u{FEFF}");
            }
            let count = records.len();
            for (index, (fields, line_break, blank_lines)) in records.into_iter().enumerate() {
                file.append(&line_break.repeat(blank_lines));
                file.lines.push(line_at(&file.text, is_by_cr));
                let start = file.bytes.len();
                let record = written(&fields, sign, escape);
                file.fields
                    .push(fields.iter().map(|field| decoded(encoding, &encoded(encoding, field))).collect());
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

/// A record with all fields in quotes, as PostgreSQL writes it.
fn written(fields: &[String], delimiter: char, escape: bool) -> String {
    let quoted = |field: &String| match escape {
        true => format!("\"{}\"", field.replace('\\', "\\\\").replace('"', "\\\"")),
        false => format!("\"{}\"", field.replace('"', "\"\"")),
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(&delimiter.to_string())
}

fn decoded(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    let text = super::super::decode::decoded(encoding, bytes);
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
