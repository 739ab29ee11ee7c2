//! The tables of an encoding: the WHATWG's, and those of DOS, which the WHATWG leaves out.

use std::borrow::Cow;

use encoding_rs as whatwg;
use oem_cp::OEMCPHashMap;
use oem_cp::code_table::{
    DECODING_TABLE_CP437, DECODING_TABLE_CP850, DECODING_TABLE_CP852, ENCODING_TABLE_CP437,
    ENCODING_TABLE_CP850, ENCODING_TABLE_CP852,
};
use statemachine::Encoding;

/// What stands for a character that an encoding does not have.
const MISSING: u8 = b'?';

/// Where an encoding's characters are found.
#[derive(Clone, Copy)]
pub(super) enum Tables {
    Whatwg(&'static whatwg::Encoding),
    Dos(&'static DosPage),
}

/// A code page of DOS: a character for each byte from 0x80 on.
pub(super) struct DosPage {
    characters: &'static [char; 128],
    bytes: &'static OEMCPHashMap<char, u8>,
}

impl DosPage {
    pub(super) fn character(&self, byte: u8) -> char {
        let beyond = byte.checked_sub(0x80).and_then(|at| self.characters.get(usize::from(at)));
        beyond.copied().unwrap_or(char::from(byte))
    }

    fn byte(&self, c: char) -> Option<u8> {
        u8::try_from(c).ok().filter(u8::is_ascii).or_else(|| self.bytes.get(&c).copied())
    }
}

static CP437: DosPage = DosPage { characters: &DECODING_TABLE_CP437, bytes: &ENCODING_TABLE_CP437 };
static CP850: DosPage = DosPage { characters: &DECODING_TABLE_CP850, bytes: &ENCODING_TABLE_CP850 };
static CP852: DosPage = DosPage { characters: &DECODING_TABLE_CP852, bytes: &ENCODING_TABLE_CP852 };

impl Tables {
    /// Of Shift_JIS, what the WHATWG calls so is code page 932.
    pub(super) fn of(encoding: Encoding) -> Self {
        Self::Whatwg(match encoding {
            Encoding::Utf8 => whatwg::UTF_8,
            Encoding::Cp932 => whatwg::SHIFT_JIS,
            Encoding::EucJp => whatwg::EUC_JP,
            Encoding::Utf16Le => whatwg::UTF_16LE,
            Encoding::Utf16Be => whatwg::UTF_16BE,
            Encoding::Windows1252 => whatwg::WINDOWS_1252,
            Encoding::Iso2022Jp => whatwg::ISO_2022_JP,
            Encoding::Gb18030 => whatwg::GB18030,
            Encoding::Big5 => whatwg::BIG5,
            Encoding::EucKr => whatwg::EUC_KR,
            Encoding::Windows1250 => whatwg::WINDOWS_1250,
            Encoding::Windows1251 => whatwg::WINDOWS_1251,
            Encoding::Windows1253 => whatwg::WINDOWS_1253,
            Encoding::Windows1254 => whatwg::WINDOWS_1254,
            Encoding::Windows1255 => whatwg::WINDOWS_1255,
            Encoding::Windows1256 => whatwg::WINDOWS_1256,
            Encoding::Windows1257 => whatwg::WINDOWS_1257,
            Encoding::Windows1258 => whatwg::WINDOWS_1258,
            Encoding::Windows874 => whatwg::WINDOWS_874,
            Encoding::Iso8859_2 => whatwg::ISO_8859_2,
            Encoding::Iso8859_4 => whatwg::ISO_8859_4,
            Encoding::Iso8859_5 => whatwg::ISO_8859_5,
            Encoding::Iso8859_6 => whatwg::ISO_8859_6,
            Encoding::Iso8859_7 => whatwg::ISO_8859_7,
            Encoding::Iso8859_8 => whatwg::ISO_8859_8,
            Encoding::Iso8859_15 => whatwg::ISO_8859_15,
            Encoding::Koi8R => whatwg::KOI8_R,
            Encoding::Koi8U => whatwg::KOI8_U,
            Encoding::Macintosh => whatwg::MACINTOSH,
            Encoding::Cp866 => whatwg::IBM866,
            Encoding::Cp437 => return Self::Dos(&CP437),
            Encoding::Cp850 => return Self::Dos(&CP850),
            Encoding::Cp852 => return Self::Dos(&CP852),
        })
    }

    /// The bytes from 0x80 to 0x9F that the encoding leaves open, a bit for each, but that its decoder takes for control characters.
    pub(super) fn open_bytes(self) -> u32 {
        let Self::Whatwg(encoding) = self else { return 0 };
        if !encoding.is_single_byte() {
            return 0;
        }
        let is_open = |byte: &u8| {
            let (text, _) = encoding.decode_without_bom_handling(std::slice::from_ref(byte));
            text.chars().all(|c| matches!(c, '\u{80}'..='\u{9F}'))
        };
        (0x80..=0x9F).filter(is_open).fold(0, |bits, byte| bits | bit(byte))
    }

    /// What bytes say, with U+FFFD for what cannot be decoded.
    pub(super) fn characters(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Whatwg(encoding) => encoding.decode_without_bom_handling(bytes).0,
            Self::Dos(page) => bytes.iter().map(|byte| page.character(*byte)).collect(),
        }
    }

    /// The characters' bytes; none where the encoding does not have them all.
    fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Whatwg(encoding) => {
                let (bytes, _, has_missing) = encoding.encode(text);
                (!has_missing).then(|| bytes.into_owned())
            }
            Self::Dos(page) => text.chars().map(|c| page.byte(c)).collect(),
        }
    }
}

/// The bit that stands for a byte from 0x80 to 0x9F.
fn bit(byte: u8) -> u32 {
    1 << (byte & 0x1F)
}

/// The first of the bytes that are open.
pub(super) fn first_open(open: u32, raw: &[u8]) -> Option<usize> {
    if open == 0 {
        return None;
    }
    raw.iter().position(|byte| matches!(byte, 0x80..=0x9F) && open & bit(*byte) != 0)
}

/// Appends `text` in an encoding other than UTF-8 and UTF-16; `?` for characters that it does not have.
pub(super) fn encode(encoding: Encoding, text: &str, out: &mut Vec<u8>) {
    let tables = Tables::of(encoding);
    if let Some(bytes) = tables.bytes(text) {
        out.extend_from_slice(&bytes);
        return;
    }
    let has = |c: &char| tables.bytes(c.encode_utf8(&mut [0; 4])).is_some();
    let text: String = text.chars().map(|c| if has(&c) { c } else { char::from(MISSING) }).collect();
    out.extend(tables.bytes(&text).unwrap_or_default());
}

/// The bytes of `text`, all of whose characters the encoding has, for tests.
#[cfg(test)]
pub(crate) fn encoded(encoding: Encoding, text: &str) -> Vec<u8> {
    Tables::of(encoding).bytes(text).unwrap_or_else(|| panic!("{text} in {encoding}"))
}

/// What bytes say, with U+FFFD for what cannot be decoded, for tests.
#[cfg(test)]
pub(crate) fn decoded(encoding: Encoding, bytes: &[u8]) -> String {
    Tables::of(encoding).characters(bytes).into_owned()
}
