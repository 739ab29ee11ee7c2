//! The bytes of the record that is being read, kept beside the `csv` reader that parses them. From them come what that
//! reader cannot tell: the record's physical line (it counts a CR LF behind the record, and takes blank lines for part
//! of the next one), the record as it stands in the file, and a bound on its size.

use std::io::{self, Read};

use super::MAX_RECORD_BYTES;
use super::original::{Original, count_breaks};
use crate::import::decode::Decoded;

/// Passes text on and keeps that of the current record.
pub(super) struct Window<R: Read> {
    text: Decoded<R>,
    held: Vec<u8>,
    /// Where in `held` the current record begins.
    start: usize,
    /// Up to where in `held` the text has been passed on.
    passed: usize,
    /// Line of the byte at `start`, counted from 1.
    line: u64,
    /// Offset in the text of the byte at `start`.
    offset: u64,
    /// Bytes of the object before its text.
    mark_bytes: u64,
    /// The record as it stands in the object, where that is something else.
    original: Option<Original>,
    /// The byte before `start` is a CR: an LF behind it ends no further line.
    after_cr: bool,
    ended: bool,
}

/// A record that would take more memory than the bound; the payload of the error that [`Window`] ends a read with.
#[derive(Debug, thiserror::Error)]
#[error("a record has more than {MAX_RECORD_BYTES} bytes")]
pub(super) struct RecordTooLarge;

impl<R: Read> Window<R> {
    /// A window at the first line of a text.
    pub(super) fn new(text: Decoded<R>) -> Self {
        let mark_bytes = text.format().mark().len() as u64;
        Self {
            text,
            held: Vec::new(),
            start: 0,
            passed: 0,
            line: 1,
            offset: 0,
            mark_bytes,
            original: None,
            after_cr: false,
            ended: false,
        }
    }

    /// Reads ahead at the beginning: at least so many bytes of the text, or all that there are, and whether that is so.
    pub(super) fn head(&mut self, bytes: usize) -> io::Result<(&[u8], bool)> {
        while self.held.len() < bytes && !self.text.ended() {
            self.fill()?;
        }
        Ok((&self.held, self.text.ended()))
    }

    /// Line of the record that begins here, behind the line breaks that may stand before it, and its offset in the text.
    pub(super) fn find_start(&mut self) -> (u64, u64) {
        let breaks = self.current().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.release(breaks);
        (self.line, self.offset)
    }

    /// Everything from the start of the record to the last byte that was passed on.
    pub(super) fn current(&self) -> &[u8] {
        self.held.get(self.start..self.passed).unwrap_or_default()
    }

    /// Lets go of `bytes` bytes, and counts their lines.
    pub(super) fn release(&mut self, bytes: usize) {
        let released = self.held.get(self.start..).and_then(|held| held.get(..bytes)).unwrap_or_default();
        let (lines, after_cr) = count_lines(released, self.after_cr);
        if let Some(original) = &mut self.original {
            original.skip_breaks(count_breaks(released));
        }
        self.line += lines;
        self.after_cr = after_cr;
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Offset in the text of the first byte that is held.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Offset in the object of the first byte that is held.
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

    /// Whether the reader has been told that the text has ended.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Holds more of the text; that may be nothing.
    fn fill(&mut self) -> io::Result<()> {
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

impl<R: Read> Read for Window<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current().len() > MAX_RECORD_BYTES {
            self.find_start();
            if self.current().len() > MAX_RECORD_BYTES {
                return Err(io::Error::other(RecordTooLarge));
            }
        }
        if self.passed == self.held.len() {
            // The reader asks for more only when it has parsed all it has, so that this moves the part of one record.
            self.held.drain(..self.start);
            self.passed = self.passed.saturating_sub(self.start);
            self.start = 0;
            while self.passed == self.held.len() && !self.text.ended() {
                self.fill()?;
            }
        }
        let mut waiting = self.held.get(self.passed..).unwrap_or_default();
        let length = waiting.read(buffer)?;
        self.passed += length;
        self.ended |= length == 0 && !buffer.is_empty();
        Ok(length)
    }
}

/// Line breaks in `bytes`: LF, CR LF and CR each end a line.
pub(super) fn count_lines(bytes: &[u8], mut after_cr: bool) -> (u64, bool) {
    let Some(&last) = bytes.last() else { return (0, after_cr) };
    if !after_cr && memchr::memchr(b'\r', bytes).is_none() {
        return (memchr::memchr_iter(b'\n', bytes).count() as u64, false);
    }
    let mut lines = 0;
    for &byte in bytes {
        lines += u64::from(byte == b'\r' || (byte == b'\n' && !after_cr));
        after_cr = byte == b'\r';
    }
    (lines, last == b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_break_ends_one_line() {
        assert_eq!(count_lines(b"a\nb\r\nc\rd", false), (3, false));
        assert_eq!(count_lines(b"a\r", false), (1, true));
        assert_eq!(count_lines(b"\nb", true), (0, false));
        assert_eq!(count_lines(b"", true), (0, true));
    }
}
