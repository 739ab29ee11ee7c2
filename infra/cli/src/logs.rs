//! `baton logs`: what the workers of one import logged, each container apart, from CloudWatch Logs. What is read is one
//! thing ([`ops::logs`]), what is printed another.

mod follow;
mod print;

use std::process::ExitCode;

use ops::error::no_such_import;
use ops::logs::containers;
use ops::target::{Need, Target};

use crate::arguments::{Common, LogsArguments};
use crate::logs::print::Printer;
use crate::output;

pub(crate) async fn logs(common: &Common, arguments: &LogsArguments) -> anyhow::Result<ExitCode> {
    let target = Target::open(&common.choice, Need::Look).await?;
    let shown = show(common, &target, arguments).await;
    target.close().await;
    shown?;
    Ok(ExitCode::SUCCESS)
}

async fn show(common: &Common, target: &Target, arguments: &LogsArguments) -> anyhow::Result<()> {
    let id = arguments.id.as_str();
    let executions = containers::executions(target, &arguments.id).await?;
    let is_known = !executions.is_empty() || is_in_the_database(target, arguments)?;
    if !is_known {
        return Err(no_such_import(&common.choice.commands, &arguments.id).into());
    }
    let mut printer = Printer::new(common.json);
    let followed = follow::Followed { target, arguments, containers: Vec::new() };
    let count = followed.show(executions, &mut printer).await?;
    match (count, arguments.attempt) {
        (0, None) => output::complain(&none(target, arguments)?),
        (0, Some(attempt)) => output::complain(&format!(
            "no lines of an attempt {attempt} were found; `{}` shows all",
            common.command("logs", id)
        )),
        _ => {}
    }
    if arguments.follow && target.is_embedded() {
        let up = common.command_line("up");
        output::complain(&format!("no stack is up, so there is nothing to follow: `{up}` starts one"));
    }
    Ok(())
}

/// Why there is no line.
fn none(target: &Target, arguments: &LogsArguments) -> anyhow::Result<String> {
    let id = &arguments.id;
    let row = worker::imports::find(&mut target.database.connect()?, id)?;
    Ok(match row.and_then(|row| row.execution_arn) {
        // Who has claimed it was in a container.
        Some(_) => format!("the containers of {id} are not known any more, or not on this target"),
        None => format!("no container of {id} has been started yet"),
    })
}

fn is_in_the_database(target: &Target, arguments: &LogsArguments) -> anyhow::Result<bool> {
    Ok(worker::imports::find(&mut target.database.connect()?, &arguments.id)?.is_some())
}
