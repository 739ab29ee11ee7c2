//! The figures at the top: what runs, what waits and since when, dead letters, how the imports of the last day ended. A
//! queue that does not answer is said not to; the rest of the page stands.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use ops::dlq::queue::{Counts, count_in};
use ops::numbers;
use ops::target::Target;
use worker::ledger::{HourCount, OpenCounts};

use crate::layout;

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
    let resources = &target.resources;
    // Where there are lanes, an import waits in one, and on its way into it.
    let lanes = async {
        match &resources.lane_queue_url {
            Some(url) => of(url).await,
            None => Some(Counts::default()),
        }
    };
    let (queue, lanes, dead_letters) =
        tokio::join!(of(&resources.queue_url), lanes, of(&resources.dead_letter_queue_url));
    let queue = queue.zip(lanes).map(|(queue, lanes)| Counts {
        visible: queue.visible + lanes.visible,
        in_flight: queue.in_flight + lanes.in_flight,
    });
    Figures { queue, dead_letters }
}

pub(super) fn show(figures: &Figures, open: &OpenCounts, hours: &[HourCount], now: DateTime<Utc>) -> Markup {
    let successes: i64 = hours.iter().map(|hour| hour.successes).sum();
    let failures: i64 = hours.iter().map(|hour| hour.failures).sum();
    let failed = "/imports?status=FAILURE&since=1d";
    html! {
        div.figures {
            (figure("Running", &number(open.running), "/imports?status=RUNNING", false, &pending(open.pending)))
            (queue(figures.queue, open.pending_since.map(|since| since.and_utc()), now))
            (dead_letters(figures.dead_letters))
            (figure("Failed in 24 h", &number(failures), failed, failures > 0, &format!("{} succeeded", number(successes))))
        }
    }
}

fn queue(counts: Option<Counts>, pending_since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Markup {
    let (name, address) = ("In the queue", "/imports?status=PENDING");
    let Some(counts) = counts else { return silent(name, address) };
    let more = match (pending_since, counts.in_flight) {
        (Some(since), _) => format!("oldest import waits {}", layout::since(since, now)),
        (None, 0) => "nothing in flight".to_owned(),
        (None, number) => format!("{} in flight", numbers::count(number as u64)),
    };
    figure(name, &numbers::count(counts.visible as u64), address, false, &more)
}

fn dead_letters(counts: Option<Counts>) -> Markup {
    let (name, address) = ("Dead letters", "/dead-letters");
    let Some(counts) = counts else { return silent(name, address) };
    let all = counts.visible + counts.in_flight;
    figure(name, &numbers::count(all as u64), address, all > 0, "kept until somebody decides")
}

fn silent(name: &str, address: &str) -> Markup {
    figure(name, "–", address, false, "the queue does not answer")
}

fn figure(name: &str, value: &str, address: &str, alarms: bool, more: &str) -> Markup {
    html! {
        a.figure.alarms[alarms] href=(address) {
            span.name { (name) }
            span.value { (value) }
            span.more { (more) }
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
    numbers::count(u64::try_from(number).unwrap_or(0))
}
