//! A record as fields of bytes, and the parser that fills it. The parser is `csv-core`'s, told how this file ends its lines;
//! a record keeps its memory for the next one.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::{MAX_FIELDS, Style};

/// Ends that are kept: one field more than is ever read, so that too many can be told.
const KEPT_ENDS: usize = MAX_FIELDS + 1;

/// How much room a record has at first, in bytes and in fields.
const FIRST_BYTES: usize = 1024;
const FIRST_FIELDS: usize = 64;

/// How a file ends its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lines {
    /// With LF, or with CR LF. A CR that stands elsewhere is part of a value.
    #[default]
    Lf,
    /// With CR; LF and CR LF end a line, too.
    Cr,
}

/// The fields of a record, without their quotes.
#[derive(Debug, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    kept: usize,
    /// Fields beyond those whose ends are kept.
    beyond: usize,
}

impl Record {
    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.kept + self.beyond
    }

    /// A field, from 0. There is none where the record has fewer.
    #[inline]
    pub(crate) fn get(&self, field: usize) -> Option<&[u8]> {
        let end = *self.ends.get(..self.kept)?.get(field)?;
        let start = if field == 0 { 0 } else { *self.ends.get(field - 1)? };
        self.bytes.get(start..end)
    }

    /// The fields, as far as they are kept: one more than a table may have columns.
    pub(crate) fn iter(&self) -> Fields<'_> {
        Fields { record: self, next: 0 }
    }

    /// Becomes a record of one empty field, as a blank line of a file of one column is.
    pub(super) fn set_blank(&mut self) {
        self.clear();
        if self.ends.is_empty() {
            self.ends.push(0);
        }
        if let Some(end) = self.ends.first_mut() {
            *end = 0;
        }
        self.kept = 1;
    }

    /// Forgets all fields, and keeps the memory.
    pub(super) fn clear(&mut self) {
        (self.length, self.kept, self.beyond) = (0, 0, 0);
    }

    /// Takes so many bytes off the last field.
    pub(super) fn shorten(&mut self, bytes: usize) {
        if let Some(end) = self.kept.checked_sub(1).and_then(|last| self.ends.get_mut(last)) {
            *end = end.saturating_sub(bytes);
        }
    }
}

impl<'a> IntoIterator for &'a Record {
    type Item = &'a [u8];
    type IntoIter = Fields<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The fields of a record, one after the other.
pub(crate) struct Fields<'a> {
    record: &'a Record,
    next: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.record.get(self.next)?;
        self.next += 1;
        Some(field)
    }
}

/// What came of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The record is complete.
    Record,
    /// It goes on behind the piece.
    More,
    /// There is no further record.
    End,
}

/// Reads records from pieces of text.
pub(super) struct Parser(Reader);

impl Parser {
    pub(super) fn new(style: Style) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(style.delimiter).escape(style.escape).double_quote(style.escape.is_none());
        builder.terminator(match style.lines {
            Lines::Lf => Terminator::Any(b'\n'),
            Lines::Cr => Terminator::CRLF,
        });
        Self(builder.build())
    }

    /// Goes on with a record, and tells how much of `text` it took. An empty `text` says that there is no more.
    pub(super) fn read(&mut self, text: &[u8], record: &mut Record) -> (Parsed, usize) {
        let mut taken = 0;
        loop {
            let rest = text.get(taken..).unwrap_or_default();
            let out = record.bytes.get_mut(record.length..).unwrap_or_default();
            let ends = record.ends.get_mut(record.kept..).unwrap_or_default();
            let (result, read, written, ended) = self.0.read_record(rest, out, ends);
            taken += read;
            record.length += written;
            record.kept += ended;
            match result {
                ReadRecordResult::Record => return (Parsed::Record, taken),
                ReadRecordResult::InputEmpty => return (Parsed::More, taken),
                ReadRecordResult::End => return (Parsed::End, taken),
                ReadRecordResult::OutputFull => {
                    let room = record.bytes.len() + (record.bytes.len() / 2).max(FIRST_BYTES);
                    record.bytes.resize(room, 0);
                }
                ReadRecordResult::OutputEndsFull if record.ends.len() < KEPT_ENDS => {
                    let room = (record.ends.len() * 2).clamp(FIRST_FIELDS, KEPT_ENDS);
                    record.ends.resize(room, 0);
                }
                // Counted, and written over.
                ReadRecordResult::OutputEndsFull => {
                    record.kept -= 1;
                    record.beyond += 1;
                }
            }
        }
    }
}

/// A record without what ends its line, and how many bytes of that the parser took for part of the last field. CRs before an
/// LF belong to the line's end.
pub(super) fn without_line_break(record: &[u8], lines: Lines) -> (&[u8], usize) {
    let line = record.strip_suffix(b"\n").unwrap_or(record);
    if lines == Lines::Cr {
        return (
            if line.len() < record.len() { line } else { record.strip_suffix(b"\r").unwrap_or(record) },
            0,
        );
    }
    let crs = line.iter().rev().take_while(|byte| **byte == b'\r').count();
    (line.get(..line.len() - crs).unwrap_or_default(), crs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(style: Style, text: &str) -> Vec<Vec<String>> {
        let (mut parser, mut record, mut rest, mut records) =
            (Parser::new(style), Record::default(), text.as_bytes(), Vec::new());
        loop {
            record.clear();
            let (mut result, taken) = parser.read(rest, &mut record);
            rest = &rest[taken..];
            if result == Parsed::More {
                result = parser.read(b"", &mut record).0;
            }
            if result != Parsed::Record {
                return records;
            }
            records.push(record.iter().map(|field| String::from_utf8(field.to_vec()).unwrap()).collect());
        }
    }

    #[test]
    fn a_cr_ends_a_record_only_where_lines_end_so() {
        let style = Style::default();
        assert_eq!(parsed(style, "a,b\rc\nd"), [vec!["a", "b\rc"], vec!["d"]]);
        let style = Style { lines: Lines::Cr, ..style };
        assert_eq!(parsed(style, "a,b\rc\nd\r\ne"), [vec!["a", "b"], vec!["c"], vec!["d"], vec!["e"]]);
    }

    #[test]
    fn more_fields_than_are_kept_are_counted() {
        let (mut parser, mut record) = (Parser::new(Style::default()), Record::default());
        let fields = KEPT_ENDS + 3000;
        let text = format!("{}\n", ",".repeat(fields - 1));
        assert_eq!(parser.read(text.as_bytes(), &mut record), (Parsed::Record, text.len()));
        assert_eq!((record.len(), record.iter().count()), (fields, KEPT_ENDS));
        record.clear();
        assert_eq!(parser.read(b"a,b\n", &mut record), (Parsed::Record, 4));
        assert_eq!((record.len(), record.get(1), record.get(2)), (2, Some(&b"b"[..]), None));
    }

    #[test]
    fn a_field_is_longer_than_the_room_there_is_at_first() {
        let (mut parser, mut record) = (Parser::new(Style::default()), Record::default());
        let long = "x".repeat(100_000);
        let text = format!("1,{long},2\n");
        assert_eq!(parser.read(text.as_bytes(), &mut record).0, Parsed::Record);
        assert_eq!((record.get(1), record.get(2)), (Some(long.as_bytes()), Some(&b"2"[..])));
    }
}
