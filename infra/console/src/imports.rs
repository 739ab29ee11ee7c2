//! `/imports`: the list, newest first, with its filters. The address says what is looked for, so that it can be passed on.

mod filters;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};
use ops::numbers;
use worker::imports::{self, ImportRow};
use worker::ledger::{self, JobStatus, Page};

use crate::error::PageError;
use crate::fields::InQuery;
use crate::layout::{self, Column, Nav};
use crate::state::{Console, Shared};
use filters::Filters;

const ADDRESS: &str = "/imports";

pub(super) fn routes() -> Router<Shared> {
    Router::new().route(ADDRESS, get(list))
}

async fn list(State(console): State<Shared>, InQuery(asked): InQuery) -> Result<Markup, PageError> {
    let filters = Filters::read(&asked);
    let found = match &filters.search {
        Ok(search) => {
            let search = search.clone();
            Some(console.database(move |connection| imports::search(connection, &search)).await?)
        }
        Err(_) => None,
    };
    let table = found.as_ref().map(|page| shown(&console, page, &filters));
    if asked.get("fragment").is_some() {
        return Ok(table.unwrap_or_default());
    }
    Ok(layout::page(
        &console.foot(),
        "Imports",
        Nav::Imports,
        html! {
            h1 { "Imports" }
            (filters.form())
            @if let Err(wrong) = &filters.search {
                section.notice.bad role="alert" { p { (layout::text(wrong)) } }
            }
            @if let Some(table) = table { section.panel { (table) } }
            (pages(found.as_ref(), &filters))
        },
    ))
}

/// The list, which moves while one of its imports has not ended.
fn shown(console: &Console, page: &Page<ImportRow>, filters: &Filters) -> Markup {
    let is_open = |row: &ImportRow| matches!(row.status, JobStatus::Pending | JobStatus::Running);
    let body = match page.rows.as_slice() {
        [] if page.is_broken_off => html! {},
        [] => nothing(console, filters),
        rows => table(rows),
    };
    // The first page has new imports in it soon; one that was looked up by its place is left alone once all has ended.
    let moves = filters.is_first_page() || page.rows.iter().any(is_open);
    let body = html! {
        (body)
        @if page.is_broken_off {
            p.quiet {
                "The search ended after " (numbers::count(u64::from(ledger::LOOKED_AT)))
                " imports. “Older” searches the rest."
            }
        }
    };
    layout::live("list", &filters.address(&[("fragment", "list")]), moves, body)
}

fn nothing(console: &Console, filters: &Filters) -> Markup {
    if filters.is_empty() {
        let how = html! { a href="/upload" { "Upload a file" } ", or " code { (layout::text(&console.command_line("run FILE --table TABLE"))) } "." };
        layout::empty("No imports yet", how)
    } else {
        layout::empty("No such import", html! { a href=(ADDRESS) { "Show all" } })
    }
}

fn table(rows: &[ImportRow]) -> Markup {
    let columns = [
        Column::new("Import"),
        Column::new("Status"),
        Column::new("Table"),
        Column::wide("Outcome"),
        Column::number("Rows"),
        Column::number("Rejects"),
        Column::number("Attempt"),
        Column::new("Created"),
    ];
    let rows = rows.iter().map(|row| {
        [
            html! { (layout::import_link(&row.id)) span.cause { (layout::text(file_name(row))) } },
            layout::status(row.status),
            html! { (layout::text(&row.table_name)) },
            html! {
                @match row.status {
                    JobStatus::Running => (layout::import_progress(row)),
                    JobStatus::Failure => (layout::why(row.error.as_deref(), row.cause.as_deref())),
                    JobStatus::Success => { span.quiet { (took(row)) } },
                    JobStatus::Pending => { span.quiet { "no execution of it has begun" } },
                }
            },
            rows_of(row),
            number(row.rejects),
            html! { (row.attempt) },
            layout::exact(row.created_at.and_utc()),
        ]
    });
    layout::table("Imports, newest first", &columns, rows)
}

fn file_name(row: &ImportRow) -> &str {
    row.source.rsplit('/').next().unwrap_or(&row.source)
}

/// Rows in the table, or on their way there; those of a failed attempt were rolled back.
fn rows_of(row: &ImportRow) -> Markup {
    if row.status == JobStatus::Failure { number(0) } else { number(row.rows_done) }
}

fn took(row: &ImportRow) -> String {
    match (row.started_at, row.finished_at) {
        (Some(started), Some(finished)) => {
            format!("in {}", numbers::duration((finished - started).to_std().unwrap_or_default()))
        }
        _ => String::new(),
    }
}

fn number(counter: i64) -> Markup {
    html! { (numbers::count(u64::try_from(counter).unwrap_or(0))) }
}

/// The ways to the first and to the next page.
fn pages(page: Option<&Page<ImportRow>>, filters: &Filters) -> Markup {
    let next = page.and_then(|page| page.next.as_ref()).map(ToString::to_string);
    html! {
        @if next.is_some() || !filters.is_first_page() {
            nav.pages aria-label="Pages" {
                @if !filters.is_first_page() { a.button href=(filters.address(&[])) { "Newest" } }
                @if let Some(next) = next { a.button rel="next" href=(filters.address(&[("after", &next)])) { "Older" } }
            }
        }
    }
}
