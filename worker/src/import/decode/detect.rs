//! Which encoding bytes are written in that nobody declares. UTF-16 is told by its NUL bytes, ISO-2022-JP by its escape
//! sequences, UTF-8 by its validity; what has broken bytes is weighed as UTF-8, Japanese and Western text, and a tie is
//! Japanese: a short Japanese file must not be read as Windows-1252, which has a character for nearly every byte. What is none of
//! these goes by the frequency of its letters. A guess that might as well be another one says so.

mod japanese;
mod later;
mod others;
pub(super) mod seven_bit;
mod statistics;
mod utf16;
mod utf8;
mod western;

use statemachine::Encoding;

use super::tables::Tables;
use utf8::Likeness;

pub(super) use later::Later;
pub(super) use utf16::utf16;

/// What a sequence weighs that the encoding does not have.
const INVALID: i64 = -12;

/// Bytes before the first one that is not ASCII that are of use: the word that it stands in.
pub(super) const CONTEXT_BYTES: usize = 8;

/// An encoding that bytes look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) encoding: Encoding,
    /// Others that they look like nearly as much; none where that is certain.
    pub(super) others: Vec<Encoding>,
}

/// What a guess must weigh to be certain: a few words.
const CERTAIN: i64 = 40;

/// What a byte of Japanese text weighs at least, in tenths: other text weighs less, read as Japanese.
const JAPANESE: i64 = 29;
/// The same of everyday words.
const EVERYDAY: i64 = 36;
/// The same of half-width kana alone, some of which stand by themselves.
const KANA: i64 = 25;

/// As few bytes beyond ASCII may be anything: what is usual is taken, and a doubt told.
const FEW_BYTES: i64 = 3;

/// How many bytes beyond ASCII tell a language: a few words.
const TELLING_BYTES: i64 = 24;

/// The encoding of text, from its first byte that is not ASCII on. `context` is what stands before; `whole` tells that
/// nothing follows.
pub(super) fn guess(context: &[u8], ahead: &[u8], whole: bool) -> Guess {
    let utf8 = utf8::look(context, ahead, whole);
    if utf8.is_certain {
        let others = if utf8.says_nothing { others_of_two_bytes(context, ahead, whole) } else { Vec::new() };
        return Guess { encoding: Encoding::Utf8, others };
    }
    let looks = Looks::new(context, ahead, whole, utf8);
    let (encoding, weight) = looks.likeliest();
    let mut others = looks.doubts(encoding, weight);
    others.retain(|other| !says_the_same(*other, encoding, ahead));
    Guess { encoding, others }
}

/// What bytes that are not valid UTF-8 look like, and how much.
struct Looks<'a> {
    ahead: &'a [u8],
    /// Bytes beyond ASCII.
    bytes: i64,
    utf8: Likeness,
    western: i64,
    central: i64,
    /// The Japanese encoding that weighs more.
    japanese: (Encoding, i64),
    /// Code pages of DOS and the Macintosh.
    pages: [(Encoding, i64); 2],
    /// What the frequency of letters says.
    statistics: Option<Encoding>,
    /// What each of the others weighs.
    weights: [(Encoding, i64); 8],
}

impl<'a> Looks<'a> {
    fn new(context: &[u8], ahead: &'a [u8], whole: bool, utf8: Likeness) -> Self {
        let bytes = ahead.iter().filter(|byte| **byte >= 0x80).count() as i64;
        let western = western::weigh(context, ahead);
        let cp932 = (Encoding::Cp932, japanese::weigh_cp932(context, ahead, whole));
        let euc_jp = (Encoding::EucJp, japanese::weigh_euc_jp(ahead, whole));
        Self {
            ahead,
            bytes,
            western,
            central: western::weigh_central(context, ahead).unwrap_or(i64::MIN),
            japanese: if euc_jp.1 > cp932.1 { euc_jp } else { cp932 },
            pages: western::weigh_pages(context, ahead),
            statistics: statistics::guess(context, ahead, whole, western > bytes),
            weights: [
                (Encoding::Utf8, utf8.weight),
                cp932,
                euc_jp,
                (Encoding::Windows1252, western),
                (Encoding::Gb18030, others::weigh_gb18030(ahead, whole)),
                (Encoding::Big5, others::weigh_big5(ahead, whole)),
                (Encoding::EucKr, others::weigh_euc_kr(ahead, whole)),
                (Encoding::Windows1251, others::weigh_cyrillic(ahead)),
            ],
            utf8,
        }
    }

    /// The encoding to take, and its weight.
    fn likeliest(&self) -> (Encoding, i64) {
        let western = (Encoding::Windows1252, self.western);
        if self.utf8.weight > self.japanese.1.max(self.western).max(self.central) {
            return (Encoding::Utf8, self.utf8.weight);
        }
        if self.is_japanese() {
            return self.japanese;
        }
        if let Some(page) = self.page() {
            return page;
        }
        if self.western > self.japanese.1.max(0) && self.bytes <= FEW_BYTES {
            return western;
        }
        match self.statistics {
            Some(Encoding::Cp932 | Encoding::EucJp) => self.japanese,
            Some(other)
                if self.western <= self.japanese.1 || !says_the_same(other, western.0, self.ahead) =>
            {
                let weight = self.weights.iter().find(|(encoding, _)| *encoding == other);
                (other, weight.map_or(self.bytes, |(_, weight)| *weight))
            }
            _ => western,
        }
    }

    /// Whether all are bytes of half-width kana, or capitals with accents.
    fn are_kana(&self) -> bool {
        self.ahead.iter().all(|byte| matches!(byte, 0..0x80 | 0xA1..=0xDF))
    }

    fn is_japanese(&self) -> bool {
        let (_, weight) = self.japanese;
        let is_text = weight * 10 >= self.bytes * if self.are_kana() { KANA } else { JAPANESE };
        weight >= self.western.max(self.central) && (is_text || (weight > 0 && self.bytes <= FEW_BYTES))
    }

    /// The code page that weighs most, the first of two, where the bytes are hardly text in Windows-1252.
    fn page(&self) -> Option<(Encoding, i64)> {
        let page = self.pages.into_iter().rev().max_by_key(|(_, weight)| *weight);
        page.filter(|(_, weight)| {
            let is_likelier =
                self.western < 0 || (*weight > 2 * self.western && western::are_letters(self.ahead));
            is_likelier && *weight > self.japanese.1.max(0) && western::are_within_words(self.ahead)
        })
    }

    /// The encodings that the bytes may be as well, the likeliest first.
    fn doubts(&self, taken: Encoding, weight: i64) -> Vec<Encoding> {
        let is_short = self.bytes < TELLING_BYTES;
        let is_sure = match taken {
            Encoding::Utf8 => true,
            Encoding::Cp932 | Encoding::EucJp => {
                weight * 10 >= self.bytes * if weight < CERTAIN { EVERYDAY } else { JAPANESE }
            }
            _ => false,
        };
        // What says nothing against it is as good as what hardly says anything for the one that is taken.
        let is_near = |other: i64| other * 3 > weight * 2 || (weight < CERTAIN && other >= 0);
        let mut likely: Vec<_> = self.statistics.into_iter().filter(|_| !is_sure).collect();
        let pages = self.pages.into_iter().filter(|(_, weight)| is_short && *weight > self.western.max(0));
        likely.extend(pages.map(|(encoding, _)| encoding));
        likely.extend((is_short && (self.western > 0 || self.are_kana())).then_some(Encoding::Windows1252));
        likely.extend((is_short && self.japanese.1 > 0).then_some(self.japanese.0));
        likely.extend((weight < CERTAIN && self.utf8.may_be()).then_some(Encoding::Utf8));
        likely.extend(self.weights.iter().filter(|(_, near)| is_near(*near)).map(|(encoding, _)| *encoding));
        // They have other letters in the same places.
        if western::LATIN.contains(&taken) || (self.bytes <= FEW_BYTES && !is_sure) {
            likely.extend(western::LATIN);
        }
        let mut others = Vec::new();
        for other in likely {
            if other != taken && !others.contains(&other) {
                others.push(other);
            }
        }
        others
    }
}

/// Whether bytes are the same characters in both encodings.
fn says_the_same(one: Encoding, other: Encoding, bytes: &[u8]) -> bool {
    Tables::of(one).characters(bytes) == Tables::of(other).characters(bytes)
}

/// Encodings with two bytes for a character, or one for a kana, of which those bytes may be, too.
fn others_of_two_bytes(context: &[u8], ahead: &[u8], whole: bool) -> Vec<Encoding> {
    [
        (Encoding::Cp932, japanese::weigh_cp932(context, ahead, whole)),
        (Encoding::EucJp, japanese::weigh_euc_jp(ahead, whole)),
        (Encoding::Gb18030, others::weigh_gb18030(ahead, whole)),
        (Encoding::EucKr, others::weigh_euc_kr(ahead, whole)),
    ]
    .into_iter()
    .filter_map(|(encoding, weight)| (weight > 0).then_some(encoding))
    .collect()
}

/// What valid UTF-8 must weigh that is none by chance: two characters of three bytes, or six of two.
const NOT_BY_CHANCE: usize = 6;

/// Whether this is UTF-8 from its first byte that is not ASCII on, up to a character that is cut off, and that is no chance.
pub(super) fn reads_as_utf8(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_some() => return false,
        Err(error) => {
            let (text, _) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(text).unwrap_or_default()
        }
    };
    let weigh = |c: char| match c.len_utf8() {
        1 => 0,
        2 => 1,
        _ => 3,
    };
    valid.chars().map(weigh).sum::<usize>() >= NOT_BY_CHANCE
}

#[cfg(test)]
mod tests;
