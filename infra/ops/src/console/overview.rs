//! `/`: what runs, what failed lately, what waits.

mod running;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use worker::imports::{ImportRow, ImportStatus};

use super::error::PageError;
use super::layout::{self, Nav};
use super::{Console, Shared};

/// As many running and failed imports are shown.
const SHOWN: u32 = 8;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/", get(overview))
}

#[derive(Deserialize)]
struct Asked {
    fragment: Option<String>,
}

async fn overview(State(console): State<Shared>, Query(asked): Query<Asked>) -> Result<Markup, PageError> {
    let now = live(&console).await?;
    Ok(match asked.fragment {
        Some(_) => now,
        None => layout::page(&console, "Overview", Nav::Overview, html! { h1.hidden { "Overview" } (now) }),
    })
}

/// All of it moves.
async fn live(console: &Console) -> Result<Markup, PageError> {
    let (runs, failed) = console
        .database(|connection| {
            Ok((
                worker::imports::search(connection, &of_status(ImportStatus::Running))?.rows,
                worker::imports::search(connection, &of_status(ImportStatus::Failure))?.rows,
            ))
        })
        .await?;
    let body = html! {
        section.panel {
            h2 { "Running" }
            (running::list(&runs))
        }
        section.panel {
            div.panel-head { h2 { "Failed lately" } a href="/imports?status=FAILURE" { "All that failed" } }
            (failures(&failed))
        }
    };
    Ok(layout::live("now", "/?fragment=now", true, body))
}

fn of_status(status: ImportStatus) -> worker::imports::Search {
    worker::imports::Search { status: Some(status), limit: SHOWN, ..Default::default() }
}

fn failures(failed: &[ImportRow]) -> Markup {
    if failed.is_empty() {
        return layout::empty("Nothing failed", "Imports that fail are shown here, with why.");
    }
    let columns = [
        layout::Column::new("Import"),
        layout::Column::new("Table"),
        layout::Column::wide("Error"),
        layout::Column::new("When"),
    ];
    let rows = failed.iter().map(|row| {
        [
            layout::import_link(&row.id),
            html! { (layout::text(&row.table_name)) },
            why(row),
            html! { @if let Some(at) = row.finished_at { (layout::ago(at.and_utc())) } },
        ]
    });
    layout::table("Imports that failed lately", &columns, rows)
}

/// The error, with the beginning of its cause.
pub(super) fn why(row: &ImportRow) -> Markup {
    let cause = row.cause.as_deref().and_then(|cause| cause.lines().next()).unwrap_or_default();
    html! {
        @if let Some(error) = &row.error {
            strong { (layout::text(error)) }
            span.cause { (layout::text(&crate::terminal::cut(cause, 160))) }
        }
    }
}
