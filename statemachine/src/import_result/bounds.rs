//! How large an import's result may be. It stands in the output of a task and of an execution, which Step Functions bounds, and a
//! report that it refuses fails an import whose rows are committed.

use serde::Serialize;

use super::Findings;
use crate::text::{cut, printable};

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
    serde_json::to_string(value).expect("findings are plain JSON")
}

#[cfg(test)]
mod tests {
    use super::super::{ImportResult, RejectedRow, RejectsFile};
    use super::*;
    use crate::{Kind, MAX_OUTPUT_BYTES, Outcome, Report};

    /// Findings whose every part is as long as it can be, of characters that JSON writes in six.
    fn worst() -> Findings {
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
        Findings {
            encoding: Some(long(100)),
            reasons: (0..100).map(|reason| (format!("a_rather_long_reason_{reason}"), u64::MAX)).collect(),
            first_rejects: vec![reject; 100],
            rejects_file: Some(RejectsFile { source, rows: u64::MAX }),
            notes: vec![long(10_000); 100],
            ..Findings::default()
        }
    }

    fn report(table: String, findings: Findings) -> Report {
        let result = ImportResult {
            table,
            rows: u64::MAX,
            rejects: u64::MAX,
            bytes: u64::MAX,
            findings: Box::new(findings),
        };
        Report {
            id: "x".repeat(40).parse().unwrap(),
            kind: Kind::IMPORT,
            outcome: Outcome::Done,
            attempt: i32::MAX,
            elapsed_ms: u64::MAX,
            result: serde_json::to_value(result).unwrap(),
        }
    }

    fn told(report: &Report) -> ImportResult {
        let output = report.to_output();
        assert!(output.len() <= MAX_OUTPUT_BYTES, "{}", output.len());
        serde_json::from_str::<Report<ImportResult>>(&output).unwrap().result
    }

    #[test]
    fn the_worst_findings_fit_into_an_output() {
        let bounded = worst().bounded();
        let told = told(&report("\u{1}".repeat(130), bounded.clone()));
        let Findings { notes, first_rejects, .. } = told.findings.as_ref();
        assert_eq!((told.rejects, told.findings.reasons.len(), notes.len()), (u64::MAX, 100, 31));
        assert_eq!(notes[30], "70 more notes are left out");
        assert!(
            notes[0].ends_with('…') && (1..100).contains(&first_rejects.len()),
            "{}",
            first_rejects.len()
        );
        let again = bounded.clone().bounded();
        assert_eq!(again.first_rejects, bounded.first_rejects, "what is bounded once keeps its rejects");
    }

    #[test]
    fn a_result_that_is_too_large_is_told_by_its_numbers() {
        let report = report("t".repeat(300_000), worst().bounded());
        let output = report.to_output();
        let told: Report = serde_json::from_str(&output).unwrap();
        assert_eq!(
            (&told.result["rows"], &told.result["table"]),
            (&u64::MAX.into(), &serde_json::Value::Null)
        );
        assert!(output.len() < 5_000, "{}", output.len());
    }

    #[test]
    fn an_ordinary_report_is_told_as_it_is() {
        let findings = Findings {
            notes: vec!["a note".to_owned()],
            first_rejects: worst().first_rejects,
            ..Findings::default()
        };
        let report = report("people".to_owned(), findings.bounded());
        assert_eq!(serde_json::from_str::<Report>(&report.to_output()).unwrap(), report);
    }
}
