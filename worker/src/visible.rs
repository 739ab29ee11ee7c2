//! Text that comes from files, databases and other people, made fit for a sentence: what would move the cursor of a terminal,
//! change colours or turn the direction of writing is escaped, and what is seen as itself stays as it can be typed.

use std::fmt::Write as _;

use unicode_normalization::char::is_combining_mark;

/// The text with everything escaped that is not seen as itself: control characters, line breaks, marks of direction (which
/// could show a value as another one), characters without any width.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        // The ideographic space and the half-width marks of voice are as usual in Japanese as letters are; another mark
        // joins the letter before it.
        let is_plain = matches!(character, '\u{3000}' | '\u{ff9e}' | '\u{ff9f}' | '"' | '\'' | '\\')
            || (is_combining_mark(character) && !visible.is_empty());
        if is_plain {
            visible.push(character);
        } else {
            // Writing into a string cannot fail.
            let _ = write!(visible, "{}", character.escape_debug());
        }
    }
    visible
}

/// The text between quotes, visible; a quote and a backslash within it have a backslash before them.
pub(crate) fn in_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for part in text.split_inclusive(['"', '\\']) {
        let (plain, sign) = match part.strip_suffix(['"', '\\']) {
            Some(plain) => (plain, part.get(plain.len()..).unwrap_or_default()),
            None => (part, ""),
        };
        quoted.push_str(&visible(plain));
        if !sign.is_empty() {
            quoted.push('\\');
            quoted.push_str(sign);
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_typed_stays_as_it_is_and_nothing_else_does() {
        for text in ["氏\u{3000}名", "ﾌﾟﾛ", "O'Brien", "cafe\u{301}", "a b"] {
            assert_eq!((visible(text), in_quotes(text)), (text.to_owned(), format!("\"{text}\"")));
        }
        for (text, expected) in [
            ("a\u{1b}[31m", "a\\u{1b}[31m"),
            ("a\nb\t", "a\\nb\\t"),
            ("\u{202e}gpj", "\\u{202e}gpj"),
            ("a\u{a0}b", "a\\u{a0}b"),
            ("\u{301}", "\\u{301}"),
        ] {
            assert_eq!((visible(text), in_quotes(text)), (expected.to_owned(), format!("\"{expected}\"")));
        }
        assert_eq!(in_quotes("say \"hi\" \\ \"\""), r#""say \"hi\" \\ \"\"""#);
        assert_eq!((visible("\"\\"), in_quotes("")), ("\"\\".to_owned(), "\"\"".to_owned()));
    }
}
