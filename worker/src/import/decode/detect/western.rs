//! How much bytes look like text of Windows-1252: accented letters within words, and signs where they are written. Every
//! byte is judged by its two neighbours alone.

use encoding_rs::WINDOWS_1252;
use statemachine::Encoding;

use super::super::tables::Tables;
use super::super::transcode::is_open_in_1252;
use super::INVALID;

/// What a byte is in Windows-1252.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing, white space or a sign of ASCII.
    Edge,
    /// A sign of ASCII that stands at no word: as a second byte of Japanese text it is a frequent one.
    Odd,
    Digit,
    Lower,
    Upper,
    AccentedLower,
    AccentedUpper,
    /// A letter that hardly a word has; as a first byte of Japanese text it is a frequent one.
    RareUpper,
    RareLower,
    Sign,
    Open,
}

impl Class {
    fn of(byte: Option<u8>) -> Self {
        match byte {
            Some(byte) if is_open_in_1252(byte) => Self::Open,
            Some(b'0'..=b'9') => Self::Digit,
            Some(b'a'..=b'z') => Self::Lower,
            Some(b'A'..=b'Z') => Self::Upper,
            Some(b'@' | b'[' | b'\\' | b']' | b'^' | b'`' | b'{' | b'}' | b'~') => Self::Odd,
            Some(0x8A | 0x8C | 0x8E | 0x9F) => Self::RareUpper,
            Some(0x9A | 0x9C | 0x9E) => Self::RareLower,
            Some(0xDF..=0xF6 | 0xF8..=0xFF) => Self::AccentedLower,
            Some(0xC0..=0xD6 | 0xD8..=0xDE) => Self::AccentedUpper,
            Some(0x80..) => Self::Sign,
            _ => Self::Edge,
        }
    }

    fn is_letter(self) -> bool {
        matches!(self, Self::Lower | Self::Upper)
    }

    fn is_accented(self) -> bool {
        matches!(self, Self::AccentedLower | Self::AccentedUpper | Self::RareLower | Self::RareUpper)
    }

    /// What it is beside an accented letter: a word begins behind a quote, a dash or an apostrophe, and ends before them.
    fn beside_letter(byte: Option<u8>) -> Self {
        match byte {
            Some(0x82 | 0x84 | 0x85 | 0x8B | 0x91..=0x97 | 0x9B | 0xA0 | 0xAB | 0xBB) => Self::Edge,
            other => Self::of(other),
        }
    }

    fn is_word(self) -> bool {
        self.is_letter() || self == Self::Digit
    }
}

/// Encodings with one byte for each Latin letter, those of whole countries.
pub(super) const LATIN: [Encoding; 5] = [
    Encoding::Windows1252,
    Encoding::Windows1250,
    Encoding::Windows1254,
    Encoding::Windows1257,
    Encoding::Iso8859_15,
];

/// Whether most of the bytes are no punctuation in Windows-1252: no quotes and dashes, which are letters elsewhere.
pub(super) fn are_letters(ahead: &[u8]) -> bool {
    let beyond = ahead.iter().filter(|byte| **byte >= 0x80);
    let signs = beyond
        .clone()
        .filter(|byte| matches!(byte, 0x80 | 0x82 | 0x84 | 0x85 | 0x91..=0x97 | 0x99 | 0xA0..=0xBF));
    signs.count() * 2 < beyond.count()
}

/// Whether half of the bytes or more stand between letters of ASCII.
pub(super) fn are_within_words(ahead: &[u8]) -> bool {
    let between = |three: &&[u8]| matches!(three, [one, 0x80..=0xFF, other] if one.is_ascii_alphabetic() && other.is_ascii_alphabetic());
    let first = matches!(ahead, [0x80..=0xFF, next, ..] if next.is_ascii_alphabetic());
    let within = ahead.windows(3).filter(between).count() + usize::from(first);
    within * 2 >= ahead.iter().filter(|byte| **byte >= 0x80).count()
}

/// The weights of the code page of DOS, and of Macintosh Roman: those of the same text in Windows-1252.
pub(super) fn weigh_pages(context: &[u8], ahead: &[u8]) -> [(Encoding, i64); 2] {
    [Encoding::Cp850, Encoding::Macintosh]
        .map(|encoding| (encoding, weigh(context, &in_1252(encoding, ahead))))
}

/// The weight of Windows-1250, where bytes tell it from Windows-1252: `Ť`, `Ź` and `ť`, which have no character there, and `ź`
/// behind a small letter, which is a capital there. None where there are no such bytes.
pub(super) fn weigh_central(context: &[u8], ahead: &[u8]) -> Option<i64> {
    let is_telling = |pair: &[u8]| matches!(pair, [_, 0x8D | 0x8F | 0x9D] | [b'a'..=b'z', 0x9F]);
    let before = context.last().copied().unwrap_or_default();
    let first = [before, ahead.first().copied().unwrap_or_default()];
    if !is_telling(&first) && !ahead.windows(2).any(is_telling) {
        return None;
    }
    // As the letters of Windows-1252 that stand where these do.
    let in_1252 = |byte: &u8| match byte {
        0x8C | 0x8D | 0x8F | 0xA3 | 0xA5 | 0xAA | 0xAF | 0xBC => 0x8A,
        0x9C | 0x9D | 0x9F | 0xB3 | 0xB9 | 0xBA | 0xBE | 0xBF => 0x9A,
        other => *other,
    };
    let ahead: Vec<_> = ahead.iter().map(in_1252).collect();
    Some(weigh(context, &ahead))
}

/// The bytes that the same text has in Windows-1252; one that is open there for characters that it does not have.
fn in_1252(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    const OPEN: u8 = 0x81;
    let tables = Tables::of(encoding);
    let translated: Vec<_> = (0x80..=0xFF_u8)
        .map(|byte| {
            let text = tables.characters(std::slice::from_ref(&byte));
            let (bytes, _, has_missing) = WINDOWS_1252.encode(&text);
            bytes.first().copied().filter(|_| !has_missing).unwrap_or(OPEN)
        })
        .collect();
    let translated =
        |byte: u8| byte.checked_sub(0x80).and_then(|at| translated.get(usize::from(at)).copied());
    bytes.iter().map(|byte| translated(*byte).unwrap_or(*byte)).collect()
}

/// The weight of Windows-1252.
pub(super) fn weigh(context: &[u8], ahead: &[u8]) -> i64 {
    let mut before = context.last().copied();
    let mut weight = 0;
    for (index, &byte) in ahead.iter().enumerate() {
        if byte >= 0x80 {
            weight += weigh_byte(before, byte, ahead.get(index + 1..).unwrap_or_default());
        }
        before = Some(byte);
    }
    weight
}

fn weigh_byte(before: Option<u8>, byte: u8, behind: &[u8]) -> i64 {
    let next = behind.first().copied();
    let (left, right) = match Class::of(Some(byte)).is_accented() {
        true => (Class::beside_letter(before), Class::beside_letter(next)),
        false => (Class::of(before), Class::of(next)),
    };
    // "c’è", "dov’è".
    if byte >= 0xC0 && before == Some(0x92) && right == Class::Edge {
        return 4;
    }
    let is_pair =
        left == Class::Edge && right.is_letter() && Class::of(behind.get(1).copied()) == Class::Edge;
    match Class::of(Some(byte)) {
        Class::Open => INVALID,
        // A word of two letters, or one kanji: which is the more likely where there is nothing else.
        Class::AccentedLower | Class::AccentedUpper | Class::RareLower | Class::RareUpper if is_pair => 2,
        Class::AccentedLower => weigh_lower(left, right),
        Class::AccentedUpper => weigh_upper(left, right),
        Class::RareLower => match (left, right) {
            (Class::Lower | Class::Upper, Class::Lower | Class::Edge) => 6,
            (Class::Edge, Class::Lower) => 2,
            _ => -4,
        },
        Class::RareUpper => match (left, right) {
            (Class::Edge, Class::Lower | Class::Upper) => 4,
            // "Žák", "ŠŤASTNÝ".
            (Class::Edge, Class::AccentedLower | Class::AccentedUpper)
                if behind.get(1).is_some_and(u8::is_ascii_alphabetic) =>
            {
                4
            }
            (Class::Edge, Class::RareUpper) if behind.get(1).is_some_and(u8::is_ascii_alphabetic) => 2,
            (Class::Upper | Class::RareUpper, Class::Upper) => 2,
            _ => -4,
        },
        _ => weigh_sign(byte, left, right, behind),
    }
}

fn weigh_lower(left: Class, right: Class) -> i64 {
    use Class::{AccentedLower, AccentedUpper, Edge, Lower, RareUpper, Upper};
    match (left, right) {
        (Edge, Edge) => 0,
        (Lower | Upper, Edge | Lower | AccentedLower)
        | (Edge | AccentedLower | AccentedUpper | RareUpper, Lower) => 6,
        // The end of a word behind another accented letter: "créée".
        (AccentedLower, Edge) => 0,
        (Edge | AccentedLower, AccentedLower) => -2,
        _ => -4,
    }
}

fn weigh_upper(left: Class, right: Class) -> i64 {
    use Class::{AccentedLower, AccentedUpper, Edge, Lower, RareUpper, Upper};
    match (left, right) {
        (Edge, Edge) => 0,
        (Edge, Lower | Upper) | (Upper, Edge | Upper) => 6,
        (AccentedUpper | RareUpper, Upper) => 4,
        (Upper, AccentedUpper) => 3,
        (Edge | Upper, AccentedLower) | (Edge | AccentedUpper, AccentedUpper) | (AccentedUpper, Edge) => -2,
        _ => -4,
    }
}

fn weigh_sign(byte: u8, left: Class, right: Class, behind: &[u8]) -> i64 {
    let letters_behind = behind.iter().take_while(|byte| byte.is_ascii_alphabetic()).take(2).count();
    let is_before_accent = right.is_accented();
    match (byte, left, right) {
        // "l’Étoile", "D’ÉCOLE".
        (0x92, Class::Lower | Class::Upper, _) if is_before_accent => 6,
        // An apostrophe: "it's", "O'Brien", "the users' files".
        (0x92, Class::Lower, _) if letters_behind > 0 => 6,
        (0x92, Class::Upper, _) if letters_behind > 1 => 6,
        (0x92, Class::Lower, Class::Edge) => 2,
        // Quotes, in the English and in the German way.
        (0x82 | 0x84 | 0x91 | 0x93, Class::Edge, right) if right.is_word() || is_before_accent => 2,
        (0x91..=0x94, left, Class::Edge) if left.is_word() => 2,
        (0x94, Class::Edge, Class::Edge) => 0,
        // Dashes.
        (0x96 | 0x97, Class::Edge, Class::Edge) | (0x96 | 0x97, Class::Digit, Class::Digit) => 4,
        (0x96 | 0x97, left, right) if left.is_letter() && (right.is_letter() || is_before_accent) => 2,
        // An ellipsis, a bullet, a trade mark, a euro.
        (0x85 | 0x99, left, Class::Edge) if left.is_word() => 4,
        (0x95, Class::Edge, Class::Edge) => 2,
        (0x95..=0x97, Class::Edge, _)
            if is_before_accent && behind.get(1).is_some_and(u8::is_ascii_alphabetic) =>
        {
            2
        }
        (0x80, Class::Edge | Class::Digit, Class::Edge | Class::Digit) => 4,
        (0x80..=0x9F, ..) => -6,
        (0xAB | 0xBB, Class::Edge, Class::Edge) => 2,
        (_, left, right) if left.is_word() && (right.is_word() || right == Class::Edge) => 4,
        (_, Class::Edge, right) if right.is_word() => 4,
        (_, Class::Edge, Class::Edge) => 0,
        _ => -2,
    }
}
