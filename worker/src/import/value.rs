//! What a field means to its column: from text to a typed value that the column's type holds exactly, or a misfit.
//! Nothing is ever rounded or guessed: what would lose something is rejected. Which fields are NULL, `absent` decides.

mod absent;
mod ambiguities;
mod boolean;
mod date_format;
pub(crate) mod decimal;
mod full_width;
mod json;
mod labels;
mod number;
mod rules;
mod server;
mod text;
mod time;
mod truncating;
mod uuid;

use std::borrow::Cow;
use std::sync::Arc;

use ::uuid::Uuid;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::reject::{Misfit, Reason};
pub(crate) use absent::Quoted;
pub(crate) use decimal::{Decimal, DecimalLimits};
pub(crate) use labels::Labels;
pub(crate) use rules::FieldRules;
pub(crate) use text::hex_bytes;
pub(crate) use truncating::TruncatingType;

/// What a column takes, as far as a value must be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Bytes, in the file as `\x` and hexadecimal digits, for PostgreSQL in its escape form, too.
    Bytes,
    /// One of the labels of an enum.
    Enum(Arc<Labels>),
    /// Text of a type that only the database can read.
    Opaque,
    /// The same of one that drops what is too long.
    Truncating(TruncatingType),
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
    /// Text, also JSON, a label, or what only the database can read: valid UTF-8 without NUL, within the column's length.
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
    /// Bytes that are written otherwise.
    Bytes(Vec<u8>),
    /// What only PostgreSQL has: an infinity, a day before Christ, NaN among decimal numbers.
    Special(Special<'a>),
}

/// A value that PostgreSQL has and Rust's types have not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Special<'a> {
    /// As it is written, in ASCII.
    pub(crate) text: Cow<'a, str>,
    /// The number that is its binary form: days or microseconds since the year 2000, or the sign of a decimal number.
    pub(crate) code: i64,
}

impl Kind {
    /// Whether only the database can read it.
    pub(crate) fn is_opaque(&self) -> bool {
        matches!(self, Self::Opaque | Self::Truncating(_))
    }

    /// Reads a field that stands outside quotes. `Value::Null` for one that is NULL; whether the column takes that is not
    /// asked here.
    pub(crate) fn parse<'a>(&self, field: &'a [u8], rules: &FieldRules) -> Result<Value<'a>, Misfit> {
        match self.read(field, rules) {
            Ok(Value::Null) => self.absent(field, Quoted::No, true, rules),
            read => read,
        }
    }

    /// The same, but for fields that quotes or options may make an empty value or a text: those are `Value::Null` here, and
    /// then [`absent`](Self::absent) is to be asked.
    #[inline]
    pub(crate) fn read<'a>(&self, field: &'a [u8], rules: &FieldRules) -> Result<Value<'a>, Misfit> {
        if field.is_empty() || rules.is_marker(field) {
            return Ok(Value::Null);
        }
        self.read_value(field, rules)
    }

    fn read_value<'a>(&self, field: &'a [u8], rules: &FieldRules) -> Result<Value<'a>, Misfit> {
        let whole = decoded(field)?;
        if let Self::Text { max_characters } = *self {
            return text::parse_text(whole, max_characters, &rules.ambiguities).map(Value::Text);
        }
        let text = text::trim(whole);
        if text.len() < whole.len() && (rules.is_marker(text.as_bytes()) || rules.is_blank_null(text)) {
            return Ok(Value::Null);
        }
        self.read_written(whole, text, rules)
    }

    /// Reads what is not NULL. `text` is `whole` without white space around it.
    #[inline]
    fn read_written<'a>(
        &self,
        whole: &'a str,
        text: &'a str,
        rules: &FieldRules,
    ) -> Result<Value<'a>, Misfit> {
        match self {
            Self::Text { max_characters } => {
                text::parse_text(whole, *max_characters, &rules.ambiguities).map(Value::Text)
            }
            Self::Opaque => text::parse_text(whole, None, &rules.ambiguities).map(Value::Text),
            Self::Truncating(truncating) => {
                let read = text::parse_text(whole, None, &rules.ambiguities)?;
                truncating.check(read, rules.server).map(|()| Value::Text(read))
            }
            Self::Enum(labels) => text::parse_label(whole, labels).map(Value::Text),
            // White space may be bytes by itself.
            Self::Bytes => match text::parse_hex(text) {
                Err(misfit) => parse_bytes(whole, misfit, rules),
                hex => hex.map(Value::Hex),
            },
            _ if text.is_empty() => Err(absent::is_empty()),
            Self::Uuid => match Uuid::try_parse(text) {
                Ok(uuid) => Ok(Value::Uuid(uuid)),
                Err(_) => uuid::parse(text).map(Value::Uuid),
            },
            // What stands around it belongs to the text that the database keeps.
            Self::Json => json::check(whole, false).map(|()| Value::Text(whole)),
            Self::Jsonb => json::check(text, true).map(|()| Value::Text(text)),
            _ => match self.parse_digits(Cow::Borrowed(text), rules) {
                Err(misfit) => self.parse_otherwise(text, misfit, rules),
                value => value,
            },
        }
    }

    /// Tries once more what could not be read: with its full-width signs in ASCII, and in the forms that only the server has.
    #[cold]
    fn parse_otherwise<'a>(
        &self,
        text: &'a str,
        mut misfit: Misfit,
        rules: &FieldRules,
    ) -> Result<Value<'a>, Misfit> {
        let ascii = full_width::to_ascii(text);
        if let Some(ascii) = &ascii {
            match self.parse_digits(Cow::Owned(ascii.clone()), rules) {
                Err(of_ascii) => misfit = of_ascii,
                value => return value,
            }
        }
        let text = ascii.map_or(Cow::Borrowed(text), Cow::Owned);
        // Dates that the import's own form reads otherwise are not to be read by another one.
        let is_free = rules.dates.as_ref().is_none_or(|dates| !dates.overrides_iso);
        let of_server =
            rules.server.filter(|_| is_free).and_then(|version| server::parse(self, text, version));
        of_server.unwrap_or(Err(misfit))
    }

    /// Reads a value of a type that may be written with full-width digits.
    #[inline]
    fn parse_digits<'a>(&self, text: Cow<'a, str>, rules: &FieldRules) -> Result<Value<'a>, Misfit> {
        let dates = rules.dates.as_ref();
        match *self {
            Self::Boolean => boolean::parse(&text).map(Value::Boolean),
            Self::Integer(width) => number::parse_integer(&text, width).map(Value::Integer),
            Self::Float { single, special } => number::parse_float(&text, single, special).map(Value::Float),
            Self::Decimal(limits) => Decimal::parse(text, limits).map(Value::Decimal),
            Self::Date => time::parse_date(&text, dates).map(Value::Date),
            Self::Time(digits) => time::parse_time(&text, digits).map(Value::Time),
            Self::Timestamp(digits) => time::parse_timestamp(&text, digits, dates).map(Value::Timestamp),
            Self::TimestampZone(digits) => {
                time::parse_timestamp_zone(&text, digits, dates).map(Value::TimestampZone)
            }
            // Every other kind is text, and has been read as it is.
            _ => Err(Misfit::new(Reason::OutOfRange, "is of a type that is not read by digits")),
        }
    }
}

/// A field as text.
#[inline]
fn decoded(field: &[u8]) -> Result<&str, Misfit> {
    std::str::from_utf8(field)
        .map_err(|_| Misfit::new(Reason::Undecodable, "has bytes that cannot be decoded"))
}

/// Bytes in the forms that only PostgreSQL reads.
#[cold]
fn parse_bytes<'a>(text: &str, misfit: Misfit, rules: &FieldRules) -> Result<Value<'a>, Misfit> {
    let bytes = rules.server.and_then(|_| server::parse_bytes(text)).ok_or(misfit)?;
    if text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        rules.ambiguities.bare_hex();
    }
    Ok(Value::Bytes(bytes))
}

#[cfg(test)]
mod tests;
