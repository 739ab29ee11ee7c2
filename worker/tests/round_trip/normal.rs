//! What Baton documents that it makes of a field before the database reads it: the texts that the server may be given, the
//! first that it takes counts.

use crate::types::Family;

/// What may stand for a field; `None` is NULL.
pub(crate) type Candidate = Option<String>;

/// How a file says NULL: by the empty field, or by a text of its own.
pub(crate) type Marker = Option<&'static str>;

/// `has_empty` says whether the type has a value that is written as nothing: an empty text, a document without words.
pub(crate) fn candidates(
    (family, has_empty): (Family, bool),
    text: &str,
    quoted: bool,
    marker: Marker,
) -> Vec<Candidate> {
    let trimmed = text.trim();
    match marker {
        // Quoted, it is that text where the type has it, or has an empty value.
        Some(marker) if trimmed == marker && (text == marker || family != Family::Text) => {
            return match (quoted, family) {
                (false, _) => vec![None],
                // Whether the server reads it, and a domain allows it, turns out too late.
                (true, Family::Server | Family::Text) => vec![Some(text.to_owned())],
                (true, Family::Label) => {
                    let label = [text, trimmed].map(|label| Some(label.to_owned()));
                    label.into_iter().chain((!has_empty).then_some(None)).collect()
                }
                (true, _) if has_empty => vec![Some(text.to_owned())],
                (true, _) => vec![Some(text.to_owned()), None],
            };
        }
        None if text.is_empty() && !(quoted && has_empty) => return vec![None],
        None if trimmed.is_empty() && !text.is_empty() && !keeps_white_space(family, has_empty) => {
            return vec![None];
        }
        _ => {}
    }
    let mut candidates = Vec::new();
    // Of bytes, which have an empty value, white space is a part, unless they are hexadecimal digits.
    let is_bytes_as_text = family == Family::Trimmed && has_empty && !trimmed.starts_with("\\x");
    if matches!(family, Family::Digits | Family::Trimmed)
        && !is_bytes_as_text
        && trimmed != text
        && !trimmed.is_empty()
    {
        candidates.push(Some(trimmed.to_owned()));
    }
    candidates.push(Some(text.to_owned()));
    if let Some(bare) = trimmed.strip_prefix("urn:uuid:").filter(|_| family == Family::Trimmed) {
        candidates.push(Some(bare.to_owned()));
    }
    if family == Family::Label && trimmed != text {
        candidates.push(Some(trimmed.to_owned()));
    }
    if family == Family::Digits && trimmed.contains(':') && trimmed.contains(',') {
        candidates.push(Some(trimmed.replacen(',', ".", 1)));
    }
    if family == Family::Digits && !text.is_ascii() {
        candidates.push(Some(trimmed.chars().map(half_width).collect()));
    }
    candidates
}

/// Whether white space is a value of a type that has an empty one.
fn keeps_white_space(family: Family, has_empty: bool) -> bool {
    family == Family::Text || (has_empty && matches!(family, Family::Server | Family::Trimmed))
}

/// Full-width digits and signs of numbers and dates, in ASCII.
pub(crate) fn half_width(character: char) -> char {
    match character {
        '０'..='９' | '－' | '＋' | '．' | '／' | '：' => {
            char::from_u32(u32::from(character) - 0xFF00 + 0x20).unwrap_or(character)
        }
        '\u{2212}' => '-',
        '\u{3000}' => ' ',
        other => other,
    }
}
