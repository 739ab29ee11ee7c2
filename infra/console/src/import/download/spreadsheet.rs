//! Rejects for a spreadsheet: in UTF-8 with a byte order mark, by which Excel knows Japanese, and with no cell that a
//! spreadsheet would take for a formula. Who wrote the file that was imported is not who opens this one, and a cell like
//! `=HYPERLINK(…)` would send its neighbours to anybody.

use std::borrow::Cow;
use std::io::Write;

use anyhow::Context as _;
use ops::rejects::file::{Row, Sink};

/// Rows on their way into a spreadsheet.
pub(super) struct Spreadsheet<W: Write + Send + 'static> {
    rows: csv::Writer<W>,
}

impl<W: Write + Send + 'static> Spreadsheet<W> {
    /// One that is written to `to`.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn new(mut to: W) -> anyhow::Result<Self> {
        to.write_all("\u{feff}".as_bytes())?;
        // In quotes, all of them: with another delimiter than the comma, as some countries have it, a cell stays one cell.
        let rows = csv::WriterBuilder::new()
            .flexible(true)
            .quote_style(csv::QuoteStyle::Always)
            .terminator(csv::Terminator::CRLF)
            .from_writer(to);
        Ok(Self { rows })
    }

    /// Writes what is not written yet.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        self.rows.flush().context("failed to write the last rows")
    }

    fn write(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        for field in row.fields() {
            self.rows.write_field(harmless(&field).as_bytes())?;
        }
        self.rows.write_record(None::<&[u8]>)?;
        Ok(())
    }
}

impl<W: Write + Send + 'static> Sink for Spreadsheet<W> {
    fn head(&mut self, head: &Row<'_>) -> anyhow::Result<()> {
        self.write(head)
    }

    fn take(&mut self, row: &Row<'_>) -> anyhow::Result<bool> {
        self.write(row).map(|()| true)
    }
}

/// The cell, with an apostrophe in front where a spreadsheet would take it for a formula (OWASP's list, with the wide forms
/// that a Japanese one reads alike). A number is none, whatever its sign.
fn harmless(cell: &str) -> Cow<'_, str> {
    let begins_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if begins_formula && !is_number(cell) { format!("'{cell}").into() } else { cell.into() }
}

/// Whether it is a number as people and programs write it: `-5`, `+5.2`, `-1,234.50`, `-1.5e-7`, `-12%`.
fn is_number(cell: &str) -> bool {
    let unsigned = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let unsigned = unsigned.strip_suffix('%').unwrap_or(unsigned);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digit = mantissa.bytes().any(|byte| byte.is_ascii_digit());
    has_digit
        && mantissa.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte))
        && is_digits(exponent)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use statemachine::{Findings, ImportOptions};

    use super::*;
    use ops::rejects::file::{Format, read_rows};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_obey_gets_an_apostrophe() {
        for cell in [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "-",
            "+",
            "=",
            "--5",
            "-5-cmd|' /C calc'!A0",
            "+81-3-1234-5678",
            "-1e",
            "-e5",
            "-.",
            "+,",
            "-5 ",
            "＝1+1",
            "＠SUM(A1)",
            "-1%%",
        ] {
            assert_eq!(harmless(cell), format!("'{cell}"), "{cell:?}");
        }
        for cell in [
            "",
            "-5",
            "+5.2",
            "-1,234.50",
            "-1.5e-7",
            "+.5",
            "-12%",
            "5",
            "a=1",
            "'=1",
            " =1",
            "山田",
            "2026-11-24",
        ] {
            assert_eq!(harmless(cell), cell, "{cell:?}");
        }
    }

    #[test]
    fn rejects_in_any_writing_become_a_spreadsheets_csv() {
        let file = "baton_line\tbaton_reason\tid\t=氏名\n3\t年齢: is no whole number\t-5\t=cmd|'x'\n4\tragged\t\"a\"\"b\"\n";
        let (bytes, ..) = encoding_rs::SHIFT_JIS.encode(file);
        let findings = Findings {
            encoding: Some("cp932 (detected)".to_owned()),
            delimiter: Some("tab".to_owned()),
            ..Findings::default()
        };
        let written = Written::default();
        let mut sheet = Spreadsheet::new(written.clone()).unwrap();
        read_rows(&*bytes, &Format::new(&findings, &ImportOptions::default()), &mut sheet).unwrap();
        sheet.end().unwrap();
        let expected = "\u{feff}\"baton_line\",\"baton_reason\",\"id\",\"'=氏名\"\r\n\
            \"3\",\"年齢: is no whole number\",\"-5\",\"'=cmd|'x'\"\r\n\
            \"4\",\"ragged\",\"a\"\"b\"\r\n";
        assert_eq!(String::from_utf8(written.0.lock().unwrap().clone()).unwrap(), expected);
    }
}
