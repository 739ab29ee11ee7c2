//! Imports that a stack had not finished when it ended: the next stack on the folder goes on with them, and says so.

use anyhow::Context as _;
use aws_sdk_sfn::types::ExecutionStatus;
use statemachine::{ExecutionName, ImportId};

use crate::output;
use crate::target::Target;

/// How many imports are named.
const NAMED: usize = 3;

/// The imports whose executions the stack has found in its folder, the earliest first.
pub(super) async fn of(target: &Target) -> anyhow::Result<Vec<String>> {
    let found = target
        .sfn
        .list_executions()
        .state_machine_arn(&target.resources.import_state_machine_arn)
        .status_filter(ExecutionStatus::Running)
        .max_results(1000)
        .send()
        .await
        .context("failed to list the executions of the import machine")?;
    let ids = found.executions.iter().rev();
    Ok(ids.map(|item| ExecutionName::import_id_in(&item.name).unwrap_or(&item.name).to_owned()).collect())
}

/// That a command goes on with these imports beside its own. `command` makes the command line of a verb.
pub(super) fn goes_on(ids: &[String], command: &dyn Fn(&str) -> String) -> Option<String> {
    let named = ids.get(..NAMED).unwrap_or(ids).join(", ");
    let imports = match ids.len() {
        0 => return None,
        1 => format!("the import {named}, which was"),
        many if many <= NAMED => format!("the imports {named}, which were"),
        many => {
            let more = u64::try_from(many - NAMED).unwrap_or(u64::MAX);
            format!("the imports {named} and {} more, which were", output::count(more))
        }
    };
    Some(format!("goes on with {imports} not finished here; `{}` ends an import", command("cancel ID")))
}

/// That an import is left unfinished, what goes on with it and what ends it.
pub(super) fn interrupted(id: &ImportId, is_embedded: bool, command: &dyn Fn(&str) -> String) -> String {
    let cancel = command(&format!("cancel {id}"));
    if is_embedded {
        format!(
            "interrupted; the import {id} is not lost: `{}` goes on with it, and so does the next `{}`; `{cancel}` ends it",
            command("up"),
            command("run")
        )
    } else {
        format!(
            "interrupted; the stack that is up here goes on with the import {id}: `{}` tells how it went, `{cancel}` ends it",
            command(&format!("show {id}"))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(verb: &str) -> String {
        format!("baton {verb} --data-dir x")
    }

    #[test]
    fn an_interrupted_run_says_what_goes_on_with_its_import_and_what_ends_it() {
        let id = "people-1".parse().unwrap();
        assert_eq!(
            interrupted(&id, true, &command),
            "interrupted; the import people-1 is not lost: `baton up --data-dir x` goes on with it, and so does the next \
             `baton run --data-dir x`; `baton cancel people-1 --data-dir x` ends it"
        );
        assert_eq!(
            interrupted(&id, false, &command),
            "interrupted; the stack that is up here goes on with the import people-1: `baton show people-1 --data-dir x` tells \
             how it went, `baton cancel people-1 --data-dir x` ends it"
        );
    }

    #[test]
    fn a_run_says_which_imports_it_goes_on_with_and_names_a_few() {
        let said = |number: usize| {
            let ids: Vec<_> = (1..=number).map(|number| format!("p-{number}")).collect();
            goes_on(&ids, &command)
        };
        assert_eq!(said(0), None);
        assert_eq!(
            said(1).unwrap(),
            "goes on with the import p-1, which was not finished here; `baton cancel ID --data-dir x` ends an import"
        );
        assert!(
            said(3)
                .unwrap()
                .starts_with("goes on with the imports p-1, p-2, p-3, which were not finished here")
        );
        assert!(
            said(1203)
                .unwrap()
                .starts_with("goes on with the imports p-1, p-2, p-3 and 1,200 more, which were")
        );
    }
}
