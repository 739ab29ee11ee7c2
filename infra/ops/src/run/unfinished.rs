//! Imports that a stack had not finished when it ended: the next stack on the folder goes on with them, and says so. What it
//! has not finished either when it ends is rolled back, and goes on with the one after it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use statemachine::{ExecutionName, ImportId};
use worker::imports::{ImportStatus, Search, search};

use crate::cli::Common;
use crate::redrive::Execution;
use crate::signals::Signals;
use crate::submit::Submitted;
use crate::target::Target;
use crate::{output, report};

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
    let mut ids = of(target).await.unwrap_or_default();
    ids.retain(|id| !meant.contains(&id.as_str()));
    let command = |verb: &str| report::command_line(common, verb);
    if let Some(sentence) = goes_on(&ids, &command) {
        output::complain(&sentence);
    }
}

/// The imports that the stack has found in its folder, the earliest first: those whose executions run, and those whose messages
/// wait.
async fn of(target: &Target) -> anyhow::Result<Vec<String>> {
    let running = running(target).await?;
    let waiting = messages(target).await?.saturating_sub(running.len());
    let mut ids = pending(target, waiting)?;
    ids.extend(running);
    ids.reverse();
    Ok(ids)
}

/// The newest first.
async fn running(target: &Target) -> anyhow::Result<Vec<String>> {
    let found = target
        .sfn
        .list_executions()
        .state_machine_arn(&target.resources.import_state_machine_arn)
        .status_filter(ExecutionStatus::Running)
        .max_results(1000)
        .send()
        .await
        .context("failed to list the executions of the import machine")?;
    let names = found.executions.iter().map(|item| item.name.as_str());
    Ok(names.map(|name| ExecutionName::import_id_in(name).unwrap_or(name).to_owned()).collect())
}

/// How many messages are in the queues that imports come through; those of imports that run are hidden there.
async fn messages(target: &Target) -> anyhow::Result<usize> {
    let attributes = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let resources = &target.resources;
    let mut sum = 0;
    for queue_url in std::iter::once(&resources.queue_url).chain(&resources.lane_queue_url) {
        let found = target
            .sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .set_attribute_names(Some(attributes.to_vec()))
            .send()
            .await
            .context("failed to look at the queue")?;
        let numbers = found.attributes.iter().flat_map(|attributes| attributes.values());
        sum += numbers.filter_map(|number| number.parse::<usize>().ok()).sum::<usize>();
    }
    Ok(sum)
}

/// The newest imports that no worker has had yet, the newest first: as many as messages wait, because others may share the
/// database.
fn pending(target: &Target, waiting: usize) -> anyhow::Result<Vec<String>> {
    let limit = u32::try_from(waiting).unwrap_or(u32::MAX).min(1000);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let wanted = Search { status: Some(ImportStatus::Pending), limit, ..Search::default() };
    let page = search(&mut target.database.connect()?, &wanted)?;
    Ok(page.rows.into_iter().map(|row| row.id).collect())
}

/// That a command goes on with these imports beside its own. `command` makes the command line of a verb.
fn goes_on(ids: &[String], command: &dyn Fn(&str) -> String) -> Option<String> {
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
    Some(format!(
        "this command also goes on with {imports} not finished here; `{}` ends an import",
        command("cancel ID")
    ))
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
    let command = |verb: &str| report::command_line(common, verb);
    anyhow::anyhow!(interrupted(&submitted.import_id, target.is_embedded(), has_begun, &command))
}

/// What goes on with an import that is left unfinished, and what ends it.
fn interrupted(
    id: &ImportId,
    is_embedded: bool,
    has_begun: bool,
    command: &dyn Fn(&str) -> String,
) -> String {
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
            "this command also goes on with the import p-1, which was not finished here; `baton cancel ID --data-dir x` ends an import"
        );
        assert!(said(3).unwrap().starts_with(
            "this command also goes on with the imports p-1, p-2, p-3, which were not finished here"
        ));
        assert!(said(1203).unwrap().starts_with(
            "this command also goes on with the imports p-1, p-2, p-3 and 1,200 more, which were"
        ));
    }
}
