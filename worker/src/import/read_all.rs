//! Reads a file without a table: whether it can be read, and what is in it. This is the door by which the fuzz target comes
//! in, and it asks everything of each row that an import could.

use std::io::Read;

use statemachine::{Encoding, ImportOptions};

use crate::failure::Failure;

/// What is in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records, the header among them.
    pub records: u64,
    /// Fields of all records.
    pub fields: u64,
    /// Bytes of all records as they stand in the file, without their line breaks.
    pub bytes: u64,
    /// Records with a byte that is no character.
    pub undecodable: u64,
    /// Records with a quoted field that goes on behind its closing quote.
    pub stray_quotes: u64,
    /// How the characters are written, as far as that matters: UTF-8 where all are ASCII.
    pub encoding: Option<Encoding>,
}

/// Reads all records of a file.
///
/// # Errors
/// A [`Failure`] where the source cannot be read, or is no CSV.
pub fn read_all(source: impl Read, options: &ImportOptions) -> Result<Counts, Failure> {
    let mut reader = super::open(source, options)?;
    let mut counts = Counts::default();
    while let Some(row) = reader.next_row()? {
        counts.records += 1;
        counts.fields += row.fields.len() as u64;
        counts.bytes += row.original().len() as u64;
        counts.undecodable += u64::from(row.undecodable().is_some());
        counts.stray_quotes += u64::from(row.quotes().stray);
    }
    counts.encoding = Some(reader.format().encoding);
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_file_of_any_kind_is_counted() {
        let plain = "番号\t氏名\r\n1\t山田\r\n2\t\"鈴木\"x\r\n";
        let (cp932, ..) = encoding_rs::SHIFT_JIS.encode(plain);
        for bytes in [cp932.to_vec(), gzip(&cp932), zstd::encode_all(&*cp932, 3).unwrap()] {
            let counts = read_all(&*bytes, &ImportOptions::default()).unwrap();
            let expected = Counts {
                records: 3,
                fields: 6,
                bytes: cp932.len() as u64 - 6,
                undecodable: 0,
                stray_quotes: 1,
                encoding: Some(Encoding::Cp932),
            };
            assert_eq!(counts, expected);
        }
        assert_eq!(read_all(&b"\xEF\xBB\xBF"[..], &ImportOptions::default()).unwrap().records, 0);
        assert_eq!(read_all(&b"a,b"[..], &ImportOptions::default()).unwrap().fields, 2);
    }

    /// What the fuzz target does for hours, for a moment: pieces of real files, put together at random.
    #[test]
    fn no_bytes_make_it_panic() {
        let packed = [gzip(b"id,name\n1,a\n"), zstd::encode_all(&b"id,name\n1,a\n"[..], 3).unwrap()];
        let pieces: Vec<&[u8]> = vec![
            b"id,name\n",
            b"\"",
            b"\r\n",
            b"\r",
            b",",
            b";",
            b"\t",
            b"\\",
            b"\0",
            b"\xEF\xBB\xBF",
            b"\xFF\xFE",
            b"\xFE\xFF",
            b"\x95\x5C",
            b"\xC9\xBD",
            b"\xE8\xA1\xA8",
            b"\xE9",
            b"\x8F",
            b"\xA0",
            b"a\0",
            b"\0\n",
            b"\x00\xD8",
            b"\xFF",
            &packed[0],
            &packed[1],
            b"abc 123",
            b"\x1B$B",
            b";3ED",
            b"\x1B(B",
            b"\x1B(I",
            b"\x0E",
            b"~{",
            b"\x1A",
        ];
        let options: Vec<ImportOptions> = [
            "{}",
            r#"{"encoding":"cp932"}"#,
            r#"{"encoding":"iso-2022-jp"}"#,
            r#"{"encoding":"gb18030","max_record_bytes":1024}"#,
            r#"{"encoding":"euc-jp","delimiter":";"}"#,
            r#"{"encoding":"utf-16le","escape":"\\"}"#,
            r#"{"encoding":"utf-16be"}"#,
            r#"{"encoding":"1252","delimiter":"tab"}"#,
        ]
        .iter()
        .map(|json| serde_json::from_str(json).unwrap())
        .collect();
        let mut dice = 2026_u64;
        let mut roll = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) as usize % sides
        };
        for round in 0..2_000 {
            let mut bytes = Vec::new();
            for _ in 0..roll(40) {
                bytes.extend_from_slice(pieces[roll(pieces.len())]);
            }
            if let Ok(counts) = read_all(&*bytes, &options[round % options.len()]) {
                let is_sound = counts.undecodable <= counts.records && counts.fields >= counts.records;
                assert!(is_sound, "{counts:?} {bytes:?} {:?}", options[round % options.len()]);
            }
        }
    }
}
