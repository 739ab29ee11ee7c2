//! Whether a form tells a time beside the day, and what it lacks where it tells only a part of one.

use chrono::Timelike as _;
use chrono::format::{Fixed, Item, Numeric};

use super::{day_part, read_sample};

/// Whether there is a time in this form; what is wrong with it where there is only a part of one.
pub(super) fn tells_time(items: &[Item<'static>]) -> Result<bool, &'static str> {
    if !items.iter().any(day_part::is_of_time) {
        return Ok(false);
    }
    let parsed = read_sample(items);
    let tells = parsed.is_some_and(|parsed| {
        parsed.timestamp().is_some()
            || parsed.to_naive_time().is_ok_and(|time| time.hour() == 16 && time.minute() == 5)
    });
    if tells { Ok(true) } else { Err(lack(items)) }
}

fn lack(items: &[Item<'static>]) -> &'static str {
    let has = |is: fn(&Item<'_>) -> bool| items.iter().any(is);
    let has_hour = has(|item| matches!(item, Item::Numeric(Numeric::Hour | Numeric::Hour12, _)));
    let has_more = has(|item| match item {
        Item::Numeric(..) => day_part::is_of_time(item),
        Item::Fixed(fixed) => day_part::is_of_time(item) && !is_zone(fixed),
        _ => false,
    });
    match (has_hour, has_more) {
        (true, _) => "does not tell a time: with an hour it needs minutes, with %I also %p",
        (false, true) => "has a part of a time, but no hour: add %H, or leave it out",
        (false, false) => "has a zone, but no time that it could be of: add %H:%M, or leave it out",
    }
}

fn is_zone(fixed: &Fixed) -> bool {
    use Fixed::{
        TimezoneOffset, TimezoneOffsetColon, TimezoneOffsetColonZ, TimezoneOffsetDoubleColon,
        TimezoneOffsetTripleColon, TimezoneOffsetZ,
    };
    matches!(
        fixed,
        TimezoneOffset
            | TimezoneOffsetColon
            | TimezoneOffsetColonZ
            | TimezoneOffsetDoubleColon
            | TimezoneOffsetTripleColon
            | TimezoneOffsetZ
    )
}
