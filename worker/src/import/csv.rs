//! From text to raw rows: the `csv` reader, with the position of each record as a person counts it and with a bound on
//! what one record may take, so that a quote that never closes cannot fill the memory.

mod window;

#[cfg(test)]
mod properties;

use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder};

use super::decode::{read_failure, unreadable};
use crate::failure::Failure;
use window::{RecordTooLarge, Window};

/// The most that one record may have, in bytes as they stand in the file.
pub(crate) const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// The most fields of one record: as many columns as a table of PostgreSQL can have.
pub(crate) const MAX_FIELDS: usize = 1600;

/// How much is parsed between two reads of the source, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// How the file is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// What stands between two fields.
    pub(crate) delimiter: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self { delimiter: b',' }
    }
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Records before this one, the header among them: a file's first row behind its header is record 1.
    pub(crate) record: u64,
    /// Its first physical line, counted from 1.
    pub(crate) line: u64,
    /// Offset of its first byte in the object.
    pub(crate) byte: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Format {
    pub(crate) encoding: statemachine::Encoding,
    pub(crate) encoding_from: &'static str,
    pub(crate) delimiter: u8,
    pub(crate) escape: Option<u8>,
    pub(crate) compression: Option<&'static str>,
    pub(crate) line_break: &'static str,
}
impl Format {
    pub(crate) fn encode(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(text.as_bytes());
    }
    pub(crate) fn mark(&self) -> &'static [u8] {
        b""
    }
}

/// A record as it was read: fields of bytes, nothing checked.
pub(crate) struct RawRow<'a> {
    /// The fields, without their quotes.
    pub(crate) fields: &'a ByteRecord,
    /// The record as it stands in the file, without the line break at its end.
    pub(crate) bytes: &'a [u8],
    /// Where it stands.
    pub(crate) position: Position,
    delimiter: u8,
}

impl RawRow<'_> {
    pub(crate) fn original(&self) -> std::borrow::Cow<'_, [u8]> {
        self.bytes.into()
    }
    /// How many physical lines the record takes.
    pub(crate) fn lines(&self) -> u64 {
        window::count_lines(self.bytes, false).0 + 1
    }

    /// Whether a quoted field goes on behind its closing quote. `csv` takes that for part of the field, and so would turn a
    /// quote that was forgotten, with all rows up to the next one, into one long value.
    pub(crate) fn has_stray_quote(&self) -> bool {
        Quotes::of(self.bytes, self.delimiter).stray
    }
}

/// What the quotes of a record are like.
#[derive(Clone, Copy, Default)]
struct Quotes {
    /// A field goes on behind its closing quote.
    stray: bool,
    /// The last field is not closed.
    open: bool,
}

/// Where in a field a byte stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Plain,
    Quoted,
    /// Behind a quote within quotes: it closes the field, or is the first of two.
    Closed,
}

impl Quotes {
    /// Looks at a record as it stands in the file. Most have no quote, and are told at the speed of the memory.
    fn of(record: &[u8], delimiter: u8) -> Self {
        if !record.contains(&b'"') {
            return Self::default();
        }
        let (mut place, mut stray) = (Place::Start, false);
        for &byte in record {
            place = match (place, byte) {
                (Place::Start | Place::Closed, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, _) => Place::Quoted,
                (_, byte) if byte == delimiter => Place::Start,
                (Place::Closed, b'\r' | b'\n') => Place::Closed,
                (Place::Closed, _) => {
                    stray = true;
                    Place::Plain
                }
                (Place::Start | Place::Plain, _) => Place::Plain,
            };
        }
        Self { stray, open: matches!(place, Place::Quoted) }
    }
}

/// Reads records one by one, in constant memory.
pub(crate) struct Reader<R> {
    settings: Settings,
    csv: csv::Reader<Window<R>>,
    record: ByteRecord,
    records: u64,
    /// Offset of the text's first byte in the object.
    origin: u64,
}

impl<R: Read> Reader<R> {
    /// Reads from text whose first byte stands at `origin` of the object.
    pub(crate) fn new(text: R, origin: u64, settings: Settings) -> Self {
        let csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(settings.delimiter)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(Window::new(text, origin));
        Self { settings, csv, record: ByteRecord::new(), records: 0, origin }
    }

    pub(crate) fn format(&self) -> &Format {
        static F: Format = Format {
            encoding: statemachine::Encoding::Utf8,
            encoding_from: "detected",
            delimiter: b',',
            escape: None,
            compression: None,
            line_break: "\n",
        };
        &F
    }
    /// The next record, `None` at the end. Blank lines are none.
    pub(crate) fn next_row(&mut self) -> Result<Option<RawRow<'_>>, Failure> {
        let end = self.consumed();
        let window = self.csv.get_mut();
        window.release(distance(window.offset(), end));
        if !self.csv.read_byte_record(&mut self.record).map_err(|error| self.failure(error))? {
            return Ok(None);
        }
        let end = self.consumed();
        let window = self.csv.get_mut();
        let (line, byte) = window.find_start();
        let position = Position { record: self.records, line, byte };
        self.records += 1;
        let window = self.csv.get_ref();
        let bytes = window.current().get(..distance(byte, end)).unwrap_or_default();
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
        if is_last && Quotes::of(bytes, self.settings.delimiter).open {
            return Err(unreadable(format!(
                "the file ends inside a quoted field: a quote in the record at line {line} is never closed"
            )));
        }
        let delimiter = self.settings.delimiter;
        Ok(Some(RawRow { fields: &self.record, bytes: without_line_break(bytes), position, delimiter }))
    }

    /// Offset in the object up to which records have been parsed.
    fn consumed(&self) -> u64 {
        self.origin + self.csv.position().byte()
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
