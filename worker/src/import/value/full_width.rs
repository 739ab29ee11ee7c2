//! Full-width digits and signs (`１２３`, `－`, `．`, `／`, `：`), as Japanese programs write numbers and dates. They are turned
//! into ASCII where a value could not be read without that, so that values of ASCII never pay for it.

/// The text with the characters of numbers and dates in ASCII; `None` where there is nothing to turn.
pub(super) fn to_ascii(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let folded: String = text.chars().map(fold).collect();
    (folded != text).then_some(folded)
}

fn fold(character: char) -> char {
    match character {
        '\u{FF10}'..='\u{FF19}' => {
            let digit = u32::from(character) - 0xFF10;
            char::from_digit(digit, 10).unwrap_or(character)
        }
        '＋' => '+',
        // The sign of a full-width keyboard, and the minus of mathematics, which some tables make of it.
        '－' | '\u{2212}' => '-',
        '．' => '.',
        '／' => '/',
        '：' => ':',
        '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_numbers_and_dates_are_written_with_is_turned() {
        assert_eq!(to_ascii("－１２３．４５").as_deref(), Some("-123.45"));
        assert_eq!(to_ascii("２０２４／０２／２９　１２：００").as_deref(), Some("2024/02/29 12:00"));
        assert_eq!(to_ascii("２０２４年").as_deref(), Some("2024年"));
        for text in ["123", "東京", "ＡＢＣ", ""] {
            assert_eq!(to_ascii(text), None, "{text}");
        }
    }
}
