//! How a file is written, as far as its beginning tells: what a report says of it, and what a file beside it needs in order
//! to be written alike.

use std::fmt;

use statemachine::Encoding;

use super::tables;

/// How a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// How its characters are written. UTF-8 as long as all characters so far are ASCII: the first other one decides.
    pub(crate) encoding: Encoding,
    /// Whence the encoding is known.
    pub(crate) encoding_from: EncodingFrom,
    /// What stands between two fields.
    pub(crate) delimiter: u8,
    /// What stands before a quote within quotes, where it is not another quote.
    pub(crate) escape: Option<u8>,
    /// What the object is compressed with.
    pub(crate) compression: Option<&'static str>,
    /// Why the encoding may be another, as a sentence for people.
    pub(crate) doubt: Option<String>,
    /// A byte order mark stands at the beginning.
    pub(crate) has_mark: bool,
    /// What ends the first record: LF, CR LF or CR.
    pub(crate) line_break: &'static str,
}

/// Whence an encoding is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EncodingFrom {
    /// The byte order mark tells.
    Mark,
    /// The import's options say so.
    Declared,
    /// The bytes look like it.
    Detected,
}

impl fmt::Display for EncodingFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mark => "byte order mark",
            Self::Declared => "declared",
            Self::Detected => "detected",
        })
    }
}

impl Format {
    /// Appends `text` as the file's characters are written; `?` for those that its encoding does not have.
    pub(crate) fn encode(&self, text: &str, out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Utf8 => out.extend_from_slice(text.as_bytes()),
            Encoding::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Encoding::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            legacy => tables::encode(legacy, text, out),
        }
    }

    /// The byte order mark at the file's beginning; empty where it has none.
    pub(crate) fn mark(&self) -> &'static [u8] {
        match self.encoding {
            _ if !self.has_mark => b"",
            Encoding::Utf16Le => b"\xFF\xFE",
            Encoding::Utf16Be => b"\xFE\xFF",
            _ => b"\xEF\xBB\xBF",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_in_the_files_own_encoding() {
        let encoded = |encoding, text: &str| {
            let format = Format {
                encoding,
                encoding_from: EncodingFrom::Declared,
                delimiter: b',',
                escape: None,
                compression: None,
                doubt: None,
                has_mark: true,
                line_break: "\n",
            };
            let mut out = format.mark().to_vec();
            format.encode(text, &mut out);
            out
        };
        assert_eq!(encoded(Encoding::Utf8, "髙é"), "\u{FEFF}髙é".as_bytes());
        assert_eq!(encoded(Encoding::Utf16Le, "a髙"), b"\xFF\xFEa\0\xD9\x9A");
        assert_eq!(encoded(Encoding::Utf16Be, "a髙"), b"\xFE\xFF\0a\x9A\xD9");
        assert!(encoded(Encoding::Cp932, "表ｱ髙é☃").ends_with(b"\x95\x5C\xB1\xFB\xFC??"));
        assert!(encoded(Encoding::EucJp, "表ｱ☃").ends_with(b"\xC9\xBD\x8E\xB1?"));
        assert!(encoded(Encoding::Windows1252, "é€表").ends_with(b"\xE9\x80?"));
        // Not an escape sequence for each character, and none left open.
        assert!(encoded(Encoding::Iso2022Jp, "a山田☃").ends_with(b"a\x1B$B;3ED\x1B(B?"));
    }
}
