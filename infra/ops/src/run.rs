//! `baton run`: one import from the command line to the report, on a stack that lives as long as the command.

use std::process::ExitCode;

use crate::cli::{Common, RunArguments};
use crate::target::{Need, Target};
use crate::{follow, submit};

pub(crate) async fn run(common: &Common, arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    submit::check_file(&arguments.file.file)?;
    let target = Target::open(common, Need::Work).await?;
    let ended = import(common, arguments, &target).await;
    target.close().await;
    ended
}

async fn import(common: &Common, arguments: &RunArguments, target: &Target) -> anyhow::Result<ExitCode> {
    let submitted = submit::send(target, &arguments.file).await?;
    tokio::select! {
        ended = follow::to_the_end(common, target, &submitted) => ended,
        _ = tokio::signal::ctrl_c() => anyhow::bail!(
            "interrupted; the import {} is not lost: `baton up` goes on with it", submitted.import_id
        ),
    }
}
