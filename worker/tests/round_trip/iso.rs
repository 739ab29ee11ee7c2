//! The forms of numbers, days and times that Baton documents, so that the list of differences can say which texts it means.

use crate::normal::half_width;

/// A text as Baton reads it, without white space around it: with ASCII's digits and signs, and a point before the fraction of
/// a second.
pub(crate) fn plain(text: &str) -> String {
    let text: String = text.chars().map(half_width).collect();
    let point = if text.contains(':') { "." } else { "," };
    text.trim().replacen(',', point, 1)
}

/// The digits that a decimal number needs behind its point; negative where it ends with zeros before it. None where it is
/// zero or not written in digits.
pub(crate) fn digits_behind_the_point(text: &str) -> Option<i32> {
    let text = &text.replace('_', "");
    if let Some(whole) = in_another_base(text) {
        let zeros = whole.len() - whole.trim_end_matches('0').len();
        return (whole != "0").then_some(-(zeros as i32));
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches(['+', '-']);
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    let zeros = (digits.len() - significant.len()) as i32;
    (!significant.is_empty()).then_some(fraction.len() as i32 - zeros - exponent)
}

/// The decimal digits of a whole number that is written as `0x1F`, `0o17` or `0b11`.
fn in_another_base(text: &str) -> Option<String> {
    let text = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
    let (digits, base) = bases.iter().find_map(|(mark, base)| Some((text.strip_prefix(mark)?, *base)))?;
    u128::from_str_radix(digits, base).ok().map(|whole| whole.to_string())
}

/// The digits of a fraction of a second, without zeros at its end.
pub(crate) fn digits_of_a_second(text: &str) -> i32 {
    let mut parts = text.rsplit('.');
    let fraction = parts.next().unwrap_or_default();
    // The point stands behind the seconds, not within a day.
    let Some(before) = parts.next().filter(|before| before.contains(':')) else { return 0 };
    if !before.ends_with(|sign: char| sign.is_ascii_digit()) {
        return 0;
    }
    let digits: String = fraction.chars().take_while(char::is_ascii_digit).collect();
    digits.trim_end_matches('0').len() as i32
}

pub(crate) fn has_second_60(text: &str) -> bool {
    let (time, _) = split_zone(text);
    let seconds = time.rsplit(':').next().unwrap_or_default();
    time.matches(':').count() == 2 && seconds.starts_with("60")
}

/// The zone at the end of a time of ISO's forms.
pub(crate) fn zone(text: &str) -> Option<&str> {
    split_zone(text).1
}

pub(crate) fn is_utc(zone: &str) -> bool {
    matches!(zone, "Z" | "z" | "UTC") || zone.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'0' | b':'))
}

/// `2024-02-29`, also with ` BC`, and the infinities.
pub(crate) fn is_day(text: &str) -> bool {
    if is_infinity(text) {
        return true;
    }
    let text = text.strip_suffix(" BC").unwrap_or(text);
    let mut parts = text.split('-');
    let mut next = |least: usize, most: usize| {
        parts.next().is_some_and(|part| (least..=most).contains(&part.len()) && is_number(part))
    };
    next(4, 7) && next(2, 2) && next(2, 2) && parts.next().is_none()
}

/// `23:59`, `23:59:59.999`.
pub(crate) fn is_time(text: &str) -> bool {
    let (text, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<_> = text.split(':').collect();
    let is_part = |part: &&str| part.len() == 2 && is_number(part);
    (parts.len() == 3 || (parts.len() == 2 && fraction == "0"))
        && parts.iter().all(is_part)
        && is_number(fraction)
}

/// A day, perhaps with a time, perhaps with a zone.
pub(crate) fn is_moment(text: &str) -> bool {
    let (text, zone) = split_zone(text);
    let (text, is_before_christ) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    match text.split_once(['T', 't', ' ']) {
        None => is_day(text) && zone.is_none(),
        Some((day, time)) => is_day(day) && is_time(time) && !(is_before_christ && is_infinity(day)),
    }
}

/// What stands before a zone, and the zone: `Z`, `UTC`, `+09`, `+0900`, `+09:00`, `+09:00:00`, also behind a blank.
fn split_zone(text: &str) -> (&str, Option<&str>) {
    let era = text.strip_suffix(" BC").map_or(text.len(), str::len);
    let bare = text.get(..era).unwrap_or(text);
    let Some(colon) = bare.find(':') else { return (text, None) };
    let Some(start) = bare.get(colon..).and_then(|rest| rest.find(['Z', 'z', 'U', '+', '-'])) else {
        return (text, None);
    };
    let (time, zone) = bare.split_at(colon + start);
    let is_offset = |offset: &str| {
        let parts: Vec<_> = offset.split(':').collect();
        match parts.as_slice() {
            [hours] => matches!(hours.len(), 2 | 4) && is_number(hours),
            parts => parts.len() <= 3 && parts.iter().all(|part| part.len() == 2 && is_number(part)),
        }
    };
    let is_zone = matches!(zone, "Z" | "z" | "UTC") || zone.strip_prefix(['+', '-']).is_some_and(is_offset);
    if is_zone { (time.trim_end(), Some(zone)) } else { (text, None) }
}

fn is_infinity(text: &str) -> bool {
    matches!(text.trim_start_matches(['+', '-']).to_ascii_lowercase().as_str(), "infinity")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn the_forms_are_told_apart() {
    assert!(["2024-02-29", "10000-01-01", "0044-03-15 BC", "-infinity"].iter().all(|text| is_day(text)));
    assert!(!["2024-2-29", "20240229", "2024-02-29 10:00", "44-03-15"].iter().any(|text| is_day(text)));
    assert!(
        ["2024-02-29 10:00:00.5+09:00", "2024-02-29T10:00Z", "0044-03-15 10:00:00+00 BC"]
            .iter()
            .all(|text| is_moment(text))
    );
    assert!(
        !["2024-02-29 1:00", "2024-02-29 10:00 JST", "2024-02-29 10:00+9"].iter().any(|text| is_moment(text))
    );
    assert_eq!(
        ["1.005", "1e-3", "12300", "0.00", "1e5"].map(digits_behind_the_point),
        [Some(3), Some(3), Some(-2), None, Some(-5)]
    );
    assert_eq!(["0x1F", "-0b1010", "0o0"].map(digits_behind_the_point), [Some(0), Some(-1), None]);
    assert_eq!(digits_of_a_second("2024-01-01 10:00:00.1230+09"), 3);
    assert!(has_second_60("23:59:60+09") && !has_second_60("23:60"));
}
