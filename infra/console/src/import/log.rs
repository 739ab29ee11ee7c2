//! What a worker logged: of the attempt that is asked for, else of the latest.

use maud::{Markup, html};
use ops::logs::containers::stream_of;
use ops::logs::read::{LogLine, Reader};

use super::address::Address;
use super::attempts::id_of;
use super::page_data::PageData;
use crate::layout;
use crate::state::Console;

/// As many of the last lines are shown.
const LINES: u32 = 200;

pub(super) async fn section(console: &Console, address: &Address, data: &PageData) -> Markup {
    let latest = || data.attempts.last().map(|attempt| id_of(&attempt.worker));
    let Some(task) = address.get("log").or_else(latest) else { return html! {} };
    // A page is no worse for a log group that does not answer.
    let read = Reader::of(stream_of(task)).last(&console.target, LINES).await;
    html! {
        section.panel #log {
            div.panel-head {
                h2 { "Log of " code { (layout::text(task)) } }
                code.quiet { (layout::text(&console.command("logs", address.id.as_str()))) }
            }
            @match read {
                Ok(Some(lines)) if !lines.is_empty() => {
                    @if lines.len() >= LINES as usize { p.quiet { "The last " (LINES) " lines." } }
                    (table(&lines))
                }
                Ok(Some(_)) => (layout::empty("Nothing logged yet", "The worker has not said anything.")),
                Ok(None) => (layout::empty("No log", "The log group has no stream of this worker, not yet or not any more.")),
                Err(error) => p.notice.warn { (layout::text(&format!("{error:#}"))) },
            }
        }
    }
}

fn table(lines: &[LogLine]) -> Markup {
    html! {
        div.log tabindex="0" role="log" aria-label="Log lines" {
            @for line in lines {
                div.line {
                    time datetime=(line.time.to_rfc3339()) { (line.time.format("%H:%M:%S%.3f").to_string()) }
                    span class=(format!("level {}", line.level.as_deref().unwrap_or_default().to_lowercase())) {
                        (layout::text(line.level.as_deref().unwrap_or_default()))
                    }
                    span.message {
                        (layout::text(&line.message))
                        @for (name, value) in line.details() { " " span.quiet { (layout::text(&detail(name, value))) } }
                    }
                }
            }
        }
    }
}

fn detail(name: &str, value: &serde_json::Value) -> String {
    match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None => format!("{name}={value}"),
    }
}
