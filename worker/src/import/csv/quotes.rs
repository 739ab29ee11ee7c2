//! What the quotes of a record are like: which fields are in quotes, and the mistakes that the parser passes over and that
//! a person wants to know.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::Style;
use super::window::ends_line;

/// What the quotes of a record are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quotes {
    /// There is one.
    pub(crate) any: bool,
    /// A field has quotes and nothing within them.
    pub(crate) empty: bool,
    /// A field goes on behind its closing quote. The parser takes that for part of the field, and so would turn a quote that
    /// was forgotten, with all rows up to the next one, into one long value.
    pub(crate) stray: bool,
    /// A blank stands before what looks like an opening quote. The parser takes such a quote for part of the field.
    pub(crate) indented: bool,
    /// Where the last field opens, if it is not closed.
    pub(super) open: Option<usize>,
}

impl Quotes {
    /// Looks at a record without its line break as the parser sees it, from quote to quote: what lies between is passed over
    /// at the speed of the memory.
    pub(super) fn of(record: &[u8], style: Style) -> Self {
        let mut quotes = Self::default();
        let mut from = 0;
        while let Some(quote) = find(record, from, b'"', b'"') {
            quotes.any = true;
            from = quote + 1;
            // Within a field that does not begin with one, a quote is a character like any other.
            let before = record.get(..quote).unwrap_or_default();
            if !before.is_empty() && before.last() != Some(&style.delimiter) {
                quotes.indented |= is_indented(before, style.delimiter);
                continue;
            }
            let Some(end) = end_of_quoted(record, from, style.escape) else {
                quotes.open = Some(quote);
                break;
            };
            quotes.empty |= end == quote + 2;
            quotes.stray |= record.get(end).is_some_and(|byte| *byte != style.delimiter);
            from = end;
        }
        quotes
    }
}

/// Where the contents of quoted fields are, up to the quote that closes each.
pub(super) fn quoted_parts(record: &[u8], style: Style) -> Vec<Range<usize>> {
    let (mut parts, mut from) = (Vec::new(), 0);
    while let Some(quote) = find(record, from, b'"', b'"') {
        from = quote + 1;
        if quote == 0 || record.get(quote - 1) == Some(&style.delimiter) {
            let end = end_of_quoted(record, from, style.escape).unwrap_or(record.len() + 1);
            parts.push(from..end - 1);
            from = end;
        }
    }
    parts
}

/// Whether between the last delimiter and the end there are blanks and nothing else.
fn is_indented(before: &[u8], delimiter: u8) -> bool {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t') && *byte != delimiter;
    match before.iter().rposition(|byte| !is_blank(byte)) {
        Some(at) => at + 1 < before.len() && before.get(at) == Some(&delimiter),
        None => true,
    }
}

/// Behind the closing quote of the field whose content begins at `from`.
fn end_of_quoted(record: &[u8], mut from: usize, escape: Option<u8>) -> Option<usize> {
    loop {
        let found = find(record, from, b'"', escape.unwrap_or(b'"'))?;
        from = found + 1;
        if record.get(found) != Some(&b'"') {
            // An escape: what it stands before is content.
            from += 1;
        } else if escape.is_none() && record.get(from) == Some(&b'"') {
            from += 1;
        } else {
            return Some(from);
        }
    }
}

/// Where one of two bytes stands, at `from` or later.
fn find(record: &[u8], from: usize, one: u8, other: u8) -> Option<usize> {
    memchr2(one, other, record.get(from..)?).map(|at| from + at)
}

/// Goes through the fields of a record as they stand in the text. Asked for fields in their order, it goes through the
/// record once.
pub(crate) struct Walk<'a> {
    record: &'a [u8],
    style: Style,
    /// Which field begins at `at`.
    field: usize,
    at: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(record: &'a [u8], style: Style) -> Self {
        Self { record, style, field: 0, at: 0 }
    }

    /// Whether a field, from 0, stands in quotes.
    pub(crate) fn is_quoted(&mut self, field: usize) -> bool {
        if field < self.field {
            (self.field, self.at) = (0, 0);
        }
        while self.field < field {
            let Some(next) = self.end().map(|end| end + 1) else { return false };
            self.at = next;
            self.field += 1;
        }
        self.record.get(self.at) == Some(&b'"')
    }

    /// Where a byte stands outside quotes first, behind all that was passed by.
    pub(super) fn find_unquoted(&mut self, byte: u8) -> Option<usize> {
        loop {
            let end = self.end();
            let from = self.behind_quotes();
            let plain = self.record.get(from..end.unwrap_or(self.record.len()))?;
            if let Some(at) = memchr(byte, plain) {
                return Some(from + at);
            }
            self.at = end? + 1;
            self.field += 1;
        }
    }

    /// The delimiter behind the field that begins at `at`, if there is one.
    fn end(&self) -> Option<usize> {
        let from = self.behind_quotes();
        memchr(self.style.delimiter, self.record.get(from..)?).map(|at| from + at)
    }

    /// Where what is in quotes of the field that begins at `at` ends.
    fn behind_quotes(&self) -> usize {
        match self.record.get(self.at) {
            Some(b'"') => {
                let end = end_of_quoted(self.record, self.at + 1, self.style.escape);
                end.unwrap_or(self.record.len())
            }
            _ => self.at,
        }
    }
}

/// Follows the quotes of a record that is too long to be kept, piece by piece.
pub(super) struct Tracker {
    style: Style,
    place: Place,
    line: u64,
    after_cr: bool,
    /// Line of the quote that opened last.
    pub(super) opened: u64,
}

/// Where a byte stands.
enum Place {
    Start,
    Plain,
    Quoted,
    Escaped,
    Closed,
}

impl Tracker {
    /// Begins with a record at this line.
    pub(super) fn new(style: Style, line: u64) -> Self {
        Self { style, place: Place::Start, line, after_cr: false, opened: line }
    }

    /// Takes the next piece.
    pub(super) fn follow(&mut self, piece: &[u8]) {
        for &byte in piece {
            self.place = self.next(byte);
            self.line += u64::from(ends_line(byte, self.style.lines, self.after_cr));
            self.after_cr = byte == b'\r';
        }
    }

    /// The line that the next byte stands in.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether a field that opened has not been closed.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.place, Place::Quoted | Place::Escaped)
    }

    fn next(&mut self, byte: u8) -> Place {
        match (&self.place, byte) {
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, byte) if Some(byte) == self.style.escape => Place::Escaped,
            (Place::Quoted | Place::Escaped, _) => Place::Quoted,
            (Place::Start, b'"') => {
                self.opened = self.line;
                Place::Quoted
            }
            (Place::Closed, b'"') if self.style.escape.is_none() => Place::Quoted,
            (_, byte) if byte == self.style.delimiter => Place::Start,
            _ => Place::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn style(escape: Option<u8>) -> Style {
        Style { escape, ..Style::default() }
    }

    fn quotes(record: &str, escape: Option<u8>) -> (bool, bool) {
        let Quotes { stray, open, .. } = Quotes::of(record.as_bytes(), style(escape));
        (stray, open.is_some())
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

    #[test]
    fn a_quote_behind_blanks_at_the_beginning_of_a_field_is_indented() {
        let is_indented = |record: &str, delimiter: u8| {
            Quotes::of(record.as_bytes(), Style { delimiter, ..Style::default() }).indented
        };
        for record in [r#" "a",b"#, r#"a,  "b""#, "a,\t\"b\"", r#"a, "b, c""#] {
            assert!(is_indented(record, b','), "{record:?}");
        }
        for record in [r#"a "b",c"#, r#""a", b"#, r#""a, "",b""#, r#"5" x,y"q""#, "\"a\" \"b\""] {
            assert!(!is_indented(record, b','), "{record:?}");
        }
        assert!(!is_indented("a\t\"b\"", b'\t'));
        assert!(is_indented("a\t \"b\"", b'\t'));
    }

    #[test]
    fn an_empty_field_in_quotes_is_told() {
        let has_empty = |record: &str| Quotes::of(record.as_bytes(), style(None)).empty;
        assert!(has_empty(r#"a,"""#) && has_empty(r#""",b"#) && has_empty(r#""a","","b""#));
        assert!(!has_empty(r#"a,,"b""#) && !has_empty(r#""a""b""#) && !has_empty(r#"a""b"#));
    }

    #[test]
    fn fields_in_quotes_are_told_in_any_order() {
        let mut walk = Walk::new(br#""a,""b",,"",c"d,""#, style(None));
        let quoted: Vec<_> = (0..6).map(|field| walk.is_quoted(field)).collect();
        assert_eq!(quoted, [true, false, true, false, true, false]);
        assert!(walk.is_quoted(2) && !walk.is_quoted(1));
        let mut escaped = Walk::new(br#""a\",b","""#, style(Some(b'\\')));
        assert!(escaped.is_quoted(1) && !escaped.is_quoted(2));
    }

    #[test]
    fn a_byte_is_found_outside_quotes_only() {
        let found = |record: &[u8]| Walk::new(record, style(None)).find_unquoted(b'\r');
        assert_eq!(found(b"\"a\rb\",c\rd"), Some(7));
        assert_eq!(found(b"a\"\r\",b"), Some(2));
        assert_eq!(found(b"\"a\"\r,b"), Some(3));
        assert_eq!(found(b"\"a\rb\",\"\r\""), None);
        assert_eq!(found(b""), None);
    }

    proptest! {
        #[test]
        fn quotes_are_found_as_byte_by_byte(
            record in r#"[",\\aあ]{0,24}"#,
            escape in prop::option::of(Just(b'\\')),
        ) {
            let record = record.as_bytes();
            let mut tracker = Tracker::new(style(escape), 1);
            let mut stray = false;
            for byte in record {
                let was_closed = matches!(tracker.place, Place::Closed);
                tracker.follow(&[*byte]);
                stray |= was_closed && matches!(tracker.place, Place::Plain);
            }
            let quotes = Quotes::of(record, style(escape));
            prop_assert_eq!((quotes.stray, quotes.open.is_some()), (stray, tracker.is_open()));
            prop_assert_eq!(quotes.any, record.contains(&b'"'));
        }

        #[test]
        fn a_field_in_quotes_is_one_that_begins_with_a_quote(fields in prop::collection::vec("[,\"a]{0,4}", 1..6)) {
            let written: Vec<_> = fields
                .iter()
                .map(|field| match field.contains(['"', ',']) {
                    true => format!("\"{}\"", field.replace('"', "\"\"")),
                    false => field.clone(),
                })
                .collect();
            let record = written.join(",");
            let mut walk = Walk::new(record.as_bytes(), style(None));
            for (field, text) in written.iter().enumerate() {
                prop_assert_eq!(walk.is_quoted(field), text.starts_with('"'));
            }
        }
    }
}
