//! What was found in a file, said for a person: how it is written, what became of its rows, which were rejected and why.
//! `run`, `submit --follow` and `show` tell it in the same words. Values come from files, so all is made visible.

use statemachine::{Findings, RejectedRow};

use crate::numbers::count;
use crate::show::picture::ImportPicture;
use crate::text::{aligned_right, cut, table_lines, visible};

/// The most columns of the terminal that a value takes, without its quotes.
const VALUE_COLUMNS: usize = 40;
/// The most that a column's name takes.
const NAME_COLUMNS: usize = 24;

/// What became of the rows, a line each.
pub fn rows(import: &ImportPicture) -> String {
    if import.rows_rolled_back > 0 {
        return format!(
            "0: {} were sent to the database, and rolled back",
            count(unsigned(import.rows_rolled_back))
        );
    }
    let written = unsigned(import.rows);
    let Some(findings) = &import.findings else { return count(written) };
    let mut first = count(written);
    if findings.dry_run {
        first.push_str(" would be written");
    }
    if findings.updated > 0 {
        let new = written.saturating_sub(findings.updated);
        first.push_str(&format!(": {} new, {} updated", count(new), count(findings.updated)));
    }
    let mut lines = vec![first];
    if findings.skipped > 0 {
        lines.push(format!("{} skipped: the table has a row with the same key", count(findings.skipped)));
    }
    if findings.duplicates > 0 {
        let duplicates = count(findings.duplicates);
        lines.push(format!("{duplicates} left out: the file has another row with the same key"));
    }
    if findings.dropped > 0 {
        lines.push(format!("{} left out by a trigger of the table", count(findings.dropped)));
    }
    lines.join("\n")
}

/// How many rows were rejected, and how many of them for which reason, the most frequent first.
pub fn rejects(import: &ImportPicture) -> String {
    let rejects = rejects_of(import);
    let mut said = count(rejects);
    let Some(findings) = import.findings.as_ref().filter(|_| rejects > 0) else { return said };
    if findings.rows_read > 0 {
        said.push_str(&format!(" of {} rows", count(findings.rows_read)));
    }
    let mut reasons: Vec<_> = findings.reasons.iter().collect();
    reasons.sort_by_key(|(reason, number)| (std::cmp::Reverse(**number), reason.as_str()));
    let reasons: Vec<_> = reasons
        .into_iter()
        .map(|(reason, number)| format!("{} {}", count(*number), visible(reason)))
        .collect();
    if !reasons.is_empty() {
        said.push_str(&format!(": {}", reasons.join(", ")));
    }
    said
}

/// How many rows were rejected. A failed attempt may have told it in its findings alone.
pub fn rejects_of(import: &ImportPicture) -> u64 {
    let counted = import.findings.as_ref().map_or(0, |findings| findings.reasons.values().sum());
    unsigned(import.rejects).max(counted)
}

/// How the file is written, where that is not UTF-8, a comma between fields, and no compression.
pub fn writing(findings: &Findings) -> Option<String> {
    let is_usual = |encoding: &&String| encoding.split_whitespace().next() == Some("utf-8");
    let parts = [
        findings.encoding.as_ref().filter(|encoding| !is_usual(encoding)).cloned(),
        findings.delimiter.as_ref().filter(|sign| *sign != ",").map(|sign| format!("{sign} between fields")),
        findings.compression.clone(),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().map(|part| visible(&part)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What else a person should know, a sentence each.
pub fn notes(import: &ImportPicture) -> Vec<String> {
    let Some(findings) = &import.findings else { return Vec::new() };
    let same = findings.same_file_as.as_ref().map(|other| {
        format!("the same file was imported into {} before, by {}", visible(&import.table), visible(other))
    });
    same.into_iter().chain(findings.notes.iter().map(|note| visible(note))).collect()
}

/// Rejects as a table, a line of the terminal each.
pub fn reject_table(rejects: &[RejectedRow]) -> Vec<String> {
    let digits =
        rejects.iter().map(|reject| reject.line.to_string().len()).max().unwrap_or(0).max("LINE".len());
    let row = |reject: &RejectedRow| {
        [
            aligned_right(&reject.line.to_string(), digits),
            cut(&visible(reject.column.as_deref().unwrap_or_default()), NAME_COLUMNS),
            reject.value.as_ref().map_or_else(String::new, |value| quoted(value)),
            visible(&reject.says),
        ]
    };
    let rows: Vec<_> = rejects.iter().map(row).collect();
    table_lines(["LINE", "COLUMN", "VALUE", "REASON"], &rows)
}

/// In quotes, so that white space at the ends is seen.
fn quoted(value: &str) -> String {
    format!("\"{}\"", cut(&visible(value), VALUE_COLUMNS))
}

fn unsigned(number: i64) -> u64 {
    number.try_into().unwrap_or(0)
}

/// An import for tests, of this crate and of those that tell it.
#[cfg(any(test, feature = "samples"))]
#[expect(clippy::unwrap_used, reason = "a test fails by it")]
pub mod sample {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    /// An import whose file had about everything in it.
    pub fn import() -> ImportPicture {
        let reject = |line: u64, column: &str, value: &str, reason: &str, says: &str| {
            json!({"record": line - 1, "line": line, "byte": line * 20, "column": column, "value": value,
                "reason": reason, "says": says})
        };
        let findings = json!({
            "encoding": "cp932 (detected)", "delimiter": "tab", "compression": "gzip",
            "rows_read": 1210, "updated": 12, "skipped": 3, "duplicates": 1,
            "same_file_as": "people-1", "reasons": {"too_long": 1, "not_an_integer": 2, "field_count": 1},
            "first_rejects": [
                reject(3, "年齢", "二十", "not_an_integer", "is no whole number"),
                reject(18, "name", "a\u{1b}[31m\u{202e}b", "too_long", "has 52 characters, the column takes 40"),
                {"record": 20, "line": 21, "byte": 900, "reason": "field_count", "says": "has 3 fields, the header has 2"},
                reject(1204, "年齢", &"9".repeat(60), "not_an_integer", "is no whole number"),
            ],
            "rejects_file": {"source": "s3://baton/uploads/x/people.csv.x.1.rejects", "rows": 4},
            "notes": ["the index was rebuilt"],
        });
        ImportPicture {
            id: "people-2".to_owned(),
            status: "SUCCESS".to_owned(),
            source: "s3://baton/uploads/x/people.csv".to_owned(),
            table: "people".to_owned(),
            rows: 1202,
            rows_rolled_back: 0,
            rejects: 4,
            bytes: 20_000,
            bytes_total: 20_000,
            attempt: 1,
            execution_arn: None,
            error: None,
            cause: None,
            updated_at: DateTime::UNIX_EPOCH,
            progress: None,
            created_at: DateTime::UNIX_EPOCH,
            started_at: None,
            finished_at: None,
            findings: Some(serde_json::from_value(findings).unwrap()),
            options: statemachine::ImportOptions::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sample::import;
    use super::*;

    #[test]
    fn every_row_of_the_file_is_accounted_for() {
        let mut import = import();
        assert_eq!(
            rows(&import),
            "1,202: 1,190 new, 12 updated\n\
             3 skipped: the table has a row with the same key\n\
             1 left out: the file has another row with the same key"
        );
        assert_eq!(rejects(&import), "4 of 1,210 rows: 2 not_an_integer, 1 field_count, 1 too_long");
        import.findings = Some(Findings { rows_read: 5, dry_run: true, ..Findings::default() });
        (import.rows, import.rejects) = (5, 0);
        assert_eq!((rows(&import).as_str(), rejects(&import).as_str()), ("5 would be written", "0"));
        import.findings = None;
        assert_eq!((rows(&import).as_str(), rejects(&import).as_str()), ("5", "0"));
        (import.rows, import.rows_rolled_back) = (0, 5000);
        assert_eq!(rows(&import), "0: 5,000 were sent to the database, and rolled back");
    }

    #[test]
    fn only_what_is_unusual_of_the_writing_is_told() {
        let findings = import().findings.unwrap();
        assert_eq!(writing(&findings).unwrap(), "cp932 (detected), tab between fields, gzip");
        let usual = |encoding: &str| Findings {
            encoding: Some(encoding.to_owned()),
            delimiter: Some(",".to_owned()),
            ..Findings::default()
        };
        assert_eq!(writing(&usual("utf-8")), None);
        assert_eq!(writing(&usual("utf-8 (byte order mark)")), None);
        assert_eq!(writing(&usual("utf-16le (byte order mark)")).unwrap(), "utf-16le (byte order mark)");
    }

    #[test]
    fn an_earlier_import_of_the_same_file_is_told() {
        assert_eq!(
            notes(&import()),
            ["the same file was imported into people before, by people-1", "the index was rebuilt"]
        );
    }

    #[test]
    fn rejects_stand_under_each_other_whatever_is_in_them() {
        let findings = import().findings.unwrap();
        let expected = [
            "LINE  COLUMN  VALUE                                       REASON",
            r#"   3  年齢    "二十"                                      is no whole number"#,
            r#"  18  name    "a\u{1b}[31m\u{202e}b"                      has 52 characters, the column takes 40"#,
            "  21                                                      has 3 fields, the header has 2",
            r#"1204  年齢    "999999999999999999999999999999999999999…"  is no whole number"#,
        ];
        assert_eq!(reject_table(&findings.first_rejects), expected);
    }
}
