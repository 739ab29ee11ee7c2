//! `baton show`: one import, its attempts with their containers, its execution state by state, the fate of its message.

pub(crate) mod attempts;
pub(crate) mod containers;
pub(crate) mod execution;
pub(crate) mod message;
pub(crate) mod picture;
mod print;
pub(crate) mod progress;

use std::process::ExitCode;

use crate::cli::{Common, ShowArguments};
use crate::output;
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
        print::print(common, &picture, &database);
    }
    Ok(ExitCode::SUCCESS)
}
