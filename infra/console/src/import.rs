//! `/imports/{id}`: one import, with all that is known of it: where it stands and what to do, the state machine with what
//! happened in it, its attempts, their log, its rejects, the history of its execution.

mod address;
mod attempts;
mod buttons;
mod cancel;
mod diagram;
mod download;
mod events;
mod graph;
mod head;
mod log;
mod mask;
mod page_data;
mod redrive;
mod rejects;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use maud::{Markup, html};
use ops::numbers;
use statemachine::JobId;

use crate::error::PageError;
use crate::layout::{self, Nav};
use crate::state::{Console, Shared};
use address::Address;
use page_data::PageData;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/imports/{id}", get(show))
        .route("/imports/{id}/redrive", get(redrive::ask).post(redrive::redrive))
        .route("/imports/{id}/cancel", get(cancel::ask).post(cancel::cancel))
        .route("/imports/{id}/rejects.csv", get(download::spreadsheet))
        .route("/imports/{id}/rejects.original", get(download::original))
}

async fn show(
    State(console): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup, PageError> {
    let address = Address::read(parse(&id)?, query.as_deref().unwrap_or_default());
    let data = PageData::gather(&console, &address).await?;
    let body = Box::pin(body(&console, &address, &data)).await?;
    if address.get("fragment").is_some() {
        return Ok(body);
    }
    let notice = console.notices.show(address.get("notice"));
    Ok(layout::page(&console.foot(), &id, Nav::Imports, html! { (notice) (body) }))
}

/// All of the page; it moves as long as the import does.
async fn body(console: &Console, address: &Address, data: &PageData) -> Result<Markup, PageError> {
    let shown = data.shown.as_ref();
    let (attempts, log, rejects, events) = tokio::join!(
        attempts::section(console, address, data),
        log::section(console, address, data),
        rejects::section(console, address, data),
        events::section(console, address, shown),
    );
    let body = html! {
        (head::section(console, address, data))
        @if let Some(shown) = shown {
            section.panel #states {
                h2 { "States" }
                @if !shown.is_whole {
                    p.quiet role="status" {
                        "The history is long and is being read: this is what happened up to event "
                        (numbers::count(shown.story.last_event.unsigned_abs())) "."
                    }
                }
                @match &shown.graph {
                    Ok(graph) => div.graph-frame tabindex="0" { (diagram::draw(graph, &shown.story)) },
                    Err(why) => p.quiet { "There is no picture: " (layout::text(why)) },
                }
            }
        }
        (attempts?)
        (rejects?)
        (log)
        (events?)
    };
    Ok(layout::live("import", &address.link(&[("fragment", Some("import"))], ""), data.moves(), body))
}

/// The import that an address names.
fn parse(id: &str) -> Result<JobId, PageError> {
    id.parse()
        .map_err(|_| PageError::not_found(format!("There is no import {id}: an id has other characters.")))
}
