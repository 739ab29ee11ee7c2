//! JSON: checked, and kept as it was written. Its depth and the size of its numbers are the database's to judge.

use serde::de::IgnoredAny;

use crate::import::reject::{Misfit, Reason};

/// Checks that a text is JSON; for `jsonb` also that its strings are text, which PostgreSQL asks of that type alone.
pub(super) fn check(text: &str, binary: bool) -> Result<(), Misfit> {
    // Without recursion, however deep it is.
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) if binary => check_escapes(text),
        Ok(_) => Ok(()),
        Err(error) => Err(Misfit::new(Reason::NotJson, format!("is no JSON: {error}"))),
    }
}

/// Checks the escapes of JSON that is valid otherwise: none may be a NUL, or half of a pair.
fn check_escapes(text: &str) -> Result<(), Misfit> {
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'\\', rest) {
        // A backslash stands within a string only, and is never the last sign of it.
        let escape = rest.get(at..).unwrap_or_default();
        rest = match unit(escape) {
            None => escape.get(2..).unwrap_or_default(),
            Some((0, _)) => {
                let says = "has a NUL character (\\u0000) in a string";
                return Err(Misfit::new(Reason::NulCharacter, says));
            }
            Some((0xD800..=0xDBFF, behind)) => match unit(behind) {
                Some((0xDC00..=0xDFFF, behind)) => behind,
                _ => return Err(half()),
            },
            Some((0xDC00..=0xDFFF, _)) => return Err(half()),
            Some((_, behind)) => behind,
        };
    }
    Ok(())
}

/// The number of `\u` and its four digits at the beginning, and what follows it.
fn unit(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.strip_prefix(b"\\u")?;
    let (digits, behind) = digits.split_at_checked(4)?;
    let number = digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))?;
    Some((number, behind))
}

fn half() -> Misfit {
    Misfit::new(Reason::NotJson, "has half of a surrogate pair (such as \\ud800) in a string")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_make_no_difference_to_what_else_is_taken() {
        for text in [
            r#"{"n":1e400,"a":"\u00e9"}"#,
            r#"["\ud83d\ude00","\\u0000","\\\\ud800"]"#,
            r#"{"a":1,"a":"\n\u0041"}"#,
            "1e131072",
        ] {
            assert_eq!(check(text, true), Ok(()), "{text}");
        }
        for text in [
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800x""#,
            r#""\ud800\n""#,
            r#""\ud800\ud800""#,
            r#""\u0000""#,
            r#"{"\uD834":1}"#,
        ] {
            assert!(check(text, true).is_err(), "{text}");
            assert_eq!(check(text, false), Ok(()), "{text}");
        }
        for text in
            [r#""\u00g0""#, r#""\x""#, "01", "1.", "NaN", "[1,]", "{'a':1}", "\"\n\"", "", "1 2", "\u{a0}1"]
        {
            assert!(check(text, false).is_err() && check(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn json_may_be_as_deep_as_it_likes() {
        for depth in [200, 20_000, 1_000_000] {
            let text = format!("{}\"\\u00e9\"{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(check(&text, true), Ok(()));
        }
    }
}
