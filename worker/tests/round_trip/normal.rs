//! What Baton documents that it makes of a field before the database reads it: the texts that the server may be given, the
//! first that it takes counts.

use crate::types::Family;

/// What may stand for a field; `None` is NULL.
pub(crate) type Candidate = Option<String>;

/// How a file says NULL: by the empty field, or by a text of its own.
pub(crate) type Marker = Option<&'static str>;

pub(crate) fn candidates(family: Family, text: &str, quoted: bool, marker: Marker) -> Vec<Candidate> {
    match marker {
        Some(marker) if text == marker => return vec![None],
        None if text.is_empty() && !quoted => return vec![None],
        _ => {}
    }
    let mut candidates = vec![Some(text.to_owned())];
    let trimmed = text.trim();
    if matches!(family, Family::Label | Family::Digits | Family::Trimmed)
        && trimmed != text
        && !trimmed.is_empty()
    {
        candidates.push(Some(trimmed.to_owned()));
    }
    if family == Family::Digits && !text.is_ascii() {
        candidates.push(Some(trimmed.chars().map(half_width).collect()));
    }
    // An empty field, and one of white space only, is NULL where the type has no such value.
    if marker.is_none() && trimmed.is_empty() && family != Family::Text {
        candidates.push(None);
    }
    candidates
}

/// Full-width digits and signs of numbers and dates, in ASCII.
fn half_width(character: char) -> char {
    match character {
        '０'..='９' | '－' | '＋' | '．' | '／' | '：' => {
            char::from_u32(u32::from(character) - 0xFF00 + 0x20).unwrap_or(character)
        }
        '\u{2212}' => '-',
        '\u{3000}' => ' ',
        other => other,
    }
}
