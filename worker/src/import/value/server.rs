//! Forms that PostgreSQL reads besides the usual ones, among them everything that its own COPY writes: infinities, NaN, days
//! before Christ and beyond the year 9999, the hour 24, bytes in the escape form, numbers in other bases. Nobody comes here but
//! for a text that could not be read otherwise, so that usual values never pay for it. Sources: "Data Types" in PostgreSQL's
//! manual, and the input functions of each type.

mod bytes;
mod moment;
mod number;

use std::borrow::Cow;

use super::{Decimal, Kind, Special, Value};
use crate::import::reject::Misfit;
pub(super) use bytes::parse_bytes;

/// The first version that reads integers in other bases and with underscores.
const OTHER_BASES: u32 = 160_000;

/// The first version that reads a `"char"` by its code.
const CHARACTER_CODES: u32 = 150_000;

/// Reads a text as the server of this version does. `None` where it is none of the further forms.
pub(super) fn parse<'a>(kind: &Kind, text: Cow<'a, str>, version: u32) -> Option<Result<Value<'a>, Misfit>> {
    let special =
        |text, found: Result<i64, Misfit>| Some(found.map(|code| Value::Special(Special { text, code })));
    match *kind {
        Kind::Integer(width) if version >= OTHER_BASES => {
            let number = number::integer(&text)?;
            Some(super::number::within(number, width).map(Value::Integer))
        }
        Kind::Decimal(limits) => {
            if let Some(found) = number::special_numeric(&text, limits) {
                return special(text, found);
            }
            let plain = number::decimal(&text).filter(|_| version >= OTHER_BASES)?;
            Some(Decimal::parse(plain, limits).map(Value::Decimal))
        }
        Kind::Float { single, .. } => number::float(&text, single).map(|number| Ok(Value::Float(number))),
        Kind::Date => {
            let found = moment::date(&text, version)?;
            special(text, found)
        }
        Kind::Time(_) => {
            let found = moment::end_of_day(&text)?;
            special(text, Ok(found))
        }
        Kind::Timestamp(digits) => {
            let found = moment::timestamp(&text, digits, version)?;
            special(text, found)
        }
        Kind::TimestampZone(digits) => {
            let found = moment::timestamp_zone(&text, digits, version)?;
            special(text, found)
        }
        _ => None,
    }
}

/// Whether a text is `\101`: the code of a `"char"` in three octal digits, as a server of this version reads it.
pub(super) fn is_character_code(text: &str, version: Option<u32>) -> bool {
    version.is_some_and(|version| version >= CHARACTER_CODES)
        && matches!(text.as_bytes(), [b'\\', b'0'..=b'3', b'0'..=b'7', b'0'..=b'7'])
}
