//! `baton show`: one import, its attempts with their containers, its execution state by state, the fate of its message.

pub(crate) mod attempts;
pub(crate) mod containers;
pub(crate) mod execution;
mod links;
pub(crate) mod message;
pub(crate) mod picture;
mod print;
pub(crate) mod progress;
pub(crate) mod unclaimed;

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::{Common, ShowArguments};
use crate::show::links::Link;
use crate::show::picture::Picture;
use crate::target::{Need, Target};
use crate::{output, report};

pub(crate) async fn show(common: &Common, arguments: &ShowArguments) -> anyhow::Result<ExitCode> {
    let target = Target::open(common, Need::Look).await?;
    let taken = picture::take(common, &target, &arguments.id, None).await;
    let database = target.database.display_name();
    let links = taken.as_ref().map(|picture| links::of(&target, picture)).unwrap_or_default();
    target.close().await;
    let picture = taken?;
    if common.json {
        output::json(&Shown { picture: &picture, links: &links })?;
    } else {
        print::print(common, &picture, &database);
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
