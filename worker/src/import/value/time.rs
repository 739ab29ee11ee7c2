//! Days, times of day and points in time, in ISO 8601's extended form and RFC 3339.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

use crate::import::reject::{Misfit, Reason};

/// Digits of a fraction of a second that are looked at: nanoseconds. Of more, only zeros are let pass.
const NANO_DIGITS: usize = 9;

/// `2024-02-29`.
pub(super) fn parse_date(text: &str) -> Result<NaiveDate, Misfit> {
    date(text.as_bytes()).unwrap_or_else(|| Err(not_a_date()))
}

/// `23:59`, `23:59:59`, `23:59:59.999999`.
pub(super) fn parse_time(text: &str, digits: u8) -> Result<NaiveTime, Misfit> {
    let not_a_time = || Misfit::new(Reason::NotATime, "is no time of day (for example 23:59:59)");
    match time(text.as_bytes(), digits) {
        Some((time, [])) => time,
        _ => Err(not_a_time()),
    }
}

/// `2024-02-29 23:59:59` or with `T`; the day alone is its midnight. A zone is taken only where it is UTC and so changes
/// nothing: any other would be lost.
pub(super) fn parse_timestamp(text: &str, digits: u8) -> Result<NaiveDateTime, Misfit> {
    let (timestamp, zone) = timestamp(text, digits)?;
    match zone {
        Some(zone) if zone.local_minus_utc() != 0 => {
            let says = "has a time zone other than UTC, which the column would lose";
            Err(Misfit::new(Reason::ZoneUnexpected, says))
        }
        _ => Ok(timestamp),
    }
}

/// `2024-02-29T23:59:59+09:00`. The zone is needed: a time without one is no point in time.
pub(super) fn parse_timestamp_zone(text: &str, digits: u8) -> Result<DateTime<Utc>, Misfit> {
    let (timestamp, zone) = timestamp(text, digits)?;
    let Some(zone) = zone else {
        let says = "has no time zone, which the column needs (for example Z or +09:00)";
        return Err(Misfit::new(Reason::ZoneMissing, says));
    };
    match zone.from_local_datetime(&timestamp).single() {
        Some(point) => Ok(point.with_timezone(&Utc)),
        None => Err(out_of_range()),
    }
}

fn timestamp(text: &str, digits: u8) -> Result<(NaiveDateTime, Option<FixedOffset>), Misfit> {
    let not_a_timestamp =
        || Misfit::new(Reason::NotATimestamp, "is no date and time (for example 2024-02-29 23:59:59)");
    let bytes = text.as_bytes();
    let Some((day, rest)) = bytes.split_at_checked(10) else { return Err(not_a_timestamp()) };
    let day = date(day).ok_or_else(not_a_timestamp)??;
    let rest = match rest {
        [] => return Ok((day.and_time(NaiveTime::MIN), None)),
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return Err(not_a_timestamp()),
    };
    let (time, rest) = time(rest, digits).ok_or_else(not_a_timestamp)?;
    let zone = zone(rest).ok_or_else(not_a_timestamp)?;
    Ok((day.and_time(time?), zone))
}

/// `None` where it is no date by its form; a misfit where there is no such day.
fn date(text: &[u8]) -> Option<Result<NaiveDate, Misfit>> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    // There is no year 0 for PostgreSQL.
    Some(date.filter(|_| year > 0).ok_or_else(out_of_range))
}

/// A time at the beginning of `text`, and what follows it. `None` and the misfit as for [`date`].
fn time(text: &[u8], digits: u8) -> Option<(Result<NaiveTime, Misfit>, &[u8])> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    let (hour, minute) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    let [b':', s1, s2, rest @ ..] = rest else {
        return Some((NaiveTime::from_hms_opt(hour, minute, 0).ok_or_else(out_of_range), rest));
    };
    let second = number(&[*s1, *s2])?;
    let [b'.' | b',', fraction @ ..] = rest else {
        return Some((NaiveTime::from_hms_opt(hour, minute, second).ok_or_else(out_of_range), rest));
    };
    let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = fraction.split_at_checked(length)?;
    let (kept, beyond) = fraction.split_at_checked(usize::from(digits).min(length))?;
    if fraction.is_empty() {
        return None;
    }
    if beyond.iter().any(|&digit| digit != b'0') {
        let says = format!("has more digits of a second than the column keeps ({digits})");
        return Some((Err(Misfit::new(Reason::TooPrecise, says)), rest));
    }
    let mut nanos = number(kept).unwrap_or(0);
    for _ in kept.len()..NANO_DIGITS {
        nanos *= 10;
    }
    Some((NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).ok_or_else(out_of_range), rest))
}

/// `Z`, `+09:00`, `+0900`, `+09`, also behind a space, or nothing. `None` where it is no zone.
fn zone(text: &[u8]) -> Option<Option<FixedOffset>> {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] | [b'U', b'T', b'C'] => return Some(FixedOffset::east_opt(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match *digits {
        [h1, h2] => (number(&[h1, h2])?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (number(&[h1, h2])?, number(&[m1, m2])?),
        _ => return None,
    };
    if hours > 15 || minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    FixedOffset::east_opt(sign * seconds).map(Some)
}

/// A number of at most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > NANO_DIGITS {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u32, |sum, &digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

fn not_a_date() -> Misfit {
    Misfit::new(Reason::NotADate, "is no date (for example 2024-02-29)")
}

fn out_of_range() -> Misfit {
    Misfit::new(Reason::OutOfRange, "is out of range: there is no such day or time")
}
