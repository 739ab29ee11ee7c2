//! The history of the execution, a page at a time as Step Functions has it: a history of 10,000 events costs no more than
//! one of ten.

mod facts;

use anyhow::Context as _;
use aws_sdk_sfn::types::HistoryEvent;
use maud::{Markup, html};
use ops::error::of_aws;
use ops::show::execution::time;

use super::address::Address;
use super::mask::pretty;
use super::page_data::Shown;
use crate::layout;
use crate::state::Console;
use crate::story::Story;
use facts::{Data, data, of_whole};

/// Events on a page.
const SHOWN: i32 = 50;
/// The most characters that are shown of one input or output.
const MOST_CHARS: usize = 20_000;

pub(super) async fn section(
    console: &Console,
    address: &Address,
    shown: Option<&Shown>,
) -> anyhow::Result<Markup> {
    let Some(shown) = shown else { return Ok(html! {}) };
    let oldest_first = address.get("order") == Some("oldest");
    let page = console
        .target
        .sfn
        .get_execution_history()
        .execution_arn(&shown.execution.arn)
        .reverse_order(!oldest_first)
        .max_results(SHOWN)
        .set_next_token(address.get("events").map(str::to_owned))
        .send()
        .await
        .map_err(of_aws)
        .context("failed to read the history of the execution")?;
    let order = |order: Option<&str>| address.link(&[("order", order), ("events", None)], "events");
    Ok(html! {
        section.panel #events {
            div.panel-head {
                h2 { "Event history" }
                span.orders {
                    a href=(order(None)) aria-current=[(!oldest_first).then_some("true")] { "Newest first" }
                    " " a href=(order(Some("oldest"))) aria-current=[oldest_first.then_some("true")] { "Oldest first" }
                }
            }
            (table(&page.events, &shown.story))
            div.pages {
                @if address.get("events").is_some() { a href=(order(address.get("order"))) { "To the beginning" } }
                @if let Some(token) = &page.next_token {
                    a href=(address.link(&[("events", Some(token))], "events")) rel="next" {
                        @if oldest_first { "Later events" } @else { "Earlier events" }
                    }
                }
            }
        }
    })
}

fn table(events: &[HistoryEvent], story: &Story) -> Markup {
    let columns = [
        layout::Column::number("Id"),
        layout::Column::new("Time"),
        layout::Column::new("Event"),
        layout::Column::new("State"),
        layout::Column::wide("Data"),
    ];
    let rows = events.iter().map(|event| {
        [
            html! { (event.id) },
            html! { (at(event)) },
            html! { (layout::text(event.r#type.as_str())) },
            html! { @if let Some(state) = story.state_at(event.id).filter(|_| !of_whole(event)) { (layout::text(state)) } },
            html! { div { @for data in data(event) { (one(event.id, &data)) } } },
        ]
    });
    layout::table("The events of the execution", &columns, rows)
}

fn at(event: &HistoryEvent) -> Markup {
    let at = time(&event.timestamp);
    html! { time datetime=(at.to_rfc3339()) { (at.format("%m-%d %H:%M:%S%.3f").to_string()) } }
}

fn one(event: i64, data: &Data<'_>) -> Markup {
    match data {
        Data::Word(name, value) if value.contains('\n') => html! {
            details id=(format!("event-{event}-{name}")) {
                summary { (name) ": " (layout::text(value.lines().next().unwrap_or_default())) }
                pre tabindex="0" { (layout::text(value)) }
            }
        },
        Data::Word(name, value) => html! { span.word { span.quiet { (name) ": " } (layout::text(value)) } },
        Data::Json(name, value) => {
            let pretty = layout::text(&pretty(value));
            let shown: String = pretty.chars().take(MOST_CHARS).collect();
            let is_cut = shown.len() < pretty.len();
            html! {
                // An id, so that what is unfolded stays so while others come before it.
                details id=(format!("event-{event}-{name}")) {
                    summary { (name) }
                    pre tabindex="0" { (shown) @if is_cut { "\n…" } }
                }
            }
        }
    }
}
