//! Files that are plainly no CSV, by how they begin, and what to say of them.

/// How known files that are no CSV begin, in bytes that no CSV begins with, and what to say of them: each says
/// [`NOT_READ`](crate::failure::words::NOT_READ).
const FOREIGN: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "is an Excel workbook or a ZIP archive, which no import reads; save it as CSV"),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "is an old Excel workbook, which no import reads; save it as CSV"),
    (b"\xFF\xFE\0\0", UTF_32),
    (b"\0\0\xFE\xFF", UTF_32),
    (b"\x1F\x8B", "is compressed twice, which no import reads; unpack it first"),
    (b"\x28\xB5\x2F\xFD", "is compressed twice, which no import reads; unpack it first"),
    (
        b"\xFD7zXZ\0",
        "is compressed with xz, which no import reads; unpack it first, or use gzip or Zstandard",
    ),
    (b"7z\xBC\xAF\x27\x1C", "is a 7-Zip archive, which no import reads; unpack it first"),
    (b"PAR1\x15", "is a Parquet file, which no import reads; save it as CSV"),
    (b"SQLite format 3\0", "is an SQLite database, which no import reads; save its table as CSV"),
    (b"%PDF-", "is a PDF document, which no import reads"),
];

const UTF_32: &str = "is UTF-32, which no import reads; save it as UTF-8";

/// How bzip2 begins: `BZh`, a digit, and the number of a block's beginning, or of the end where there is no block.
const BZIP2: &[u8] = b"BZh";
const BZIP2_BLOCKS: [&[u8]; 2] = [b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90"];

/// Where a tar archive says so.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Bytes of the beginning that are enough to tell.
pub(super) const ENOUGH_BYTES: usize = TAR.0 + TAR.1.len();

/// What to say of a file that begins so, where it is no CSV.
pub(super) fn says(head: &[u8]) -> Option<&'static str> {
    if is_utf32(head) {
        return Some(UTF_32);
    }
    if head.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        return Some("is a tar archive, which no import reads; unpack it first");
    }
    if is_bzip2(head) {
        return Some(
            "is compressed with bzip2, which no import reads; unpack it first, or use gzip or Zstandard",
        );
    }
    FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, says)| *says)
}

fn is_bzip2(head: &[u8]) -> bool {
    let behind = head.strip_prefix(BZIP2).and_then(<[u8]>::split_first);
    behind.is_some_and(|(level, rest)| {
        level.is_ascii_digit() && BZIP2_BLOCKS.iter().any(|block| rest.starts_with(block))
    })
}

/// Whether the first two characters have three NULs each, at the same side.
fn is_utf32(head: &[u8]) -> bool {
    let units = head.as_chunks::<4>().0;
    let has = |of: fn(&[u8; 4]) -> bool| units.len() > 1 && units.iter().take(2).all(of);
    has(|unit| matches!(unit, [first, 0, 0, 0] if *first != 0))
        || has(|unit| matches!(unit, [0, 0, 0, last] if *last != 0))
}
