//! Times on pages: UTC, as in the logs; the script adds the reader's own time to the title.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

/// The time to the second.
pub(crate) fn exact(at: DateTime<Utc>) -> Markup {
    element(at, &at.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// How long ago, with the time in the title.
pub(crate) fn ago(at: DateTime<Utc>) -> Markup {
    let words = since(at, Utc::now());
    element(at, &if words == "now" { words } else { format!("{words} ago") })
}

/// How long it was from then to now, in one unit.
pub(crate) fn since(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    match seconds {
        ..=1 => "now".to_owned(),
        2..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn element(at: DateTime<Utc>, words: &str) -> Markup {
    let title = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! { time datetime=(at.to_rfc3339_opts(SecondsFormat::Secs, true)) title=(title) { (words) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_said_in_the_unit_that_fits() {
        let then = DateTime::UNIX_EPOCH;
        let said = |seconds: i64| since(then, then + chrono::TimeDelta::seconds(seconds));
        assert_eq!(
            [-5, 0, 2, 119, 120, 7_200, 172_800].map(said),
            ["now", "now", "2 s", "119 s", "2 min", "2 h", "2 days"]
        );
        let shown = exact(then).into_string();
        assert_eq!(
            shown,
            "<time datetime=\"1970-01-01T00:00:00Z\" title=\"1970-01-01 00:00:00 UTC\">1970-01-01 00:00:00</time>"
        );
    }
}
