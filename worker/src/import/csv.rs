//! From text to raw rows: each record with its position as a person counts it, and with a bound on what it may take, so that
//! a quote that never closes cannot fill the memory. Whatever the object's encoding, the rows are UTF-8 here; as they stand
//! in the object, they can be had for whoever wants to write them down again.

mod blank;
mod escapes;
mod notes;
mod original;
mod quotes;
mod record;
mod row;
mod sniff;
mod window;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::io::Read;

use statemachine::ImportOptions;

use super::decode::{Decoded, Format, read_failure, unreadable};
use crate::failure::Failure;
use blank::Begin;
use notes::Seen;
pub(crate) use quotes::Quotes;
use quotes::{Tracker, Walk};
pub(crate) use record::{Lines, Record};
use record::{Parsed, Parser};
pub(crate) use row::{RawRow, TooLarge};
use window::Window;

/// The most fields of one record: as many columns as a table of any database can have, SQLite built for the most of them included.
pub(crate) const MAX_FIELDS: usize = 32_767;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// What stands between two fields.
    pub(crate) delimiter: u8,
    /// What stands before a quote within quotes, where it is not another quote.
    pub(crate) escape: Option<u8>,
    /// How lines end.
    pub(crate) lines: Lines,
}

impl Default for Style {
    fn default() -> Self {
        Self { delimiter: b',', escape: None, lines: Lines::Lf }
    }
}

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

/// Reads records one by one, in constant memory.
pub(crate) struct Reader<R: Read> {
    window: Window<R>,
    parser: Parser,
    /// Reads records again that have escapes in them.
    again: Parser,
    record: Record,
    style: Style,
    /// The most that one record may have, in bytes of UTF-8.
    max_record_bytes: usize,
    records: u64,
    found: Found,
    /// The record was looked at, and is still to be given.
    is_peeked: bool,
    /// The first record has one field: a blank line is a record, too.
    has_one_column: bool,
    seen: Seen,
}

/// What is known of the record that was read last.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    position: Position,
    /// How many bytes it has, without what ends its line.
    length: usize,
    /// How many characters fill the file up behind it, on its line.
    padding: usize,
    is_blank: bool,
    too_large: Option<TooLarge>,
}

impl<R: Read> Reader<R> {
    /// Looks at the beginning of a text, and finds out how its records are written where the options do not say so.
    pub(crate) fn new(text: Decoded<R>, options: &ImportOptions) -> Result<Self, Failure> {
        let mut window = Window::new(text);
        let look = sniff::look(&mut window, options).map_err(read_failure)?;
        let style = look.style;
        window.set_lines(style.lines);
        let format = window.text_mut().format_mut();
        (format.delimiter, format.line_break) = (style.delimiter, look.line_break);
        Ok(Self {
            window,
            parser: Parser::new(style),
            again: Parser::new(style),
            record: Record::default(),
            style,
            max_record_bytes: options.max_record_bytes.bytes(),
            // A header is record 0.
            records: u64::from(options.no_header),
            found: Found::default(),
            is_peeked: false,
            has_one_column: false,
            seen: Seen::default(),
        })
    }

    /// How the file is written. Its encoding is UTF-8 as long as all that was read is ASCII, and may be another later.
    pub(crate) fn format(&self) -> &Format {
        self.window.text().format()
    }

    /// What a person should know of how the file is written, as far as it has been read.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.seen.notes(self.format())
    }

    /// What a person should know of the values of rows that are no rejects.
    pub(crate) fn notes_of_values(&self) -> Option<String> {
        self.seen.of_values()
    }

    /// What was read last has become a row of the import; or it is a reject, and says nothing of what was stored.
    pub(crate) fn end_row(&mut self, is_kept: bool) {
        self.seen.end_row(is_kept);
    }

    /// Looks at the fields of the first record of a file without a header.
    pub(crate) fn peek_row(&mut self) -> Result<Option<&Record>, Failure> {
        self.is_peeked = self.next_row()?.is_some();
        if let Some(TooLarge { bytes, limit, .. }) = self.found.too_large {
            return Err(unreadable(format!(
                "the first row has {bytes} bytes, more than the {limit} that max_record_bytes allows"
            )));
        }
        Ok(self.is_peeked.then_some(&self.record))
    }

    /// The next record, `None` at the end. Blank lines are none, except in a file of one column.
    pub(crate) fn next_row(&mut self) -> Result<Option<RawRow<'_>>, Failure> {
        if !std::mem::take(&mut self.is_peeked) {
            self.window.release();
            self.record.clear();
            let begin = self.begin().map_err(read_failure)?;
            if begin == Begin::End {
                return Ok(None);
            }
            let (line, byte) = (self.window.line(), self.window.object_offset());
            self.found =
                Found { position: Position { record: self.records, line, byte }, ..Found::default() };
            self.records += 1;
            self.seen.end_row(false);
            match begin {
                Begin::Blank => self.take_blank(),
                _ if self.read_record()? => {}
                // A second byte order mark, and nothing else.
                _ => return Ok(None),
            }
            if self.seen.is_first_record() {
                self.has_one_column = self.record.len() == 1;
            }
        }
        Ok(Some(self.row()))
    }

    /// Whether no record follows, for whoever wants no further one: what cannot be read is something, and no failure.
    pub(crate) fn is_at_end(&mut self) -> bool {
        if self.is_peeked {
            return false;
        }
        self.window.release();
        matches!(self.begin(), Ok(Begin::End))
    }

    /// Reads the record that begins here; `false` where there is none after all.
    fn read_record(&mut self) -> Result<bool, Failure> {
        loop {
            let text = self.window.unparsed().map_err(read_failure)?;
            let (parsed, taken) = self.parser.read(text, &mut self.record);
            self.window.advance(taken);
            match parsed {
                Parsed::Record => break,
                Parsed::End => return Ok(false),
                Parsed::More if self.window.current().len() > self.max_record_bytes => {
                    return self.skip_record().map(|()| true);
                }
                Parsed::More => {}
            }
        }
        let mut content = self.window.current();
        if self.window.is_at_end() {
            if let Some(open) = Quotes::of(content, self.style).open {
                let before = content.get(..open).unwrap_or_default();
                let lines = window::count_lines(before, self.style.lines, false).0;
                return Err(never_closed(
                    self.found.position.line + lines,
                    self.found.position.line,
                    self.style,
                ));
            }
            content = blank::without_padding(content);
        }
        let (line, of_field) = record::without_line_break(content, self.style.lines);
        let padding = self.window.current().len() - content.len();
        let of_field = of_field + padding;
        self.found.length = line.len();
        self.found.padding = padding;
        if self.style.lines == Lines::Lf && memchr::memchr(b'\r', line).is_some() {
            self.seen.see_cr(Walk::new(line, self.style));
        }
        if line.len() > self.max_record_bytes {
            let lines = window::count_lines(line, self.style.lines, false).0 + 1;
            self.found.too_large =
                Some(TooLarge { bytes: line.len() as u64, lines, limit: self.max_record_bytes });
            // As of one that never was in the window as a whole: how the bytes arrive changes nothing.
            self.found.length = 0;
            self.record.clear();
        } else if let Some(line) = escapes::kept(line, self.style) {
            self.record.clear();
            self.again.read(&line, &mut self.record);
        } else if of_field > 0 {
            self.record.shorten(of_field);
        }
        Ok(true)
    }

    /// Reads a record to its end without keeping it.
    #[cold]
    fn skip_record(&mut self) -> Result<(), Failure> {
        let begin = self.found.position.line;
        let mut tracker = Tracker::new(self.style, begin);
        let mut bytes = 0;
        loop {
            tracker.follow(self.window.current());
            bytes += self.window.current().len() as u64;
            self.window.release_part();
            self.record.clear();
            let text = self.window.unparsed().map_err(read_failure)?;
            let (parsed, taken) = self.parser.read(text, &mut self.record);
            self.window.advance(taken);
            if parsed != Parsed::More {
                break;
            }
        }
        let rest = self.window.current();
        tracker.follow(rest);
        if self.window.is_at_end() && tracker.is_open() {
            return Err(never_closed(tracker.opened, begin, self.style));
        }
        let line_break = rest.len() - record::without_line_break(rest, self.style.lines).0.len();
        self.record.clear();
        self.found.too_large = Some(TooLarge {
            bytes: bytes + (rest.len() - line_break) as u64,
            lines: tracker.line() - begin + u64::from(line_break == 0),
            limit: self.max_record_bytes,
        });
        Ok(())
    }

    /// The record that was read last.
    fn row(&self) -> RawRow<'_> {
        let Found { position, length, padding, is_blank, too_large } = self.found;
        let bytes = self.window.current().get(..length).unwrap_or_default();
        let original = self.window.original().filter(|_| too_large.is_none());
        let (fields, style) = (&self.record, self.style);
        RawRow { fields, bytes, padding, position, is_blank, too_large, original, style }
    }
}

fn never_closed(opened: u64, begin: u64, style: Style) -> Failure {
    let record =
        if opened == begin { String::new() } else { format!(" (its record begins at line {begin})") };
    let within = match style.escape.map(char::from) {
        None => "twice".to_owned(),
        Some(escape) => {
            format!("as {escape}\", and {escape} itself as {escape}{escape}, as the option escape says")
        }
    };
    unreadable(format!(
        "the file ends inside a quoted field: the quote that opens at line {opened} is never closed{record}; close it, and write \
         a quote within quotes {within}"
    ))
}
