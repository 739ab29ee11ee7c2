//! What a field means to its column: from text to a typed value that the column's type holds exactly, or a misfit.
//! Nothing is ever rounded, cut or guessed: what would lose something is rejected. An empty field, quoted or not, is
//! NULL; so is one of white space only, except in a text column.

pub(crate) mod decimal;
mod json;
mod number;
mod time;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use uuid::Uuid;

use super::reject::{Misfit, Reason};
pub(crate) use decimal::{Decimal, DecimalLimits};

/// What a column takes, as far as a value must be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The usual words: true/false, t/f, yes/no, y/n, on/off, 1/0.
    Boolean,
    /// A whole number of so many bytes: 2, 4 or 8.
    Integer(Width),
    /// A floating-point number.
    Float {
        /// Of four bytes, not eight.
        single: bool,
        /// NaN and the infinities are values too.
        special: bool,
    },
    /// A decimal number, kept to the digit.
    Decimal(DecimalLimits),
    /// Text of at most so many characters.
    Text {
        /// The bound, in characters.
        max_characters: Option<u32>,
    },
    /// A day.
    Date,
    /// A time of day, with so many digits behind the second's point.
    Time(u8),
    /// A day with a time of day, without a zone.
    Timestamp(u8),
    /// A point in time.
    TimestampZone(u8),
    /// A UUID.
    Uuid,
    /// JSON, kept as text.
    Json,
    /// JSON, kept in PostgreSQL's binary form.
    Jsonb,
    /// Bytes, in the file as `\x` and hexadecimal digits.
    Bytes,
}

/// The size of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// Two bytes.
    Two,
    /// Four bytes.
    Four,
    /// Eight bytes.
    Eight,
}

/// A value that its column takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number, within the column's width.
    Integer(i64),
    /// A floating-point number, within the column's range.
    Float(f64),
    /// A decimal number, within the column's precision and scale.
    Decimal(Decimal<'a>),
    /// Text, also JSON: valid UTF-8 without NUL, within the column's length.
    Text(&'a str),
    /// A day.
    Date(NaiveDate),
    /// A time of day.
    Time(NaiveTime),
    /// A day with a time of day.
    Timestamp(NaiveDateTime),
    /// A point in time.
    TimestampZone(DateTime<Utc>),
    /// A UUID.
    Uuid(Uuid),
    /// Pairs of hexadecimal digits.
    Hex(&'a str),
}

impl Kind {
    /// Reads a field. `Value::Null` for one that is empty; whether the column takes that is not asked here.
    pub(crate) fn parse<'a>(&self, field: &'a [u8]) -> Result<Value<'a>, Misfit> {
        if field.is_empty() {
            return Ok(Value::Null);
        }
        let text = std::str::from_utf8(field).map_err(|error| {
            let (at, byte) = (error.valid_up_to(), field.get(error.valid_up_to()).unwrap_or(&0));
            Misfit::new(
                Reason::Undecodable,
                format!("is not UTF-8: byte 0x{byte:02X} at position {}", at + 1),
            )
        })?;
        if let Self::Text { max_characters } = *self {
            return parse_text(text, max_characters).map(Value::Text);
        }
        let text = text.trim();
        if text.is_empty() {
            return Ok(Value::Null);
        }
        match *self {
            Self::Text { max_characters } => parse_text(text, max_characters).map(Value::Text),
            Self::Boolean => parse_boolean(text).map(Value::Boolean),
            Self::Integer(width) => number::parse_integer(text, width).map(Value::Integer),
            Self::Float { single, special } => number::parse_float(text, single, special).map(Value::Float),
            Self::Decimal(limits) => Decimal::parse(text, limits).map(Value::Decimal),
            Self::Date => time::parse_date(text).map(Value::Date),
            Self::Time(digits) => time::parse_time(text, digits).map(Value::Time),
            Self::Timestamp(digits) => time::parse_timestamp(text, digits).map(Value::Timestamp),
            Self::TimestampZone(digits) => time::parse_timestamp_zone(text, digits).map(Value::TimestampZone),
            Self::Uuid => match Uuid::try_parse(text) {
                Ok(uuid) => Ok(Value::Uuid(uuid)),
                Err(_) => Err(Misfit::new(Reason::NotAUuid, "is no UUID")),
            },
            Self::Json => json::check(text, false).map(|()| Value::Text(text)),
            Self::Jsonb => json::check(text, true).map(|()| Value::Text(text)),
            Self::Bytes => parse_hex(text).map(Value::Hex),
        }
    }
}

fn parse_text(text: &str, max_characters: Option<u32>) -> Result<&str, Misfit> {
    if text.as_bytes().contains(&0) {
        return Err(Misfit::new(Reason::NulCharacter, "has a NUL character"));
    }
    if let Some(max) = max_characters {
        let max = max as usize;
        // Bytes are at least as many as characters: most values need no count.
        if text.len() > max {
            let characters = text.chars().count();
            if characters > max {
                let says = format!("has {characters} characters, the column takes {max}");
                return Err(Misfit::new(Reason::TooLong, says));
            }
        }
    }
    Ok(text)
}

fn parse_boolean(text: &str) -> Result<bool, Misfit> {
    const TRUE: [&str; 6] = ["true", "t", "1", "yes", "y", "on"];
    const FALSE: [&str; 6] = ["false", "f", "0", "no", "n", "off"];
    let is = |word: &&str| text.eq_ignore_ascii_case(word);
    if TRUE.iter().any(is) {
        Ok(true)
    } else if FALSE.iter().any(is) {
        Ok(false)
    } else {
        let says = "is neither true nor false (true/false, t/f, yes/no, y/n, on/off, 1/0)";
        Err(Misfit::new(Reason::NotABoolean, says))
    }
}

fn parse_hex(text: &str) -> Result<&str, Misfit> {
    let digits = text.strip_prefix("\\x").or_else(|| text.strip_prefix("\\X"));
    match digits {
        Some(digits) if digits.len() % 2 == 0 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(digits),
        _ => Err(Misfit::new(Reason::NotHex, "is not \\x and pairs of hexadecimal digits")),
    }
}

/// The bytes of pairs of hexadecimal digits.
pub(crate) fn hex_bytes(digits: &str) -> impl Iterator<Item = u8> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    };
    digits.as_bytes().chunks_exact(2).filter_map(move |pair| match *pair {
        [high, low] => Some(nibble(high) << 4 | nibble(low)),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
