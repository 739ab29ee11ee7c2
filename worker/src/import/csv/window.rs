//! The bytes of the record that is being read, kept beside the parser. From them come what a parser cannot tell: the record's
//! physical line, the record as it stands in the file, and how large it is.

use std::io::{self, Read};

use super::original::{Original, count_breaks};
use super::record::Lines;
use crate::import::decode::Decoded;

/// Text in the order that it is read, of which only the current record is kept.
pub(super) struct Window<R: Read> {
    text: Decoded<R>,
    lines: Lines,
    held: Vec<u8>,
    /// Where in `held` the current record begins.
    start: usize,
    /// Up to where in `held` the text has been parsed.
    parsed: usize,
    /// Line of the byte at `start`, counted from 1.
    line: u64,
    /// Offset in the text of the byte at `start`.
    offset: u64,
    /// Bytes of the object before its text.
    mark_bytes: u64,
    /// The record as it stands in the object, where that is something else.
    original: Option<Original>,
    /// What came of reading ahead, behind what is held.
    failed: Option<io::Error>,
    /// The byte before `start` is a CR: an LF behind it ends no further line.
    after_cr: bool,
}

impl<R: Read> Window<R> {
    /// A window at the first line of a text.
    pub(super) fn new(text: Decoded<R>) -> Self {
        let mark_bytes = text.format().mark().len() as u64;
        Self {
            text,
            lines: Lines::Lf,
            held: Vec::new(),
            start: 0,
            parsed: 0,
            line: 1,
            offset: 0,
            mark_bytes,
            original: None,
            failed: None,
            after_cr: false,
        }
    }

    /// Says how the file ends its lines.
    pub(super) fn set_lines(&mut self, lines: Lines) {
        self.lines = lines;
    }

    /// Reads ahead at the beginning: at least so many bytes of the text, or all that there are, and whether that is so. A failure
    /// behind the first of them waits until the records before it have been read: nobody may want those behind it.
    pub(super) fn head(&mut self, bytes: usize) -> io::Result<(&[u8], bool)> {
        while self.held.len() < bytes && !self.text.ended() && self.failed.is_none() {
            match self.fill() {
                Err(error) if !self.held.is_empty() => self.failed = Some(error),
                filled => filled?,
            }
        }
        Ok((&self.held, self.text.ended()))
    }

    /// What has been read and not been parsed. Nothing at the end of the text only.
    #[inline]
    pub(super) fn unparsed(&mut self) -> io::Result<&[u8]> {
        if self.parsed == self.held.len() {
            self.read_on()?;
        }
        Ok(self.held.get(self.parsed..).unwrap_or_default())
    }

    fn read_on(&mut self) -> io::Result<()> {
        // All has been parsed, so that this moves the part of one record.
        self.held.drain(..self.start);
        self.parsed -= self.start;
        self.start = 0;
        while self.parsed == self.held.len() && !self.text.ended() {
            self.fill()?;
        }
        Ok(())
    }

    /// The byte that stands so many bytes behind what has been parsed; `None` behind the end of the text.
    pub(super) fn peek(&mut self, ahead: usize) -> io::Result<Option<u8>> {
        while self.parsed + ahead >= self.held.len() && !self.text.ended() {
            self.fill()?;
        }
        Ok(self.held.get(self.parsed + ahead).copied())
    }

    /// Takes so many bytes for parsed.
    #[inline]
    pub(super) fn advance(&mut self, bytes: usize) {
        self.parsed += bytes;
    }

    /// Everything from the start of the record to the last byte that was parsed.
    #[inline]
    pub(super) fn current(&self) -> &[u8] {
        self.held.get(self.start..self.parsed).unwrap_or_default()
    }

    /// Lets go of all that was parsed, and counts its lines: the next record begins behind it.
    pub(super) fn release(&mut self) {
        let released = self.held.get(self.start..self.parsed).unwrap_or_default();
        let (lines, after_cr) = count_lines(released, self.lines, self.after_cr);
        if let Some(original) = &mut self.original {
            original.skip_breaks(count_breaks(released));
        }
        self.line += lines;
        self.after_cr = after_cr;
        self.offset += released.len() as u64;
        self.start = self.parsed;
    }

    /// The same within a record that is too large to be kept. All text that was read has been parsed.
    pub(super) fn release_part(&mut self) {
        self.release();
        if let Some(original) = &mut self.original {
            original.skip_all();
        }
    }

    /// The byte before the current record is a CR that ended a line.
    pub(super) fn is_after_cr(&self) -> bool {
        self.after_cr
    }

    /// The line where the current record begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Offset in the object of the first byte of the current record.
    pub(super) fn object_offset(&self) -> u64 {
        self.original.as_ref().map_or(self.mark_bytes + self.offset, Original::offset)
    }

    /// The record as it stands in the object, where that is something else than the text.
    pub(super) fn original(&self) -> Option<&Original> {
        self.original.as_ref()
    }

    /// The text that this is a window of.
    pub(super) fn text(&self) -> &Decoded<R> {
        &self.text
    }

    /// The text that this is a window of, for whoever finds out more about it.
    pub(super) fn text_mut(&mut self) -> &mut Decoded<R> {
        &mut self.text
    }

    /// Whether everything has been parsed.
    pub(super) fn is_at_end(&self) -> bool {
        self.parsed == self.held.len() && self.text.ended()
    }

    /// Holds more of the text; that may be nothing.
    fn fill(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        // Up to here the text is what stands in the object: it decides between two reads, not within one.
        if let (Some(encoding), None) = (self.text.transcoded_from(), &self.original) {
            let held = self.held.get(self.start..).unwrap_or_default().to_vec();
            self.original = Some(Original::new(encoding, self.object_offset(), held));
        }
        self.text.read_more(&mut self.held)?;
        if let Some(original) = &mut self.original {
            original.append(self.text.taken());
        }
        Ok(())
    }
}

/// Whether a byte ends a line, in a file that ends its lines so. An LF behind a CR ends no further one.
pub(super) fn ends_line(byte: u8, lines: Lines, after_cr: bool) -> bool {
    match lines {
        Lines::Lf => byte == b'\n',
        Lines::Cr => byte == b'\r' || (byte == b'\n' && !after_cr),
    }
}

/// Line breaks in `bytes`, and whether the last byte is a CR that ends a line.
pub(super) fn count_lines(bytes: &[u8], lines: Lines, mut after_cr: bool) -> (u64, bool) {
    if lines == Lines::Lf {
        return (memchr::memchr_iter(b'\n', bytes).count() as u64, false);
    }
    let mut count = 0;
    for &byte in bytes {
        count += u64::from(ends_line(byte, lines, after_cr));
        after_cr = byte == b'\r';
    }
    (count, after_cr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cr_ends_a_line_only_where_lines_end_so() {
        assert_eq!(count_lines(b"a\nb\r\nc\rd\r\r\n", Lines::Lf, false), (3, false));
        assert_eq!(count_lines(b"a\nb\r\nc\rd", Lines::Cr, false), (3, false));
        assert_eq!(count_lines(b"a\r", Lines::Cr, false), (1, true));
        assert_eq!(count_lines(b"\nb", Lines::Cr, true), (0, false));
        assert_eq!(count_lines(b"", Lines::Cr, true), (0, true));
    }
}
