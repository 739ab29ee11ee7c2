//! `baton run`: one import from the command line to the report, on a stack that lives as long as the command. Where one is up
//! on the folder already, the command uses it, and takes its place when it ends.

use std::process::ExitCode;

use crate::cli::{Common, FileArguments, RunArguments};
use crate::signals::Signals;
use crate::submit::Submitted;
use crate::target::{Need, Target, local};
use crate::{follow, output, submit};

pub(crate) async fn run(common: &Common, arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    local::check(common)?;
    submit::check(&arguments.file)?;
    let mut signals = Signals::listen()?;
    let mut target = Target::open(common, Need::Work).await?;
    target.say_where();
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
            () = signals.received() => anyhow::bail!(
                "interrupted; the import {} is not lost: `baton up` goes on with it", submitted.import_id
            ),
        };
        let Err(error) = ended else { return ended };
        *target = target.successor(common).await?.ok_or(error)?;
        output::complain(&format!(
            "the stack that was up here has ended; the import {} goes on",
            submitted.import_id
        ));
    }
}

/// Sends the file. What did not come as far as the import's row is sent again where the stack ended meanwhile.
async fn send(common: &Common, file: &FileArguments, target: &mut Target) -> anyhow::Result<Submitted> {
    let id = submit::id(file)?;
    loop {
        let error = match submit::send(target, &id, file).await {
            Ok(submitted) => return Ok(submitted),
            Err(error) => error,
        };
        if submit::is_registered(target, &id)? {
            return Err(error);
        }
        *target = target.successor(common).await?.ok_or(error)?;
    }
}
