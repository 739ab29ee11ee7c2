//! The report at the end of `run` and `submit --follow`: what became of the file, which rows were rejected and why, where
//! they are, what to do next.

use std::time::Duration;

use ops::findings;
use ops::numbers;
use ops::show::picture::{ImportPicture, Picture};
use ops::text::as_fact;
use ops::{advice, same_options, text};
use statemachine::FailureName;

use crate::arguments::Common;
use crate::output;

/// Rejects that stand in the report; `baton rejects` has the others.
const SHOWN: usize = 10;

/// Prints the report of an import that has ended.
pub(crate) fn print(common: &Common, picture: &Picture, database: &str, took: Duration) {
    let command = |verb: &str| common.command(verb, &picture.import.id);
    let headline = headline(&picture.import, took);
    lines(picture, database, headline, &command).iter().for_each(|line| output::line(line));
}

/// Prints the report of an import that succeeded before the command, which has done nothing.
pub(crate) fn print_done_before(common: &Common, picture: &Picture, database: &str) {
    let command = |verb: &str| common.command(verb, &picture.import.id);
    let headline = headline_done_before(&picture.import);
    lines(picture, database, headline, &command).iter().for_each(|line| output::line(line));
}

/// The report. `command` makes the command line of a verb for this import.
fn lines(
    picture: &Picture,
    database: &str,
    headline: String,
    command: &dyn Fn(&str) -> String,
) -> Vec<String> {
    let import = &picture.import;
    let succeeded = import.status == "SUCCESS";
    let mut lines = vec![headline];
    let mut fact = |label: &str, value: &str| lines.push(as_fact(label, value));
    if succeeded {
        fact("rows", &findings::rows(import));
    }
    if succeeded || findings::rejects_of(import) > 0 {
        fact("rejects", &findings::rejects(import));
    }
    lines.extend(first_rejects(import));
    lines.extend(facts_of_findings(import, command));
    let mut fact = |label: &str, value: &str| lines.push(as_fact(label, value));
    if succeeded {
        fact("table", &format!("{} in {database}", import.table));
    }
    fact("attempts", &import.attempt.to_string());
    let execution = picture.execution.as_ref();
    if let Some(error) = execution.and_then(|execution| execution.error.as_ref()) {
        let cause = execution.and_then(|execution| execution.cause.as_deref());
        fact("error", error);
        fact(
            "cause",
            &cause
                .map_or_else(|| advice::unrecorded(Some(error)).to_owned(), |cause| shortened(cause, import)),
        );
        let failed = advice::Failed {
            import_id: &import.id,
            name: error,
            cause: cause.unwrap_or_default(),
            findings: import.findings.as_ref(),
        };
        if let Some(advice) = advice::for_failure(failed, command) {
            fact("next", &advice);
        }
    } else if let Some(advice) = import.findings.as_ref().and_then(advice::for_rejects) {
        fact("next", advice);
    }
    if let Some(fate) = &picture.message {
        fact("message", &fate.describe());
    }
    fact("more", &command("show"));
    lines
}

fn headline(import: &ImportPicture, took: Duration) -> String {
    let file = import.source.rsplit('/').next().unwrap_or(&import.source);
    let took = numbers::duration(took);
    let headline = match import.status.as_str() {
        "SUCCESS" if is_dry_run(import) => format!("checked {file} in {took}; dry run: nothing was written"),
        "SUCCESS" => format!("imported {file} in {took}"),
        "FAILURE" => {
            format!("failed to import {file} into {} after {took}; nothing was written", import.table)
        }
        _ => format!("failed to import {file} into {} after {took}", import.table),
    };
    text::visible(&headline)
}

fn headline_done_before(import: &ImportPicture) -> String {
    let file = import.source.rsplit('/').next().unwrap_or(&import.source);
    let done = if is_dry_run(import) { "checked" } else { "imported" };
    let when = import.finished_at.map(|at| format!(" on {} UTC", at.format("%Y-%m-%d %H:%M:%S")));
    let (id, when) = (&import.id, when.unwrap_or_default());
    text::visible(&format!("{file} was {done} before, as {id}{when}; nothing was done now"))
}

fn is_dry_run(import: &ImportPicture) -> bool {
    import.findings.as_ref().is_some_and(|findings| findings.dry_run)
}

/// The first rejects, set off by blank lines.
fn first_rejects(import: &ImportPicture) -> Vec<String> {
    let Some(rejects) = import.findings.as_ref().map(|findings| &findings.first_rejects) else {
        return Vec::new();
    };
    let shown = rejects.get(..SHOWN).unwrap_or(rejects);
    if shown.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    lines.extend(findings::reject_table(shown).into_iter().map(|line| format!("    {line}")));
    let others = findings::rejects_of(import).saturating_sub(shown.len() as u64);
    if others > 0 {
        lines.push(format!("    … and {} more", numbers::count(others)));
    }
    lines.push(String::new());
    lines
}

/// What was found in the file besides the rows.
pub(crate) fn facts_of_findings(import: &ImportPicture, command: &dyn Fn(&str) -> String) -> Vec<String> {
    let Some(findings) = &import.findings else { return Vec::new() };
    let mut facts = Vec::new();
    if let Some(file) = &findings.rejects_file {
        let rejects = command("rejects");
        let held = if file.rows < findings::rejects_of(import) {
            format!("the first {} are in {}", numbers::count(file.rows), file.source)
        } else {
            format!("kept in {}", file.source)
        };
        let mut said = format!("{held}\n{rejects} lists them");
        // Where the other rows are in the table. Else the whole file is to be corrected, not these rows alone.
        if import.status == "SUCCESS" && !findings.dry_run {
            let how = same_options::how_again(&import.options, findings);
            said.push_str(&format!(
                "\n{rejects} --csv > FILE saves them; corrected, FILE can be imported {how}"
            ));
            for sentence in same_options::beforehand(&import.options, findings) {
                said.push_str(&format!("\n{sentence}"));
            }
        }
        facts.push(as_fact("bad rows", &said));
    }
    facts.extend(findings::writing(findings).map(|writing| as_fact("file", &writing)));
    facts.extend(findings::notes(import).iter().map(|note| as_fact("note", note)));
    facts
}

/// The cause, without the rejects that stand above it as a table.
fn shortened(cause: &str, import: &ImportPicture) -> String {
    let is_told = import.findings.as_ref().is_some_and(|findings| !findings.first_rejects.is_empty());
    let lists_rejects = import.error.as_deref() == Some(FailureName::TooManyRejects.as_str());
    match cause.lines().next() {
        Some(first) if is_told && lists_rejects => {
            let first = first.trim_end_matches(':');
            first.strip_suffix("; the first").unwrap_or(first).to_owned()
        }
        _ => cause.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use statemachine::OnConflict;

    use super::*;
    use ops::findings::sample::import;
    use ops::show::execution::ExecutionPicture;
    use ops::show::message::MessageFate;

    fn report(import: ImportPicture, execution: Option<ExecutionPicture>) -> String {
        let picture =
            Picture { import, attempts: Vec::new(), execution, message: Some(MessageFate::Deleted) };
        let command = |verb: &str| format!("baton {verb} people-2");
        let headline = headline(&picture.import, Duration::from_millis(340));
        lines(&picture, "sqlite people.db", headline, &command).join("\n")
    }

    fn failed(cause: &str) -> ExecutionPicture {
        ExecutionPicture {
            arn: "arn".to_owned(),
            status: "FAILED".to_owned(),
            started_at: chrono::DateTime::UNIX_EPOCH,
            stopped_at: None,
            redrives: 0,
            error: Some("Import.TooManyRejects".to_owned()),
            cause: Some(cause.to_owned()),
            states: Vec::new(),
        }
    }

    #[test]
    fn an_import_with_bad_rows_is_reported_with_each_of_them() {
        let expected = r#"imported people.csv in 340 ms
  rows      1,202: 1,190 new, 12 updated
            3 skipped: the table has a row with the same key
            1 left out: the file has another row with the same key
  rejects   4 of 1,210 rows: 2 not_an_integer, 1 field_count, 1 too_long

    LINE  COLUMN  VALUE                                       REASON
       3  年齢    "二十"                                      is no whole number
      18  name    "a\u{1b}[31m\u{202e}b"                      has 52 characters, the column takes 40
      21                                                      has 3 fields, the header has 2
    1204  年齢    "999999999999999999999999999999999999999…"  is no whole number

  bad rows  kept in s3://baton/uploads/x/people.csv.x.1.rejects
            baton rejects people-2 lists them
            baton rejects people-2 --csv > FILE saves them; corrected, FILE can be imported again with: --encoding cp932
  file      cp932 (detected), tab between fields, gzip
  note      the same file was imported into people before, by people-1
  note      the index was rebuilt
  table     people in sqlite people.db
  attempts  1
  message   deleted
  more      baton show people-2"#;
        assert_eq!(report(import(), None), expected);
    }

    #[test]
    fn corrected_rows_are_imported_with_the_options_of_their_import() {
        let mut with_options = import();
        let json = r#"{"null":"\\N","encoding":"windows-1250","max_rejects":9}"#;
        with_options.options = serde_json::from_str(json).unwrap();
        let report = report(with_options, None);
        let words = r"corrected, FILE can be imported again with: --encoding windows-1250 --null '\N'";
        assert!(report.contains(&format!("{words}\n")), "{report}");
    }

    #[test]
    fn corrected_rows_of_an_upsert_are_said_to_count_last() {
        let mut upsert = import();
        upsert.options.on_conflict = OnConflict::Update;
        let words = "again with: --encoding cp932 --on-conflict update\n            a corrected row then counts last: ";
        assert!(report(upsert, None).contains(words));
        assert!(!report(import(), None).contains("counts last"));
    }

    #[test]
    fn rows_that_are_too_large_are_told_with_what_takes_them() {
        let mut with_large = import();
        with_large.options = serde_json::from_str(r#"{"max_record_bytes":1024}"#).unwrap();
        with_large.findings.as_mut().unwrap().reasons.insert("record_too_large".to_owned(), 1);
        let report = report(with_large, None);
        assert!(!report.contains("--max-record-bytes 1024"), "{report}");
        assert!(report.contains("larger --max-record-bytes: more than 1024, up to 268435456\n"), "{report}");
    }

    #[test]
    fn a_failed_import_tells_its_rejects_once() {
        let mut failed_import = import();
        failed_import.status = "FAILURE".to_owned();
        failed_import.error = Some("Import.TooManyRejects".to_owned());
        let cause =
            "4 rows were rejected, the import allows 0:\nline 3, column 年齢: \"二十\" is no whole number";
        let report = report(failed_import, Some(failed(cause)));
        assert!(
            report.starts_with("failed to import people.csv into people after 340 ms; nothing was written\n")
        );
        assert_eq!(report.matches("二十").count(), 1, "{report}");
        for words in [
            "cause     4 rows were rejected, the import allows 0\n",
            "baton rejects people-2 lists them\n",
            "next      correct the rows in the file",
            "rejects   4 of 1,210 rows",
        ] {
            assert!(report.contains(words), "{words:?} is missing in {report}");
        }
        assert!(!report.contains("  rows  ") && !report.contains("--csv"), "{report}");
    }

    #[test]
    fn a_failure_without_findings_tells_its_whole_cause() {
        let bare = ImportPicture {
            findings: None,
            rejects: 0,
            status: "FAILURE".to_owned(),
            error: Some("Import.TooManyRejects".to_owned()),
            ..import()
        };
        let report = report(bare, Some(failed("1 row was rejected:\nline 3: \u{1b}[31mbad")));
        assert!(report.contains("1 row was rejected:\n            line 3: \\u{1b}[31mbad\n"), "{report}");
    }

    #[test]
    fn a_dry_run_says_that_nothing_was_written() {
        let mut checked = import();
        checked.findings.as_mut().unwrap().dry_run = true;
        let report = report(checked, None);
        assert!(
            report.starts_with("checked people.csv in 340 ms; dry run: nothing was written\n"),
            "{report}"
        );
        assert!(report.contains("rows      1,202 would be written: 1,190 new, 12 updated\n"), "{report}");
    }

    #[test]
    fn of_very_many_rejects_the_first_stand_in_the_report() {
        let mut many = import();
        many.rejects = 250_000;
        let findings = many.findings.as_mut().unwrap();
        let first = findings.first_rejects[0].clone();
        findings.first_rejects = vec![first; 20];
        findings.rejects_file.as_mut().unwrap().rows = 100_000;
        let report = report(many, None);
        assert_eq!(report.matches("二十").count(), SHOWN);
        assert!(report.contains("\n    … and 249,990 more\n"), "{report}");
        assert!(report.contains("bad rows  the first 100,000 are in s3://"), "{report}");
    }
}
