//! The button Redrive: what it will do, and that it does it, as `baton redrive` would.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};
use ops::executions::{Execution, REDRIVABLE, Standing};
use ops::redrive::start;
use ops::show::picture::ImportPicture;

use super::address::Address;
use super::buttons::{Offer, none, of, query, still};
use super::page_data::{PageData, Shown};
use crate::error::PageError;
use crate::fields::Fields;
use crate::layout::{self, Confirmation, Nav};
use crate::notices::NoticeKind;
use crate::settling::settle_later;
use crate::state::{Console, Shared};

/// Whether the execution that is shown can be redriven.
pub(super) fn offer(console: &Console, address: &Address, data: &PageData) -> Offer {
    let name = "Redrive …";
    let Some(shown) = &data.shown else { return Offer::Hidden };
    match objection(console, &shown.execution) {
        None => Offer::Yes { name, address: format!("{}{}", address.below("redrive"), query(shown)) },
        Some(_) if matches!(shown.execution.standing, Standing::Running | Standing::Succeeded) => {
            Offer::Hidden
        }
        Some(why) => Offer::No { name, why },
    }
}

/// Why it is not redriven, and what to do instead.
fn objection(console: &Console, execution: &Execution) -> Option<String> {
    let command = |verb: &str, id: &str| console.command(verb, id);
    execution.objection(&command).or_else(|| still(console))
}

pub(super) async fn ask(
    State(console): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup, PageError> {
    let (address, data) = of(&console, &id, query.as_deref().unwrap_or_default()).await?;
    let shown = data.shown.as_ref().ok_or_else(none)?;
    if let Some(why) = objection(&console, &shown.execution) {
        return Err(PageError::bad_request(format!("It is not redriven: {why}.")));
    }
    let confirmation = Confirmation {
        question: "Run this import again?",
        meaning: meaning(&data, shown),
        action: &address.below("redrive"),
        fields: vec![("execution", shown.execution.name().to_owned())],
        button: "Redrive",
        is_dangerous: false,
        back: &address.link(&[], ""),
    };
    Ok(layout::page(
        &console.foot(),
        "Redrive",
        Nav::Imports,
        confirmation.render(&console.guard.csrf_field()),
    ))
}

/// What a redrive will do.
fn meaning(data: &PageData, shown: &Shown) -> Markup {
    let execution = &shown.execution;
    let error = execution.error.as_deref().unwrap_or("an error");
    let state = shown.story.current().filter(|_| shown.is_whole).unwrap_or("the state that failed");
    html! {
        p {
            "The execution " code { (execution.name()) } " goes on at " strong { (layout::text(state)) }
            ", where it ended with " strong { (layout::text(error)) } ", with the same input: the same file, table and options."
        }
        @if let Some(cause) = &execution.cause { p.cause { (layout::text(cause)) } }
        ul {
            li { (rows(data)) }
            li { "Unless its cause is mended it will fail again, and can be redriven again." }
            li {
                @match execution.redrives {
                    0 => "It has not been redriven before. ",
                    1 => "It has been redriven once. ",
                    times => { "It has been redriven " (times) " times. " },
                }
                @if let Some(stopped) = execution.stopped_at {
                    "Step Functions lets it be redriven until " (layout::exact(stopped + REDRIVABLE))
                    " UTC, " (days_left(REDRIVABLE - (chrono::Utc::now() - stopped))) "."
                }
            }
            @if shown.fate.is_some() {
                li { "The copy of its message in the dead-letter queue is deleted when it has succeeded, and stays when it fails again." }
            }
            @if let Some(group) = shown.group() {
                li {
                    "It belongs to the message group " code { (layout::text(group)) }
                    ", whose later messages have gone on meanwhile: it does not wait for its turn among them."
                }
            }
        }
    }
}

/// What the table has of the import.
fn rows(data: &PageData) -> &'static str {
    let of_another = |import: &&ImportPicture| {
        let shown = data.shown.as_ref().map(|shown| &shown.execution.arn);
        import.status != "RUNNING" || import.execution_arn.as_ref() != shown
    };
    match data.import.as_ref().filter(of_another).map(|import| import.status.as_str()) {
        Some("SUCCESS") => {
            "The rows are in the table already, by another execution: it will find that, and add none."
        }
        Some("RUNNING") => {
            "Another execution is at work on the import: it will find that, and add no row twice."
        }
        _ => {
            "Nothing of the failed attempts is in the table: it loads the file from its beginning, and its rows are there once."
        }
    }
}

fn days_left(left: TimeDelta) -> String {
    match left.num_days() {
        0 => format!("in {} hours", left.num_hours()),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    }
}

pub(super) async fn redrive(
    State(console): State<Shared>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let name = fields.get("execution").ok_or_else(none)?;
    let (address, data) = of(&console, &id, &format!("execution={name}")).await?;
    let execution = data.shown.ok_or_else(none)?.execution;
    let back = address.link(&[], "");
    if let Some(why) = objection(&console, &execution) {
        return Ok(console.notices.redirect(
            &back,
            NoticeKind::Failed,
            vec![format!("It was not redriven: {why}.")],
        ));
    }
    let command = |verb: &str, id: &str| console.command(verb, id);
    let started = start::start(&console.target, vec![execution], &command).await;
    let refused: Vec<_> = started.others.iter().flat_map(|outcome| outcome.lines(None)).collect();
    if !refused.is_empty() {
        return Ok(console.notices.redirect(&back, NoticeKind::Failed, refused));
    }
    let said = format!("The execution {name} was redriven: it goes on where it failed.");
    settle_later(&console, started);
    Ok(console.notices.redirect(&back, NoticeKind::Done, vec![said]))
}
