//! `baton show`: one import, its attempts with their containers, its execution state by state, the fate of its message.

mod print;

use std::process::ExitCode;

use ops::show::links::{self, Link};
use ops::show::picture::{self, Picture};
use ops::target::{Need, Target};
use ops::text;
use serde::Serialize;

use crate::arguments::{Common, ShowArguments};
use crate::output;

pub(crate) async fn show(common: &Common, arguments: &ShowArguments) -> anyhow::Result<ExitCode> {
    let target = Target::open(&common.choice, Need::Look).await?;
    let gathered = picture::gather(&common.choice.commands, &target, &arguments.id, None).await;
    let database = target.database.display_name();
    let rests = gathered.as_ref().ok().and_then(|picture| rests(common, &target, picture));
    let links = gathered.as_ref().map(|picture| links::of(&target, picture)).unwrap_or_default();
    target.close().await;
    let picture = gathered?;
    if common.json {
        output::json(&Shown { picture: &picture, links: &links })?;
    } else {
        print::print(common, &picture, &database, rests.as_deref());
        links.iter().for_each(|link| output::line(&text::as_fact(link.shows, &link.url)));
    }
    Ok(ExitCode::SUCCESS)
}

/// That an open execution goes on with a stack, where none is up, and with which.
fn rests(common: &Common, target: &Target, picture: &Picture) -> Option<String> {
    let execution = picture.execution.as_ref().filter(|execution| execution.stopped_at.is_none())?;
    if !target.is_at_rest {
        return None;
    }
    Some(match target.other_database(execution.started_at) {
        None => {
            format!("no stack is up, so it rests; the next `{}` goes on with it", common.command_line("up"))
        }
        Some(other) => format!("no stack is up, so it rests; one for {other} goes on with it"),
    })
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
