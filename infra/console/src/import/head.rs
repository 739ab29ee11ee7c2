//! Where the import stands, in figures and words, and what can be done.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use ops::executions::Standing;
use ops::numbers::{bytes, count, duration};
use ops::show::picture::ImportPicture;
use ops::show::progress::unchanged;
use ops::{advice, findings};
use worker::ledger::JobStatus;

use super::address::Address;
use super::buttons::Offer;
use super::page_data::{PageData, Shown};
use super::{cancel, redrive};
use crate::layout;
use crate::state::Console;

/// As many other executions are named.
const OTHERS: usize = 20;

pub(super) fn section(console: &Console, address: &Address, data: &PageData) -> Markup {
    html! {
        div.import-head {
            h1 { span.id { (address.id.as_str()) } @if let Some(import) = &data.import { " " (layout::status(status(import))) } }
            (buttons(console, address, data))
        }
        @if let Some(import) = &data.import {
            @if import.status == "RUNNING" { section.panel { (progress(import)) } }
        } @else {
            section.notice.warn { p { "No worker has registered this import: it is known by its executions alone." } }
        }
        (failure(console, address, data))
        section.panel.facts-panel {
            h2.hidden { "Facts" }
            dl.facts {
                @if let Some(import) = &data.import { (facts(import)) }
                (execution(address, data))
            }
        }
    }
}

fn status(import: &ImportPicture) -> JobStatus {
    [JobStatus::Pending, JobStatus::Running, JobStatus::Success]
        .into_iter()
        .find(|status| status.as_str() == import.status)
        .unwrap_or(JobStatus::Failure)
}

/// What can be done, and why not what cannot.
fn buttons(console: &Console, address: &Address, data: &PageData) -> Markup {
    let offers = [redrive::offer(console, address, data), cancel::offer(console, address, data)];
    html! {
        div.actions {
            @for offer in offers {
                @match offer {
                    Offer::Yes { name, address } => a.button href=(address) { (name) },
                    Offer::No { name, why } => span.no-button { button type="button" disabled { (name) } span.quiet { (layout::text(&why)) } },
                    Offer::Hidden => {},
                }
            }
        }
    }
}

/// How far it has come.
fn progress(import: &ImportPicture) -> Markup {
    let (done, total) = (unsigned(import.bytes), unsigned(import.bytes_total));
    let mut words = vec![format!("{} rows", count(unsigned(import.rows)))];
    if let Some(percent) = (done.min(total) * 100).checked_div(total) {
        words.push(format!("{percent} % of {}", bytes(total)));
    }
    match import.progress.as_ref().and_then(|progress| progress.unchanged_since) {
        Some(since) => words.push(unchanged(since)),
        None => words.extend(pace(import)),
    }
    layout::progress("Progress of the import", done, total, &words.join(" · "))
}

/// How fast, and how long yet.
fn pace(import: &ImportPicture) -> Vec<String> {
    let (done, total) = (unsigned(import.bytes), unsigned(import.bytes_total));
    let elapsed = import.started_at.and_then(|started| (Utc::now() - started).to_std().ok());
    let seconds = elapsed.map_or(0.0, |elapsed| elapsed.as_secs_f64());
    if seconds <= 0.5 {
        return Vec::new();
    }
    let mut words = vec![format!("{} rows/s", count((import.rows as f64 / seconds) as u64))];
    if done > 0 && total > done {
        let left = (total - done) as f64 * seconds / done as f64;
        words.push(format!(
            "about {} left",
            duration(std::time::Duration::from_secs_f64(left.min(864_000.0)))
        ));
    }
    words
}

/// Why it failed, and what to do next.
fn failure(console: &Console, address: &Address, data: &PageData) -> Markup {
    let of_import = data.import.as_ref().filter(|import| import.status == "FAILURE");
    let of_execution = data.shown.as_ref().map(|shown| &shown.execution);
    let (error, cause) = match (of_execution.and_then(|execution| execution.error.as_ref()), of_import) {
        (Some(error), _) => (error, of_execution.and_then(|execution| execution.cause.as_ref())),
        (None, Some(import)) => match &import.error {
            Some(error) => (error, import.cause.as_ref()),
            None => return html! {},
        },
        (None, None) => return html! {},
    };
    let found = data.import.as_ref().and_then(|import| import.findings.as_ref());
    let command = |verb: &str| console.command(verb, address.id.as_str());
    let (import_id, words) = (address.id.as_str(), cause.map_or("", String::as_str));
    let failed = advice::Failed { import_id, name: error, cause: words, findings: found };
    let next = match of_execution.is_some_and(|execution| execution.standing == Standing::Running) {
        true => Some("nothing yet: the execution is open, and tries it again by itself".to_owned()),
        false => advice::for_failure(failed, &command),
    };
    html! {
        section.notice.bad {
            p { strong { (layout::text(error)) } }
            @if let Some(cause) = cause { p.cause { (layout::text(cause)) } }
            @if let Some(next) = next { p.detail { "Next: " (layout::text(&next)) } }
        }
    }
}

fn fact(name: &str, value: impl maud::Render) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn facts(import: &ImportPicture) -> Markup {
    let text = |text: &str| html! { (layout::text(text)) };
    let size = if import.bytes_total > 0 {
        format!(" ({})", bytes(unsigned(import.bytes_total)))
    } else {
        String::new()
    };
    let time = |at: Option<DateTime<Utc>>| at.map_or_else(|| html! { span.quiet { "–" } }, layout::exact);
    html! {
        (fact("File", html! { code { (layout::text(&import.source)) } (size) }))
        (fact("Table", html! { code { (layout::text(&import.table)) } }))
        (fact("Rows", text(&findings::rows(import))))
        (fact("Rejects", html! {
            @if findings::rejects_of(import) > 0 { a href="#rejects" { (layout::text(&findings::rejects(import))) } } @else { "0" }
        }))
        @if import.findings.as_ref().is_some_and(|findings| findings.dry_run) { (fact("Dry run", text("nothing was written"))) }
        @if let Some(writing) = import.findings.as_ref().and_then(findings::writing) { (fact("Written as", text(&writing))) }
        @for note in findings::notes(import) { (fact("Note", text(&note))) }
        (fact("Registered", time(Some(import.created_at))))
        (fact("Began", time(import.started_at)))
        (fact("Ended", time(import.finished_at)))
        (fact("Attempts", text(&import.attempt.to_string())))
    }
}

/// The execution that is shown, and the others.
fn execution(address: &Address, data: &PageData) -> Markup {
    let name = |arn: &str| arn.rsplit(':').next().unwrap_or(arn).to_owned();
    let is_shown = |arn: &str| data.shown.as_ref().is_some_and(|shown| shown.execution.arn == arn);
    let others: Vec<_> =
        data.executions.iter().filter(|arn| !is_shown(arn)).take(OTHERS).map(|arn| name(arn)).collect();
    html! {
        (fact("Execution", html! {
            @match &data.shown {
                Some(shown) => { code { (shown.execution.name()) } " " (of_execution(shown)) },
                None if data.import.as_ref().is_some_and(|import| import.execution_arn.is_some()) => {
                    "not known any more, or not on this target"
                },
                None => { "none here yet: its message waits in the queue, or none was sent here" },
            }
        }))
        @if !others.is_empty() {
            (fact("Other executions", html! {
                @for other in &others {
                    a.other href=(address.link(&[("execution", Some(other)), ("events", None), ("log", None)], "")) { code { (other) } }
                }
            }))
        }
        @if let Some(fate) = data.shown.as_ref().and_then(|shown| shown.fate.as_ref()) {
            (fact("Message", html! { (layout::text(&fate.describe())) }))
        }
        @if let Some(group) = data.shown.as_ref().and_then(Shown::group) {
            (fact("Message group", html! { code { (layout::text(group)) } }))
        }
    }
}

fn of_execution(shown: &Shown) -> Markup {
    let execution = &shown.execution;
    let redrives = match execution.redrives {
        0 => String::new(),
        1 => ", redriven once".to_owned(),
        times => format!(", redriven {times} times"),
    };
    let took = execution.stopped_at.and_then(|stopped| (stopped - shown.started_at).to_std().ok());
    html! {
        span.quiet {
            (layout::text(&execution.status.to_lowercase())) ", began " (layout::exact(shown.started_at))
            @if let Some(took) = took { ", took " (duration(took)) }
            (redrives)
        }
    }
}

pub(super) fn unsigned(number: i64) -> u64 {
    number.try_into().unwrap_or(0)
}
