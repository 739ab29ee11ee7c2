//! What a dry run found, and what can be done now.

use maud::{Markup, html};
use ops::show::picture::ImportPicture;
use ops::{advice, findings, numbers};
use statemachine::{Findings, RejectLimit, RejectedRow};

use super::Check;
use crate::layout::{self, Column, text};
use crate::state::Console;

/// What an import for real would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlook {
    /// It would write so many rows.
    Writes(u64),
    /// There are more rejects than the person allows; so many rows would be good.
    Exceeds(u64),
}

impl Outlook {
    fn of(limit: RejectLimit, good: u64, rejects: u64, rows_read: u64) -> Self {
        if limit.is_exceeded(rejects, rows_read) { Self::Exceeds(good) } else { Self::Writes(good) }
    }
}

pub(super) fn render(console: &Console, check: &Check) -> Markup {
    let import = ImportPicture::from(check.row.clone());
    match import.findings.as_ref().filter(|_| import.status == "SUCCESS") {
        Some(found) => found_out(console, check, &import, found),
        None => failed(console, check, &import),
    }
}

fn found_out(console: &Console, check: &Check, import: &ImportPicture, found: &Findings) -> Markup {
    let rejects = findings::rejects_of(import);
    let good = u64::try_from(import.rows).unwrap_or_default();
    let outlook = Outlook::of(check.limit, good, rejects, found.rows_read);
    let notes = findings::notes(import);
    html! {
        (headline(check, outlook, rejects, found.rows_read))
        div.figures {
            (figure("Rows read", found.rows_read, "", false))
            (figure("Would be written", good, &changes(found, good), false))
            (figure("Rejects", rejects, "", rejects > 0))
        }
        @if rejects > 0 {
            section.panel {
                h2 { "What would be rejected" }
                p.quiet { (text(&findings::rejects(import))) }
                (reject_table(&found.first_rejects))
                @let others = rejects.saturating_sub(found.first_rejects.len() as u64);
                @if others > 0 {
                    p { "… and " (numbers::count(others)) " more: " a href={ "/imports/" (check.id) } { "all of them" } }
                }
            }
        }
        @if let Some(writing) = findings::writing(found) { p.quiet { "The file is read as " (writing) "." } }
        @for note in &notes { p.quiet { "Note: " (note) "." } }
        (next(console, check, outlook, rejects))
    }
}

/// The sentence that a person waits for.
fn headline(check: &Check, outlook: Outlook, rejects: u64, rows_read: u64) -> Markup {
    match outlook {
        Outlook::Writes(good) if rejects == 0 => html! {
            section.notice.good role="status" { p { strong { "Every row fits." } (all_or_some(good, rows_read)) } }
        },
        Outlook::Writes(_) => html! {
            section.notice.warn role="status" {
                p { strong { (rows(rejects)) " would be left out." } " That is within the limit of " (check.limit) " rejects." }
            }
        },
        Outlook::Exceeds(_) => html! {
            section.notice.bad role="status" {
                p {
                    strong { (rows(rejects)) " would be rejected." } " The limit is " (check.limit)
                    ": the import for real would fail, and write nothing."
                }
            }
        },
    }
}

/// Whether all rows that fit would be written.
fn all_or_some(good: u64, rows_read: u64) -> String {
    match rows_read.saturating_sub(good) {
        0 => " The import for real would write them all.".to_owned(),
        others => format!(
            " The import for real would write {} and leave out {}.",
            rows(good),
            numbers::count(others)
        ),
    }
}

/// The button that imports for real, and the way back.
fn next(console: &Console, check: &Check, outlook: Outlook, rejects: u64) -> Markup {
    let (button, limit, means) = match outlook {
        Outlook::Exceeds(0) => {
            (None, check.limit, "Correct the file, or say in the options how it is written.")
        }
        Outlook::Exceeds(good) => (
            Some(format!("Import the other {}", rows(good))),
            RejectLimit::Rows(rejects),
            "Correct the file and choose it again, or leave the rejects out: they are kept in a file of their own.",
        ),
        Outlook::Writes(_) => (Some("Import for real".to_owned()), check.limit, ""),
    };
    html! {
        @if !means.is_empty() { p { (means) } }
        form.actions method="post" action={ "/upload/check/" (check.id) } {
            (console.guard.csrf_field())
            input type="hidden" name="max_rejects" value=(limit);
            @if let Some(button) = button { button.primary type="submit" { (button) } }
            a.button href=(check.again()) { "Change the options" }
            a.button href={ "/upload?table=" (percent_encoded(&check.row.table_name)) } { "Another file" }
        }
    }
}

fn failed(console: &Console, check: &Check, import: &ImportPicture) -> Markup {
    let error = import.error.as_deref().unwrap_or("It failed");
    let rejects = console.command("rejects", &import.id);
    let cause = import.cause.as_deref().unwrap_or_default();
    let failed =
        advice::Failed { import_id: &import.id, name: error, cause, findings: import.findings.as_ref() };
    let advice = advice::without_redrive(failed, &rejects);
    html! {
        section.notice.bad role="status" {
            p { strong { "The import for real would fail: " (text(error)) } }
            p { (text(import.cause.as_deref().unwrap_or("No cause was recorded."))) }
            @if let Some(advice) = advice { p.detail { "What helps: " (text(&advice)) } }
        }
        div.actions {
            a.button.primary href=(check.again()) { "Change the options" }
            a.button href={ "/imports/" (check.id) } { "What happened" }
        }
        p.quiet { "As of any import that fails, its message lies in the " a href="/dead-letters" { "dead-letter queue" } "." }
    }
}

fn figure(name: &str, number: u64, more: &str, alarms: bool) -> Markup {
    html! {
        div.figure.alarms[alarms] {
            span.name { (name) }
            span.value { (numbers::count(number)) }
            @if !more.is_empty() { span.more { (more) } }
        }
    }
}

fn changes(found: &Findings, good: u64) -> String {
    let mut said = Vec::new();
    if found.updated > 0 {
        said.push(format!("{} of them new", numbers::count(good.saturating_sub(found.updated))));
    }
    if found.skipped > 0 {
        let verb = if found.skipped == 1 { "is" } else { "are" };
        said.push(format!("{} {verb} there already", numbers::count(found.skipped)));
    }
    if found.duplicates > 0 {
        said.push(format!("{} twice in the file", numbers::count(found.duplicates)));
    }
    if found.dropped > 0 {
        said.push(format!("{} left out by a trigger of the table", numbers::count(found.dropped)));
    }
    said.join(", ")
}

fn reject_table(rejects: &[RejectedRow]) -> Markup {
    let columns =
        [Column::number("Line"), Column::new("Column"), Column::wide("Value"), Column::wide("Reason")];
    let rows = rejects.iter().map(|reject| {
        [
            html! { (reject.line) },
            html! { (text(reject.column.as_deref().unwrap_or("–"))) },
            html! { @match &reject.value { Some(value) => code.cell { (text(value)) }, None => span.quiet { "–" } } },
            html! { (text(&reject.says)) },
        ]
    });
    layout::table("Rejects", &columns, rows)
}

fn rows(number: u64) -> String {
    if number == 1 { "1 row".to_owned() } else { format!("{} rows", numbers::count(number)) }
}

fn percent_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_import_would_come_to_follows_from_the_persons_limit() {
        let outlook = |limit: &str, rejects| Outlook::of(limit.parse().unwrap(), 10 - rejects, rejects, 10);
        assert_eq!(outlook("0", 0), Outlook::Writes(10));
        assert_eq!(outlook("0", 1), Outlook::Exceeds(9));
        assert_eq!(outlook("10%", 1), Outlook::Writes(9));
        assert_eq!(outlook("10%", 2), Outlook::Exceeds(8));
    }

    #[test]
    fn rows_that_fit_and_are_not_written_are_not_promised() {
        assert_eq!(all_or_some(2, 2), " The import for real would write them all.");
        assert_eq!(all_or_some(1, 3), " The import for real would write 1 row and leave out 2.");
        assert_eq!(all_or_some(0, 1_000), " The import for real would write 0 rows and leave out 1,000.");
    }

    #[test]
    fn a_rejected_value_is_text_whatever_is_in_it() {
        let reject = serde_json::json!({"record": 1, "line": 2, "byte": 3, "column": "<i>", "value": "<script>\u{202e}",
            "reason": "too_long", "says": "is <b>"});
        let table = reject_table(&[serde_json::from_value(reject).unwrap()]).into_string();
        for words in ["&lt;i&gt;", "&lt;script&gt;\\u{202e}", "is &lt;b&gt;"] {
            assert!(table.contains(words), "{words} is missing in {table}");
        }
    }
}
