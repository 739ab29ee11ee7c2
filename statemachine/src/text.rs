//! Text that every service of AWS takes. Names, values and sentences of others are quoted in causes and reasons, and these go
//! through Step Functions into the attributes of a message. SQS refuses a message with a character that XML 1.0 does not
//! have, and nobody would see the reason then. `dead-letter.asl.json` does the same with causes that others give.

use std::borrow::Cow;

/// What stands for a character that is not taken.
const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// What ends a text that was cut.
const CUT: &str = "…";

/// The text without what a service refuses, or what upsets a console. Its lines stay lines.
///
/// SQS takes `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF` (`API_SendMessage`).
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_fine = |c: char| c == '\n' || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    if text.chars().all(is_fine) {
        return Cow::Borrowed(text);
    }
    let fine = |c: char| match c {
        '\t' | '\r' => ' ',
        c if is_fine(c) => c,
        _ => UNKNOWN,
    };
    text.chars().map(fine).collect()
}

/// The text as far as `max_bytes` allow, which are a few at least. What is cut is marked.
#[must_use]
pub fn cut(text: &str, max_bytes: usize) -> Cow<'_, str> {
    if text.len() <= max_bytes {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(max_bytes.saturating_sub(CUT.len()));
    Cow::Owned(format!("{}{CUT}", text.get(..end).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_sqs_refuses_are_replaced_and_all_others_stay() {
        assert_eq!(
            printable("a\nb\r\u{1b}[31m\t\u{0}\u{b}\u{7f}\u{fffe}\u{ffff}"),
            "a\nb \u{fffd}[31m \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
        let fine = "é 東京 \u{d7ff}\u{e000}\u{fffd}\u{10000}\u{1fffe}\u{10ffff} 😀";
        assert!(matches!(printable(fine), Cow::Borrowed(same) if same == fine));
        let is_taken = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        let all: String = ('\0'..=char::MAX).collect();
        assert!(printable(&all).chars().all(is_taken));
    }

    #[test]
    fn a_text_that_is_cut_is_whole_characters_and_says_so() {
        assert_eq!(cut("東京都", 9), "東京都");
        assert_eq!(cut("東京都", 8), "東…");
        assert_eq!(cut(&"x".repeat(100), 10), "xxxxxxx…");
    }
}
