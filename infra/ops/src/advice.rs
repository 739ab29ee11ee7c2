//! What to do next about a failure, by its name: the worker says what is wrong, this says what `baton` can do about it.

use statemachine::{FailureName, Findings};

/// Sentences for the person who asked for the import. `command` makes the command line of a verb for it.
pub(crate) fn for_failure(
    name: &str,
    findings: Option<&Findings>,
    command: &dyn Fn(&str) -> String,
) -> Option<String> {
    let known = FailureName::ALL.iter().find(|known| known.as_str() == name);
    let advice = known.and_then(|known| for_known(*known, findings, &command("rejects")));
    let redrive = for_redrive(known.copied(), &command("redrive"));
    let sentences: Vec<_> = advice.into_iter().chain(redrive).collect();
    (!sentences.is_empty()).then(|| sentences.join("\n"))
}

/// What the worker's cause does not say; none where it says it all.
pub(crate) fn for_known(known: FailureName, findings: Option<&Findings>, rejects: &str) -> Option<String> {
    let advice = match known {
        FailureName::TooManyRejects => return Some(for_too_many_rejects(findings, rejects)),
        FailureName::TableMissing => {
            "--create-table makes a table from the file's header and all of its values"
        }
        FailureName::HeaderMismatch => {
            "say which column a name means with --map NAME=COLUMN, or leave out those that the table does not have with \
             --ignore-unknown; a file without a header needs --no-header"
        }
        FailureName::OptionsInvalid => {
            "leave out or change the option that the cause names; `baton run --help` tells what each of them takes"
        }
        FailureName::AlreadyImported => {
            "nothing is to be done if that import was meant; without --once the file is imported again"
        }
        FailureName::SourceUnreadable => {
            "if the file is a CSV all the same, say how it is written: --encoding, --delimiter, --escape"
        }
        FailureName::TableNotAllowed => "start the stack with this table among --allow-tables",
        FailureName::Contradiction => {
            "use another --id: this one belongs to an import of another file or table, or with other options"
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

/// How to run the import again as it is. Its options are given once and for all: where they are at fault, that fails again.
fn for_redrive(known: Option<FailureName>, redrive: &str) -> Option<String> {
    match known {
        Some(
            FailureName::MessageInvalid
            | FailureName::OptionsInvalid
            | FailureName::AlreadyImported
            | FailureName::Contradiction,
        ) => None,
        Some(FailureName::HeaderMismatch | FailureName::SourceUnreadable | FailureName::TooManyRejects) => {
            Some(format!(
                "options of an import cannot change; where the table, or the file in S3, is mended instead, `{redrive}` runs \
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

/// What most rejects have in common, where an option may be all that is missing.
pub(crate) fn for_rejects(findings: &Findings) -> Option<&'static str> {
    let of = |reason: &str| findings.reasons.get(reason).copied().unwrap_or(0);
    let all: u64 = findings.reasons.values().sum();
    if of("undecodable") > 0 {
        Some(
            "bytes that cannot be decoded are often another encoding than the one taken: name it with --encoding",
        )
    } else if all > 1 && of("field_count") * 2 > all {
        Some("rows with more or fewer fields are often a matter of --delimiter or --escape")
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
        for_failure(name, None, &command)
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
        for name in ["Import.Contradiction", "Import.OptionsInvalid", "Import.AlreadyImported"] {
            assert!(!advice(name).unwrap().contains("redrive"), "{name}");
        }
        assert_eq!(advice("Message.Invalid"), None);
    }

    #[test]
    fn too_many_rejects_name_the_command_that_lists_them_where_they_are_kept() {
        let mut kept = findings(&[("too_long", 3)]);
        let source = "s3://b/a.csv.7.1.rejects".parse().unwrap();
        kept.rejects_file = Some(statemachine::RejectsFile { source, rows: 3 });
        let advice = for_failure("Import.TooManyRejects", Some(&kept), &command).unwrap();
        assert!(advice.contains("(`baton rejects 7` lists them)"), "{advice}");
    }

    #[test]
    fn rejects_that_are_one_mistake_are_answered_with_the_option_that_mends_it() {
        let said = |reasons: &[(&str, u64)]| for_rejects(&findings(reasons)).unwrap_or_default();
        assert!(said(&[("undecodable", 1), ("too_long", 9)]).contains("--encoding"));
        assert!(said(&[("field_count", 9), ("too_long", 1)]).contains("--delimiter"));
        assert_eq!(said(&[("field_count", 1)]), "", "one ragged row is a ragged row");
        assert_eq!(said(&[("too_long", 9)]), "");
        let all =
            for_failure("Import.TooManyRejects", Some(&findings(&[("undecodable", 2)])), &command).unwrap();
        assert!(all.contains("--encoding") && all.contains("--max-rejects"), "{all}");
    }
}
