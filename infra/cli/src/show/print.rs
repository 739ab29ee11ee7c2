//! The picture of an import for a person.

use chrono::{TimeDelta, Utc};
use ops::findings;
use ops::show::attempts::KeptAttempt;
use ops::show::execution::ExecutionPicture;
use ops::show::picture::{ImportPicture, Picture};
use ops::text;

use crate::arguments::Common;
use crate::{output, report};

/// `rests` says that its execution does, and what goes on with it.
pub(super) fn print(common: &Common, picture: &Picture, database: &str, rests: Option<&str>) {
    print_import(common, &picture.import, database);
    print_attempts(&picture.attempts, picture.execution.as_ref());
    match (&picture.execution, &picture.import.execution_arn) {
        (Some(execution), _) => print_execution(execution),
        (None, Some(arn)) => {
            output::line(&format!("\nexecution  not known any more, or not on this target: {arn}"));
        }
        (None, None) => {
            output::line("\nexecution  none yet: its message waits in the queue, or was never sent")
        }
    }
    if let Some(fate) = &picture.message {
        output::line(&format!("\nmessage    {}", fate.describe()));
    }
    if let Some(rests) = rests {
        output::line(&text::as_fact("note", rests));
    }
    if let Some(left) = left(picture) {
        let redrive = common.command("redrive", &picture.import.id);
        output::line(&text::as_fact("note", &format!("{left}; `{redrive}` runs it again")));
    }
}

/// How long a worker may be on its way out once its execution has ended.
const LEAVING: TimeDelta = TimeDelta::seconds(60);

/// That nothing goes on, whatever the row says: nobody has written the end of its execution there.
fn left(picture: &Picture) -> Option<&'static str> {
    let execution = picture.execution.as_ref()?;
    if execution.stopped_at.is_none() || execution.status == "SUCCEEDED" {
        return None;
    }
    match picture.import.status.as_str() {
        "PENDING" => Some("its execution ended before a worker claimed it"),
        // A worker that was told to end has a while for that.
        "RUNNING" if Utc::now() - execution.stopped_at? < LEAVING => None,
        "RUNNING" => {
            Some("it does not run any more: its worker left without a word, and its rows are rolled back")
        }
        _ => None,
    }
}

fn print_import(common: &Common, import: &ImportPicture, database: &str) {
    let fact = |label: &str, value: &str| output::line(&text::as_fact(label, value));
    output::line(&format!("import     {}  {}", import.id, import.status));
    fact("source", &import.source);
    fact("table", &format!("{} in {database}", import.table));
    fact("rows", &findings::rows(import));
    fact("rejects", &findings::rejects(import));
    fact("bytes", &format!("{} of {}", import.bytes, import.bytes_total));
    if let Some(progress) = &import.progress {
        fact("progress", &progress.to_string());
    }
    if let Some(findings) = &import.findings {
        if findings.dry_run {
            fact("dry run", "nothing was written");
        }
        findings.sha256.iter().for_each(|sha256| fact("sha256", sha256));
    }
    let command = |verb: &str| common.command(verb, &import.id);
    report::facts_of_findings(import, &command).iter().for_each(|line| output::line(line));
    fact("attempts", &import.attempt.to_string());
    fact("created", &format!("{} UTC", import.created_at.format("%Y-%m-%d %H:%M:%S")));
    if let Some(error) = &import.error {
        fact("error", error);
    }
}

fn print_attempts(attempts: &[KeptAttempt], execution: Option<&ExecutionPicture>) {
    if attempts.is_empty() {
        return;
    }
    output::line("");
    let row = |attempt: &KeptAttempt| {
        let took = attempt.finished_at.map(|finished| (finished - attempt.started_at).num_milliseconds());
        [
            attempt.attempt.to_string(),
            attempt.called().to_owned(),
            attempt.started_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            took.map_or_else(|| "open".to_owned(), |ms| format!("{ms} ms")),
            attempt.rows.to_string(),
            attempt.rejects.to_string(),
            attempt.ended_as.clone().unwrap_or_default(),
            attempt.container(),
        ]
    };
    let rows: Vec<_> = attempts.iter().map(row).collect();
    output::table(
        ["ATTEMPT", "WORKER", "STARTED", "TOOK", "ROWS", "REJECTS", "ENDED AS", "CONTAINER"],
        &rows,
    );
    // The causes of this execution's attempts stand beside its states.
    let is_told =
        |attempt: &&KeptAttempt| execution.is_some_and(|execution| execution.arn == attempt.execution_arn);
    for attempt in attempts.iter().filter(|attempt| !is_told(attempt)) {
        if let Some(cause) = &attempt.cause {
            output::line(&text::as_fact(&format!("cause {}", attempt.attempt), cause));
        }
    }
}

fn print_execution(execution: &ExecutionPicture) {
    output::line(&format!("\nexecution  {}  {}", execution.status, execution.arn));
    if execution.redrives > 0 {
        let times =
            if execution.redrives == 1 { "once".to_owned() } else { format!("{} times", execution.redrives) };
        output::line(&text::as_fact("redriven", &times));
    }
    if let Some(error) = &execution.error {
        output::line(&text::as_fact("error", error));
        output::line(&text::as_fact("cause", execution.cause.as_deref().unwrap_or("")));
    }
    output::line("");
    let rows: Vec<_> = execution
        .states
        .iter()
        .map(|state| {
            let took = state.took_ms().map_or_else(|| "running".to_owned(), |ms| format!("{ms} ms"));
            [state.name.clone(), state.entered_at.format("%H:%M:%S%.3f").to_string(), took, state.describe()]
        })
        .collect();
    output::table(["STATE", "ENTERED", "TOOK", "RESULT"], &rows);
    for line in retries(execution) {
        output::line(&line);
    }
}

/// The causes of the tries before the last one, which were retried or redriven; the last one is the execution's own, which stands above.
fn retries(execution: &ExecutionPicture) -> Vec<String> {
    let mut lines = Vec::new();
    for state in &execution.states {
        for (index, attempt) in state.attempts.iter().enumerate() {
            let is_last = index + 1 == state.attempts.len();
            let is_told = is_last && attempt.error == execution.error && attempt.cause == execution.cause;
            if let Some(cause) = attempt.cause.as_ref().filter(|_| !is_told) {
                let error = attempt.error.as_deref().unwrap_or_default();
                let said = format!("{} {}: {error}\n{cause}", state.name, index + 1);
                lines.push(text::as_fact("earlier", &said));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use ops::show::execution::{AttemptPicture, StatePicture};

    #[test]
    fn what_was_retried_is_told_with_its_cause_in_full_and_the_last_failure_once() {
        let failed = |error: &str, cause: &str| AttemptPicture {
            error: Some(error.to_owned()),
            cause: Some(cause.to_owned()),
            ..AttemptPicture::default()
        };
        let execution = ExecutionPicture {
            arn: "arn".to_owned(),
            status: "FAILED".to_owned(),
            started_at: chrono::DateTime::UNIX_EPOCH,
            stopped_at: None,
            redrives: 0,
            error: Some("Import.TableMissing".to_owned()),
            cause: Some("no table people".to_owned()),
            states: vec![StatePicture {
                name: "RunImport".to_owned(),
                entered_at: chrono::DateTime::UNIX_EPOCH,
                exited_at: None,
                attempts: vec![
                    failed("Import.DatabaseUnavailable", "cannot connect:\n\u{1b}[2Jrefused"),
                    failed("Import.TableMissing", "no table people"),
                ],
            }],
        };
        assert_eq!(
            retries(&execution).join("\n"),
            "  earlier   RunImport 1: Import.DatabaseUnavailable\n            cannot connect:\n            \\u{1b}[2Jrefused"
        );
    }
}
