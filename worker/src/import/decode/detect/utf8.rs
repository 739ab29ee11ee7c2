//! How much bytes look like UTF-8, a few broken ones aside. Bytes of UTF-8 are also kana and kanji, so that what counts is where
//! its characters stand: an accented letter within a Latin word says much, one by itself says nothing.

use std::str::Utf8Chunk;

use super::INVALID;

/// What a character weighs that only UTF-8 has where it stands: more than a broken one takes away, because Latin letters with
/// two kana or a kanji among them are hardly ever written. So does one of three or four bytes, which is none by chance.
const IN_PLACE: i64 = 28;

/// A letter beside another one of its alphabet.
const IN_WORD: i64 = 12;

/// A character that may be where it stands.
const POSSIBLE: i64 = 4;

/// A letter by itself, such as "à" between blanks.
const ALONE: i64 = 2;

/// How much bytes look like UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Likeness {
    pub(super) weight: i64,
    /// Nothing is broken, or far too little to be another encoding.
    pub(super) is_certain: bool,
    /// No character says that it is one of UTF-8.
    pub(super) says_nothing: bool,
}

impl Likeness {
    /// Whether these may be UTF-8 with one broken character, whatever they are otherwise.
    pub(super) fn may_be(self) -> bool {
        self.weight > INVALID
    }
}

/// Looks at text from its first byte that is not ASCII on.
pub(super) fn look(context: &[u8], ahead: &[u8], whole: bool) -> Likeness {
    let mut left = context.last().map_or(Beside::Edge, |byte| Beside::of(char::from(*byte)));
    let mut word = Word::default();
    context.iter().for_each(|byte| word.go_on(char::from(*byte)));
    let (mut weight, mut broken, mut at) = (0, 0, 0);
    let mut telling = 0_u64;
    for chunk in ahead.utf8_chunks() {
        at += chunk.valid().len() + chunk.invalid().len();
        let is_broken = is_broken(&chunk, whole || at < ahead.len());
        let end = if is_broken { Beside::Broken } else { Beside::Edge };
        for (index, c) in chunk.valid().char_indices() {
            let behind = chunk.valid().get(index + c.len_utf8()..).unwrap_or_default();
            let right = behind.chars().next().map_or(end, Beside::of);
            if !c.is_ascii() {
                let around = Around { left, right, word: word.with(behind) };
                let weighs = around.weigh(c);
                weight += weighs;
                telling += match c.len_utf8() {
                    2 => u64::from(weighs >= IN_WORD),
                    _ => 3,
                };
            }
            word.go_on(c);
            left = Beside::of(c);
        }
        if is_broken {
            (weight, broken) = (weight + INVALID, broken + 1);
            (left, word) = (Beside::Broken, Word::default());
        }
    }
    Likeness {
        weight,
        // So many are no chance.
        is_certain: broken == 0 || telling > 8 * broken,
        says_nothing: telling == 0,
    }
}

/// Whether a chunk ends with what UTF-8 does not have. A look-ahead may end within a character.
fn is_broken(chunk: &Utf8Chunk<'_>, is_followed: bool) -> bool {
    let is_cut = || std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
    !chunk.invalid().is_empty() && (is_followed || !is_cut())
}

/// The letters of a Latin word around a character.
#[derive(Clone, Copy, Debug, Default)]
struct Word {
    letters: usize,
    /// Those of ASCII.
    plain: usize,
}

impl Word {
    /// What stands before the character goes on with this one.
    fn go_on(&mut self, c: char) {
        *self = match Beside::of(c) {
            Beside::Lower | Beside::Upper => Self { letters: self.letters + 1, plain: self.plain + 1 },
            Beside::Letter(Alphabet::Latin) => Self { letters: self.letters + 1, plain: self.plain },
            _ => Self::default(),
        };
    }

    /// With what stands behind the character, of which two letters are enough.
    fn with(self, behind: &str) -> Self {
        let mut word = self;
        for c in behind.chars().take(2) {
            match Beside::of(c) {
                Beside::Lower | Beside::Upper | Beside::Letter(Alphabet::Latin) => word.go_on(c),
                _ => break,
            }
        }
        word
    }

    /// Whether one more letter is at home in it.
    fn is_known(self) -> bool {
        self.letters > 1 && self.plain > 0
    }
}

/// What stands beside a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// The end of a field.
    Edge,
    /// Another sign of ASCII.
    Sign,
    Digit,
    Lower,
    Upper,
    /// A letter of an alphabet with two bytes for each.
    Letter(Alphabet),
    Other,
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Hebrew,
    Arabic,
}

impl Beside {
    fn of(c: char) -> Self {
        match c {
            ',' | ';' | '|' | '\t' | '"' | '\r' | '\n' => Self::Edge,
            '0'..='9' => Self::Digit,
            'a'..='z' => Self::Lower,
            'A'..='Z' => Self::Upper,
            '\0'..='\x7F' => Self::Sign,
            _ => alphabet(c).map_or(Self::Other, Self::Letter),
        }
    }

    fn is_ascii_letter(self) -> bool {
        matches!(self, Self::Lower | Self::Upper)
    }

    /// Whether a word may begin or end here.
    fn is_end(self) -> bool {
        matches!(self, Self::Edge | Self::Sign | Self::Other)
    }
}

/// The alphabet that a letter is of. Letters that only phonetic alphabets have are of none: kanji of EUC-JP have their bytes.
fn alphabet(c: char) -> Option<Alphabet> {
    match c {
        '×' | '÷' => None,
        '\u{C0}'..='\u{17F}' | 'Ơ' | 'ơ' | 'Ư' | 'ư' | 'Ș'..='ț' => Some(Alphabet::Latin),
        '\u{386}'..='\u{3FF}' => Some(Alphabet::Greek),
        '\u{400}'..='\u{52F}' => Some(Alphabet::Cyrillic),
        '\u{531}'..='\u{587}' => Some(Alphabet::Armenian),
        '\u{591}'..='\u{5F4}' => Some(Alphabet::Hebrew),
        '\u{600}'..='\u{6FF}' => Some(Alphabet::Arabic),
        _ => None,
    }
}

/// Where a character stands.
struct Around {
    left: Beside,
    right: Beside,
    word: Word,
}

impl Around {
    fn weigh(&self, c: char) -> i64 {
        match (c, alphabet(c)) {
            // A mark above the letter before it.
            ('\u{300}'..='\u{36F}', _) if self.left.is_ascii_letter() => IN_PLACE,
            (_, Some(Alphabet::Latin)) => self.weigh_latin(c),
            (_, Some(alphabet)) if [self.left, self.right].contains(&Beside::Letter(alphabet)) => IN_WORD,
            ('\u{A0}'..='\u{BF}' | '×' | '÷', _) => self.weigh_sign(c),
            _ if c.len_utf8() > 2 => IN_PLACE,
            _ => ALONE,
        }
    }

    fn weigh_latin(&self, c: char) -> i64 {
        use Beside::{Letter, Lower, Upper};
        let is_letter = |beside| matches!(beside, Lower | Upper | Letter(Alphabet::Latin));
        let may_stand = |beside: Beside| beside.is_end() || is_letter(beside);
        // Beside a broken character nobody knows where the word ends.
        if !may_stand(self.left) || !may_stand(self.right) || self.word.plain == 0 {
            return if self.left.is_end() && self.right.is_end() { ALONE } else { 0 };
        }
        // A capital begins a word or stands among capitals; none stands between two small letters.
        let has_case = match c.is_uppercase() {
            true => self.left != Lower,
            false => self.right != Upper || self.left == Upper,
        };
        if has_case && self.word.is_known() { IN_PLACE } else { POSSIBLE }
    }

    fn weigh_sign(&self, c: char) -> i64 {
        use Beside::{Digit, Edge, Lower, Sign};
        let (left, right) = (self.left, self.right);
        let is_word = |beside: Beside| beside == Digit || beside.is_ascii_letter();
        let is_in_place = match c {
            '°' => matches!(left, Digit | Sign) && (right.is_ascii_letter() || right.is_end()),
            '£' | '¥' | '¢' | '±' | '§' | '©' => left.is_end() && matches!(right, Digit | Sign),
            '¿' | '¡' | '«' => left.is_end() && right.is_ascii_letter(),
            '»' => left.is_ascii_letter() && right.is_end(),
            '®' => left == Lower && right.is_end(),
            '²' | '³' => left == Lower && right.is_end(),
            '½' | '¼' | '¾' | 'º' | 'ª' => left == Digit && right.is_end(),
            'µ' => matches!(left, Digit | Sign) && right == Lower,
            '\u{A0}' => is_word(left) && is_word(right),
            '×' => matches!((left, right), (Digit, Digit) | (Sign, Sign)),
            _ => false,
        };
        match (is_in_place, left, right) {
            (true, ..) => IN_PLACE,
            (false, Edge, Edge) => ALONE,
            (false, ..) => POSSIBLE,
        }
    }
}
