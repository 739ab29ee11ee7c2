//! `/`: what runs, what failed lately, what waits in the queues, how many imports ended in each hour of the last day.

mod chart;
mod figures;
mod running;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use chrono::Utc;
use maud::{Markup, html};
use statemachine::Kind;
use worker::imports::{self, ImportRow};
use worker::ledger::{self, JobStatus, Search};

use crate::error::PageError;
use crate::fields::InQuery;
use crate::layout::{self, Column, Nav};
use crate::state::{Console, Shared};

/// As many running and failed imports are shown.
const SHOWN: u32 = 8;
/// What the chart shows.
const HOURS: i64 = 24;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/", get(overview))
}

async fn overview(State(console): State<Shared>, InQuery(asked): InQuery) -> Result<Markup, PageError> {
    let now = live(&console).await?;
    Ok(match asked.get("fragment") {
        Some(_) => now,
        _ => {
            layout::page(&console.foot(), "Overview", Nav::Overview, html! { h1.hidden { "Overview" } (now) })
        }
    })
}

/// All of it moves.
async fn live(console: &Console) -> Result<Markup, PageError> {
    let now = Utc::now();
    let since = chart::beginning(now, HOURS);
    let of = |status| Search { status: Some(status), limit: SHOWN, ..Search::default() };
    let asked = console.database(move |connection| {
        Ok((
            imports::search(connection, &of(JobStatus::Running))?,
            imports::search(connection, &of(JobStatus::Failure))?,
            ledger::counts_by_hour(connection, &Kind::IMPORT, since.naive_utc())?,
            ledger::count_open(connection, &Kind::IMPORT)?,
        ))
    });
    let (asked, figures) = tokio::join!(asked, figures::ask(&console.target));
    let (running, failed, hours, open) = asked?;
    let body = html! {
        (figures::show(&figures, &open, &hours, now))
        section.panel {
            h2 { "Running" }
            (running::list(&running.rows))
            @if running.next.is_some() { p { a href="/imports?status=RUNNING" { "All that run" } } }
        }
        section.panel {
            div.panel-head { h2 { "Failed lately" } a href="/imports?status=FAILURE" { "All that failed" } }
            (failures_of(&failed.rows))
        }
        section.panel {
            div.panel-head {
                h2 { "Imports per hour" }
                (chart::legend())
            }
            (chart::draw(&hours, since, now))
        }
    };
    Ok(layout::live("now", "/?fragment=now", true, body))
}

fn failures_of(failed: &[ImportRow]) -> Markup {
    if failed.is_empty() {
        return layout::empty("Nothing failed", "Imports that fail are shown here, with why.");
    }
    let columns = [Column::new("Import"), Column::new("Table"), Column::wide("Error"), Column::new("When")];
    let rows = failed.iter().map(|row| {
        [
            layout::import_link(&row.id),
            html! { (layout::text(&row.table_name)) },
            layout::why(row.error.as_deref(), row.cause.as_deref()),
            html! { @if let Some(at) = row.finished_at { (layout::ago(at.and_utc())) } },
        ]
    });
    layout::table("Imports that failed lately", &columns, rows)
}
