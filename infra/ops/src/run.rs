//! `baton run`: one import from the command line to the report, on a stack that lives as long as the command.

use std::process::ExitCode;

use crate::cli::{Common, RunArguments};
use crate::signals::Signals;
use crate::target::{Need, Target, local};
use crate::{follow, submit};

pub(crate) async fn run(common: &Common, arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    local::check(common)?;
    submit::check(&arguments.file)?;
    let mut signals = Signals::listen()?;
    let target = Target::open(common, Need::Work).await?;
    target.say_where();
    let ended = import(common, arguments, &target, &mut signals).await;
    target.close().await;
    ended
}

async fn import(
    common: &Common,
    arguments: &RunArguments,
    target: &Target,
    signals: &mut Signals,
) -> anyhow::Result<ExitCode> {
    let submitted = submit::send(target, &arguments.file).await?;
    tokio::select! {
        ended = follow::to_the_end(common, target, &submitted) => ended,
        () = signals.received() => anyhow::bail!(
            "interrupted; the import {} is not lost: `baton up` goes on with it", submitted.import_id
        ),
    }
}
