//! Values that stay as they are written: text, the labels of an enum, hexadecimal digits.

use super::Labels;
use super::ambiguities::Ambiguities;
use crate::import::reject::{Misfit, Reason};

/// The text without white space around it.
pub(super) fn trim(text: &str) -> &str {
    // Most fields have none, and ask for no look at what Unicode calls white space.
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Text without NUL, of at most so many characters; blanks beyond them are cut, as SQL's standard has it.
pub(super) fn parse_text<'a>(
    text: &'a str,
    max_characters: Option<u32>,
    ambiguities: &Ambiguities,
) -> Result<&'a str, Misfit> {
    if text.as_bytes().contains(&0) {
        return Err(Misfit::new(Reason::NulCharacter, "has a NUL character"));
    }
    if let Some(max) = max_characters {
        let max = max as usize;
        // Bytes are at least as many as characters: most values need no count.
        if text.len() > max
            && let Some((end, _)) = text.char_indices().nth(max)
        {
            return without_blanks(text, end, max, ambiguities);
        }
    }
    Ok(text)
}

/// A text that is too long, up to its end, where only blanks stand behind that.
#[cold]
fn without_blanks<'a>(
    text: &'a str,
    end: usize,
    max: usize,
    ambiguities: &Ambiguities,
) -> Result<&'a str, Misfit> {
    match text.split_at_checked(end) {
        Some((kept, blanks)) if blanks.bytes().all(|byte| byte == b' ') => {
            ambiguities.cut_blanks();
            Ok(kept)
        }
        _ => {
            let says = format!("has {} characters, the column takes {max}", text.chars().count());
            Err(Misfit::new(Reason::TooLong, says))
        }
    }
}

/// A label to the letter, with its white space or else without.
pub(super) fn parse_label<'a>(text: &'a str, labels: &Labels) -> Result<&'a str, Misfit> {
    let found = [text, trim(text)].into_iter().find(|label| labels.contains(label));
    found.ok_or_else(|| match text.is_empty() {
        true => super::absent::is_empty(),
        false => Misfit::new(Reason::NotInEnum, format!("is not one of: {labels}")),
    })
}

/// The digits of `\x00ff`.
pub(super) fn parse_hex(text: &str) -> Result<&str, Misfit> {
    match text.strip_prefix("\\x") {
        Some(digits) if digits.len() % 2 == 0 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(digits),
        _ => Err(Misfit::new(Reason::NotHex, "is not \\x and pairs of hexadecimal digits")),
    }
}

/// The bytes of pairs of hexadecimal digits.
pub(crate) fn hex_bytes(digits: &str) -> impl Iterator<Item = u8> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    };
    digits.as_bytes().chunks_exact(2).filter_map(move |pair| match *pair {
        [high, low] => Some(nibble(high) << 4 | nibble(low)),
        _ => None,
    })
}
