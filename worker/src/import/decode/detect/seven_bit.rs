//! Encodings that write everything in bytes of ASCII: by escape sequences, shift codes or signs of their own. ISO-2022-JP is
//! read; what else is plainly one of them is refused by name, because as ASCII it would be garbage that nobody notices.

use memchr::{memchr_iter, memchr3_iter};

const ESCAPE: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;

/// How many bytes behind a sign are enough to tell what it is.
pub(in crate::import::decode) const ENOUGH_BYTES: usize = 1024;

/// Escape sequences, and what they belong to.
const SEQUENCES: [(&[u8], Found); 12] = [
    (b"\x1B$@", Found::Iso2022Jp),
    (b"\x1B$B", Found::Iso2022Jp),
    (b"\x1B(J", Found::Iso2022Jp),
    (b"\x1B(I", Found::Iso2022Jp),
    (b"\x1B(B", Found::Iso2022Jp),
    (b"\x1B$(D", Found::Iso2022Jp),
    (b"\x1B$)C", Found::Refused("ISO-2022-KR")),
    (b"\x1B$)A", Found::Refused("ISO-2022-CN")),
    (b"\x1B$)G", Found::Refused("ISO-2022-CN")),
    (b"\x1B$*H", Found::Refused("ISO-2022-CN")),
    (b"\x1B$A", Found::Refused("ISO-2022-JP-2 or ISO-2022-CN")),
    (b"\x1B$(C", Found::Refused("ISO-2022-JP-2")),
];

/// What a sign belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import::decode) enum Found {
    Iso2022Jp,
    /// An encoding that is not read.
    Refused(&'static str),
    /// What follows the sign will tell.
    Undecided,
}

/// The first sign of such an encoding in a text of ASCII, and where it stands. `whole` tells that nothing follows.
pub(in crate::import::decode) fn find(text: &[u8], whole: bool) -> Option<(usize, Found)> {
    memchr3_iter(ESCAPE, SHIFT_OUT, b'~', text).find_map(|at| {
        let rest = text.get(at..)?;
        if rest.len() < ENOUGH_BYTES && !whole {
            return Some((at, Found::Undecided));
        }
        let line = rest.split(|byte| *byte == b'\n').next()?;
        let found = match *rest.first()? {
            ESCAPE => {
                SEQUENCES.iter().find(|(sequence, _)| rest.starts_with(sequence)).map(|(_, found)| *found)
            }
            SHIFT_OUT => {
                is_shifted(line).then_some(Found::Refused("a 7-bit encoding with shift codes (SO and SI)"))
            }
            _ => is_hz(line).then_some(Found::Refused("HZ")),
        };
        Some((at, found?))
    })
}

/// Whether signs that are seen stand between SO and SI.
fn is_shifted(line: &[u8]) -> bool {
    let shifted = line.iter().skip(1).position(|byte| *byte == SHIFT_IN).and_then(|end| line.get(1..=end));
    shifted.is_some_and(|signs| !signs.is_empty() && signs.iter().all(|byte| (0x20..0x7F).contains(byte)))
}

/// Whether pairs of GB 2312 stand between `~{` and `~}`.
fn is_hz(line: &[u8]) -> bool {
    let Some(inner) = line.strip_prefix(b"~{") else { return false };
    let Some(end) = inner.windows(2).position(|pair| pair == b"~}") else { return false };
    let (pairs, odd) = inner.get(..end).unwrap_or_default().as_chunks::<2>();
    let is_pair = |[first, second]: &[u8; 2]| matches!(first, 0x21..=0x77) && matches!(second, 0x21..=0x7E);
    !pairs.is_empty() && odd.is_empty() && pairs.iter().all(is_pair)
}

/// How much the beginning of a file looks like UTF-7: how many of its sequences are text, unless some are none.
pub(in crate::import::decode) fn utf7_sequences(head: &[u8]) -> usize {
    let mut count = 0;
    for at in memchr_iter(b'+', head) {
        let rest = head.get(at + 1..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| sextet(**byte).is_some()).count();
        let base64 = rest.get(..length).unwrap_or_default();
        if length < 3 || base64.iter().all(u8::is_ascii_digit) {
            continue;
        }
        if !is_utf7(base64) {
            return 0;
        }
        count += 1;
    }
    count
}

/// Whether these digits are characters of UTF-16 that text has and ASCII has not.
fn is_utf7(base64: &[u8]) -> bool {
    let (mut bits, mut held, mut units) = (0_u32, 0, Vec::new());
    for digit in base64.iter().filter_map(|byte| sextet(*byte)) {
        bits = (bits << 6 | u32::from(digit)) & 0x3F_FFFF;
        held += 6;
        if held >= 16 {
            held -= 16;
            units.push((bits >> held) as u16);
        }
    }
    let is_padded = held < 6 && bits & ((1 << held) - 1) == 0;
    let is_text = |c: char| {
        matches!(c, '\u{A0}'..='\u{24F}' | '\u{370}'..='\u{52F}' | '\u{2010}'..='\u{203A}' | '\u{3000}'..='\u{30FF}'
            | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{FF01}'..='\u{FF9F}')
    };
    is_padded && char::decode_utf16(units).all(|c| c.is_ok_and(is_text))
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_seven_bit_encodings_are_found_and_others_are_not() {
        for (text, found) in [
            (&b"id,name\n1,\x1B$B;3ED\x1B(B\n"[..], Some((10, Found::Iso2022Jp))),
            (b"\x1B(Jabc", Some((0, Found::Iso2022Jp))),
            (b"\x1B$)C\nid", Some((0, Found::Refused("ISO-2022-KR")))),
            (b"1,\x1B$)A\x0E=;;;\x0F\n", Some((2, Found::Refused("ISO-2022-CN")))),
            (b"1,~{<:Ky2;NpJ)~}\n", Some((2, Found::Refused("HZ")))),
            (b"1,\x0E1=\x0F\n", Some((2, Found::Refused("a 7-bit encoding with shift codes (SO and SI)")))),
            (b"\x1B[31mred\x1B[0m", None),
            (b"~{name}~ ~{a~} ~{ab", None),
            (b"~/x,\x0E,y\n\x0F", None),
        ] {
            assert_eq!(find(text, true), found, "{text:?}");
        }
        assert_eq!(find(b"1,\x1B", false), Some((2, Found::Undecided)));
    }

    #[test]
    fn utf7_is_told_from_sums_and_telephone_numbers() {
        assert_eq!(utf7_sequences(b"id,+bA9UDQ,+T09iQA-\n1,+XHF1MFkqkM4-\n"), 3);
        assert_eq!(utf7_sequences(b"Caf+AOk-,x"), 1);
        for text in
            ["+81-3-1234-5678", "+490-30", "a+b-c", "=A1+B12-C3", "2024-01-01 00:00:00+00", "C++-x", "+tax-"]
        {
            assert_eq!(utf7_sequences(text.as_bytes()), 0, "{text}");
        }
    }
}
