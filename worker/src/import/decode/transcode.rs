//! From another encoding to UTF-8, piece by piece. A sequence that stands for no character becomes the one byte 0xFF: no
//! UTF-8 either, so that the checks of each row find it, and no part of a delimiter, a quote or a line break.

mod iso2022;

use encoding_rs::{Decoder, DecoderResult};
use statemachine::Encoding;

use super::tables::{DosPage, Tables, first_open};
use iso2022::Iso2022Jp;

/// What stands for a sequence that cannot be decoded.
const UNDECODABLE: u8 = 0xFF;

/// Turns pieces of a text into UTF-8. A character may be cut between two pieces.
pub(super) struct Transcoder {
    encoding: Encoding,
    way: Way,
}

/// How an encoding is read.
enum Way {
    /// By the WHATWG's tables, but for the bytes that are open.
    Whatwg(Box<Decoder>, u32),
    Dos(&'static DosPage),
    Iso2022Jp(Iso2022Jp),
}

impl Transcoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        let way = match encoding {
            Encoding::Iso2022Jp => Way::Iso2022Jp(Iso2022Jp::default()),
            other => match Tables::of(other) {
                tables @ Tables::Whatwg(encoding) => {
                    Way::Whatwg(Box::new(encoding.new_decoder_without_bom_handling()), tables.open_bytes())
                }
                Tables::Dos(page) => Way::Dos(page),
            },
        };
        Self { encoding, way }
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Appends the text of `raw` to `text`; of the last piece, also what is left of a character that was cut off.
    pub(super) fn append(&mut self, raw: &[u8], last: bool, text: &mut Vec<u8>) {
        match &mut self.way {
            Way::Iso2022Jp(decoder) => decoder.append(raw, last, UNDECODABLE, text),
            Way::Whatwg(decoder, open) => append(decoder, *open, raw, last, text),
            Way::Dos(page) => append_dos(page, raw, text),
        }
    }
}

fn append_dos(page: &DosPage, raw: &[u8], text: &mut Vec<u8>) {
    for &byte in raw {
        text.extend_from_slice(page.character(byte).encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn append(decoder: &mut Decoder, open: u32, mut raw: &[u8], last: bool, text: &mut Vec<u8>) {
    let mut written = text.len();
    loop {
        let piece = raw.get(..first_open(open, raw).unwrap_or(raw.len())).unwrap_or(raw);
        let is_last = last && piece.len() == raw.len();
        let mut rest = piece;
        loop {
            // One allocation for the piece, not one for each sequence that cannot be decoded: those may be very many.
            let bound = decoder.max_utf8_buffer_length_without_replacement(rest.len());
            let bound = written + bound.unwrap_or(rest.len()).max(rest.len()) + 1;
            if text.len() < bound {
                text.resize(bound, 0);
            }
            let out = text.get_mut(written..).unwrap_or_default();
            let (result, read, length) = decoder.decode_to_utf8_without_replacement(rest, out, is_last);
            written += length;
            rest = rest.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => push(text, &mut written),
            }
        }
        let Some((_unmapped, behind)) = raw.get(piece.len()..).and_then(<[u8]>::split_first) else {
            break;
        };
        push(text, &mut written);
        raw = behind;
    }
    text.truncate(written);
}

/// Whether Windows-1252 has no character for a byte.
pub(super) fn is_open_in_1252(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)
}

fn push(text: &mut Vec<u8>, written: &mut usize) {
    match text.get_mut(*written) {
        Some(byte) => *byte = UNDECODABLE,
        None => text.push(UNDECODABLE),
    }
    *written += 1;
}

/// The first sequence in `raw` that cannot be decoded: where it begins, and its first byte. `raw` begins with a character.
pub(crate) fn first_undecodable(encoding: Encoding, raw: &[u8]) -> Option<(usize, u8)> {
    if encoding == Encoding::Iso2022Jp {
        let at = Iso2022Jp::first_undecodable(raw)?;
        return raw.get(at).map(|byte| (at, *byte));
    }
    let tables = Tables::of(encoding);
    let Tables::Whatwg(whatwg) = tables else { return None };
    if let Some(at) = first_open(tables.open_bytes(), raw) {
        return raw.get(at).map(|byte| (at, *byte));
    }
    let mut decoder = whatwg.new_decoder_without_bom_handling();
    let (mut out, mut consumed) = ([0; 4096], 0);
    loop {
        let rest = raw.get(consumed..).unwrap_or_default();
        let (result, read, _) = decoder.decode_to_utf8_without_replacement(rest, &mut out, true);
        consumed += read;
        match result {
            DecoderResult::InputEmpty => return None,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, behind) => {
                let at = consumed.saturating_sub(usize::from(length) + usize::from(behind));
                return raw.get(at).map(|byte| (at, *byte));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcoded(encoding: Encoding, raw: &[u8]) -> Vec<u8> {
        let whole = in_pieces(encoding, raw, raw.len().max(1));
        for size in 1..4 {
            assert_eq!(in_pieces(encoding, raw, size), whole, "{encoding} {raw:X?} in pieces of {size}");
        }
        whole
    }

    fn in_pieces(encoding: Encoding, raw: &[u8], size: usize) -> Vec<u8> {
        let mut transcoder = Transcoder::new(encoding);
        let mut text = b"before".to_vec();
        raw.chunks(size).for_each(|piece| transcoder.append(piece, false, &mut text));
        transcoder.append(b"", true, &mut text);
        text.split_off(6)
    }

    #[test]
    fn second_bytes_that_look_like_ascii_are_none() {
        let raw = b"\x8B\x40\x8D\x5C,\x95\x5C\x8E\xA6,\x83\x5C,\x81\x62";
        assert_eq!(transcoded(Encoding::Cp932, raw), "機構,表示,ソ,｜".as_bytes());
        assert_eq!(transcoded(Encoding::Cp932, b"\xFB\xFC\x87\x56\x87\x70\xCA\xDF"), "髙Ⅲ㎝ﾊﾟ".as_bytes());
    }

    #[test]
    fn what_cannot_be_decoded_is_one_byte_that_is_no_utf8() {
        for (encoding, raw, expected) in [
            (Encoding::Cp932, &b"a\xA0b\x82,\x82\n\x85\x60"[..], &b"a\xFFb\xFF,\xFF\n\xFF`"[..]),
            (Encoding::Cp932, b"a\x82", b"a\xFF"),
            (Encoding::EucJp, b"\xA4,\x8F\xA4,", b"\xFF,\xFF,"),
            (Encoding::Windows1252, b"\xE9\x81\x9D\n", b"\xC3\xA9\xFF\xFF\n"),
            (Encoding::Utf16Le, b"a\0\0\xD8,\0\0\xDC\n\0b", b"a\xFF,\xFF\n\xFF"),
            (Encoding::Utf16Be, b"\0a\xD8\0", b"a\xFF"),
        ] {
            assert_eq!(transcoded(encoding, raw), expected, "{encoding} {raw:X?}");
        }
    }

    #[test]
    fn the_first_of_them_is_found_in_the_raw_bytes() {
        let long = [b"\x82\xA0".repeat(5000), b"\xA0x".to_vec()].concat();
        assert_eq!(first_undecodable(Encoding::Cp932, &long), Some((10_000, 0xA0)));
        assert_eq!(first_undecodable(Encoding::Cp932, b"\x82\xA0,\x82"), Some((3, 0x82)));
        assert_eq!(first_undecodable(Encoding::Cp932, b"\x82\xA0"), None);
        assert_eq!(first_undecodable(Encoding::Utf16Le, b"a\0\0\xD8b\0"), Some((2, 0)));
        assert_eq!(first_undecodable(Encoding::EucJp, b"a\x8F\xA4,"), Some((1, 0x8F)));
        assert_eq!(first_undecodable(Encoding::Windows1252, b"\xE9\x9D"), Some((1, 0x9D)));
    }
}
