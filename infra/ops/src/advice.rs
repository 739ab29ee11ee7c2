//! What to do next about a failure, by its name: the worker says what is wrong, this says what `baton` can do about it.

use statemachine::{FailureName, Findings, JobId};
use worker::failure::words;

/// A failure, as far as advice goes by it.
#[derive(Clone, Copy)]
pub struct Failed<'a> {
    /// The import's id.
    pub import_id: &'a str,
    /// Its name, as it is written: `Import.TableMissing`.
    pub name: &'a str,
    /// The worker's own sentences; empty where none were recorded.
    pub cause: &'a str,
    /// What its last attempt found in the file.
    pub findings: Option<&'a Findings>,
}

/// What stands for a cause that was not recorded.
pub fn unrecorded(error: Option<&str>) -> &'static str {
    match error {
        Some("States.Timeout" | "States.HeartbeatTimeout") => {
            "none was recorded: its time ran out, or its workers made no progress for so long that each was given up; they may \
             wait for a lock in the database that another session holds"
        }
        _ => "none was recorded",
    }
}

/// Sentences for the person who asked for the import. `command` makes the command line of a verb for it.
pub fn for_failure(failed: Failed<'_>, command: &dyn Fn(&str) -> String) -> Option<String> {
    let known = FailureName::ALL.iter().find(|known| known.as_str() == failed.name).copied();
    let advice = without_redrive(failed, &command("rejects"));
    let is_hopeless = is_never_written(known, failed.cause) || failed.cause.contains(words::ANOTHER_UPLOAD);
    let redrive = if is_hopeless { None } else { for_redrive(known, failed.import_id, &command("redrive")) };
    let sentences: Vec<_> = advice.into_iter().chain(redrive).collect();
    (!sentences.is_empty()).then(|| sentences.join("\n"))
}

/// What the worker's cause does not say; none where it says it all.
pub fn without_redrive(failed: Failed<'_>, rejects: &str) -> Option<String> {
    let Failed { name, cause, findings, .. } = failed;
    let known = FailureName::ALL.iter().find(|known| known.as_str() == name).copied()?;
    let advice = match known {
        FailureName::TooManyRejects => return Some(for_too_many_rejects(findings, rejects)),
        FailureName::HeaderMismatch => return for_header(cause),
        FailureName::TableMissing => {
            "--create-table makes a table from the file's header and all of its values"
        }
        FailureName::OptionsInvalid => {
            "leave out or change the option that the cause names; `baton run --help` tells what each of them takes"
        }
        FailureName::AlreadyImported => {
            "nothing is to be done if that import was meant; without --once the file is imported again"
        }
        FailureName::SourceUnreadable => return for_unreadable(cause),
        FailureName::TableNotAllowed if is_never_written(Some(known), cause) => "import into another table",
        FailureName::TableNotAllowed => "start the stack with this table among --allow-tables",
        _ => return None,
    };
    Some(advice.to_owned())
}

/// Whether no set-up lets an import write this table.
fn is_never_written(known: Option<FailureName>, cause: &str) -> bool {
    known == Some(FailureName::TableNotAllowed) && cause.contains(words::NEVER_WRITTEN)
}

/// What mends a header, by the lines of the cause, which begin with what is wrong.
fn for_header(cause: &str) -> Option<String> {
    if cause.contains(words::WITHOUT_HEADER) {
        let ways = "if the first line is a header, leave out --no-header; if something else stands between the fields, name it with \
                    --delimiter";
        return Some(ways.to_owned());
    }
    let has = |kind: &str| cause.lines().any(|line| line.starts_with(kind));
    let has_other_names = has("missing: ") || has("unknown: ") || has("mapped: ");
    let is_told = has_other_names || ["twice: ", "generated: ", "identity: "].into_iter().any(has);
    let mut ways = Vec::new();
    if cause.contains(words::OTHER_DELIMITER) {
        ways.push("name what stands between the fields with --delimiter");
    } else if has_other_names || !is_told {
        ways.push("say which column a name means with --map NAME=COLUMN");
    }
    if has("unknown: ") {
        ways.push("leave out those that the table does not have with --ignore-unknown");
    }
    if has("generated: ") || has("identity: ") {
        ways.push("leave out the columns that the database fills itself with --ignore-unknown, without a --map for them");
    }
    if has_other_names || !is_told {
        ways.push("a file without a header needs --no-header");
    }
    (!ways.is_empty()).then(|| ways.join("; "))
}

fn for_unreadable(cause: &str) -> Option<String> {
    // What these say is all that can be done.
    if cause.contains(words::NOT_READ) || cause.contains(" archive ") {
        return None;
    }
    Some(if cause.contains(words::EMPTY_FILE) {
        "look at the program that writes the file: it has written nothing".to_owned()
    } else {
        "if the file is a CSV all the same, say how it is written: --encoding, --delimiter, --escape"
            .to_owned()
    })
}

/// How to run the import again as it is. Its options are given once and for all: where they are at fault, that fails again.
fn for_redrive(known: Option<FailureName>, import_id: &str, redrive: &str) -> Option<String> {
    let is_of_upload = import_id.parse().is_ok_and(|id: JobId| id.is_of_upload());
    match known {
        Some(
            FailureName::MessageInvalid
            | FailureName::OptionsInvalid
            | FailureName::AlreadyImported
            | FailureName::Contradiction,
        ) => None,
        Some(FailureName::SourceUnreadable) if is_of_upload => None,
        Some(FailureName::HeaderMismatch | FailureName::TooManyRejects) if is_of_upload => Some(format!(
            "the options of an import cannot change; if you correct the table instead, `{redrive}` runs it again; a corrected file \
             that is uploaded is an import of its own"
        )),
        Some(FailureName::HeaderMismatch | FailureName::SourceUnreadable | FailureName::TooManyRejects) => {
            Some(format!(
                "the options of an import cannot change; if you correct the table or the uploaded file instead, `{redrive}` runs \
                 it again"
            ))
        }
        _ => Some(format!("once the cause is mended, `{redrive}` runs the import again")),
    }
}

fn for_too_many_rejects(findings: Option<&Findings>, rejects: &str) -> String {
    let is_kept = findings.is_some_and(|findings| findings.rejects_file.is_some());
    let listed = if is_kept { format!(" (`{rejects}` lists them)") } else { String::new() };
    let mend = format!(
        "correct the rows in the file{listed} and import it again,\n\
         or leave them out with --max-rejects N and import them alone once they are corrected"
    );
    match findings.and_then(for_rejects) {
        Some(advice) => format!("{advice}\nelse: {mend}"),
        None => mend,
    }
}

/// What most rejects have in commands, where an option may be all that is missing.
pub fn for_rejects(findings: &Findings) -> Option<&'static str> {
    let of = |reason: &str| findings.reasons.get(reason).copied().unwrap_or(0);
    let all: u64 = findings.reasons.values().sum();
    if of("undecodable") > 0 {
        Some(
            "bytes that cannot be decoded are often another encoding than the one taken: name it with --encoding",
        )
    } else if all > 1 && of("field_count") * 2 > all {
        Some("rows with more or fewer fields are often a matter of --delimiter or --escape")
    } else if of("record_too_large") > 0 {
        Some("rows that are too large need a larger --max-record-bytes, up to 268435456")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(reasons: &[(&str, u64)]) -> Findings {
        let reasons = reasons.iter().map(|(reason, number)| ((*reason).to_owned(), *number)).collect();
        Findings { reasons, ..Findings::default() }
    }

    fn command(verb: &str) -> String {
        format!("baton {verb} 7")
    }

    fn advice(name: &str) -> Option<String> {
        of_cause(name, "")
    }

    fn of_cause(name: &str, cause: &str) -> Option<String> {
        for_failure(Failed { import_id: "7", name, cause, findings: None }, &command)
    }

    fn too_many(findings: &Findings) -> String {
        let failed =
            Failed { import_id: "7", name: "Import.TooManyRejects", cause: "", findings: Some(findings) };
        for_failure(failed, &command).unwrap()
    }

    #[test]
    fn a_failure_that_an_option_mends_is_answered_with_the_option() {
        for (name, words) in [
            ("Import.TableMissing", "--create-table"),
            ("Import.HeaderMismatch", "--map"),
            ("Import.HeaderMismatch", "--no-header"),
            ("Import.OptionsInvalid", "--help"),
            ("Import.AlreadyImported", "without --once"),
            ("Import.SourceUnreadable", "--encoding"),
            ("Import.TooManyRejects", "--max-rejects"),
        ] {
            assert!(advice(name).unwrap().contains(words), "{name}: {words}");
        }
    }

    #[test]
    fn a_header_is_answered_with_what_mends_it() {
        let first = |cause: &str| {
            let advice = of_cause("Import.HeaderMismatch", cause).unwrap();
            advice.lines().next().unwrap_or_default().to_owned()
        };
        let twice = first("…:\ntwice: \"id\", columns 1 and 2 of the file; rename one of them in the file");
        assert!(twice.starts_with("the options of an import cannot change"), "{twice}");
        let unknown = first("…:\nunknown: \"x\", column 1 of the file");
        assert!(unknown.contains("--map") && unknown.contains("--ignore-unknown"), "{unknown}");
        let missing = first("…:\nmissing: \"id\", which must have a value");
        assert!(missing.contains("--map") && !missing.contains("--ignore-unknown"), "{missing}");
        let identity = first("…:\nidentity: \"id\", which the database always numbers itself");
        assert!(identity.contains("--ignore-unknown") && !identity.contains("--no-header"), "{identity}");
        let delimiter =
            first(&format!("…:\nunknown: \"id;v\", column 1 of the file; {} \";\"?", words::OTHER_DELIMITER));
        assert!(delimiter.contains("--delimiter") && !delimiter.contains("--map"), "{delimiter}");
        let bare =
            first(&format!("the file's first row has 3 fields, {} they must be …", words::WITHOUT_HEADER));
        assert!(bare.contains("leave out --no-header") && !bare.contains("needs"), "{bare}");
    }

    #[test]
    fn a_failure_that_no_option_mends_is_not_answered_with_one() {
        let cause = format!("the table \"imports\" {}", words::NEVER_WRITTEN);
        assert_eq!(of_cause("Import.TableNotAllowed", &cause).unwrap(), "import into another table");
        let empty = format!("{}: it has not even a header", words::EMPTY_FILE);
        let advice = of_cause("Import.SourceUnreadable", &empty).unwrap();
        assert!(advice.contains("has written nothing") && !advice.contains("--encoding"), "{advice}");
        let damaged = of_cause("Import.SourceUnreadable", "the gzip archive is damaged").unwrap();
        assert!(!damaged.contains("--encoding"), "{damaged}");
    }

    #[test]
    fn a_failure_whose_cause_can_be_mended_is_answered_with_a_redrive() {
        for name in
            ["Import.TableMissing", "Import.SourceMissing", "States.TaskFailed", "ECS.ServerException"]
        {
            let advice = advice(name).unwrap();
            assert!(
                advice.ends_with("once the cause is mended, `baton redrive 7` runs the import again"),
                "{advice}"
            );
        }
        for name in ["Import.HeaderMismatch", "Import.TooManyRejects"] {
            let advice = advice(name).unwrap();
            assert!(advice.contains("cannot change") && advice.contains("baton redrive 7"), "{advice}");
        }
        for name in ["Import.OptionsInvalid", "Import.AlreadyImported"] {
            assert!(!advice(name).unwrap().contains("redrive"), "{name}");
        }
        // Their causes say all that can be done, to whoever sends messages: `baton` knows before it sends any.
        for name in ["Import.Contradiction", "Message.Invalid"] {
            assert_eq!(advice(name), None, "{name}");
        }
    }

    #[test]
    fn too_many_rejects_name_the_command_that_lists_them_where_they_are_kept() {
        let mut kept = findings(&[("too_long", 3)]);
        let source = "s3://b/a.csv.7.1.rejects".parse().unwrap();
        kept.rejects_file = Some(statemachine::RejectsFile { source, rows: 3 });
        let advice = too_many(&kept);
        assert!(advice.contains("(`baton rejects 7` lists them)"), "{advice}");
    }

    #[test]
    fn rejects_that_are_one_mistake_are_answered_with_the_option_that_mends_it() {
        let said = |reasons: &[(&str, u64)]| for_rejects(&findings(reasons)).unwrap_or_default();
        assert!(said(&[("undecodable", 1), ("too_long", 9)]).contains("--encoding"));
        assert!(said(&[("field_count", 9), ("too_long", 1)]).contains("--delimiter"));
        assert_eq!(said(&[("field_count", 1)]), "", "one ragged row is a ragged row");
        assert_eq!(said(&[("too_long", 9)]), "");
        let all = too_many(&findings(&[("undecodable", 2)]));
        assert!(all.contains("--encoding") && all.contains("--max-rejects"), "{all}");
        let large = too_many(&findings(&[("record_too_large", 1)]));
        assert!(large.contains("--max-record-bytes, up to 268435456"), "{large}");
    }
}
