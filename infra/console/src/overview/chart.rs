//! Imports per hour as bars: those that succeeded, and on top those that failed, hatched so that colour is not needed.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound as _, NaiveDateTime, TimeDelta, Utc};
use maud::{Markup, html};
use ops::numbers;
use worker::ledger::HourCount;

/// The picture's units.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 100;
/// The highest bar.
const HIGHEST: i64 = 96;
const GAP: i64 = 6;
const HOURS_PER_LABEL: usize = 4;

/// When the first hour of the chart began.
pub(super) fn beginning(now: DateTime<Utc>, hours: i64) -> DateTime<Utc> {
    let this_hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    this_hour - TimeDelta::hours(hours - 1)
}

pub(super) fn legend() -> Markup {
    html! {
        ul.legend aria-hidden="true" {
            li { span.swatch.good {} "succeeded" }
            li { span.swatch.bad {} "failed" }
        }
    }
}

/// The chart of the hours from `since` until now. Its numbers stand in a table, for those who do not see it.
pub(super) fn draw(hours: &[HourCount], since: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    let bars = bars(hours, since, now);
    let most = bars.iter().map(|bar| bar.successes + bar.failures).max().unwrap_or(0);
    let step = WIDTH / i64::try_from(bars.len()).unwrap_or(1).max(1);
    // A single failure among thousands must be seen.
    let height = |number: i64| if number == 0 { 0 } else { (number * HIGHEST / most.max(1)).max(2) };
    html! {
        p.most { @if most > 0 { "at most " (numbers::count(most.unsigned_abs())) " in an hour" } }
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(summary(&bars)) {
            defs {
                pattern #failed width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.hatch-ground width="5" height="5" {}
                    rect.hatch width="2.5" height="5" {}
                }
            }
            @for (place, bar) in (0i64..).zip(&bars) {
                @let x = place * step + GAP / 2;
                @let (good, bad) = (height(bar.successes), height(bar.failures));
                g {
                    title { (bar.describe()) }
                    rect.catch x=(place * step) y="0" width=(step) height=(HEIGHT) {}
                    @if good > 0 { rect.good x=(x) y=(HEIGHT - good) width=(step - GAP) height=(good) {} }
                    @if bad > 0 { rect.bad x=(x) y=(HEIGHT - good - bad) width=(step - GAP) height=(bad) fill="url(#failed)" {} }
                }
            }
        }
        ol.hours aria-hidden="true" {
            @for bar in bars.iter().step_by(HOURS_PER_LABEL) { li { (bar.hour.format("%H:00")) } }
        }
        p.quiet.under { "In UTC, by when imports ended" }
    }
}

struct Bar {
    hour: NaiveDateTime,
    successes: i64,
    failures: i64,
}

impl Bar {
    fn describe(&self) -> String {
        format!(
            "{} UTC: {} succeeded, {} failed",
            self.hour.format("%Y-%m-%d %H:00"),
            self.successes,
            self.failures
        )
    }
}

/// Every hour, those included in which nothing ended.
fn bars(hours: &[HourCount], since: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Bar> {
    let counted: HashMap<_, _> = hours.iter().map(|hour| (hour.hour, hour)).collect();
    let mut bars = Vec::new();
    let mut hour = since.naive_utc();
    while hour <= now.naive_utc() {
        let counted = counted.get(&hour);
        bars.push(Bar {
            hour,
            successes: counted.map_or(0, |counted| counted.successes),
            failures: counted.map_or(0, |counted| counted.failures),
        });
        hour += TimeDelta::hours(1);
    }
    bars
}

fn summary(bars: &[Bar]) -> String {
    let successes: i64 = bars.iter().map(|bar| bar.successes).sum();
    let failures: i64 = bars.iter().map(|bar| bar.failures).sum();
    format!("Imports per hour in the last {} hours: {successes} succeeded, {failures} failed", bars.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hour_has_its_place_and_one_failure_among_thousands_is_seen() {
        let now: DateTime<Utc> = "2026-11-24T12:30:00Z".parse().unwrap();
        let since = beginning(now, 24);
        assert_eq!(since.to_rfc3339(), "2026-11-23T13:00:00+00:00");
        let hour =
            |text: &str, successes, failures| HourCount { hour: text.parse().unwrap(), successes, failures };
        let hours = [hour("2026-11-23T13:00:00", 9_000, 1), hour("2026-11-24T12:00:00", 0, 3)];
        let bars = bars(&hours, since, now);
        assert_eq!(bars.len(), 24);
        assert_eq!((bars[0].successes, bars[1].successes, bars[23].failures), (9_000, 0, 3));
        let drawn = draw(&hours, since, now).into_string();
        assert!(drawn.contains("9000 succeeded, 4 failed"), "{drawn}");
        assert_eq!(drawn.matches("class=\"bad\"").count(), 2);
        assert!(drawn.contains("y=\"3\" width=\"24\" height=\"2\""), "{drawn}");
        assert_eq!(draw(&[], since, now).into_string().matches("class=\"good\"").count(), 0);
    }
}
