//! The button Cancel: what it will do, and that it does it.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use super::super::error::PageError;
use super::super::fields::Fields;
use super::super::layout::{self, Confirmation, Nav};
use super::super::notices::Outcome;
use super::super::{Console, Shared};
use super::actions::{Offer, none, of, query, still};
use super::address::Address;
use super::known::{Known, Shown};
use crate::error::of_aws;
use crate::redrive::Standing;

/// Whether the execution that is shown can be cancelled.
pub(super) fn offer(console: &Console, address: &Address, known: &Known) -> Offer {
    let name = "Cancel …";
    match (&known.shown, &known.import) {
        (Some(shown), _) if shown.execution.standing == Standing::Running => match still(console) {
            Some(why) => Offer::No { name, why },
            None => Offer::Yes { name, address: format!("{}{}", address.below("cancel"), query(shown)) },
        },
        (None, Some(import)) if import.status == "PENDING" => {
            let why = "its message has not been taken from the queue, so there is no execution to stop yet"
                .to_owned();
            Offer::No { name, why }
        }
        _ => Offer::Hidden,
    }
}

pub(super) async fn ask(
    State(console): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup, PageError> {
    let (address, known) = of(&console, &id, query.as_deref().unwrap_or_default()).await?;
    let shown = known.shown.as_ref().ok_or_else(none)?;
    if shown.execution.standing != Standing::Running {
        return Err(PageError::bad_request("It has ended already: there is nothing to cancel."));
    }
    let confirmation = Confirmation {
        question: "Cancel this import?",
        meaning: meaning(shown),
        action: &address.below("cancel"),
        fields: vec![("execution", shown.execution.name().to_owned())],
        button: "Cancel the import",
        is_dangerous: true,
        back: &address.link(&[], ""),
    };
    Ok(layout::page(&console, "Cancel", Nav::Imports, confirmation.render(&console.guard)))
}

/// What cancelling will do.
fn meaning(shown: &Shown) -> Markup {
    let state = shown.story.current().unwrap_or("its state");
    html! {
        p {
            "The execution " code { (shown.execution.name()) } " is at " strong { (layout::text(state)) }
            ". It is stopped, and its container with it."
        }
        ul {
            li { "The rows that it has loaded so far are rolled back: none of them will be in the table. An import that commits first stays." }
            li { "Its message goes to the dead-letter queue, with the reason " strong { "Cancelled" } "." }
            li { "It can be redriven within 14 days; then it begins with the first row." }
            @if let Some(group) = shown.group() {
                li { "The next message of the group " code { (layout::text(group)) } " begins once this one is dead-lettered." }
            }
        }
    }
}

pub(super) async fn cancel(
    State(console): State<Shared>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let name = fields.get("execution").ok_or_else(none)?;
    let (address, known) = of(&console, &id, &format!("execution={name}")).await?;
    let execution = known.shown.ok_or_else(none)?.execution;
    let back = address.link(&[], "");
    if execution.standing != Standing::Running {
        let said = "It has ended already: there was nothing to cancel.".to_owned();
        return Ok(console.notices.redirect(&back, Outcome::Failed, vec![said]));
    }
    if let Some(why) = still(&console) {
        return Ok(console.notices.redirect(
            &back,
            Outcome::Failed,
            vec![format!("It was not cancelled: {why}.")],
        ));
    }
    let stopped = console
        .target
        .sfn
        .stop_execution()
        .execution_arn(&execution.arn)
        .error("Cancelled")
        .cause("cancelled in the console")
        .send()
        .await;
    Ok(match stopped {
        Ok(_) => {
            let said =
                format!("The execution {} was stopped; its message is dead-lettered.", execution.name());
            console.notices.redirect(&back, Outcome::Done, vec![said])
        }
        Err(error) => {
            let lines = vec!["It was not cancelled.".to_owned(), of_aws(error).to_string()];
            console.notices.redirect(&back, Outcome::Failed, lines)
        }
    })
}
