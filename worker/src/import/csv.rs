//! From text to raw rows: the `csv` reader, with the position of each record as a person counts it and with a bound on
//! what one record may take, so that a quote that never closes cannot fill the memory.

mod window;

#[cfg(test)]
mod properties;

use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder};
use csv_core::ReadRecordResult;

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

/// A record as it was read: fields of bytes, nothing checked.
pub(crate) struct RawRow<'a> {
    /// The fields, without their quotes.
    pub(crate) fields: &'a ByteRecord,
    /// The record as it stands in the file, without the line break at its end.
    pub(crate) bytes: &'a [u8],
    /// Where it stands.
    pub(crate) position: Position,
}

impl RawRow<'_> {
    /// How many physical lines the record takes.
    pub(crate) fn lines(&self) -> u64 {
        window::count_lines(self.bytes, false).0 + 1
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
        if is_last && self.ends_in_a_quote(bytes) {
            return Err(unreadable(format!(
                "the file ends inside a quoted field: a quote in the record at line {line} is never closed"
            )));
        }
        Ok(Some(RawRow { fields: &self.record, bytes: without_line_break(bytes), position }))
    }

    /// Offset in the object up to which records have been parsed.
    fn consumed(&self) -> u64 {
        self.origin + self.csv.position().byte()
    }

    /// Whether a line break behind these bytes would not end the record. Only asked of a file's last record.
    fn ends_in_a_quote(&self, bytes: &[u8]) -> bool {
        let mut core = csv_core::ReaderBuilder::new().delimiter(self.settings.delimiter).build();
        let (mut output, mut ends) = (vec![0; bytes.len() + 1], vec![0; bytes.len() + 2]);
        let (result, _, written, fields) = core.read_record(bytes, &mut output, &mut ends);
        if result != ReadRecordResult::InputEmpty {
            return false;
        }
        let rest = output.get_mut(written..).unwrap_or_default();
        let (result, ..) = core.read_record(b"\n", rest, ends.get_mut(fields..).unwrap_or_default());
        result == ReadRecordResult::InputEmpty
    }

    fn failure(&mut self, error: csv::Error) -> Failure {
        match error.into_kind() {
            csv::ErrorKind::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<RecordTooLarge>()) => {
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
