//! Imports that a stack had not finished when it ended: the next stack on the folder goes on with them, and says so. What it
//! has not finished either when it ends is rolled back, and goes on with the one after it.

use std::time::{Duration, Instant};

use ops::executions::Execution;
use ops::numbers;
use ops::submit::Submitted;
use ops::target::Target;
use ops::unfinished::{self, Unfinished};
use statemachine::JobId;

use crate::arguments::Common;
use crate::output;
use crate::signals::Signals;

/// How many imports are named.
const NAMED: usize = 3;
/// How long an execution may take to begin: some milliseconds, unless its message has to wait for its turn.
const BEGINNING: Duration = Duration::from_secs(3);
const GLANCE: Duration = Duration::from_millis(20);

/// Says which imports the stack inside a command goes on with besides those that are meant: they take their time of it.
pub(crate) async fn say_what_goes_on(common: &Common, target: &Target, meant: &[&str]) {
    if !target.is_embedded() || target.is_at_rest {
        return;
    }
    // Whoever cannot be asked now says so when it has something to do.
    let Unfinished { imports: mut ids, messages } = unfinished::find(target).await.unwrap_or_default();
    ids.retain(|id| !meant.contains(&id.as_str()));
    let command = |verb: &str| common.command_line(verb);
    for sentence in goes_on(&ids, &command).into_iter().chain(brings(messages)) {
        output::complain(&sentence);
    }
}

/// That a command brings what waits in the queue beside its own.
fn brings(messages: usize) -> Option<String> {
    let count = u64::try_from(messages).unwrap_or(u64::MAX);
    (count > 0).then(|| {
        format!(
            "this command also takes what waits in the queue, messages: {}; what it has not finished when it ends goes on with the next",
            numbers::count(count)
        )
    })
}

/// That a command goes on with these imports beside its own. `command` makes the command line of a verb.
fn goes_on(ids: &[String], command: &dyn Fn(&str) -> String) -> Option<String> {
    let named = ids.get(..NAMED).unwrap_or(ids).join(", ");
    let imports = match ids.len() {
        0 => return None,
        1 => format!("the import {named}, which was sent here and is"),
        many if many <= NAMED => format!("the imports {named}, which were sent here and are"),
        many => {
            let more = u64::try_from(many - NAMED).unwrap_or(u64::MAX);
            format!("the imports {named} and {} more, which were sent here and are", numbers::count(more))
        }
    };
    Some(format!(
        "this command also goes on with {imports} not finished; `{}` ends an import",
        command("cancel ID")
    ))
}

/// That the stack which a command has joined is gone. `verb` tells how it went.
pub(crate) fn without_its_stack(common: &Common, verb: &str) -> String {
    format!(
        "the stack that was up here has ended; what has not ended goes on with the next `{}`, and `{}` tells how it stands",
        common.command_line("up"),
        common.command_line(verb)
    )
}

/// That an import is left unfinished. An execution that is about to begin is waited for, for a while or until the next signal:
/// what has begun can be cancelled.
pub(crate) async fn interruption(
    common: &Common,
    target: &Target,
    submitted: &Submitted,
    signals: &mut Signals,
) -> anyhow::Error {
    let begun = async {
        let deadline = Instant::now() + BEGINNING;
        loop {
            match Execution::describe(target, &submitted.execution_arn).await {
                Ok(Some(_)) => return true,
                Ok(None) if Instant::now() < deadline => tokio::time::sleep(GLANCE).await,
                Ok(None) | Err(_) => return false,
            }
        }
    };
    let has_begun = tokio::select! {
        has_begun = begun => has_begun,
        () = signals.received() => false,
    };
    let command = |verb: &str| common.command_line(verb);
    anyhow::anyhow!(interrupted(&submitted.import_id, target.is_embedded(), has_begun, &command))
}

/// What goes on with an import that is left unfinished, and what ends it.
fn interrupted(id: &JobId, is_embedded: bool, has_begun: bool, command: &dyn Fn(&str) -> String) -> String {
    let cancel = command(&format!("cancel {id}"));
    let ends_it = if has_begun {
        format!("`{cancel}` ends it")
    } else {
        format!("its message waits for its turn, and `{cancel}` ends it once it has begun")
    };
    if is_embedded {
        format!(
            "interrupted; the import {id} is not lost: `{}` goes on with it, and so does the next `{}`; {ends_it}",
            command("up"),
            command("run")
        )
    } else {
        format!(
            "interrupted; the stack that is up here goes on with the import {id}: `{}` tells how it went, {ends_it}",
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
            interrupted(&id, true, true, &command),
            "interrupted; the import people-1 is not lost: `baton up --data-dir x` goes on with it, and so does the next \
             `baton run --data-dir x`; `baton cancel people-1 --data-dir x` ends it"
        );
        assert_eq!(
            interrupted(&id, false, true, &command),
            "interrupted; the stack that is up here goes on with the import people-1: `baton show people-1 --data-dir x` tells \
             how it went, `baton cancel people-1 --data-dir x` ends it"
        );
        for is_embedded in [true, false] {
            let said = interrupted(&id, is_embedded, false, &command);
            let words = "its message waits for its turn, and `baton cancel people-1 --data-dir x` ends it once it has begun";
            assert!(said.ends_with(words), "{said}");
        }
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
            "this command also goes on with the import p-1, which was sent here and is not finished; `baton cancel ID --data-dir x` ends an import"
        );
        assert!(said(3).unwrap().starts_with(
            "this command also goes on with the imports p-1, p-2, p-3, which were sent here and are not finished"
        ));
        assert!(said(1203).unwrap().starts_with(
            "this command also goes on with the imports p-1, p-2, p-3 and 1,200 more, which were"
        ));
    }
}
