//! The bytes of the record that is being read, kept beside the `csv` reader that parses them. From them come what that
//! reader cannot tell: the record's physical line (it counts a CR LF behind the record, and takes blank lines for part
//! of the next one), the record as it stands in the file, and a bound on its size.

use std::io::{self, Read};

use super::MAX_RECORD_BYTES;

/// Passes bytes on and keeps those of the current record.
pub(super) struct Window<R> {
    inner: R,
    held: Vec<u8>,
    /// Where in `held` the current record begins.
    start: usize,
    /// Line of the byte at `start`, counted from 1.
    line: u64,
    /// Offset in the object of the byte at `start`.
    offset: u64,
    /// The byte before `start` is a CR: an LF behind it ends no further line.
    after_cr: bool,
    ended: bool,
}

/// A record that would take more memory than the bound; the payload of the error that [`Window`] ends a read with.
#[derive(Debug, thiserror::Error)]
#[error("a record has more than {MAX_RECORD_BYTES} bytes")]
pub(super) struct RecordTooLarge;

impl<R> Window<R> {
    /// A window at `offset` of the object, on its first line.
    pub(super) fn new(inner: R, offset: u64) -> Self {
        Self { inner, held: Vec::new(), start: 0, line: 1, offset, after_cr: false, ended: false }
    }

    /// Line and offset of the record that begins here, behind the line breaks that may stand before it.
    pub(super) fn find_start(&mut self) -> (u64, u64) {
        let breaks = self.current().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.release(breaks);
        (self.line, self.offset)
    }

    /// Everything from the start of the record to the last byte that was passed on.
    pub(super) fn current(&self) -> &[u8] {
        self.held.get(self.start..).unwrap_or_default()
    }

    /// Lets go of `bytes` bytes, and counts their lines.
    pub(super) fn release(&mut self, bytes: usize) {
        let (lines, after_cr) = count_lines(self.current().get(..bytes).unwrap_or_default(), self.after_cr);
        self.line += lines;
        self.after_cr = after_cr;
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Offset in the object of the first byte that is held.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the source has been read to its end.
    pub(super) fn ended(&self) -> bool {
        self.ended
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
        // The reader asks for more only when it has parsed all it has, so that this moves the part of one record.
        self.held.drain(..self.start);
        self.start = 0;
        let length = self.inner.read(buffer)?;
        self.held.extend_from_slice(buffer.get(..length).unwrap_or_default());
        self.ended |= length == 0 && !buffer.is_empty();
        Ok(length)
    }
}

/// Line breaks in `bytes`: LF, CR LF and CR each end a line.
pub(super) fn count_lines(bytes: &[u8], mut after_cr: bool) -> (u64, bool) {
    let Some(&last) = bytes.last() else { return (0, after_cr) };
    if !after_cr && !bytes.contains(&b'\r') {
        return (bytes.iter().filter(|&&byte| byte == b'\n').count() as u64, false);
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
