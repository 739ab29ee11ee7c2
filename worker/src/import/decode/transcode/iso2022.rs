//! ISO-2022-JP: seven bits, and escape sequences that say which characters follow. Read here by hand, because no decoder lets a
//! line break stand where it stands: a row must end where its line ends, whatever is wrong within it. Half-width katakana are
//! taken by escape sequence and by shift codes (JIS X 0201), and the kanji of JIS X 0212.

use encoding_rs::EUC_JP;

const ESCAPE: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;

/// The longest escape sequence.
const LONGEST: usize = 4;

/// Which characters bytes stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Set {
    #[default]
    Ascii,
    /// ASCII but for the yen and the overline.
    Roman,
    Katakana,
    /// JIS X 0208.
    Kanji,
    /// JIS X 0212.
    MoreKanji,
    /// One that ISO-2022-JP does not have.
    Other,
}

/// The escape sequences, without their first byte.
const SEQUENCES: [(&[u8], Set); 8] = [
    (b"(B", Set::Ascii),
    (b"(J", Set::Roman),
    (b"(H", Set::Roman),
    (b"(I", Set::Katakana),
    (b"$@", Set::Kanji),
    (b"$B", Set::Kanji),
    (b"$(D", Set::MoreKanji),
    // Announces a newer edition of the kanji that follow.
    (b"&@", Set::Ascii),
];

/// Turns pieces of a text into UTF-8.
#[derive(Default)]
pub(super) struct Iso2022Jp {
    set: Set,
    is_shifted: bool,
    /// The beginning of what the next piece goes on with.
    pending: Vec<u8>,
    /// A line ended in a set of its own: nobody knows which the next one is in, until it says so.
    is_lost: bool,
    /// The line has been marked for that.
    is_marked: bool,
}

/// What a few bytes are.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A character.
    Character(char),
    /// Nothing to be seen: an escape sequence.
    Nothing,
    /// No character.
    Undecodable,
    /// The end of a line that leaves its set open.
    Unclosed(char),
    /// The first byte of a line whose set nobody knows.
    Lost,
    /// More bytes are needed to tell.
    More,
}

impl Iso2022Jp {
    /// Appends the text of `raw`, with `undecodable` for what is no character.
    pub(super) fn append(&mut self, raw: &[u8], last: bool, undecodable: u8, text: &mut Vec<u8>) {
        let mut held = std::mem::take(&mut self.pending);
        held.extend_from_slice(raw);
        let (mut rest, mut utf8) = (&held[..], [0; 4]);
        while !rest.is_empty() {
            let (step, taken) = self.step(rest, last);
            match step {
                Step::More => break,
                Step::Nothing => {}
                Step::Undecodable | Step::Lost => text.push(undecodable),
                Step::Character(c) => text.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes()),
                Step::Unclosed(c) => {
                    text.push(undecodable);
                    text.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                }
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        self.pending = rest.to_vec();
    }

    /// Where in a line the first thing stands that is no character.
    pub(super) fn first_undecodable(raw: &[u8]) -> Option<usize> {
        let (mut decoder, mut at) = (Self::default(), 0);
        while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
            match decoder.step(rest, true) {
                (Step::Undecodable | Step::Unclosed(_) | Step::Lost | Step::More, _) => return Some(at),
                (Step::Character(_) | Step::Nothing, taken) => at += taken,
            }
        }
        None
    }

    /// What stands at the beginning of `rest`, which is not empty, and how many bytes that is.
    fn step(&mut self, rest: &[u8], last: bool) -> (Step, usize) {
        let byte = rest.first().copied().unwrap_or_default();
        match byte {
            ESCAPE => self.escape(rest, last),
            SHIFT_OUT | SHIFT_IN => {
                self.is_shifted = byte == SHIFT_OUT;
                (Step::Nothing, 1)
            }
            b'\r' | b'\n' => {
                let is_open = self.is_shifted || !matches!(self.set, Set::Ascii | Set::Roman);
                self.is_marked = false;
                if is_open {
                    (self.set, self.is_shifted, self.is_lost) = (Set::Ascii, false, true);
                    return (Step::Unclosed(char::from(byte)), 1);
                }
                (Step::Character(char::from(byte)), 1)
            }
            _ if self.is_lost && !self.is_marked => {
                self.is_marked = true;
                (Step::Lost, 0)
            }
            0x80.. => (Step::Undecodable, 1),
            0x00..=0x20 => (Step::Character(char::from(byte)), 1),
            _ if self.is_shifted => katakana(byte),
            _ => match self.set {
                Set::Ascii => (Step::Character(char::from(byte)), 1),
                Set::Roman => (Step::Character(roman(byte)), 1),
                Set::Katakana => katakana(byte),
                Set::Kanji | Set::MoreKanji => self.kanji(rest, last),
                Set::Other => (Step::Undecodable, 1),
            },
        }
    }

    fn escape(&mut self, rest: &[u8], last: bool) -> (Step, usize) {
        let behind = rest.get(1..).unwrap_or_default();
        for (sequence, set) in SEQUENCES {
            if behind.starts_with(sequence) {
                // The announcement changes nothing by itself.
                if sequence != b"&@" {
                    (self.set, self.is_lost) = (set, false);
                }
                return (Step::Nothing, 1 + sequence.len());
            }
        }
        if rest.len() < LONGEST && !last {
            return (Step::More, 0);
        }
        // Which set that is, is not known; it ends with the next sequence.
        if matches!(behind, [b'$' | b'(' | b')' | b'*' | b'+' | b'-' | b'.', ..]) {
            (self.set, self.is_lost) = (Set::Other, false);
            return (Step::Undecodable, 1);
        }
        (Step::Character(char::from(ESCAPE)), 1)
    }

    fn kanji(&self, rest: &[u8], last: bool) -> (Step, usize) {
        match *rest {
            [_] if !last => (Step::More, 0),
            [first, second @ 0x21..=0x7E, ..] if first <= 0x7E => {
                let pair = [0x8F, first | 0x80, second | 0x80];
                let sequence =
                    if self.set == Set::MoreKanji { &pair[..] } else { pair.get(1..).unwrap_or_default() };
                let decoded = EUC_JP.decode_without_bom_handling_and_without_replacement(sequence);
                let character = decoded.and_then(|text| text.chars().next());
                (character.map_or(Step::Undecodable, Step::Character), 2)
            }
            _ => (Step::Undecodable, 1),
        }
    }
}

fn roman(byte: u8) -> char {
    match byte {
        b'\\' => '¥',
        b'~' => '‾',
        other => char::from(other),
    }
}

fn katakana(byte: u8) -> (Step, usize) {
    let character = match byte {
        0x21..=0x5F => char::from_u32(0xFF61 + u32::from(byte - 0x21)),
        _ => None,
    };
    (character.map_or(Step::Undecodable, Step::Character), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &[u8]) -> Vec<u8> {
        let whole = in_pieces(raw, raw.len().max(1));
        for size in 1..4 {
            assert_eq!(in_pieces(raw, size), whole, "{raw:X?} in pieces of {size}");
        }
        whole
    }

    fn in_pieces(raw: &[u8], size: usize) -> Vec<u8> {
        let (mut decoder, mut text) = (Iso2022Jp::default(), Vec::new());
        raw.chunks(size).for_each(|piece| decoder.append(piece, false, 0xFF, &mut text));
        decoder.append(b"", true, 0xFF, &mut text);
        text
    }

    #[test]
    fn every_set_is_read() {
        for (raw, expected) in [
            (&b"1,\x1B$B;3EDB@O:\x1B(B,x"[..], "1,山田太郎,x"),
            (b"\x1B$@;3\x1B(Jx\\~", "山x¥‾"),
            (b"\x1B(I1=\x1B(B,\x0E1=\x0F,", "ｱｽ,ｱｽ,"),
            (b"\x1B$(D0!\x1B(B", "丂"),
            (b"\x1B&@\x1B$B;3\x1B(B", "山"),
            (b"\x1B[31mred\x1B[0m", "\x1B[31mred\x1B[0m"),
            (b"\x1B$B;3 ED", "山 田"),
        ] {
            assert_eq!(String::from_utf8(text(raw)).unwrap(), expected);
            assert_eq!(Iso2022Jp::first_undecodable(raw), None);
        }
        // The decoder that everybody has says the same.
        let (bytes, ..) = encoding_rs::ISO_2022_JP.encode("東京都,表示\"機能\"\n髙橋,1");
        assert_eq!(text(&bytes), encoding_rs::ISO_2022_JP.decode(&bytes).0.as_bytes());
    }

    #[test]
    fn what_is_no_character_is_marked() {
        for (raw, expected, at) in [
            (&b"a\x80b"[..], &b"a\xFFb"[..], 1),
            (b"\x1B$B;3\x7F!\x1B(B,", b"\xE5\xB1\xB1\xFF\xFF,", 5),
            (b"\x1B$B;", b"\xFF", 3),
            (b"\x1B$Aab", b"\xFF\xFF\xFF\xFF\xFF", 0),
            (b"\x1B(Ia", b"\xFF", 3),
        ] {
            assert_eq!(text(raw), expected, "{raw:X?}");
            assert_eq!(Iso2022Jp::first_undecodable(raw), Some(at), "{raw:X?}");
        }
    }

    #[test]
    fn a_line_ends_where_it_ends_whatever_set_it_is_in() {
        let raw = b"\x1B$B;3\n;3ED\n\nx\n\x1B(By\nz";
        let expected: Vec<_> =
            "山?\n?;3ED\n\n?x\ny\nz".bytes().map(|byte| if byte == b'?' { 0xFF } else { byte }).collect();
        assert_eq!(text(raw), expected);
        assert_eq!(Iso2022Jp::first_undecodable(b"\x1B$B;3\n"), Some(5));
        // The yen goes on to the next line.
        assert_eq!(text(b"\x1B(J\\\n\\"), "¥\n¥".as_bytes());
    }
}
