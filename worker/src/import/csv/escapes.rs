//! Escapes that escape nothing. As for PostgreSQL's COPY, a declared escape means something before a quote and before itself,
//! within quotes; everywhere else it is a sign like any other: `"C:\new"` is a path. The parser leaves every one out.

use memchr::memchr;

use super::Style;
use super::quotes::quoted_parts;

/// A record without its line break, written so that the parser keeps such escapes, with a line break. `None` where the record
/// has none.
pub(super) fn kept(record: &[u8], style: Style) -> Option<Vec<u8>> {
    let escape = style.escape?;
    memchr(escape, record)?;
    let mut written = Vec::with_capacity(record.len() + 16);
    let mut from = 0;
    for part in quoted_parts(record, style) {
        written.extend_from_slice(record.get(from..part.start).unwrap_or_default());
        let mut bytes = record.get(part.clone()).unwrap_or_default().iter().peekable();
        while let Some(&byte) = bytes.next() {
            written.push(byte);
            if byte == escape {
                // Either what is escaped, or the escape itself.
                written.push(*bytes.next_if(|next| **next == b'"' || **next == escape).unwrap_or(&escape));
            }
        }
        from = part.end;
    }
    written.extend_from_slice(record.get(from..).unwrap_or_default());
    written.push(b'\n');
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::csv::Lines;

    fn written(record: &str) -> Option<String> {
        let style = Style { delimiter: b',', escape: Some(b'\\'), lines: Lines::Lf };
        kept(record.as_bytes(), style).map(|record| String::from_utf8(record).unwrap())
    }

    #[test]
    fn only_what_escapes_nothing_is_written_twice() {
        assert_eq!(written(r#"1,"a""#), None);
        assert_eq!(
            written(r#""C:\new","a\"b","c\\d",C:\new"#).unwrap(),
            r#""C:\\new","a\"b","c\\d",C:\new"#.to_owned() + "\n"
        );
        assert_eq!(written(r#"x"\y","\N""#).unwrap(), r#"x"\y","\\N""#.to_owned() + "\n");
    }
}
