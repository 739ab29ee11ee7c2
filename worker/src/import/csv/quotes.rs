//! What the quotes of a record are like: two mistakes that the `csv` reader passes over, and that a person wants to know.

use memchr::memchr;

/// What the quotes of a record are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quotes {
    /// A field goes on behind its closing quote.
    pub(super) stray: bool,
    /// The last field is not closed.
    pub(super) open: bool,
}

/// Where in a field a byte stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Plain,
    Quoted,
    /// Behind an escape within quotes.
    Escaped,
    /// Behind a quote within quotes: it closes the field, or is the first of two.
    Closed,
}

impl Quotes {
    /// Looks at a record as the reader sees it. Most have no quote, and are told at the speed of the memory.
    pub(super) fn of(record: &[u8], delimiter: u8, escape: Option<u8>) -> Self {
        // A field that begins with a quote stands behind a delimiter, or at the beginning: nothing before matters.
        let Some(first) = memchr(b'"', record) else { return Self::default() };
        let from = first.saturating_sub(1);
        let mut place = if first == 0 { Place::Start } else { Place::Plain };
        let mut stray = false;
        for &byte in record.get(from..).unwrap_or_default() {
            place = match (place, byte) {
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, byte) if Some(byte) == escape => Place::Escaped,
                (Place::Quoted | Place::Escaped, _) => Place::Quoted,
                (Place::Start, b'"') => Place::Quoted,
                (Place::Closed, b'"') if escape.is_none() => Place::Quoted,
                (_, byte) if byte == delimiter => Place::Start,
                (Place::Closed, b'\r' | b'\n') => Place::Closed,
                (Place::Closed, _) => {
                    stray = true;
                    Place::Plain
                }
                (Place::Start | Place::Plain, _) => Place::Plain,
            };
        }
        Self { stray, open: matches!(place, Place::Quoted | Place::Escaped) }
    }
}

#[cfg(test)]
mod tests {
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
}
