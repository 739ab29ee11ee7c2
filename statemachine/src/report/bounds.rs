//! How large a report may be. It is the output of a task and of an execution, which Step Functions bounds, and a report that
//! it refuses fails an import whose rows are committed.

use serde::Serialize;

use super::{Findings, Report};
use crate::text::{cut, printable};

/// The most that Step Functions takes as output, in bytes of UTF-8 (`API_SendTaskSuccess`).
pub const MAX_OUTPUT_BYTES: usize = 262_144;

/// The most that findings take, as JSON, in bytes. What else stands in a report is far less than the rest.
const MAX_FINDINGS_BYTES: usize = 200_000;

/// The most notes, and the longest, in bytes.
const MAX_NOTES: usize = 30;
const MAX_NOTE_BYTES: usize = 1_000;

/// The longest of the other texts, in bytes: an object's key has 1,024.
const MAX_TEXT_BYTES: usize = 2_000;

impl Findings {
    /// The same, as far as it fits into a report: notes are cut, and of the first rejects there are as many as fit.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let left_out = self.notes.len().saturating_sub(MAX_NOTES);
        self.notes.truncate(MAX_NOTES);
        if left_out > 0 {
            self.notes.push(format!("{left_out} more notes are left out"));
        }
        for note in &mut self.notes {
            *note = cut(&printable(note), MAX_NOTE_BYTES).into_owned();
        }
        let texts = [
            &mut self.encoding,
            &mut self.delimiter,
            &mut self.compression,
            &mut self.table,
            &mut self.same_file_as,
        ];
        for text in texts {
            text.iter_mut().for_each(|text| shorten(text, MAX_TEXT_BYTES));
        }
        let rejects = std::mem::take(&mut self.first_rejects);
        let mut bytes = bytes_of(&self);
        for reject in rejects {
            bytes += bytes_of(&reject) + 1;
            if bytes > MAX_FINDINGS_BYTES {
                break;
            }
            self.first_rejects.push(reject);
        }
        self
    }
}

impl Report {
    /// The report as JSON that Step Functions takes.
    #[must_use]
    pub fn to_output(&self) -> String {
        let json = json(self);
        if json.len() <= MAX_OUTPUT_BYTES { json } else { json_of_bounded(self) }
    }

    /// The report without what the import's row has as well: counts alone.
    #[must_use]
    pub fn brief(&self) -> Self {
        let Findings { rows_read, updated, skipped, duplicates, dropped, dry_run, .. } = *self.findings;
        let findings =
            Findings { rows_read, updated, skipped, duplicates, dropped, dry_run, ..Findings::default() };
        Self {
            findings: Box::new(findings),
            table: cut(&self.table, MAX_TEXT_BYTES).into_owned(),
            ..self.clone()
        }
    }
}

/// Of a report that an earlier version wrote into its row.
fn json_of_bounded(report: &Report) -> String {
    let findings = Box::new(report.findings.as_ref().clone().bounded());
    let bounded = json(&Report { findings, ..report.clone() });
    if bounded.len() <= MAX_OUTPUT_BYTES { bounded } else { json(&report.brief()) }
}

fn shorten(text: &mut String, max_bytes: usize) {
    if text.len() > max_bytes {
        *text = cut(text, max_bytes).into_owned();
    }
}

fn bytes_of(value: &impl Serialize) -> usize {
    json(value).len()
}

#[expect(clippy::expect_used, reason = "strings and numbers")]
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a report is plain JSON")
}

#[cfg(test)]
mod tests {
    use super::super::{ImportOutcome, RejectedRow, RejectsFile};
    use super::*;

    /// A report whose every part is as long as it can be, of characters that JSON writes in six.
    fn worst() -> Report {
        let long = |characters: usize| "\u{1}".repeat(characters);
        let reject = RejectedRow {
            record: u64::MAX,
            line: u64::MAX,
            byte: u64::MAX,
            column: Some(long(65)),
            value: Some(long(81)),
            reason: "not_a_timestamp".to_owned(),
            says: long(1001),
        };
        let source = format!("s3://{}/{}", "b".repeat(63), long(1024)).parse().unwrap();
        let findings = Findings {
            encoding: Some(long(100)),
            reasons: (0..100).map(|reason| (format!("a_rather_long_reason_{reason}"), u64::MAX)).collect(),
            first_rejects: vec![reject; 100],
            rejects_file: Some(RejectsFile { source, rows: u64::MAX }),
            notes: vec![long(10_000); 100],
            ..Findings::default()
        };
        Report {
            import_id: "x".repeat(40),
            outcome: ImportOutcome::Imported,
            table: long(130),
            rows: u64::MAX,
            rejects: u64::MAX,
            bytes: u64::MAX,
            attempt: i32::MAX,
            elapsed_ms: u64::MAX,
            findings: Box::new(findings),
        }
    }

    #[test]
    fn the_worst_report_fits_into_an_output() {
        let worst = worst();
        let output = worst.to_output();
        assert!(output.len() <= MAX_OUTPUT_BYTES, "{}", output.len());
        let report: Report = serde_json::from_str(&output).unwrap();
        let Findings { notes, first_rejects, .. } = report.findings.as_ref();
        assert_eq!((report.rejects, report.findings.reasons.len(), notes.len()), (u64::MAX, 100, 31));
        assert_eq!(notes[30], "70 more notes are left out");
        assert!(
            notes[0].ends_with('…') && (1..100).contains(&first_rejects.len()),
            "{}",
            first_rejects.len()
        );
        assert_eq!(report.to_output(), output, "what is bounded once stays as it is");
    }

    #[test]
    fn a_table_of_any_name_fits_too() {
        let mut report = worst();
        report.table = "t".repeat(300_000);
        let brief: Report = serde_json::from_str(&report.to_output()).unwrap();
        assert_eq!((brief.rows, brief.findings.first_rejects.len()), (u64::MAX, 0));
    }

    #[test]
    fn an_ordinary_report_is_told_as_it_is() {
        let mut report = worst();
        report.findings.notes = vec!["a note".to_owned()];
        report.findings.first_rejects.truncate(3);
        assert_eq!(serde_json::from_str::<Report>(&report.to_output()).unwrap(), report);
    }
}
