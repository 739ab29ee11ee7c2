//! What to do next about a failure, by its name: the worker says what is wrong, this says what `baton` can do about it.

use statemachine::FailureName;

/// A sentence for the person who asked for the import; none where the cause says it all.
pub(crate) fn for_failure(name: &str) -> Option<&'static str> {
    let known = FailureName::ALL.iter().find(|known| known.as_str() == name)?;
    Some(match known {
        FailureName::TableMissing => {
            "--create-table makes a table from the file's header and a sample of its values"
        }
        FailureName::HeaderMismatch => {
            "rename the columns in the file, or leave out those that the table does not have with --ignore-unknown"
        }
        FailureName::TooManyRejects => {
            "nothing was imported; mend the rows, or let some of them be left out with --max-rejects N"
        }
        FailureName::TableNotAllowed => "start the stack with this table among --allow-tables",
        FailureName::Contradiction => {
            "use another --id: this one belongs to an import of another file or table"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_table_is_answered_with_the_option_that_makes_one() {
        assert!(for_failure("Import.TableMissing").unwrap().contains("--create-table"));
        assert_eq!(for_failure("States.TaskFailed"), None);
    }
}
