//! Files that are plainly no CSV, by how they begin, and what to say of them.

/// How known files that are no CSV begin.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "is an Excel workbook or a ZIP archive, save it as CSV"),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "is an old Excel workbook, save it as CSV"),
    (b"\xFF\xFE\0\0", "is UTF-32, save it as UTF-8"),
    (b"\0\0\xFE\xFF", "is UTF-32, save it as UTF-8"),
    (b"\x1F\x8B", "is compressed twice, unpack it first"),
    (b"\x28\xB5\x2F\xFD", "is compressed twice, unpack it first"),
    (b"BZh", "is compressed with bzip2, unpack it first or use gzip or Zstandard"),
    (b"\xFD7zXZ\0", "is compressed with xz, unpack it first or use gzip or Zstandard"),
    (b"7z\xBC\xAF\x27\x1C", "is a 7-Zip archive, unpack it first"),
    (b"PAR1", "is a Parquet file"),
    (b"SQLite f", "is an SQLite database"),
    (b"%PDF-", "is a PDF document"),
];

/// Where a tar archive says so.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Bytes of the beginning that are enough to tell.
pub(super) const ENOUGH_BYTES: usize = TAR.0 + TAR.1.len();

/// What to say of a file that begins so, where it is no CSV.
pub(super) fn says(head: &[u8]) -> Option<&'static str> {
    if is_utf32(head) {
        return Some("is UTF-32, save it as UTF-8");
    }
    if head.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        return Some("is a tar archive, unpack it first");
    }
    FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, says)| *says)
}

/// Whether the first two characters have three NULs each, at the same side.
fn is_utf32(head: &[u8]) -> bool {
    let units = head.as_chunks::<4>().0;
    let has = |of: fn(&[u8; 4]) -> bool| units.len() > 1 && units.iter().take(2).all(of);
    has(|unit| matches!(unit, [first, 0, 0, 0] if *first != 0))
        || has(|unit| matches!(unit, [0, 0, 0, last] if *last != 0))
}
