//! What stands between records and is none: blank lines, and what fills a file up behind its last line. In a file of one
//! column a blank line is a record whose field is empty, as PostgreSQL's COPY writes and reads a NULL there.

use std::io::{self, Read};

use super::record::Lines;
use super::{Found, Reader};

/// The end of a file for CP/M and DOS.
const END_OF_FILE: u8 = 0x1A;

/// How much padding there may be. More is data.
const MAX_PADDING: usize = 1024 * 1024;

/// What begins where a record may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Record,
    /// A blank line that is a record.
    Blank,
    End,
}

impl<R: Read> Reader<R> {
    /// Passes over what is no record.
    pub(super) fn begin(&mut self) -> io::Result<Begin> {
        let mut blank_lines = 0;
        loop {
            match self.window.unparsed()?.first().copied() {
                None => return Ok(Begin::End),
                // Of the line break whose CR ended the record.
                Some(b'\n') if self.window.is_after_cr() => self.window.advance(1),
                Some(b'\n' | b'\r') => match self.blank_line()? {
                    Some(_) if self.has_one_column => return Ok(Begin::Blank),
                    Some(length) => {
                        self.window.advance(length);
                        blank_lines += 1;
                    }
                    None => break,
                },
                Some(0 | END_OF_FILE) if self.is_padding()? => return Ok(Begin::End),
                Some(_) => break,
            }
            self.window.release();
        }
        // Those before the header and behind the last row say nothing.
        if self.records > 0 {
            self.seen.blank_lines += blank_lines;
        }
        Ok(Begin::Record)
    }

    /// Takes a blank line as a record.
    pub(super) fn take_blank(&mut self) {
        // It was there when it was found.
        if let Ok(Some(length)) = self.blank_line() {
            self.window.advance(length);
        }
        self.record.set_blank();
        self.found = Found { is_blank: true, ..self.found };
    }

    /// How many bytes a blank line has, if there is one here.
    fn blank_line(&mut self) -> io::Result<Option<usize>> {
        let mut crs = 0;
        while self.window.peek(crs)? == Some(b'\r') && crs < MAX_PADDING {
            crs += 1;
            if self.style.lines == Lines::Cr {
                break;
            }
        }
        Ok(match (self.window.peek(crs)?, self.style.lines) {
            (Some(b'\n'), _) => Some(crs + 1),
            (_, Lines::Cr) | (None, Lines::Lf) => Some(crs),
            (Some(_), Lines::Lf) => None,
        })
    }

    /// Whether nothing stands here but what fills the file up to its end.
    fn is_padding(&mut self) -> io::Result<bool> {
        for ahead in 0..MAX_PADDING {
            match self.window.peek(ahead)? {
                None => return Ok(true),
                Some(0 | END_OF_FILE) => {}
                Some(_) => return Ok(false),
            }
        }
        Ok(false)
    }
}

/// The last record of a file without the sign of the end behind it.
pub(super) fn without_padding(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|byte| !matches!(*byte, 0 | END_OF_FILE)).map_or(0, |last| last + 1);
    match record.get(end) {
        Some(&END_OF_FILE) => record.get(..end).unwrap_or_default(),
        _ => record,
    }
}
