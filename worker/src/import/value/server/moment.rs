//! Days and points in time that the usual parser does not know: before Christ, beyond the year 9999, infinite, at the hour
//! 24. They are counted as the server counts them, in days or microseconds since the year 2000.

use crate::import::reject::Misfit;
use crate::import::value::time::{self, out_of_range};

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// The days that a `date` may be: from the first of the Julian calendar to the end of the year 5,874,897.
const DATES: std::ops::Range<i64> = -2_451_545..2_145_031_949;

/// The microseconds that a `timestamp` may be: from that first day to the end of the year 294,276.
const TIMESTAMPS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// The first version that reads `+infinity`.
const PLUS_INFINITY: u32 = 160_000;

/// A day, counted. The ends of 32 bits are the infinities.
pub(super) fn date(text: &str, version: u32) -> Option<Result<i64, Misfit>> {
    if let Some(infinity) = infinity(text, version) {
        return Some(Ok(if infinity < 0 { i32::MIN.into() } else { i32::MAX.into() }));
    }
    let (text, era) = era(text);
    match day(text.as_bytes(), era)? {
        (day, []) => Some(day.filter(|day| DATES.contains(day)).ok_or_else(out_of_range)),
        _ => None,
    }
}

/// `24:00:00`, in microseconds: the time of day behind the last one.
pub(super) fn end_of_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let (hour, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("00"));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let is_zero = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    ((hour, minutes, seconds) == ("24", "00", "00") && is_zero).then_some(DAY)
}

/// A day with a time of day, counted. The ends of 64 bits are the infinities.
pub(super) fn timestamp(text: &str, digits: u8, version: u32) -> Option<Result<i64, Misfit>> {
    match local(text, digits, version)? {
        Ok((micros, Some(zone))) if zone != 0 && !is_infinite(micros) => Some(Err(time::zone_unexpected())),
        Ok((micros, _)) => Some(within(micros.into())),
        Err(misfit) => Some(Err(misfit)),
    }
}

/// A point in time, counted in UTC. The ends of 64 bits are the infinities.
pub(super) fn timestamp_zone(text: &str, digits: u8, version: u32) -> Option<Result<i64, Misfit>> {
    match local(text, digits, version)? {
        Ok((micros, _)) if is_infinite(micros) => Some(Ok(micros)),
        Ok((_, None)) => Some(Err(time::zone_missing())),
        Ok((micros, Some(zone))) => Some(within(i128::from(micros) - i128::from(zone) * 1_000_000)),
        Err(misfit) => Some(Err(misfit)),
    }
}

fn is_infinite(micros: i64) -> bool {
    micros == i64::MAX || micros == i64::MIN
}

fn within(micros: i128) -> Result<i64, Misfit> {
    let micros = i64::try_from(micros).map_err(|_| out_of_range())?;
    if TIMESTAMPS.contains(&micros) || is_infinite(micros) { Ok(micros) } else { Err(out_of_range()) }
}

/// Microseconds by the clock, and the zone in seconds east of UTC.
fn local(text: &str, digits: u8, version: u32) -> Option<Result<(i64, Option<i32>), Misfit>> {
    if let Some(infinity) = infinity(text, version) {
        return Some(Ok((if infinity < 0 { i64::MIN } else { i64::MAX }, None)));
    }
    let (text, era) = era(text);
    let (day, rest) = day(text.as_bytes(), era)?;
    let (time, zone) = match rest {
        [] => (Ok(0), None),
        [b' ' | b'T' | b't', rest @ ..] => clock(rest, digits)?,
        _ => return None,
    };
    let micros = day.ok_or_else(out_of_range).and_then(|day| {
        let midnight = day.checked_mul(DAY).ok_or_else(out_of_range)?;
        midnight.checked_add(time?).filter(|micros| !is_infinite(*micros)).ok_or_else(out_of_range)
    });
    Some(micros.map(|micros| (micros, zone)))
}

/// A time of day in microseconds, and the zone behind it in seconds.
fn clock(text: &[u8], digits: u8) -> Option<(Result<i64, Misfit>, Option<i32>)> {
    let length = text.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b':' | b'.')).count();
    let (time, zone) = text.split_at_checked(length)?;
    let zone = time::zone(zone)?.map(|zone| zone.local_minus_utc());
    if end_of_day(std::str::from_utf8(time).ok()?).is_some() {
        return Some((Ok(DAY), zone));
    }
    match time::time(time, digits)? {
        (time, []) => Some((time.map(micros_of_day), zone)),
        _ => None,
    }
}

fn micros_of_day(time: chrono::NaiveTime) -> i64 {
    time.signed_duration_since(chrono::NaiveTime::MIN).num_microseconds().unwrap_or(0)
}

/// Which infinity a text names, by its sign.
fn infinity(text: &str, version: u32) -> Option<i32> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("infinity") || (is("+infinity") && version >= PLUS_INFINITY) {
        Some(1)
    } else {
        is("-infinity").then_some(-1)
    }
}

/// Whether years are counted before Christ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Era {
    Common,
    BeforeChrist,
}

/// The text without the era behind it.
fn era(text: &str) -> (&str, Era) {
    let split = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at));
    match split {
        Some((text, "BC" | "bc")) if text.ends_with(' ') => (text.trim_end(), Era::BeforeChrist),
        Some((text, "AD" | "ad")) if text.ends_with(' ') => (text.trim_end(), Era::Common),
        _ => (text, Era::Common),
    }
}

/// A day at the beginning of a text, in days since the year 2000, and what follows it. No day where the calendar does not
/// have it.
fn day(text: &[u8], era: Era) -> Option<(Option<i64>, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (year, rest) = text.split_at_checked(length)?;
    let [b'-', m1, m2, b'-', d1, d2, rest @ ..] = rest else { return None };
    if !(4..=7).contains(&length) {
        return None;
    }
    let year = time::number(year)?;
    let (month, day) = (time::pair(*m1, *m2)?, time::pair(*d1, *d2)?);
    let year = match era {
        Era::Common => i64::from(year),
        Era::BeforeChrist => 1 - i64::from(year),
    };
    // There is no year 0 in either era.
    let is_year = year != if era == Era::Common { 0 } else { 1 };
    let is_day = is_year && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    Some((is_day.then(|| days_since_2000(year, month, day)), rest))
}

fn days_of(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar, which is also counted for days before it was made.
fn days_since_2000(year: i64, month: u32, day: u32) -> i64 {
    // Years that begin with March have the leap day at their end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let of_year = (153 * i64::from(month) + 2) / 5 + i64::from(day) - 1;
    before + of_year - 730_425
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike as _, NaiveDate};

    use super::*;

    const V15: u32 = 150_000;

    #[test]
    fn days_are_counted_as_chrono_counts_them() {
        let epoch = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        let mut day = NaiveDate::from_ymd_opt(-4713, 11, 24).unwrap();
        assert_eq!(day.signed_duration_since(epoch).num_days(), DATES.start);
        while day.year() < 12_000 {
            let days = days_since_2000(day.year().into(), day.month(), day.day());
            assert_eq!(days, day.signed_duration_since(epoch).num_days(), "{day}");
            day = day + chrono::Days::new(37);
        }
    }

    #[test]
    fn days_of_any_era_are_read() {
        let read = |text| date(text, V15).map(|day| day.ok());
        assert_eq!(read("4714-11-24 BC"), Some(Some(-2_451_545)));
        assert_eq!(read("4714-11-23 BC"), Some(None));
        assert_eq!(read("5874897-12-31"), Some(Some(2_145_031_948)));
        assert_eq!(read("5874898-01-01"), Some(None));
        assert_eq!(read("0001-12-31 BC"), Some(Some(-730_120)));
        assert_eq!(read("2000-01-02 AD"), Some(Some(1)));
        assert_eq!(read("0001-02-29 BC"), Some(Some(-730_426)));
        assert_eq!(read("0002-02-29 BC"), Some(None));
        assert_eq!(read("0000-01-01 BC"), Some(None));
        assert_eq!(read("Infinity"), Some(Some(i32::MAX.into())));
        assert_eq!(read("-infinity"), Some(Some(i32::MIN.into())));
        assert_eq!(date("+infinity", V15), None);
        assert!(date("+infinity", 160_000).is_some());
        for text in
            ["44-03-15 BC", "0044-3-15 BC", "0044-03-15BC", "12345-01-01x", "tomorrow", "12345678-01-01", ""]
        {
            assert_eq!(date(text, V15), None, "{text}");
        }
    }

    #[test]
    fn points_in_time_of_any_era_are_read() {
        let read = |text| timestamp_zone(text, 6, V15).map(|point| point.ok());
        assert_eq!(read("294276-12-31 23:59:59.999999+00"), Some(Some(TIMESTAMPS.end - 1)));
        assert_eq!(read("294276-12-31 23:59:59.999999-01"), Some(None));
        assert_eq!(read("4714-11-24 00:00:00+00 BC"), Some(Some(TIMESTAMPS.start)));
        assert_eq!(read("4714-11-24 00:00:00+01 BC"), Some(None));
        assert_eq!(read("infinity"), Some(Some(i64::MAX)));
        assert_eq!(read("-infinity"), Some(Some(i64::MIN)));
        assert_eq!(read("12000-01-01 00:00:00"), Some(None));
        assert_eq!(read("2000-01-01 24:00:00+00"), Some(Some(DAY)));
        assert_eq!(timestamp("12000-01-01T00:00Z", 6, V15).map(|found| found.is_ok()), Some(true));
        assert_eq!(timestamp("12000-01-01 00:00+01", 6, V15).map(|found| found.is_ok()), Some(false));
        assert_eq!(timestamp("0044-03-15 BC", 6, V15).map(|found| found.is_ok()), Some(true));
        for text in ["12000-01-01_00:00", "12000-01-01 0:00", "12000-01-01 00:00:00.+00"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_hour_24_is_the_end_of_a_day_and_has_nothing_behind_it() {
        for text in ["24:00", "24:00:00", "24:00:00.000"] {
            assert_eq!(end_of_day(text), Some(DAY), "{text}");
        }
        for text in
            ["24:01", "24:00:01", "24:00:00.1", "24:0", "24:", "24:00:", "24:00:00.", "24:00x", "23:00"]
        {
            assert_eq!(end_of_day(text), None, "{text}");
        }
    }
}
