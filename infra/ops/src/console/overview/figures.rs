//! The figures at the top: what runs, what waits and since when, dead letters, how the imports of the last day ended. A
//! queue that does not answer is said not to; the rest of the page stands.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use worker::imports::{HourCount, OpenCounts};

use crate::console::layout;
use crate::dlq::letters::{Counts, count_in};
use crate::output;
use crate::target::Target;

/// The queues, each as it answered; an error is for the log alone.
pub(super) struct Figures {
    queue: Option<Counts>,
    dead_letters: Option<Counts>,
}

pub(super) async fn ask(target: &Target) -> Figures {
    let of = async |queue_url: &str| match count_in(target, queue_url).await {
        Ok(counts) => Some(counts),
        Err(error) => {
            tracing::warn!("failed to count the messages of a queue: {error:#}");
            None
        }
    };
    let (queue, dead_letters) =
        tokio::join!(of(&target.resources.queue_url), of(&target.resources.dead_letter_queue_url));
    Figures { queue, dead_letters }
}

pub(super) fn show(figures: &Figures, open: &OpenCounts, hours: &[HourCount], now: DateTime<Utc>) -> Markup {
    let successes: i64 = hours.iter().map(|hour| hour.successes).sum();
    let failures: i64 = hours.iter().map(|hour| hour.failures).sum();
    let waits = open
        .pending_since
        .map(|since| format!("oldest import waits {}", layout::since(since.and_utc(), now)));
    let in_flight = |counts: &Counts| match counts.in_flight {
        0 => "nothing in flight".to_owned(),
        number => format!("{} in flight", output::count(number as u64)),
    };
    html! {
        div.figures {
            (figure("Running", Some(number(open.running)), "/imports?status=RUNNING", false, &pending(open.pending)))
            (figure("In the queue", figures.queue.map(|queue| output::count(queue.visible as u64)), "/imports?status=PENDING",
                false, &waits.or_else(|| figures.queue.as_ref().map(in_flight)).unwrap_or_default()))
            (figure("Dead letters", figures.dead_letters.map(|letters| output::count((letters.visible + letters.in_flight) as u64)),
                "/dead-letters", figures.dead_letters.is_some_and(|letters| letters.visible > 0), "kept until somebody decides"))
            (figure("Failed in 24 h", Some(number(failures)), "/imports?status=FAILURE&since=1d", failures > 0,
                &format!("{} succeeded", number(successes))))
        }
    }
}

fn figure(name: &str, value: Option<String>, address: &str, alarms: bool, more: &str) -> Markup {
    html! {
        a.figure.alarms[alarms] href=(address) {
            span.name { (name) }
            span.value { @if let Some(value) = &value { (value) } @else { "–" } }
            span.more { @if value.is_some() { (more) } @else { "the queue does not answer" } }
        }
    }
}

fn pending(number: i64) -> String {
    match number {
        0 => "none pending".to_owned(),
        number => format!("{} pending", self::number(number)),
    }
}

fn number(number: i64) -> String {
    output::count(u64::try_from(number).unwrap_or(0))
}
