//! Which encoding bytes are written in that nobody declares. UTF-16 is told by its NUL bytes, ISO-2022-JP by its escape
//! sequences, UTF-8 by its validity; what has broken bytes is weighed as UTF-8, Japanese, Western and other text, and a tie is
//! Japanese: a short Japanese file must not be read as Windows-1252, which has a character for nearly every byte. A guess that
//! might as well be another one says so.

mod japanese;
mod others;
pub(super) mod seven_bit;
mod utf8;
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
    let utf8 = utf8::look(context, ahead, whole);
    if utf8.is_certain {
        let others = if utf8.says_nothing { others_of_two_bytes(context, ahead, whole) } else { Vec::new() };
        return Guess { encoding: Encoding::Utf8, others };
    }
    let cp932 = japanese::weigh_cp932(context, ahead, whole);
    let euc_jp = japanese::weigh_euc_jp(ahead, whole);
    let western = western::weigh(context, ahead);
    let japanese = cp932.max(euc_jp);
    let central = western::weigh_central(context, ahead).unwrap_or(i64::MIN);
    let (usual, weight) = if utf8.weight > japanese.max(western).max(central) {
        (Encoding::Utf8, utf8.weight)
    } else if western > japanese {
        (Encoding::Windows1252, western)
    } else if central > japanese {
        // Only instead of Japanese: one stray byte does not make Western text Central European.
        (Encoding::Windows1250, central)
    } else if euc_jp > cp932 {
        (Encoding::EucJp, euc_jp)
    } else {
        (Encoding::Cp932, cp932)
    };
    let weights = [
        (Encoding::Utf8, utf8.weight),
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
    let mut others = doubts(encoding, weight, &weights, ahead);
    if encoding != Encoding::Utf8 && weight < CERTAIN && utf8.may_be() && !others.contains(&Encoding::Utf8) {
        others.insert(0, Encoding::Utf8);
    }
    Guess { encoding, others }
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
