//! A file of a known encoding as UTF-8, without its byte order mark.

use std::io::{self, Read};

use statemachine::Encoding;

use super::transcode::Transcoder;
use super::{CHUNK_BYTES, MARKS};

/// The longest byte order mark.
const MARK_BYTES: u64 = 3;

/// Reads what is in an encoding as UTF-8. A byte order mark counts more. What cannot be decoded is a byte that is no UTF-8.
pub struct Utf8Reader<R> {
    source: R,
    transcoder: Transcoder,
    text: Vec<u8>,
    passed_on: usize,
    has_begun: bool,
    has_ended: bool,
}

impl<R: Read> Utf8Reader<R> {
    /// What `source` says in this encoding.
    pub fn new(source: R, encoding: Encoding) -> Self {
        let transcoder = Transcoder::new(encoding);
        Self { source, transcoder, text: Vec::new(), passed_on: 0, has_begun: false, has_ended: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        let mut head = Vec::new();
        self.source.by_ref().take(MARK_BYTES).read_to_end(&mut head)?;
        let mut rest = &head[..];
        if let Some((mark, encoding)) = MARKS.iter().find(|(mark, _)| head.starts_with(mark)) {
            self.transcoder = Transcoder::new(*encoding);
            rest = head.get(mark.len()..).unwrap_or_default();
        }
        self.transcoder.append(rest, false, &mut self.text);
        self.has_begun = true;
        Ok(())
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut raw = vec![0; CHUNK_BYTES];
        let read = self.source.read(&mut raw)?;
        self.has_ended = read == 0;
        self.text.clear();
        self.passed_on = 0;
        self.transcoder.append(raw.get(..read).unwrap_or_default(), self.has_ended, &mut self.text);
        Ok(())
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if !self.has_begun {
            self.begin()?;
        }
        while self.passed_on == self.text.len() && !self.has_ended {
            self.read_more()?;
        }
        let read = self.text.get(self.passed_on..).unwrap_or_default().read(to)?;
        self.passed_on += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoded;
    use super::*;

    #[test]
    fn a_file_of_any_encoding_is_read_as_utf8_without_its_mark() {
        for (encoding, text) in [
            (Encoding::Utf8, "東京,é\n"),
            (Encoding::Cp932, "東京,ｱ\n"),
            (Encoding::Iso2022Jp, "東京,a\n"),
            (Encoding::Cp850, "Köln,Straße\n"),
            (Encoding::Cp866, "Москва\n"),
        ] {
            let bytes = encoded(encoding, &text.repeat(20_000));
            let mut read = String::new();
            Utf8Reader::new(&*bytes, encoding).read_to_string(&mut read).unwrap();
            assert!(read == text.repeat(20_000), "{encoding}");
        }
        let marked: Vec<_> = "\u{FEFF}a,é\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let mut read = String::new();
        Utf8Reader::new(&*marked, Encoding::Windows1252).read_to_string(&mut read).unwrap();
        assert_eq!(read, "a,é\n");
    }
}
