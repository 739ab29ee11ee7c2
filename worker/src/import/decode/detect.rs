//! Which encoding bytes are written in that nobody declares. UTF-16 is told by its NUL bytes, UTF-8 by its validity,
//! ISO-2022-JP by its escape sequences; what remains is weighed as Japanese, Western and other text, and a tie is Japanese: a
//! short Japanese file must not be read as Windows-1252, which has a character for nearly every byte. A guess that might as
//! well be another one says so.

mod japanese;
mod others;
pub(super) mod seven_bit;
mod western;

use statemachine::Encoding;

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

/// The encoding of text, from its first byte that is not ASCII on. `context` is what stands before; `whole` tells that
/// nothing follows.
pub(super) fn guess(context: &[u8], ahead: &[u8], whole: bool) -> Guess {
    if is_utf8(ahead, whole) {
        let others = if is_short_of_phonetic(ahead) { others_of_phonetic(ahead, whole) } else { Vec::new() };
        return Guess { encoding: Encoding::Utf8, others };
    }
    let cp932 = japanese::weigh_cp932(context, ahead, whole);
    let euc_jp = japanese::weigh_euc_jp(ahead, whole);
    let western = western::weigh(context, ahead);
    let (usual, weight) = if western > cp932.max(euc_jp) {
        (Encoding::Windows1252, western)
    } else if euc_jp > cp932 {
        (Encoding::EucJp, euc_jp)
    } else {
        (Encoding::Cp932, cp932)
    };
    let weights = [
        (Encoding::Cp932, cp932),
        (Encoding::EucJp, euc_jp),
        (Encoding::Windows1252, western),
        (Encoding::Gb18030, others::weigh_gb18030(ahead, whole)),
        (Encoding::Big5, others::weigh_big5(ahead, whole)),
        (Encoding::EucKr, others::weigh_euc_kr(ahead, whole)),
        (Encoding::Windows1251, others::weigh_cyrillic(ahead)),
    ];
    let (other, most) = weights.into_iter().max_by_key(|(_, weight)| *weight).unwrap_or((usual, weight));
    // Only what is far more likely; a few characters may be anything.
    let is_other = most >= CERTAIN && most > weight + weight.abs() / 4;
    let (encoding, weight) = if is_other { (other, most) } else { (usual, weight) };
    Guess { encoding, others: doubts(encoding, weight, &weights, ahead) }
}

/// The encodings that fit nearly as well as the one that was guessed.
fn doubts(guess: Encoding, weight: i64, weights: &[(Encoding, i64)], ahead: &[u8]) -> Vec<Encoding> {
    // What says nothing against it is as good as what hardly says anything for the other one.
    let is_near = |other: i64| other * 3 > weight * 2 || (weight < CERTAIN && other >= 0);
    let mut others: Vec<_> = weights
        .iter()
        .filter(|(other, near)| *other != guess && is_near(*near))
        .map(|(other, _)| *other)
        .collect();
    // Of encodings with one byte a character, others have other letters in the same places.
    if guess == Encoding::Windows1252 && western::has_other_letters(ahead) {
        others.extend([Encoding::Windows1250, Encoding::Iso8859_15]);
    }
    others
}

/// How many characters a text of UTF-8 may have whose bytes are valid by chance.
const BY_CHANCE: usize = 8;

/// Whether these are a few characters, and all of them such as only phonetic alphabets have: U+0180 to U+02FF. A kanji of EUC-JP
/// may have their bytes.
fn is_short_of_phonetic(ahead: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(ahead) else { return false };
    let characters = || text.chars().filter(|c| !c.is_ascii());
    (1..=BY_CHANCE).contains(&characters().count())
        && characters().all(|c| matches!(c, '\u{180}'..='\u{2FF}'))
}

/// Encodings with two bytes for a character of which those bytes may be, too.
fn others_of_phonetic(ahead: &[u8], whole: bool) -> Vec<Encoding> {
    [
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

/// Whether this is UTF-8, a few broken bytes aside. A long sequence is valid by chance less often than one of two bytes.
fn is_utf8(ahead: &[u8], whole: bool) -> bool {
    let (mut valid, mut broken, mut at) = (0_u64, 0_u64, 0);
    for chunk in ahead.utf8_chunks() {
        valid += chunk.valid().chars().map(|c| [0, 0, 1, 3, 3].get(c.len_utf8()).unwrap_or(&0)).sum::<u64>();
        at += chunk.valid().len() + chunk.invalid().len();
        if let Err(error) = std::str::from_utf8(chunk.invalid()) {
            // The look-ahead may end within a character.
            let is_cut = !whole && at == ahead.len() && error.error_len().is_none();
            broken += u64::from(!is_cut);
        }
    }
    match broken {
        0 => true,
        // So many are no chance.
        _ if valid > 8 * broken => true,
        // Of so few, some words of Japanese consist.
        _ if valid > 2 * broken => {
            let is_clean = |encoding: &'static encoding_rs::Encoding| {
                encoding.decode_without_bom_handling_and_without_replacement(ahead).is_some()
            };
            !is_clean(encoding_rs::SHIFT_JIS) && !is_clean(encoding_rs::EUC_JP)
        }
        _ => false,
    }
}

/// Which UTF-16 a file without a mark is, told from its beginning: every character of ASCII has a NUL beside it there,
/// and elsewhere a NUL is hardly found.
pub(super) fn utf16(head: &[u8]) -> Option<Encoding> {
    let (mut pairs, mut little, mut big, mut structure, mut paired) =
        (0, Sides::default(), Sides::default(), 0, 0);
    let (units, _) = head.as_chunks::<2>();
    for unit in units {
        pairs += 1;
        structure += unit.iter().filter(|byte| is_structure(**byte)).count();
        match *unit {
            [0, 0] => return None,
            [byte, 0] => little.add(byte),
            [0, byte] => big.add(byte),
            _ => {}
        }
    }
    let (encoding, side, other) = if little.text >= big.text {
        (Encoding::Utf16Le, little, big)
    } else {
        (Encoding::Utf16Be, big, little)
    };
    paired += side.structure;
    let is_western = side.text > 0 && other.text == 0 && side.text * 3 >= pairs * 2;
    let is_structured = paired >= 2 && paired * 2 >= structure && side.text > other.text;
    (is_western || is_structured).then_some(encoding)
}

/// Characters with a NUL at one of their sides.
#[derive(Default)]
struct Sides {
    text: usize,
    structure: usize,
}

impl Sides {
    fn add(&mut self, byte: u8) {
        self.text += usize::from(matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
        self.structure += usize::from(is_structure(byte));
    }
}

fn is_structure(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b'"' | b',' | b';' | b'|')
}

#[cfg(test)]
mod tests;
