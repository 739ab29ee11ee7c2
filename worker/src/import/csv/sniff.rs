//! What stands between two fields, where nobody declares it: the sign that cuts the rows of a file's beginning into as
//! many fields as its first record, outside quotes. A file without such a sign has one column, and its delimiter is the
//! comma.

use csv::{ByteRecord, ReaderBuilder};

use super::MAX_FIELDS;

/// The signs that are looked for, the usual one first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records that are looked at.
const RECORDS: usize = 200;

/// Bytes of text that are looked at.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

/// How well a delimiter cuts a file's beginning into records; the greater, the better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Rows of as many fields as the first record has, in hundredths of all.
    alike: usize,
    /// Not every such sign is one that text or a number could have as well: `1,50`, `Smith, John`.
    is_distinct: bool,
    /// Fields of the first record.
    fields: usize,
}

/// The delimiter of a text that begins so; `whole` tells that nothing follows.
pub(super) fn delimiter(head: &[u8], whole: bool, escape: Option<u8>) -> u8 {
    let (mut best, mut best_fit) = (b',', Fit::default());
    for delimiter in DELIMITERS {
        if let Some(fit) = fit(head, whole, delimiter, escape)
            && fit > best_fit
        {
            (best, best_fit) = (delimiter, fit);
        }
    }
    best
}

/// `None` where the delimiter does not cut the first record, or hardly a row alike.
fn fit(head: &[u8], whole: bool, delimiter: u8, escape: Option<u8>) -> Option<Fit> {
    let mut reader = reader_builder(delimiter, escape).from_reader(head);
    let (mut record, mut counts, mut last) = (ByteRecord::new(), Vec::new(), 0);
    let mut is_distinct = false;
    while counts.len() <= RECORDS && matches!(reader.read_byte_record(&mut record), Ok(true)) {
        counts.push(record.len());
        is_distinct |= record.len() > 1 && has_distinct(&record, delimiter);
        last = counts.len();
    }
    // The last record may be cut off; what there is of it is better than nothing.
    if !whole && last > 1 && reader.is_done() {
        counts.pop();
    }
    let (&fields, rows) = counts.split_first()?;
    if !(2..=MAX_FIELDS).contains(&fields) {
        return None;
    }
    let alike = rows.iter().filter(|count| **count == fields).count();
    let alike = (alike * 100).checked_div(rows.len()).unwrap_or(100);
    // Half of the rows may be ragged, and will be rejects; but then the comma is as good a guess as any.
    (alike > 50 || delimiter == b',').then_some(Fit { alike, is_distinct, fields })
}

/// Whether somewhere between two fields of a record the delimiter is none that a number or a sentence has.
fn has_distinct(record: &ByteRecord, delimiter: u8) -> bool {
    let ends_in_digit = |field: &[u8]| field.last().is_some_and(u8::is_ascii_digit);
    let begins_with_digit = |field: &[u8]| field.first().is_some_and(u8::is_ascii_digit);
    let is_prose = |field: &[u8]| field.first() == Some(&b' ');
    record.iter().zip(record.iter().skip(1)).any(|(before, behind)| {
        let is_number = delimiter == b',' && ends_in_digit(before) && begins_with_digit(behind);
        !is_prose(behind) && !is_number
    })
}

/// How records are parsed: alike for the first look and for the import.
pub(super) fn reader_builder(delimiter: u8, escape: Option<u8>) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .escape(escape)
        .double_quote(escape.is_none());
    builder
}

/// The first line break outside quotes, LF where there is none.
pub(super) fn line_break(head: &[u8], delimiter: u8, escape: Option<u8>) -> &'static str {
    let mut reader = reader_builder(delimiter, escape).from_reader(head);
    let mut record = ByteRecord::new();
    if !matches!(reader.read_byte_record(&mut record), Ok(true)) {
        return "\n";
    }
    let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
    match (head.get(..end).and_then(<[u8]>::last), head.get(end)) {
        (Some(b'\r'), Some(b'\n')) => "\r\n",
        (Some(b'\r'), _) => "\r",
        _ => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_delimiter(expected: char, texts: &[&str]) {
        for text in texts {
            assert_eq!(char::from(delimiter(text.as_bytes(), true, None)), expected, "{text:?}");
        }
    }

    #[test]
    fn each_delimiter_is_found_with_and_without_rows() {
        for sign in [",", ";", "\t", "|"] {
            let file = "id,name,note\r\n1,a,x\r\n2,b,y\r\n".replace(',', sign);
            assert_delimiter(sign.chars().next().unwrap(), &[&file, file.lines().next().unwrap()]);
        }
    }

    #[test]
    fn decimal_commas_and_sentences_do_not_mislead() {
        let texts = ["name;price\nA;1,50\nB;2,75\n", "1,5;2,5;3,5\n1,0;2,0;3,0\n", "A;1,50\nB;2,75\n"];
        assert_delimiter(';', &texts);
        assert_delimiter(';', &["Betrag, EUR;Datum\n1,50;2024-01-01\n2,75;2024-01-02\n"]);
        assert_delimiter('\t', &["id\ttext\n1\ta, b, c\n2\tnone\n3\td, e, f; g\n"]);
        assert_delimiter('|', &["a|b\n1,000|x\n2,000|y\n"]);
    }

    #[test]
    fn signs_within_quotes_and_ragged_rows_do_not_mislead() {
        assert_delimiter(',', &["\"a;b\",c\n\"1;2\",3\n", "a,b\n\"x;y;z\",1\n\"x|y\",2\n"]);
        assert_delimiter(';', &["\"a,b\";c\n\"1,2\";3\n\"4,5,6\";7\n"]);
        assert_delimiter(',', &["a,b,c\n1,2,3\n1,2\n1,2,3,4\n5,6,7\n", "a,b\n1\n2\n3\n"]);
    }

    #[test]
    fn a_file_of_one_column_is_one_of_commas() {
        assert_delimiter(
            ',',
            &["", "\n\n", "id", "name\nA\nB;C\n", "note\nx;y\nz;w\n", "a,b;c\n", "a b\n1|2\n"],
        );
    }

    #[test]
    fn a_record_that_is_cut_off_does_not_count() {
        assert_eq!(delimiter(b"a;b,c\n1;2\n1;2\n3;", false, None), b';');
        assert_eq!(delimiter(b"a;b;\"c,", false, None), b';');
    }

    #[test]
    fn the_first_line_break_outside_quotes_is_the_files() {
        for (text, expected) in [
            ("a\nb\r\n", "\n"),
            ("a\r\nb", "\r\n"),
            ("a\rb\n", "\r"),
            ("\"a\r\nb\"\n", "\n"),
            ("a", "\n"),
            ("", "\n"),
        ] {
            assert_eq!(line_break(text.as_bytes(), b',', None), expected, "{text:?}");
        }
        assert_eq!(line_break(b"\r\na\r\n", b',', None), "\r\n");
    }
}
