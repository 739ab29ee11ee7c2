//! `baton run`: one import from the command line to the report, on a stack that lives as long as the command. Where one is up
//! on the folder already, the command uses it, and takes its place when it ends.

pub(crate) mod unfinished;

use std::process::ExitCode;

use crate::cli::{Common, FileArguments, RunArguments};
use crate::signals::Signals;
use crate::submit::Submitted;
use crate::target::{Need, Target, local};
use crate::{follow, output, report, submit};

pub(crate) async fn run(common: &Common, arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    local::check(common)?;
    submit::check(&arguments.file)?;
    let mut signals = Signals::listen()?;
    let mut target = Target::open(common, Need::Work).await?;
    target.say_where();
    unfinished::say_what_goes_on(common, &target, &[]).await;
    let ended = import(common, arguments, &mut target, &mut signals).await;
    target.close().await;
    ended
}

async fn import(
    common: &Common,
    arguments: &RunArguments,
    target: &mut Target,
    signals: &mut Signals,
) -> anyhow::Result<ExitCode> {
    let submitted = send(common, &arguments.file, target).await?;
    loop {
        let ended = tokio::select! {
            ended = follow::to_the_end(common, target, &submitted) => ended,
            () = signals.received() => {
                let command = |verb: &str| report::command_line(common, verb);
                anyhow::bail!(unfinished::interrupted(&submitted.import_id, target.is_embedded(), &command))
            }
        };
        let Err(error) = ended else { return ended };
        *target = target.successor(common).await?.ok_or(error)?;
        output::complain(&format!(
            "the stack that was up here has ended; the import {} goes on",
            submitted.import_id
        ));
    }
}

/// Sends the file: again from where it was where the stack ended meanwhile. A message that was taken by the stack that ended
/// is in the queue twice then, and its import runs once.
async fn send(common: &Common, file: &FileArguments, target: &mut Target) -> anyhow::Result<Submitted> {
    let id = submit::id(file)?;
    let made = loop {
        match submit::prepare(target, &id, file).await {
            Ok(made) => break made,
            Err(error) => *target = target.successor(common).await?.ok_or(error)?,
        }
    };
    loop {
        let error = match submit::ask(target, &id).await {
            Ok(execution_arn) => return Ok(Submitted { import_id: id, execution_arn, made }),
            Err(error) => error,
        };
        match target.successor(common).await? {
            Some(next) => *target = next,
            None => {
                submit::undo(target, made, &id).await;
                return Err(error);
            }
        }
    }
}
