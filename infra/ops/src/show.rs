//! `baton show`: one import, its execution state by state, its containers and the fate of its message.

pub(crate) mod execution;
mod links;
pub(crate) mod message;
pub(crate) mod picture;
pub(crate) mod progress;

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::{Common, ShowArguments};
use crate::show::execution::ExecutionPicture;
use crate::show::links::Link;
use crate::show::picture::{ImportPicture, Picture};
use crate::target::{Need, Target};
use crate::{findings, output, report};

pub(crate) async fn show(common: &Common, arguments: &ShowArguments) -> anyhow::Result<ExitCode> {
    let target = Target::open(common, Need::Look).await?;
    let taken = picture::take(&target, &arguments.id, None).await;
    let database = target.database.display_name();
    let links = taken.as_ref().map(|picture| links::of(&target, picture)).unwrap_or_default();
    target.close().await;
    let picture = taken?;
    if common.json {
        output::json(&Shown { picture: &picture, links: &links })?;
    } else {
        print(common, &picture, &database);
        links.iter().for_each(|link| output::line(&report::as_fact(link.shows, &link.url)));
    }
    Ok(ExitCode::SUCCESS)
}

/// What `--json` prints.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    picture: &'a Picture,
    /// Pages of the AWS console, where the target is at AWS.
    #[serde(skip_serializing_if = "<[Link]>::is_empty")]
    links: &'a [Link],
}

fn print(common: &Common, picture: &Picture, database: &str) {
    print_import(common, &picture.import, database);
    match &picture.execution {
        Some(execution) => print_execution(execution),
        None => output::line("\nexecution  none yet: the message has not been taken from the queue"),
    }
    if let Some(fate) = &picture.message {
        output::line(&format!("\nmessage    {}", fate.describe()));
    }
}

fn print_import(common: &Common, import: &ImportPicture, database: &str) {
    let fact = |label: &str, value: &str| output::line(&report::as_fact(label, value));
    output::line(&format!("import     {}  {}", import.id, import.status));
    fact("source", &import.source);
    fact("table", &format!("{} in {database}", import.table));
    fact("rows", &findings::rows(import));
    fact("rejects", &findings::rejects(import));
    fact("bytes", &format!("{} of {}", import.bytes, import.bytes_total));
    if let Some(findings) = &import.findings {
        if findings.dry_run {
            fact("dry run", "nothing was written");
        }
        findings.sha256.iter().for_each(|sha256| fact("sha256", sha256));
    }
    let command = |verb: &str| report::command(common, verb, &import.id);
    report::facts_of_findings(import, &command).iter().for_each(|line| output::line(line));
    fact("attempts", &import.attempt.to_string());
    fact("created", &format!("{} UTC", import.created_at.format("%Y-%m-%d %H:%M:%S")));
    if let Some(error) = &import.error {
        fact("error", error);
    }
}

fn print_execution(execution: &ExecutionPicture) {
    output::line(&format!("\nexecution  {}  {}", execution.status, execution.arn));
    if execution.redrives > 0 {
        let times =
            if execution.redrives == 1 { "once".to_owned() } else { format!("{} times", execution.redrives) };
        output::line(&report::as_fact("redriven", &times));
    }
    if let Some(error) = &execution.error {
        output::line(&report::as_fact("error", error));
        output::line(&report::as_fact("cause", execution.cause.as_deref().unwrap_or("")));
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
}
