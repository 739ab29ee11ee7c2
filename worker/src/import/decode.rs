//! From the object's bytes to UTF-8: the layer below the CSV reader. For now it takes a byte order mark off and refuses,
//! with a sentence, what is plainly no UTF-8 text. Single bytes that are no UTF-8 are left to the checks of each row,
//! which can tell the line.

use std::io::{self, Read};

use statemachine::FailureName;

use crate::failure::Failure;

/// Bytes that are looked at before the first is passed on.
const HEAD_BYTES: usize = 8;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How known files that are no CSV begin, and what to say of them.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"\xFF\xFE", "is UTF-16, save it as UTF-8"),
    (b"\xFE\xFF", "is UTF-16, save it as UTF-8"),
    (b"\x1F\x8B", "is compressed with gzip, unpack it first"),
    (b"\x28\xB5\x2F\xFD", "is compressed with Zstandard, unpack it first"),
    (b"PK\x03\x04", "is an Excel workbook or a ZIP archive, save it as CSV"),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "is an old Excel workbook, save it as CSV"),
    (b"PAR1", "is a Parquet file"),
    (b"SQLite f", "is an SQLite database"),
];

/// The text of an object, without its byte order mark.
pub(crate) struct Decoded<R> {
    inner: R,
    /// The object's beginning, as far as it has not been passed on.
    head: Vec<u8>,
    mark_bytes: u64,
}

impl<R: Read> Decoded<R> {
    /// Looks at the beginning of `inner`.
    pub(crate) fn new(mut inner: R) -> Result<Self, Failure> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        inner.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(read_failure)?;
        if let Some((_, says)) = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Err(unreadable(format!("the file {says}")));
        }
        if let [0, _, 0, _, ..] | [_, 0, _, 0, ..] = head[..] {
            return Err(unreadable("the file is UTF-16 without a byte order mark, save it as UTF-8"));
        }
        let mark_bytes = if head.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
        head.drain(..mark_bytes);
        Ok(Self { inner, head, mark_bytes: mark_bytes as u64 })
    }

    /// Bytes of the object before the first byte of its text.
    pub(crate) fn mark_bytes(&self) -> u64 {
        self.mark_bytes
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.head.is_empty() {
            return self.inner.read(buffer);
        }
        let length = self.head.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(self.head.drain(..length)) {
            *to = from;
        }
        Ok(length)
    }
}

/// The failure for an object that is no CSV.
pub(crate) fn unreadable(cause: impl Into<String>) -> Failure {
    Failure::named(FailureName::SourceUnreadable, cause)
}

/// The failure that an error of a read stands for: the source passes its own on inside the error.
pub(crate) fn read_failure(error: io::Error) -> Failure {
    error.downcast::<Failure>().unwrap_or_else(|error| {
        Failure::named(FailureName::SourceUnavailable, format!("failed to read the source: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<(Vec<u8>, u64), String> {
        let mut decoded = Decoded::new(bytes).map_err(|failure| failure.to_string())?;
        let mut text = Vec::new();
        decoded.read_to_end(&mut text).unwrap();
        Ok((text, decoded.mark_bytes()))
    }

    #[test]
    fn a_byte_order_mark_is_taken_off() {
        assert_eq!(decoded(b"\xEF\xBB\xBFid,name\n1,a\n"), Ok((b"id,name\n1,a\n".to_vec(), 3)));
        assert_eq!(decoded(b"id,name\n1,a\n"), Ok((b"id,name\n1,a\n".to_vec(), 0)));
        assert_eq!(decoded(b""), Ok((Vec::new(), 0)));
        assert_eq!(decoded(b"a"), Ok((b"a".to_vec(), 0)));
    }

    #[test]
    fn what_is_plainly_no_utf8_text_is_refused_by_name() {
        for (bytes, says) in [
            (&b"\xFF\xFEi\0d\0"[..], "is UTF-16"),
            (b"\xFE\xFF\0i\0d", "is UTF-16"),
            (b"i\0d\0,\0", "UTF-16 without a byte order mark"),
            (b"\x1F\x8B\x08\0", "gzip"),
            (b"PK\x03\x04\x14", "Excel"),
        ] {
            let refusal = decoded(bytes).unwrap_err();
            assert!(refusal.starts_with("Import.SourceUnreadable") && refusal.contains(says), "{refusal}");
        }
    }
}
