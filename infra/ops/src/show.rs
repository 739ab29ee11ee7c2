//! `baton show`: one import, its execution state by state, its containers and the fate of its message.

mod execution;
mod message;
pub(crate) mod picture;

use std::process::ExitCode;

use crate::cli::{Common, ShowArguments};
use crate::output;
use crate::show::execution::ExecutionPicture;
use crate::show::picture::{ImportPicture, Picture};
use crate::target::{Need, Target};

pub(crate) async fn show(common: &Common, arguments: &ShowArguments) -> anyhow::Result<ExitCode> {
    let target = Target::open(common, Need::Look).await?;
    let taken = picture::take(&target, &arguments.id, None).await;
    let database = target.database.display_name();
    target.close().await;
    let picture = taken?;
    if common.json {
        output::json(&picture)?;
    } else {
        print(&picture, &database);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(picture: &Picture, database: &str) {
    print_import(&picture.import, database);
    match &picture.execution {
        Some(execution) => print_execution(execution),
        None => output::line("\nexecution  none yet: the message has not been taken from the queue"),
    }
    if let Some(fate) = &picture.message {
        output::line(&format!("\nmessage    {}", fate.describe()));
    }
}

fn print_import(import: &ImportPicture, database: &str) {
    output::line(&format!("import     {}  {}", import.id, import.status));
    output::line(&format!("  source   {}", import.source));
    output::line(&format!("  table    {} in {database}", import.table));
    output::line(&format!("  rows     {}, rejects {}", import.rows, import.rejects));
    output::line(&format!("  bytes    {} of {}", import.bytes, import.bytes_total));
    output::line(&format!("  attempts {}", import.attempt));
    output::line(&format!("  created  {} UTC", import.created_at.format("%Y-%m-%d %H:%M:%S")));
    if let Some(error) = &import.error {
        output::line(&format!("  error    {error}"));
    }
}

fn print_execution(execution: &ExecutionPicture) {
    output::line(&format!("\nexecution  {}  {}", execution.status, execution.arn));
    if let Some(error) = &execution.error {
        output::line(&format!("  error    {error}"));
        output::line(&format!(
            "  cause    {}",
            execution.cause.as_deref().unwrap_or("").replace('\n', "\n           ")
        ));
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
