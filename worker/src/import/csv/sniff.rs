//! How a file writes its records, where nobody declares it. The delimiter is the sign that cuts the rows of the file's
//! beginning into as many fields as its first record, outside quotes; a file without such a sign has one column, and its
//! delimiter is the comma. Lines end with LF or CR LF, unless the file has no LF outside quotes or only CRs cut it into rows
//! that are alike.

use std::io::{self, Read};

use statemachine::ImportOptions;

use super::quotes::Quotes;
use super::record::{self, Lines, Parsed, Parser, Record};
use super::window::Window;
use super::{MAX_FIELDS, Style};
use crate::import::header::REJECTS_COLUMNS;

/// The signs that are looked for, the usual one first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records that are looked at.
const RECORDS: usize = 200;

/// Bytes of text that are looked at: of the usual file, and of one whose first line is very long or ends with a CR.
const HEAD_BYTES: usize = 64 * 1024;
const LONG_HEAD_BYTES: usize = 1024 * 1024;

/// What the beginning of a file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) style: Style,
    /// What ends the first record; LF where nothing does.
    pub(super) line_break: &'static str,
}

/// How well a style cuts a file's beginning into records; the greater, the better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Of most records no quoted field goes on behind its closing quote: `"a";"b, c"` is not cut by commas.
    is_sound: bool,
    /// Rows of as many fields as the first record has, in hundredths of all.
    alike: usize,
    /// Not every such sign is one that text or a number could have as well: `1,50`, `Smith, John`.
    is_distinct: bool,
    /// Fields of the first record.
    fields: usize,
    /// There are rows besides the first record.
    has_rows: bool,
}

/// Line breaks outside quotes.
#[derive(Clone, Copy, Debug, Default)]
struct Breaks {
    lf: usize,
    cr: usize,
    /// Nothing stands behind the last of them.
    is_last: bool,
}

/// Looks at the beginning of a text, of which the options may say something.
pub(super) fn look<R: Read>(window: &mut Window<R>, options: &ImportOptions) -> io::Result<Look> {
    let declared = options.delimiter.map(|delimiter| delimiter.byte());
    let escape = options.escape.map(|escape| escape.byte());
    let (mut head, mut whole) = window.head(HEAD_BYTES)?;
    let delimiter = declared.or_else(|| of_rejects(head, !options.no_header));
    let mut found = style(head, whole, delimiter, escape);
    if !whole && breaks(head, found).lf == 0 {
        (head, whole) = window.head(LONG_HEAD_BYTES)?;
        found = style(head, whole, delimiter, escape);
    }
    Ok(Look { style: found, line_break: line_break(head, found) })
}

/// The style of a text that begins so; `whole` tells that nothing follows.
fn style(head: &[u8], whole: bool, delimiter: Option<u8>, escape: Option<u8>) -> Style {
    let best = |lines: Lines| {
        let signs = delimiter.as_ref().map_or(&DELIMITERS[..], std::slice::from_ref);
        let (mut best, mut best_fit) = (delimiter.unwrap_or(b','), Fit::default());
        for &delimiter in signs {
            if let Some(fit) = fit(head, whole, Style { delimiter, escape, lines })
                && fit > best_fit
            {
                (best, best_fit) = (delimiter, fit);
            }
        }
        (Style { delimiter: best, escape, lines }, best_fit)
    };
    let (style, fit) = best(Lines::Lf);
    if !has_lone_cr(head) {
        return style;
    }
    let (by_cr, fit_by_cr) = best(Lines::Cr);
    let breaks = breaks(head, by_cr);
    let is_by_cr = match breaks {
        Breaks { cr: 0, .. } => false,
        Breaks { lf: 0, .. } => true,
        // One LF that ends the file says no more than the CRs before it.
        Breaks { lf: 1, is_last: true, .. } if whole && !fit.has_rows => {
            fit_by_cr.alike > 50 || fit.fields < 2
        }
        _ => fit.fields >= 2 && fit.alike < 50 && fit_by_cr.alike > fit.alike,
    };
    if is_by_cr { by_cr } else { style }
}

/// The sign behind the first column of a file of rejects. Its rows may be of another number of fields than the first, and its
/// reasons be alike in other signs.
fn of_rejects(head: &[u8], has_header: bool) -> Option<u8> {
    let [line, reason] = REJECTS_COLUMNS;
    if !has_header {
        return behind_line_number(head);
    }
    let (sign, rest) = head.strip_prefix(line.as_bytes())?.split_first()?;
    let behind = rest.strip_prefix(reason.as_bytes())?.first()?;
    (sign == behind && DELIMITERS.contains(sign)).then_some(*sign)
}

/// The sign between a number and a quoted text at the beginning, as of a line and a reason.
fn behind_line_number(head: &[u8]) -> Option<u8> {
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match head.get(digits..)? {
        [sign, b'"', ..] if digits > 0 && DELIMITERS.contains(sign) => Some(*sign),
        _ => None,
    }
}

/// Whether a CR stands anywhere but before an LF.
fn has_lone_cr(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', head).any(|at| head.get(at + 1).is_some_and(|next| *next != b'\n'))
}

/// Calls `see` with each record of a text, and with what it is in the text. A record that is cut off is one, too.
fn each_record(head: &[u8], style: Style, mut see: impl FnMut(&Record, &[u8]) -> bool) {
    let (mut parser, mut record, mut rest) = (Parser::new(style), Record::default(), head);
    loop {
        record.clear();
        let (mut parsed, taken) =
            if rest.is_empty() { (Parsed::More, 0) } else { parser.read(rest, &mut record) };
        let (text, behind) = rest.split_at_checked(taken).unwrap_or((rest, &[]));
        rest = behind;
        if parsed == Parsed::More {
            parsed = parser.read(b"", &mut record).0;
        }
        if parsed != Parsed::Record || !see(&record, text) {
            return;
        }
    }
}

/// The line breaks that end records.
fn breaks(head: &[u8], style: Style) -> Breaks {
    let (mut breaks, mut at) = (Breaks::default(), 0);
    let blank = head.iter().take_while(|byte| **byte == b'\r').count();
    breaks.cr += usize::from(blank > 0 && head.get(blank) != Some(&b'\n'));
    each_record(head, style, |_, text| {
        at += text.len();
        // Some programs write CR CR LF.
        let behind = head.get(at..).unwrap_or_default().iter().find(|byte| **byte != b'\r');
        match text.last() {
            Some(b'\n') => breaks.lf += 1,
            Some(b'\r') if behind == Some(&b'\n') => breaks.lf += 1,
            Some(b'\r') => breaks.cr += 1,
            _ => {}
        }
        true
    });
    breaks.is_last = matches!(head.last(), Some(b'\n'));
    breaks
}

/// `None` where the delimiter does not cut the first record, or hardly a row alike.
fn fit(head: &[u8], whole: bool, style: Style) -> Option<Fit> {
    let (mut counts, mut stray, mut is_distinct, mut is_cut) = (Vec::new(), 0, false, false);
    each_record(head, style, |record, text| {
        if text.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return true;
        }
        counts.push(record.len());
        let (line, _) = record::without_line_break(text, style.lines);
        stray += usize::from(Quotes::of(line, style).stray);
        is_distinct |= record.len() > 1 && has_distinct(record, style.delimiter);
        is_cut = !matches!(text.last(), Some(b'\r' | b'\n'));
        counts.len() <= RECORDS
    });
    // The last record may be cut off; what there is of it is better than nothing.
    if !whole && is_cut && counts.len() > 1 {
        counts.pop();
    }
    let is_sound = stray * 2 <= counts.len();
    let (&fields, rows) = counts.split_first()?;
    if !(2..=MAX_FIELDS).contains(&fields) {
        return None;
    }
    let alike = rows.iter().filter(|count| **count == fields).count();
    let alike = (alike * 100).checked_div(rows.len()).unwrap_or(100);
    // Half of the rows may be ragged, and will be rejects; but then the comma is as good a guess as any.
    let is_fit = alike > 50 || style.delimiter == b',';
    is_fit.then_some(Fit { is_sound, alike, is_distinct, fields, has_rows: !rows.is_empty() })
}

/// Whether somewhere between two fields of a record the delimiter is none that a number or a sentence has.
fn has_distinct(record: &Record, delimiter: u8) -> bool {
    let ends_in_digit = |field: &[u8]| field.last().is_some_and(u8::is_ascii_digit);
    let begins_with_digit = |field: &[u8]| field.first().is_some_and(u8::is_ascii_digit);
    let is_prose = |field: &[u8]| field.first() == Some(&b' ');
    record.iter().zip(record.iter().skip(1)).any(|(before, behind)| {
        let is_number = delimiter == b',' && ends_in_digit(before) && begins_with_digit(behind);
        !is_prose(behind) && !is_number
    })
}

/// What ends the first record; LF where nothing does.
fn line_break(head: &[u8], style: Style) -> &'static str {
    let (mut found, mut at) = ("\n", 0);
    each_record(head, style, |_, text| {
        at += text.len();
        let is_blank = text.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        found = match text {
            [.., b'\r', b'\n'] => "\r\n",
            [.., b'\r'] if head.get(at) == Some(&b'\n') => "\r\n",
            [.., b'\r'] if style.lines == Lines::Cr => "\r",
            _ => "\n",
        };
        is_blank
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_delimiter(expected: char, texts: &[&str]) {
        for text in texts {
            assert_eq!(char::from(style(text.as_bytes(), true, None, None).delimiter), expected, "{text:?}");
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
    fn a_sign_within_quotes_does_not_cut_a_single_row() {
        let json = r#""{""a"":1,""b"":2}";"12, Main Street, Springfield";"{""a"":1,""b"":2}";"[1,2,3]";"8280";"10:30""#;
        for sign in [";", "\t", "|"] {
            let sign_of = sign.chars().next().unwrap();
            assert_delimiter(sign_of, &[&format!("{}\n", json.replace(';', sign)), &json.replace(';', sign)]);
            let last = "2.320,76;2298;\"{\"\"a\"\":1,\"\"b\"\":2}\"\n".replace(';', sign);
            let names = "\"Smith, John\";\"12, Main Street, Springfield\";x;\"1,5\"\n".replace(';', sign);
            assert_delimiter(sign_of, &[&last, &names, &last.repeat(2), &names.repeat(2)]);
        }
        let semicolons = r#""{""a"":1;""b"":2}","12; Main Street; Springfield","[1;2;3]","x""#;
        assert_delimiter(',', &[semicolons, &semicolons.replace(';', "|")]);
        // One row with a fault is none of the cut.
        assert_delimiter(',', &["a,b;c\n1,\"x\"y\n2,z\n", "a,b\n\"x\"y,\"z\"\n1,2\n3,4\n"]);
    }

    #[test]
    fn signs_within_quotes_and_ragged_rows_do_not_mislead() {
        assert_delimiter(',', &["\"a;b\",c\n\"1;2\",3\n", "a,b\n\"x;y;z\",1\n\"x|y\",2\n"]);
        assert_delimiter(';', &["\"a,b\";c\n\"1,2\";3\n\"4,5,6\";7\n"]);
        assert_delimiter(',', &["a,b,c\n1,2,3\n1,2\n1,2,3,4\n5,6,7\n", "a,b\n1\n2\n3\n"]);
    }

    #[test]
    fn a_file_of_rejects_has_the_delimiter_behind_its_first_column() {
        assert_eq!(of_rejects(b"baton_line;baton_reason;id\n3;\"x, y\"\n", true), Some(b';'));
        for text in ["baton_line;baton_reason,id\n", "baton_line;id\n", "id;name\n", "3;\"x\"\n", ""] {
            assert_eq!(of_rejects(text.as_bytes(), true), None, "{text:?}");
        }
        assert_eq!(of_rejects(b"3;\"2 fields, not 5\";a;b\n", false), Some(b';'));
        assert_eq!(behind_line_number(b"3;\"2 fields, not 5\";a;b\n"), Some(b';'));
        assert_eq!(behind_line_number(b"12\t\"id: empty, but needed\"\t\ta\n"), Some(b'\t'));
        for text in ["1,5;\"a\"\n", ";\"a\"\n", "3:\"a\",b\n", "3", "3;", "3;a\n", ""] {
            assert_eq!(behind_line_number(text.as_bytes()), None, "{text:?}");
        }
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
        assert_eq!(style(b"a;b,c\n1;2\n1;2\n3;", false, None, None).delimiter, b';');
        assert_eq!(style(b"a;b;\"c,", false, None, None).delimiter, b';');
    }

    #[test]
    fn the_first_line_break_outside_quotes_is_the_files() {
        for (text, expected) in [
            ("a\nb\r\n", "\n"),
            ("a\r\nb", "\r\n"),
            ("a\rb\rc\n", "\r"),
            ("a,b\r1,2\r", "\r"),
            ("\"a\r\nb\"\n", "\n"),
            ("a", "\n"),
            ("", "\n"),
            ("\r\na\r\n", "\r\n"),
        ] {
            let style = style(text.as_bytes(), true, None, None);
            assert_eq!(line_break(text.as_bytes(), style), expected, "{text:?}");
        }
    }

    #[test]
    fn crs_end_lines_where_nothing_else_does() {
        let lines = |text: &str| style(text.as_bytes(), true, None, None).lines;
        for text in [
            "a\rb\rc",
            "id,v\r1,a\r2,b\r",
            "id,v\r1,a\r2,b\n",
            "a\rx\ry\n",
            "id,v\r1,\"a\nb\"\r2,c\r",
            "id,v\r1,a\r2,b\nc\r3,d\r4,e\r",
        ] {
            assert_eq!(lines(text), Lines::Cr, "{text:?}");
        }
        for text in [
            "a\nx\ry\nz\n",
            "id,v\n1,x\ry\n2,z\n",
            "id,v\r\n1,x\ry\r\n2,z\r\n",
            "na\rme,id\n1,2\n3,4\n",
            "id,\"a\rb\"\n1,2\n",
            "id,v\r\r\n1,a\r\r\n",
            "street\n1 Main St\rTown\rZIP\n2 High St\rTown\rZIP\n",
            "a,b\r\n",
            "",
        ] {
            assert_eq!(lines(text), Lines::Lf, "{text:?}");
        }
    }
}
