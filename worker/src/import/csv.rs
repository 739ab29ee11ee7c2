//! From text to raw rows: the `csv` reader, with the position of each record as a person counts it and with a bound on
//! what one record may take, so that a quote that never closes cannot fill the memory. Whatever the object's encoding, the
//! rows are UTF-8 here; as they stand in the object, they can be had for whoever wants to write them down again.

mod original;
mod quotes;
mod sniff;
mod window;

#[cfg(test)]
mod properties;

use std::borrow::Cow;
use std::io::{self, Read};

use csv::ByteRecord;

use super::decode::{Decoded, Format, first_undecodable, read_failure, unreadable};
use crate::failure::Failure;
use original::{Original, count_breaks};
use quotes::Quotes;
use window::{RecordTooLarge, Window};

/// The most that one record may have, in bytes of UTF-8.
pub(crate) const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// The most fields of one record: as many columns as a table of PostgreSQL can have.
pub(crate) const MAX_FIELDS: usize = 1600;

/// How much is parsed between two reads of the source, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// Where a record stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Records before this one, the header among them: a file's first row behind its header is record 1.
    pub(crate) record: u64,
    /// Its first physical line, counted from 1.
    pub(crate) line: u64,
    /// Offset of its first byte in the object, or in what was packed into it.
    pub(crate) byte: u64,
}

/// A record as it was read: fields of bytes, nothing checked.
pub(crate) struct RawRow<'a> {
    /// The fields, without their quotes.
    pub(crate) fields: &'a ByteRecord,
    /// The record with its quotes, without the line break at its end: UTF-8, also where the object is not.
    pub(crate) bytes: &'a [u8],
    /// Where it stands.
    pub(crate) position: Position,
    original: Option<&'a Original>,
    delimiter: u8,
    escape: Option<u8>,
}

impl RawRow<'_> {
    /// How many physical lines the record takes.
    pub(crate) fn lines(&self) -> u64 {
        window::count_lines(self.bytes, false).0 + 1
    }

    /// Whether a quoted field goes on behind its closing quote. `csv` takes that for part of the field, and so would turn a
    /// quote that was forgotten, with all rows up to the next one, into one long value.
    pub(crate) fn has_stray_quote(&self) -> bool {
        Quotes::of(self.bytes, self.delimiter, self.escape).stray
    }

    /// The record as it stands in the object, in its encoding, without the line break at its end.
    pub(crate) fn original(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(match self.original {
            Some(original) => original.record(count_breaks(self.bytes)),
            None => self.bytes,
        })
    }

    /// The first byte of the record that belongs to no character: its offset in the object, as of
    /// [`byte`](Position::byte), and what it is.
    pub(crate) fn undecodable(&self) -> Option<(u64, u8)> {
        let (at, byte) = match self.original {
            Some(original) => first_undecodable(original.encoding(), &self.original())?,
            None => {
                let at = std::str::from_utf8(self.bytes).err()?.valid_up_to();
                (at, *self.bytes.get(at)?)
            }
        };
        Some((self.position.byte + at as u64, byte))
    }
}

/// Reads records one by one, in constant memory.
pub(crate) struct Reader<R: Read> {
    csv: csv::Reader<Window<R>>,
    record: ByteRecord,
    records: u64,
    delimiter: u8,
    escape: Option<u8>,
}

impl<R: Read> Reader<R> {
    /// Looks at the beginning of a text, and tells its delimiter where `sniff` asks for it.
    pub(crate) fn new(text: Decoded<R>, sniff: bool) -> Result<Self, Failure> {
        let Format { mut delimiter, escape, .. } = *text.format();
        let mut window = Window::new(text);
        let (head, whole) = window.head(sniff::HEAD_BYTES).map_err(read_failure)?;
        if sniff {
            delimiter = sniff::delimiter(head, whole, escape);
        }
        let line_break = sniff::line_break(head, delimiter, escape);
        let format = window.text_mut().format_mut();
        (format.delimiter, format.line_break) = (delimiter, line_break);
        let csv = sniff::reader_builder(delimiter, escape).buffer_capacity(BUFFER_BYTES).from_reader(window);
        Ok(Self { csv, record: ByteRecord::new(), records: 0, delimiter, escape })
    }

    /// How the file is written. Its encoding is UTF-8 as long as all that was read is ASCII, and may be another later.
    pub(crate) fn format(&self) -> &Format {
        self.csv.get_ref().text().format()
    }

    /// The next record, `None` at the end. Blank lines are none.
    pub(crate) fn next_row(&mut self) -> Result<Option<RawRow<'_>>, Failure> {
        let end = self.csv.position().byte();
        let window = self.csv.get_mut();
        window.release(distance(window.offset(), end));
        if !self.csv.read_byte_record(&mut self.record).map_err(|error| self.failure(error))? {
            return Ok(None);
        }
        let end = self.csv.position().byte();
        let window = self.csv.get_mut();
        let (line, start) = window.find_start();
        let position = Position { record: self.records, line, byte: window.object_offset() };
        self.records += 1;
        let window = self.csv.get_ref();
        let bytes = window.current().get(..distance(start, end)).unwrap_or_default();
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(too_large(line));
        }
        if self.record.len() > MAX_FIELDS {
            let fields = self.record.len();
            return Err(unreadable(format!(
                "the record at line {line} has {fields} fields, at most {MAX_FIELDS} are read"
            )));
        }
        let is_last = window.ended() && window.current().len() == bytes.len();
        let (delimiter, escape) = (self.delimiter, self.escape);
        if is_last && Quotes::of(bytes, delimiter, escape).open {
            return Err(unreadable(format!(
                "the file ends inside a quoted field: a quote in the record at line {line} is never closed"
            )));
        }
        let (bytes, original) = (without_line_break(bytes), window.original());
        Ok(Some(RawRow { fields: &self.record, bytes, position, original, delimiter, escape }))
    }

    fn failure(&mut self, error: csv::Error) -> Failure {
        match error.into_kind() {
            csv::ErrorKind::Io(error)
                if error.get_ref().is_some_and(|inner| inner.is::<RecordTooLarge>()) =>
            {
                too_large(self.csv.get_mut().find_start().0)
            }
            csv::ErrorKind::Io(error) => read_failure(error),
            other => read_failure(io::Error::other(format!("{other:?}"))),
        }
    }
}

fn too_large(line: u64) -> Failure {
    unreadable(format!(
        "the record at line {line} has more than {MAX_RECORD_BYTES} bytes; is there a quote that is never closed?"
    ))
}

fn distance(from: u64, to: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}

/// Without the one line break at the end: LF, CR LF or CR.
fn without_line_break(record: &[u8]) -> &[u8] {
    let line = record.strip_suffix(b"\n").unwrap_or(record);
    line.strip_suffix(b"\r").unwrap_or(line)
}
