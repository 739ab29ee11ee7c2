//! `/dead-letters`: the messages of imports that failed, and what can be done with them. Seeing them means receiving them:
//! they are given back before the page is made, but count as received. So the list does not refresh itself.

mod confirm;
mod detail;
mod perform;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use maud::{Markup, html};
use ops::dlq::dead_letter::DeadLetter;
use ops::dlq::{queue, selection};
use ops::numbers;

use crate::error::PageError;
use crate::fields::{Fields, InQuery};
use crate::layout::{self, Column, Nav};
use crate::state::{Console, Shared};

const ADDRESS: &str = "/dead-letters";
/// As many stand on the page. The others are told of; they are reached by the filters.
const SHOWN: usize = 200;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(ADDRESS, get(all))
        .route("/dead-letters/{message_id}", get(detail::show))
        .route("/dead-letters/ask/{deed}", post(confirm::confirm))
        .route("/dead-letters/do/{deed}", post(perform::perform))
}

/// All visible dead letters, which have been given back, and how many there are besides that cannot be seen. One look at a time: two at once would hide letters from each other.
async fn look(console: &Console) -> anyhow::Result<(Vec<DeadLetter>, usize)> {
    let _turn = console.dead_letters.lock().await;
    selection::look(&console.target).await
}

/// Which dead letters are shown.
struct Wanted {
    error: Option<String>,
    import: Option<String>,
}

async fn all(State(console): State<Shared>, InQuery(asked): InQuery) -> Result<Markup, PageError> {
    let (mut seen, unseen) = look(&console).await?;
    let hidden = queue::count(&console.target).await?.in_flight;
    let wanted = Wanted::read(&asked);
    let form = (!seen.is_empty() || !wanted.is_all()).then(|| form(&wanted, &errors(&seen)));
    seen.retain(|letter| wanted.accepts(letter));
    Ok(layout::page(
        &console.foot(),
        "Dead letters",
        Nav::DeadLetters,
        html! {
            h1 { "Dead letters" }
            (console.notices.show(asked.get("notice")))
            p.lead {
                "Messages of imports that failed, kept until somebody decides. Their executions can be redriven from where they \
                 failed, or the messages moved back to the queue of imports, where each starts a new execution."
            }
            @if let Some(form) = form { (form) }
            @if seen.is_empty() {
                section.panel { (nothing(&wanted)) }
            } @else {
                (selection(&console, &seen))
            }
            @if let Some(behind) = selection::behind(unseen) { p.quiet { (behind) "." } }
            @if hidden > 0 {
                p.quiet {
                    (numbers::count(hidden as u64)) " more cannot be seen at the moment: somebody else is looking at them. They \
                     come back within " (queue::HOLD_S) " s."
                }
            }
        },
    ))
}

impl Wanted {
    fn read(asked: &Fields) -> Self {
        let text = |name: &str| asked.get(name).map(str::to_owned);
        Self { error: text("error"), import: text("import") }
    }

    fn is_all(&self) -> bool {
        self.error.is_none() && self.import.is_none()
    }

    fn accepts(&self, letter: &DeadLetter) -> bool {
        let is = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        is(&self.error, &letter.error) && is(&self.import, &letter.import_id)
    }
}

/// The errors that occur, each once.
fn errors(letters: &[DeadLetter]) -> Vec<&str> {
    let mut errors: Vec<_> = letters.iter().filter_map(|letter| letter.error.as_deref()).collect();
    errors.sort_unstable();
    errors.dedup();
    errors
}

fn form(wanted: &Wanted, errors: &[&str]) -> Markup {
    html! {
        form.filters method="get" action=(ADDRESS) role="search" {
            div.search {
                label.hidden for="import" { "Import" }
                input #import type="search" name="import" value=[wanted.import.as_deref()] placeholder="Id of an import";
            }
            div {
                label.hidden for="error" { "Error" }
                select #error name="error" {
                    option value="" { "Any error" }
                    @for error in errors {
                        option value=(error) selected[wanted.error.as_deref() == Some(*error)] { (layout::text(error)) }
                    }
                }
            }
            button type="submit" { (layout::icon("search")) "Search" }
            @if !wanted.is_all() { a.button href=(ADDRESS) { "Show all" } }
        }
    }
}

fn nothing(wanted: &Wanted) -> Markup {
    if wanted.is_all() {
        layout::empty("No dead letters", "The message of an import that fails for good comes here, with why.")
    } else {
        layout::empty("No such dead letter", html! { a href=(ADDRESS) { "Show all" } })
    }
}

/// The list, with a box to tick at each, and what can be done with those that are ticked.
fn selection(console: &Console, letters: &[DeadLetter]) -> Markup {
    let columns = [
        Column::new("Select"),
        Column::new("Import"),
        Column::wide("Error and cause"),
        Column::new("Age"),
        Column::number("Received"),
        Column::new("Message"),
    ];
    let shown = letters.get(..SHOWN).unwrap_or(letters);
    let rows = shown.iter().map(|letter| {
        let called = letter.import_id.as_deref().unwrap_or(&letter.message_id);
        [
            html! { input type="checkbox" name="id" value=(letter.message_id) aria-label={ "Select " (called) }; },
            import(letter),
            why(letter),
            layout::ago(letter.sent_at),
            html! { (letter.receives) },
            html! { a.id href={ (ADDRESS) "/" (letter.message_id) } { (short(&letter.message_id)) } },
        ]
    });
    html! {
        form method="post" action={ (ADDRESS) "/ask/redrive" } {
            (console.guard.csrf_field())
            section.panel {
                div.bulk {
                    label { input type="checkbox" data-ticks-all="id"; " All " (numbers::count(shown.len() as u64)) " here" }
                    div.actions {
                        button.primary type="submit" { "Redrive executions…" }
                        button type="submit" formaction={ (ADDRESS) "/ask/move" } { "Move back…" }
                        button.danger type="submit" formaction={ (ADDRESS) "/ask/drop" } { "Drop…" }
                    }
                }
                (layout::table("Dead letters, the oldest first", &columns, rows))
                @if letters.len() > shown.len() {
                    p.quiet { "… and " (numbers::count((letters.len() - shown.len()) as u64)) " more, which are newer" }
                }
            }
        }
    }
}

fn import(letter: &DeadLetter) -> Markup {
    match &letter.import_id {
        Some(id) if letter.asks_for_import => layout::import_link(id),
        Some(id) => html! { (id) },
        None => html! { span.quiet { "asks for no import" } },
    }
}

fn why(letter: &DeadLetter) -> Markup {
    layout::why(letter.error.as_deref(), letter.cause.as_deref())
}

/// The beginning of an id, enough to tell it from others.
fn short(message_id: &str) -> &str {
    message_id.split('-').next().unwrap_or(message_id)
}
