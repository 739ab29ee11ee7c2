//! Types of PostgreSQL that drop what is too long for them without a word: `name` and `"char"`, also as elements of an array;
//! `varchar(n)` and `char(n)` in a database that knows bytes alone. A value that would lose something is a misfit.

use super::server::is_character_code;
use crate::import::reject::{Misfit, Reason};

/// The type of one byte, in SQL.
const CHAR: &str = "\"char\"";

/// Such a type, or an array of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TruncatingType {
    /// Its name in SQL.
    type_name: &'static str,
    /// How many bytes it holds.
    holds: usize,
    is_array: bool,
    /// The most bytes that a character has in the database's encoding, where that is not Unicode's.
    character_bytes: Option<usize>,
}

impl TruncatingType {
    /// What the type of this name in `pg_type` drops, if it drops anything.
    pub(crate) fn of(name: &str, is_array: bool, character_bytes: Option<usize>) -> Option<Self> {
        let (type_name, holds) = match name {
            "name" => ("name", 63),
            "char" => (CHAR, 1),
            _ => return None,
        };
        Some(Self { type_name, holds, is_array, character_bytes })
    }

    /// What a type with a length drops where that is one of bytes. A modifier counts the four bytes of the value's length header
    /// with it.
    pub(crate) fn of_bytes(name: &str, modifier: i32) -> Option<Self> {
        let type_name = match name {
            "varchar" => "varchar",
            "bpchar" => "char",
            _ => return None,
        };
        let holds = usize::try_from(modifier.checked_sub(4)?).ok()?;
        Some(Self { type_name, holds, is_array: false, character_bytes: None })
    }

    /// Whether nothing is dropped of a text by a server of this version.
    pub(super) fn check(self, text: &str, server: Option<u32>) -> Result<(), Misfit> {
        let too_long = match self.is_array {
            true => elements(text, |element, in_quotes| self.too_long(element, in_quotes, server)),
            false => self.too_long(text, true, server),
        };
        too_long.map_or(Ok(()), |bytes| {
            let what = if self.is_array { "an element of " } else { "" };
            let says = format!("has {what}{bytes} bytes, the type {} holds {}", self.type_name, self.holds);
            Err(Misfit::new(Reason::TooLong, says))
        })
    }

    /// How many bytes a value has, where those are too many.
    fn too_long(self, value: &str, in_quotes: bool, server: Option<u32>) -> Option<usize> {
        let bytes = match self.character_bytes {
            None => value.len(),
            Some(most) => value.chars().map(|sign| if sign.is_ascii() { 1 } else { most }).sum(),
        };
        let is_null = !in_quotes && value.eq_ignore_ascii_case("null");
        let is_code = self.type_name == CHAR && is_character_code(value, server);
        let is_held = bytes <= self.holds || is_null || is_code;
        (!is_held).then_some(bytes)
    }
}

/// The first answer that one of an array's elements gets: `ask` has the element as the server reads it, and whether it stands in
/// quotes. What is no array, the server refuses.
fn elements(text: &str, ask: impl Fn(&str, bool) -> Option<usize>) -> Option<usize> {
    let (mut element, mut kept, mut in_quotes, mut was_quoted) = (String::new(), 0, false, false);
    // Before the first brace its bounds may stand.
    let mut signs = text.chars().skip_while(|sign| *sign != '{');
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => element.extend(signs.next()),
            '"' => {
                in_quotes = !in_quotes;
                was_quoted = true;
            }
            '{' | '}' | ',' if !in_quotes => {
                element.truncate(kept);
                if let Some(answer) = ask(&element, was_quoted) {
                    return Some(answer);
                }
                element.clear();
                was_quoted = false;
            }
            // White space around an element is none of it.
            ' ' | '\t' | '\n' | '\r' | '\u{B}' | '\u{C}' if !in_quotes => {
                if !element.is_empty() {
                    element.push(sign);
                }
                continue;
            }
            _ => element.push(sign),
        }
        kept = element.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(name: &str, is_array: bool, text: &str) -> Option<String> {
        let misfit = TruncatingType::of(name, is_array, None).unwrap().check(text, Some(160_000)).err()?;
        Some(misfit.says.into_owned())
    }

    #[test]
    fn a_value_that_would_be_cut_is_told_its_length() {
        assert_eq!(says("name", false, &"a".repeat(63)), None);
        assert_eq!(says("name", false, &"é".repeat(32)).unwrap(), "has 64 bytes, the type name holds 63");
        assert_eq!(says("char", false, "ab").unwrap(), "has 2 bytes, the type \"char\" holds 1");
        for text in ["", "a", "\\", "\\101", "\\377"] {
            assert_eq!(says("char", false, text), None, "{text}");
        }
        assert!(says("char", false, "\\400").is_some() && says("char", false, "\\18").is_some());
        assert!(TruncatingType::of("char", false, None).unwrap().check("\\101", Some(140_000)).is_err());
    }

    #[test]
    fn characters_have_the_bytes_of_the_databases_encoding() {
        let latin = TruncatingType::of("name", false, Some(1)).unwrap();
        assert!(latin.check(&"é".repeat(63), None).is_ok() && latin.check(&"é".repeat(64), None).is_err());
    }

    #[test]
    fn elements_of_an_array_are_what_the_server_reads() {
        for text in [
            "{a,b}",
            "[0:1]={ a , \"b\" }",
            "{{a,b},{NULL,null}}",
            r#"{\a,"\"",","}"#,
            "{}",
            "{\t}",
            "{a, \"\"}",
        ] {
            assert_eq!(says("char", true, text), None, "{text}");
        }
        for text in ["{a,bc}", "{\"NULL\"}", "{{a},{a b}}", "{\"a \"}", r"{a\ }", "{é}"] {
            assert_eq!(
                says("char", true, text).unwrap(),
                match text {
                    "{\"NULL\"}" => "has an element of 4 bytes, the type \"char\" holds 1",
                    "{{a},{a b}}" => "has an element of 3 bytes, the type \"char\" holds 1",
                    _ => "has an element of 2 bytes, the type \"char\" holds 1",
                }
            );
        }
    }
}
