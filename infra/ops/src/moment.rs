//! A moment in the past, as it is given on the command line: so long ago (`90s`, `30m`, `2h`, `3d`), or a time (RFC 3339).

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

/// A moment in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub DateTime<Utc>);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(time.to_utc()));
        }
        ago(text).and_then(|ago| Utc::now().checked_sub_signed(ago)).map(Self).ok_or_else(|| {
            format!(
                "{text:?} is no moment: say how long ago (90s, 30m, 2h, 3d), or a time such as 2026-11-24T09:30:00Z"
            )
        })
    }
}

fn ago(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = number.parse().ok()?;
    match unit {
        "s" => TimeDelta::try_seconds(number),
        "m" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_so_long_ago_or_a_time() {
        assert_eq!(ago("90s"), Some(TimeDelta::seconds(90)));
        assert_eq!(ago("30m"), Some(TimeDelta::minutes(30)));
        assert_eq!(ago("2h"), Some(TimeDelta::hours(2)));
        assert_eq!(ago("3d"), Some(TimeDelta::days(3)));
        let time: Moment = "2026-11-24T09:30:00+09:00".parse().unwrap();
        assert_eq!(time.0.to_rfc3339(), "2026-11-24T00:30:00+00:00");
        assert!("1h".parse::<Moment>().unwrap() > "2h".parse().unwrap());
    }

    #[test]
    fn anything_else_is_refused_with_both_ways_to_say_it() {
        for text in [
            "",
            "h",
            "-2h",
            "+2h",
            "2 h",
            "2w",
            "1.5h",
            "yesterday",
            "2026-11-24",
            "漢",
            "99999999999999999999d",
            "9999999999999d",
        ] {
            let refused = text.parse::<Moment>().unwrap_err();
            assert!(refused.contains("2h") && refused.contains("2026-11-24T"), "{refused}");
        }
    }
}
