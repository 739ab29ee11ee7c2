//! Days, times of day and points in time: in ISO 8601's extended form and RFC 3339, else in the form that the import
//! gives.

use chrono::{
    DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike as _, Utc,
};

use super::date_format::{DateFormat, Examples};
use crate::import::reject::{Misfit, Reason};

/// Digits of a fraction of a second that are looked at: nanoseconds. Of more, only zeros are let pass.
const NANO_DIGITS: usize = 9;

/// `2024-02-29`.
pub(super) fn parse_date(text: &str, dates: Option<&DateFormat>) -> Result<NaiveDate, Misfit> {
    let iso = match dates {
        Some(form) if form.overrides_iso => None,
        _ => date(text.as_bytes()),
    };
    iso.or_else(|| date_in_form(text, dates?)).unwrap_or_else(|| {
        let example = example("2024-02-29", dates, |examples| &examples.day);
        Err(Misfit::new(Reason::NotADate, format!("is no date (for example {example})")))
    })
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
pub(super) fn parse_timestamp(
    text: &str,
    digits: u8,
    dates: Option<&DateFormat>,
) -> Result<NaiveDateTime, Misfit> {
    let read = timestamp(text, digits, dates);
    let (timestamp, zone) = read.unwrap_or_else(|| {
        Err(not_a_timestamp(&example("2024-02-29 23:59:59", dates, |examples| &examples.plain)))
    })?;
    match zone {
        Some(zone) if zone.local_minus_utc() != 0 => Err(zone_unexpected()),
        _ => Ok(timestamp),
    }
}

/// `2024-02-29T23:59:59+09:00`. The zone is needed: a time without one is no point in time.
pub(super) fn parse_timestamp_zone(
    text: &str,
    digits: u8,
    dates: Option<&DateFormat>,
) -> Result<DateTime<Utc>, Misfit> {
    let read = timestamp(text, digits, dates);
    let (timestamp, zone) = read.unwrap_or_else(|| {
        Err(not_a_timestamp(&example("2024-02-29 23:59:59+09:00", dates, |examples| &examples.zoned)))
    })?;
    let Some(zone) = zone else {
        return Err(zone_missing());
    };
    match zone.from_local_datetime(&timestamp).single() {
        Some(point) => Ok(point.with_timezone(&Utc)),
        None => Err(out_of_range()),
    }
}

type LocalTime = (NaiveDateTime, Option<FixedOffset>);

/// `None` where it is no date and time by its form; a misfit where there is no such day or time.
fn timestamp(text: &str, digits: u8, dates: Option<&DateFormat>) -> Option<Result<LocalTime, Misfit>> {
    let iso = match dates {
        Some(form) if form.overrides_iso => None,
        _ => iso_timestamp(text.as_bytes(), digits),
    };
    iso.or_else(|| timestamp_in_form(text, digits, dates?))
}

/// `None` where it is no date and time by its form; a misfit where there is no such day or time.
fn iso_timestamp(text: &[u8], digits: u8) -> Option<Result<LocalTime, Misfit>> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = match date(day)? {
        Ok(day) => day,
        Err(misfit) => return Some(Err(misfit)),
    };
    on_day(day, rest, digits, time)
}

/// What follows a day: nothing, or a time of day, as `time_of` reads it, and a zone.
fn on_day(
    day: NaiveDate,
    rest: &[u8],
    digits: u8,
    time_of: impl Fn(&[u8], u8) -> Option<(Result<NaiveTime, Misfit>, &[u8])>,
) -> Option<Result<LocalTime, Misfit>> {
    let rest = match rest {
        [] => return Some(Ok((day.and_time(NaiveTime::MIN), None))),
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (time, rest) = time_of(rest, digits)?;
    let zone = zone(rest)?;
    Some(time.map(|time| (day.and_time(time), zone)))
}

/// A day in the import's form; one whose form has a time must be its midnight, as spreadsheets write days.
fn date_in_form(text: &str, form: &DateFormat) -> Option<Result<NaiveDate, Misfit>> {
    if let Some((day, "")) = form.day(text) {
        return Some(in_range(day));
    }
    let (told, "") = form.whole(text)? else { return None };
    if told.time != NaiveTime::MIN {
        let says = "has a time of day, which the column would lose";
        return Some(Err(Misfit::new(Reason::NotADate, says)));
    }
    Some(in_range(Some(told.day)))
}

fn timestamp_in_form(text: &str, digits: u8, form: &DateFormat) -> Option<Result<LocalTime, Misfit>> {
    // A zone may stand behind a form that has none: a second one could contradict the first.
    if let Some((told, rest)) = form.whole(text)
        && let Some(behind) = zone(rest.as_bytes())
        && (told.zone.is_none() || behind.is_none())
    {
        return Some(in_range(Some(told.day)).and_then(|day| {
            let time = within_digits(told.time, digits)?;
            Ok((day.and_time(time), told.zone.or(behind)))
        }));
    }
    let (day, rest) = form.day(text)?;
    if form.has_half_days && !rest.is_empty() {
        return None;
    }
    match in_range(day) {
        Ok(day) => on_day(day, rest.as_bytes(), digits, time_of_short_hours),
        Err(misfit) => Some(Err(misfit)),
    }
}

/// A day of the calendar, and of the years that both databases read in four digits.
fn in_range(day: Option<NaiveDate>) -> Result<NaiveDate, Misfit> {
    day.filter(|day| (1..=9999).contains(&day.year())).ok_or_else(out_of_range)
}

/// The time, unless the column keeps fewer digits, or it is a second that clocks show only where one is put in.
fn within_digits(time: NaiveTime, digits: u8) -> Result<NaiveTime, Misfit> {
    let kept = 10_u32.pow(9_u32.saturating_sub(u32::from(digits)));
    match time.nanosecond() {
        1_000_000_000.. => Err(out_of_range()),
        nanos if nanos % kept != 0 => Err(too_precise(digits)),
        _ => Ok(time),
    }
}

/// `None` where it is no date by its form; a misfit where there is no such day.
fn date(text: &[u8]) -> Option<Result<NaiveDate, Misfit>> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, pair(m1, m2)?, pair(d1, d2)?);
    // There is no year 0 for PostgreSQL.
    Some(date.filter(|_| year > 0).ok_or_else(out_of_range))
}

/// A time at the beginning of `text`, and what follows it. `None` and the misfit as for [`date`].
pub(super) fn time(text: &[u8], digits: u8) -> Option<(Result<NaiveTime, Misfit>, &[u8])> {
    let [h1, h2, b':', rest @ ..] = text else { return None };
    minutes(pair(*h1, *h2)?, rest, digits)
}

/// The same, with hours of one digit too: `2024/2/9 7:05` is how spreadsheets write.
fn time_of_short_hours(text: &[u8], digits: u8) -> Option<(Result<NaiveTime, Misfit>, &[u8])> {
    match text {
        [hour, b':', rest @ ..] => minutes(number(&[*hour])?, rest, digits),
        _ => time(text, digits),
    }
}

fn minutes(hour: u32, text: &[u8], digits: u8) -> Option<(Result<NaiveTime, Misfit>, &[u8])> {
    let [m1, m2, rest @ ..] = text else { return None };
    let minute = pair(*m1, *m2)?;
    let [b':', s1, s2, rest @ ..] = rest else {
        return Some((NaiveTime::from_hms_opt(hour, minute, 0).ok_or_else(out_of_range), rest));
    };
    let second = pair(*s1, *s2)?;
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
        return Some((Err(too_precise(digits)), rest));
    }
    let mut nanos = number(kept).unwrap_or(0);
    for _ in kept.len()..NANO_DIGITS {
        nanos *= 10;
    }
    Some((NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).ok_or_else(out_of_range), rest))
}

/// `Z`, `+09:00`, `+0900`, `+09`, `+08:05:43`, also behind a space, or nothing. `None` where it is no zone.
pub(super) fn zone(text: &[u8]) -> Option<Option<FixedOffset>> {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] | [b'U', b'T', b'C'] => return Some(FixedOffset::east_opt(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes, seconds) = match *digits {
        [h1, h2] => (pair(h1, h2)?, 0, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (pair(h1, h2)?, pair(m1, m2)?, 0),
        // Local mean time, as places had it before there were zones.
        [h1, h2, b':', m1, m2, b':', s1, s2] => (pair(h1, h2)?, pair(m1, m2)?, pair(s1, s2)?),
        _ => return None,
    };
    if hours > 15 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60 + seconds).ok()?;
    FixedOffset::east_opt(sign * seconds).map(Some)
}

/// A number of two digits.
pub(super) fn pair(tens: u8, ones: u8) -> Option<u32> {
    let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
    is_number.then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

/// A number of at most nine digits.
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > NANO_DIGITS {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u32, |sum, &digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

/// Values that the column takes: in ISO 8601's form, where that is read so, and in the import's form, where it has one.
fn example(iso: &str, dates: Option<&DateFormat>, of: fn(&Examples) -> &String) -> String {
    match dates {
        None => iso.to_owned(),
        Some(form) if form.overrides_iso => of(&form.examples).clone(),
        Some(form) => format!("{iso} or {}", of(&form.examples)),
    }
}

fn not_a_timestamp(example: &str) -> Misfit {
    Misfit::new(Reason::NotATimestamp, format!("is no date and time (for example {example})"))
}

pub(super) fn out_of_range() -> Misfit {
    Misfit::new(Reason::OutOfRange, "is out of range: there is no such day or time")
}

pub(super) fn zone_unexpected() -> Misfit {
    Misfit::new(Reason::ZoneUnexpected, "has a time zone other than UTC, which the column would lose")
}

pub(super) fn zone_missing() -> Misfit {
    let says = "has no time zone, which the column needs (for example Z or +09:00)";
    Misfit::new(Reason::ZoneMissing, says)
}

fn too_precise(digits: u8) -> Misfit {
    let says = format!("has more digits of a second than the column keeps ({digits})");
    Misfit::new(Reason::TooPrecise, says)
}
