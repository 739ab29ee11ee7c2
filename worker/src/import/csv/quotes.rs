//! What the quotes of a record are like: two mistakes that the `csv` reader passes over, and that a person wants to know.

use memchr::memchr2;

/// What the quotes of a record are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quotes {
    /// A field goes on behind its closing quote.
    pub(super) stray: bool,
    /// The last field is not closed.
    pub(super) open: bool,
}

impl Quotes {
    /// Looks at a record as the reader sees it, from quote to quote: what lies between is passed over at the speed of the
    /// memory.
    pub(super) fn of(record: &[u8], delimiter: u8, escape: Option<u8>) -> Self {
        let mut quotes = Self::default();
        let mut from = 0;
        while let Some(quote) = find(record, from, b'"', b'"') {
            from = quote + 1;
            // Within a field that does not begin with one, a quote is a character like any other.
            let begins = quote == 0 || record.get(quote - 1) == Some(&delimiter);
            if !begins {
                continue;
            }
            let Some(end) = end_of_field(record, from, escape) else {
                quotes.open = true;
                break;
            };
            quotes.stray |= record.get(end).is_some_and(|byte| *byte != delimiter);
            from = end;
        }
        quotes
    }
}

/// Behind the closing quote of the field whose content begins at `from`, and behind a line break that follows it.
fn end_of_field(record: &[u8], mut from: usize, escape: Option<u8>) -> Option<usize> {
    loop {
        let found = find(record, from, b'"', escape.unwrap_or(b'"'))?;
        from = found + 1;
        if record.get(found) != Some(&b'"') {
            // An escape: what it stands before is content.
            from += 1;
        } else if escape.is_none() && record.get(from) == Some(&b'"') {
            from += 1;
        } else {
            let breaks = record.get(from..)?.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
            return Some(from + breaks.count());
        }
    }
}

/// Where one of two bytes stands, at `from` or later.
fn find(record: &[u8], from: usize, one: u8, other: u8) -> Option<usize> {
    memchr2(one, other, record.get(from..)?).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quotes(record: &str, escape: Option<u8>) -> (bool, bool) {
        let Quotes { stray, open } = Quotes::of(record.as_bytes(), b',', escape);
        (stray, open)
    }

    #[test]
    fn an_escaped_quote_closes_nothing() {
        let backslash = Some(b'\\');
        assert_eq!(quotes(r#""a \"b\" c",d"#, backslash), (false, false));
        assert_eq!(quotes(r#""a \"b\" c",d"#, None), (true, false));
        assert_eq!(quotes(r#""a\\","b""#, backslash), (false, false));
        assert_eq!(quotes(r#""a\""#, backslash), (false, true));
        assert_eq!(quotes(r#""a\"#, backslash), (false, true));
        assert_eq!(quotes(r#"a\"b,c"#, backslash), (false, false));
        assert_eq!(quotes(r#""a""b",c"#, backslash), (true, false));
    }

    #[test]
    fn what_stands_before_the_first_quote_does_not_matter() {
        assert_eq!(quotes("a,b,\"c", None), (false, true));
        assert_eq!(quotes("a,b\",\"c\"d", None), (true, false));
        assert_eq!(quotes("\"", None), (false, true));
        assert_eq!(quotes(",\"\"", None), (false, false));
    }

    /// The same byte by byte.
    fn slowly(record: &[u8], delimiter: u8, escape: Option<u8>) -> Quotes {
        enum Place {
            Start,
            Plain,
            Quoted,
            Escaped,
            Closed,
        }
        let mut place = Place::Start;
        let mut stray = false;
        for &byte in record {
            place = match (place, byte) {
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, byte) if Some(byte) == escape => Place::Escaped,
                (Place::Quoted | Place::Escaped, _) => Place::Quoted,
                (Place::Start, b'"') => Place::Quoted,
                (Place::Closed, b'"') if escape.is_none() => Place::Quoted,
                (_, byte) if byte == delimiter => Place::Start,
                (Place::Closed, _) => {
                    stray = true;
                    Place::Plain
                }
                (Place::Start | Place::Plain, _) => Place::Plain,
            };
        }
        Quotes { stray, open: matches!(place, Place::Quoted | Place::Escaped) }
    }

    proptest! {
        #[test]
        fn quotes_are_found_as_byte_by_byte(
            record in r#"[",\\aあ]{0,24}"#,
            escape in prop::option::of(Just(b'\\')),
        ) {
            let record = record.as_bytes();
            prop_assert_eq!(Quotes::of(record, b',', escape), slowly(record, b',', escape));
        }
    }
}
