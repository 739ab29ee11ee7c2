//! `/dead-letters/{message_id}`: one dead letter, whole.

use axum::extract::{Path, State};
use maud::{Markup, html};
use ops::dlq::dead_letter::DeadLetter;
use ops::dlq::selection;

use super::ADDRESS;
use crate::error::PageError;
use crate::layout::{self, Nav};
use crate::state::Shared;

pub(super) async fn show(
    State(console): State<Shared>,
    Path(message_id): Path<String>,
) -> Result<Markup, PageError> {
    let (seen, unseen) = super::look(&console).await?;
    let Some(letter) = seen.iter().find(|letter| letter.message_id == message_id) else {
        let list = console.command_line("dlq list");
        return Err(selection::unknown(&console.target, &message_id, &list, unseen).await?.into());
    };
    let deed = |deed: &str, class: &'static str, words: &str| {
        html! {
            form method="post" action={ (ADDRESS) "/ask/" (deed) } {
                (console.guard.csrf_field())
                input type="hidden" name="id" value=(letter.message_id);
                button.(class) type="submit" { (words) }
            }
        }
    };
    Ok(layout::page(
        &console.foot(),
        "Dead letter",
        Nav::DeadLetters,
        html! {
            p.way { a href=(ADDRESS) { "Dead letters" } }
            h1 { "Dead letter" }
            section.panel { (facts(letter)) }
            section.panel {
                h2 { "Body" }
                pre { (layout::text(letter.body())) }
            }
            div.actions {
                @if letter.is_worth_a_redrive() { (deed("redrive", "primary", "Redrive execution…")) }
                (deed("move", "plain", "Move back…"))
                (deed("drop", "danger", "Drop…"))
            }
        },
    ))
}

fn facts(letter: &DeadLetter) -> Markup {
    html! {
        dl.facts {
            dt { "Message" } dd.id { (letter.message_id) }
            dt { "Import" } dd { (super::import(letter)) }
            dt { "Error" }
            dd { strong { (letter.error.as_deref().map_or_else(|| "not known".to_owned(), layout::text)) } }
            dt { "Cause" }
            dd.lines { (letter.cause.as_deref().map_or_else(|| "none was recorded".to_owned(), layout::text)) }
            dt { "Execution" } dd.id { (layout::text(&letter.execution_arn)) }
            @if let Some(group) = &letter.group_id { dt { "Group" } dd { (layout::text(group)) } }
            dt { "Sent" } dd { (layout::exact(letter.sent_at)) " UTC, " (layout::ago(letter.sent_at)) }
            dt { "Received" }
            dd {
                @if letter.receives == 1 { "once" }
                @else { (letter.receives) " times, those who looked at it included" }
            }
            dt { "Brought by" } dd { (letter.brought_by.in_words()) }
        }
    }
}
