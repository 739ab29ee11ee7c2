//! The parts of pages.

use maud::{Markup, Render, html};
use ops::text;
use worker::ledger::JobStatus;

/// The most columns of a cause within a list.
const CAUSE_COLUMNS: usize = 160;

/// Where an import stands: a mark, a word and a colour, so that no one of them is needed.
pub(crate) fn status(status: JobStatus) -> Markup {
    let (class, mark, word) = match status {
        JobStatus::Pending => ("waits", "wait", "pending"),
        JobStatus::Running => ("runs", "run", "running"),
        JobStatus::Success => ("good", "tick", "success"),
        JobStatus::Failure => ("bad", "cross", "failure"),
    };
    html! { span.status.(class) { (icon(mark)) (word) } }
}

/// A small picture beside a word. Screen readers leave it out: the word says it.
pub(crate) fn icon(name: &str) -> Markup {
    let path = match name {
        "baton" => "M3.5 12.5 12.5 3.5M2 11l3 3M11 2l3 3",
        "tick" => "M3 8.5 6.5 12 13 4.5",
        "cross" => "M4 4l8 8M12 4l-8 8",
        "run" => "M5 3.5v9l7.5-4.5z",
        "wait" => "M8 4v4l2.5 2M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z",
        "upload" => "M8 11V3M4.5 6.5 8 3l3.5 3.5M2.5 13.5h11",
        "pause" => "M6 4v8M10 4v8",
        "search" => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14",
        _ => "M3 8h10",
    };
    html! {
        svg.icon viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false" { path d=(path) {} }
    }
}

/// A part of a page that moves. The script replaces it by what `address` answers, which is this part again, for as long as
/// `moves` holds. `id` is the fragment's name.
pub(crate) fn live(id: &str, address: &str, moves: bool, body: impl Render) -> Markup {
    html! { div.live id=(id) data-live=[moves.then_some(address)] { (body) } }
}

/// A bar with its meaning in words beneath. `total` is 0 where it is not known.
pub(crate) fn progress(name: &str, done: u64, total: u64, words: &str) -> Markup {
    let (done, total) = (done.min(total), Some(total).filter(|total| *total > 0));
    html! {
        div.progress {
            progress aria-label=(name) max=[total] value=[total.map(|_| done)] {}
            span { (words) }
        }
    }
}

/// What stands where there is nothing to show.
pub(crate) fn empty(title: &str, more: impl Render) -> Markup {
    html! { div.empty { p { strong { (title) } } p { (more) } } }
}

/// The head of a column.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// `number`, `main`, `wide` or nothing.
    pub(crate) class: &'static str,
}

impl Column {
    /// A column of text.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, class: "" }
    }

    /// A column of numbers, which stand under each other.
    pub(crate) fn number(name: &'static str) -> Self {
        Self { name, class: "number" }
    }

    /// A column of long text, which breaks.
    pub(crate) fn wide(name: &'static str) -> Self {
        Self { name, class: "wide" }
    }
}

/// A table. On a narrow screen each row becomes a card, whose lines have the names of their columns.
pub(crate) fn table<const N: usize>(
    caption: &str,
    columns: &[Column; N],
    rows: impl IntoIterator<Item = [Markup; N]>,
) -> Markup {
    html! {
        table {
            caption.hidden { (caption) }
            thead {
                tr { @for column in columns { th scope="col" class=(column.class) { (column.name) } } }
            }
            tbody {
                @for row in rows {
                    tr {
                        @for (column, cell) in columns.iter().zip(row) {
                            td class=(column.class) data-name=(column.name) { div.cell { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

/// A question before something is done.
pub(crate) struct Confirmation<'a> {
    /// What will be done, as a question.
    pub(crate) question: &'a str,
    /// What it means: how many, which, what is lost.
    pub(crate) meaning: Markup,
    /// Where the form is sent.
    pub(crate) action: &'a str,
    /// What is sent along: names and values.
    pub(crate) fields: Vec<(&'a str, String)>,
    /// What the button says: a verb.
    pub(crate) button: &'a str,
    /// Whether something is lost.
    pub(crate) is_dangerous: bool,
    /// Where to, if not.
    pub(crate) back: &'a str,
}

impl Confirmation<'_> {
    /// The question, with its button and the way back. `csrf_field` is what every form has.
    pub(crate) fn render(&self, csrf_field: &Markup) -> Markup {
        html! {
            h1 { (self.question) }
            section.meaning { (self.meaning) }
            form.actions method="post" action=(self.action) {
                (csrf_field)
                @for (name, value) in &self.fields { input type="hidden" name=(name) value=(value); }
                button.danger[self.is_dangerous].primary[!self.is_dangerous] type="submit" { (self.button) }
                a.button href=(self.back) { "Leave it" }
            }
        }
    }
}

/// The error of an import, with the beginning of its cause, whose lines stand in a row here.
pub(crate) fn why(error: Option<&str>, cause: Option<&str>) -> Markup {
    let lines: Vec<_> = cause.unwrap_or_default().lines().map(str::trim).collect();
    let cause = text::cut(&lines.join(" "), CAUSE_COLUMNS);
    html! {
        strong { (super::text(error.unwrap_or("not known"))) }
        @if !cause.is_empty() { span.cause { (super::text(&cause)) } }
    }
}

/// The way to the page of an import.
pub(crate) fn import_link(id: &str) -> Markup {
    html! { a.id href={ "/imports/" (id) } { (id) } }
}
