//! A record as it was read: fields of bytes, nothing checked.

use std::borrow::Cow;

use super::original::{Original, count_breaks};
use super::quotes::{Quotes, Walk};
use super::{Position, Record, Style, window};
use crate::import::decode::first_undecodable;

/// A record as it was read.
pub(crate) struct RawRow<'a> {
    /// The fields, without their quotes. None of a record that is too large.
    pub(crate) fields: &'a Record,
    /// The record with its quotes, without the line break at its end: UTF-8, also where the object is not.
    pub(crate) bytes: &'a [u8],
    /// Where it stands.
    pub(crate) position: Position,
    /// It is a blank line, in a file of one column.
    pub(crate) is_blank: bool,
    /// It has more bytes than a record may have.
    pub(crate) too_large: Option<TooLarge>,
    /// How many characters fill the file up behind it, on its line.
    pub(super) padding: usize,
    pub(super) original: Option<&'a Original>,
    pub(super) style: Style,
}

/// How large a record is that was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// Its bytes.
    pub(crate) bytes: u64,
    /// Its physical lines.
    pub(crate) lines: u64,
    /// How many bytes it may have.
    pub(crate) limit: usize,
}

impl<'a> RawRow<'a> {
    /// How many physical lines the record takes.
    pub(crate) fn lines(&self) -> u64 {
        match self.too_large {
            Some(too_large) => too_large.lines,
            None => window::count_lines(self.bytes, self.style.lines, false).0 + 1,
        }
    }

    /// What its quotes are like.
    pub(crate) fn quotes(&self) -> Quotes {
        Quotes::of(self.bytes, self.style)
    }

    /// A walk through its fields as they stand in the text.
    pub(crate) fn walk(&self) -> Walk<'a> {
        Walk::new(self.bytes, self.style)
    }

    /// What stands before a quote within quotes, where it is not another quote.
    pub(crate) fn escape(&self) -> Option<char> {
        self.style.escape.map(char::from)
    }

    /// The record as it stands in the object, in its encoding, without the line break at its end. Nothing of a record that is
    /// too large.
    pub(crate) fn original(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(match self.original {
            Some(original) => original.record(count_breaks(self.bytes), self.padding),
            None => self.bytes,
        })
    }

    /// The first byte of the record that belongs to no character: its offset in the object, as of
    /// [`byte`](Position::byte), and what it is.
    pub(crate) fn undecodable(&self) -> Option<(u64, u8)> {
        let (at, byte) = match self.original {
            Some(original) => {
                let raw = self.original();
                match first_undecodable(original.encoding(), &raw) {
                    Some(found) => found,
                    // What cannot be told from the record alone is told of its beginning.
                    None if std::str::from_utf8(self.bytes).is_err() => (0, *raw.first()?),
                    None => return None,
                }
            }
            None => {
                let at = std::str::from_utf8(self.bytes).err()?.valid_up_to();
                (at, *self.bytes.get(at)?)
            }
        };
        Some((self.position.byte + at as u64, byte))
    }
}
