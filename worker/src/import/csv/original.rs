//! The record that is being read as it stands in the object, where the reader sees another encoding of it. No table of
//! offsets leads from the one to the other: a line break is a line break in every encoding, and a record begins behind one,
//! so that counting them is enough.

use memchr::memchr2;
use statemachine::Encoding;

/// The object's bytes from the start of the current record on.
pub(super) struct Original {
    encoding: Encoding,
    held: Vec<u8>,
    /// Where in `held` the current record begins.
    start: usize,
    /// Offset in the object of the byte at `start`.
    offset: u64,
}

impl Original {
    /// Begins at `offset` of the object, with what has been read of the current record.
    pub(super) fn new(encoding: Encoding, offset: u64, held: Vec<u8>) -> Self {
        Self { encoding, held, start: 0, offset }
    }

    /// The encoding.
    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Offset in the object of the current record.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes more bytes of the object.
    pub(super) fn append(&mut self, raw: &[u8]) {
        self.held.drain(..self.start);
        self.start = 0;
        self.held.extend_from_slice(raw);
    }

    /// Goes on behind so many CRs and LFs, each counted.
    pub(super) fn skip_breaks(&mut self, breaks: usize) {
        for _ in 0..breaks {
            let (at, length) = self.find_break(self.current());
            let bytes = (at + length).min(self.current().len());
            self.start += bytes;
            self.offset += bytes as u64;
        }
    }

    /// Goes on behind all that is held. Half of a unit stays, so that those behind it are found.
    pub(super) fn skip_all(&mut self) {
        let units = self.current().len() / self.unit() * self.unit();
        self.start += units;
        self.offset += units as u64;
    }

    /// The current record, which has so many CRs and LFs within, without the one that ends it and without so many characters of
    /// ASCII that fill the file up behind it.
    pub(super) fn record(&self, breaks: usize, padding: usize) -> &[u8] {
        let (mut rest, mut end) = (self.current(), 0);
        for nth in 0..=breaks {
            let (at, length) = self.find_break(rest);
            end += at + if nth < breaks { length } else { 0 };
            rest = rest.get(at + length..).unwrap_or_default();
        }
        end = end.saturating_sub(padding * self.unit());
        self.current().get(..end).unwrap_or(self.current())
    }

    /// How many bytes a character of ASCII has.
    fn unit(&self) -> usize {
        if matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16Be) { 2 } else { 1 }
    }

    fn current(&self) -> &[u8] {
        self.held.get(self.start..).unwrap_or_default()
    }

    /// Where the first CR or LF stands, and how many bytes it has; at the end, where there is none.
    fn find_break(&self, bytes: &[u8]) -> (usize, usize) {
        let is_break = |unit: u16| unit == u16::from(b'\n') || unit == u16::from(b'\r');
        let to_unit = match self.encoding {
            Encoding::Utf16Le => u16::from_le_bytes,
            Encoding::Utf16Be => u16::from_be_bytes,
            _ => return memchr2(b'\n', b'\r', bytes).map_or((bytes.len(), 0), |at| (at, 1)),
        };
        let (units, _) = bytes.as_chunks::<2>();
        let at = units.iter().position(|unit| is_break(to_unit(*unit)));
        at.map_or((bytes.len(), 0), |at| (at * 2, 2))
    }
}

/// CRs and LFs in text, each counted.
pub(super) fn count_breaks(text: &[u8]) -> usize {
    memchr::memchr2_iter(b'\n', b'\r', text).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_by_the_line_breaks_before_them() {
        let raw = b"\x8Ea,b\r\n\n\"x\ny\"\rz";
        let mut original = Original::new(Encoding::Cp932, 3, b"\x8Ea".to_vec());
        original.append(&raw[2..]);
        assert_eq!((original.record(0, 0), original.offset()), (&b"\x8Ea,b"[..], 3));
        original.skip_breaks(3);
        assert_eq!((original.record(1, 0), original.offset()), (&b"\"x\ny\""[..], 10));
        original.skip_breaks(2);
        assert_eq!((original.record(0, 0), original.offset()), (&b"z"[..], 16));
        original.skip_breaks(7);
        assert_eq!((original.record(7, 0), original.offset()), (&b""[..], 17));
    }

    #[test]
    fn half_of_a_unit_of_utf16_is_no_line_break() {
        let raw = b"\x0A\x30\x30\x0A\x0A\0b\0";
        let mut original = Original::new(Encoding::Utf16Le, 2, raw.to_vec());
        assert_eq!(original.record(0, 0), b"\x0A\x30\x30\x0A");
        original.skip_breaks(1);
        assert_eq!((original.record(0, 0), original.offset()), (&b"b\0"[..], 8));
    }
}
