//! The button Cancel: what it will do, and that it does it, as `baton cancel` would.

use std::time::Duration;

use anyhow::Context as _;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use ops::cancel::plan::{Plan, plans};
use ops::cancel::stop::{stop, to_the_end};
use ops::executions::Standing;

use super::address::Address;
use super::buttons::{Offer, still};
use super::page_data::{PageData, Shown};
use super::parse;
use crate::error::PageError;
use crate::layout::{self, Confirmation, Nav};
use crate::notices::NoticeKind;
use crate::state::{Console, Shared};

/// Whoever cancels here has no name that the console knows.
const BY: &str = "somebody at the console";
/// How long the answer to the button may wait for the end, which it tells then.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the import can be cancelled.
pub(super) fn offer(console: &Console, address: &Address, data: &PageData) -> Offer {
    let name = "Cancel …";
    match (&data.shown, &data.import) {
        (Some(shown), _) if shown.execution.standing == Standing::Running => match still(console) {
            Some(why) => Offer::No { name, why },
            None => Offer::Yes { name, address: address.below("cancel") },
        },
        (None, Some(import)) if import.status == "PENDING" => {
            let why = "no execution of it has begun, so there is none to stop";
            Offer::No { name, why: why.to_owned() }
        }
        _ => Offer::Hidden,
    }
}

/// What cancelling means now; or why the import cannot be cancelled.
async fn plan(console: &Console, address: &Address, data: &PageData) -> anyhow::Result<Result<Plan, String>> {
    if let Some(why) = still(console) {
        return Ok(Err(why));
    }
    let has_ended = data.shown.as_ref().is_some_and(|shown| shown.execution.standing != Standing::Running);
    let command = |verb: &str| console.command_line(verb);
    let plan = plans(&console.target, std::slice::from_ref(&address.id), &command).await?.into_iter().next();
    Ok(match plan {
        Some(plan) if plan.can_be_cancelled() => Ok(plan),
        Some(Plan { objection: Some(why), is_known: true, .. }) => Err(why),
        _ if has_ended => Err("its execution has ended, and nothing of it runs any more".to_owned()),
        _ => Err("nothing of it runs".to_owned()),
    })
}

pub(super) async fn ask(State(console): State<Shared>, Path(id): Path<String>) -> Result<Markup, PageError> {
    let address = Address::read(parse(&id)?, "");
    let data = PageData::gather(&console, &address).await?;
    let plan = plan(&console, &address, &data).await?;
    let plan = plan.map_err(|why| PageError::bad_request(format!("It cannot be cancelled: {why}.")))?;
    let sentences = plan.what_happens(&console.command("redrive", &id));
    let confirmation = Confirmation {
        question: "Cancel this import?",
        meaning: meaning(&data, &sentences),
        action: &address.below("cancel"),
        fields: Vec::new(),
        button: "Cancel the import",
        is_dangerous: true,
        back: &address.link(&[], ""),
    };
    Ok(layout::page(
        &console.foot(),
        "Cancel",
        Nav::Imports,
        confirmation.render(&console.guard.csrf_field()),
    ))
}

/// What cancelling will do.
fn meaning(data: &PageData, sentences: &[String]) -> Markup {
    html! {
        ul {
            @for sentence in sentences { li { (layout::text(sentence)) } }
            @if let Some(group) = data.shown.as_ref().and_then(Shown::group) {
                li { "the next message of the group " code { (layout::text(group)) } " begins once this one is dead-lettered" }
            }
        }
    }
}

pub(super) async fn cancel(
    State(console): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let address = Address::read(parse(&id)?, "");
    let back = address.link(&[], "");
    let data = PageData::gather(&console, &address).await?;
    let plan = match plan(&console, &address, &data).await? {
        Ok(plan) => plan,
        Err(why) => {
            let said = format!("It was not cancelled: {why}.");
            return Ok(console.notices.redirect(&back, NoticeKind::Failed, vec![said]));
        }
    };
    let stopped = stop(&console.target, &plan, BY).await;
    let command = |verb: &str, id: &str| console.command(verb, id);
    // Beside the answer: its end is written into the row, however late it comes.
    let until_the_end = {
        let console = console.clone();
        async move { to_the_end(&console.target, &plan, stopped).await }
    };
    let ending = tokio::spawn(until_the_end);
    Ok(match tokio::time::timeout(PATIENCE, ending).await {
        Ok(ended) => {
            let ended = ended.context("failed to follow what was stopped")??;
            let kind = if ended.is_well() { NoticeKind::Done } else { NoticeKind::Failed };
            console.notices.redirect(&back, kind, ended.lines(&command))
        }
        Err(_) => {
            let said = format!(
                "{id}: it was stopped; its worker is about to leave, and this page tells how it ends"
            );
            console.notices.redirect(&back, NoticeKind::Done, vec![said])
        }
    })
}
