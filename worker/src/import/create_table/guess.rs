//! Which types a value may have without losing anything: what the database gives back is what the file said, or the same
//! value in the type's own form as far as the README lists that. All else is text.

use chrono::Datelike as _;
use statemachine::{EmptyFields, ImportOptions};

use super::Dialect;
use crate::failure::Failure;
use crate::import::value::{DecimalLimits, FieldRules, Kind, Value, Width};

/// Digits of a day: a value with more of them has a time.
const DAY_DIGITS: usize = 8;

/// Where a UUID has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// What a column may be, from the narrowest to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    Boolean,
    Integer,
    Decimal,
    Date,
    Timestamp,
    TimestampZone,
    Uuid,
    Text,
}

/// In the order of preference: the first that every value of the file is. No value is both of the two timestamps.
pub(super) const GUESSES: [Guess; 7] = [
    Guess::Boolean,
    Guess::Integer,
    Guess::Decimal,
    Guess::Date,
    Guess::Timestamp,
    Guess::TimestampZone,
    Guess::Uuid,
];

/// How the values of one file are read, and for which database.
pub(super) struct Values {
    rules: FieldRules,
    dialect: Dialect,
    /// The import says how dates are written: it wants them read.
    has_date_format: bool,
    /// A text column keeps an absent value in quotes as a text.
    pub(super) quotes_count: bool,
}

impl Values {
    pub(super) fn of(dialect: Dialect, options: &ImportOptions) -> Result<Self, Failure> {
        Ok(Self {
            rules: FieldRules::of(options)?,
            dialect,
            has_date_format: options.date_format.is_some(),
            quotes_count: options.empty != Some(EmptyFields::Null),
        })
    }

    /// Whether a field is NULL in a column of any type but text.
    pub(super) fn is_null(&self, field: &[u8]) -> bool {
        self.rules.is_null(field)
    }

    /// Whether a field can be kept as a value of this type.
    pub(super) fn are(&self, guess: Guess, field: &[u8]) -> bool {
        if !self.is_bare(field) {
            return false;
        }
        match guess {
            // Not every word that the import takes: a column of y and n, or of 1 and 0, may hold other things later.
            Guess::Boolean => field.eq_ignore_ascii_case(b"true") || field.eq_ignore_ascii_case(b"false"),
            Guess::Integer => {
                is_plain_number(field)
                    && !field.contains(&b'.')
                    && self.parse(&Kind::Integer(Width::Eight), field).is_some()
            }
            Guess::Decimal => {
                // Held to what both databases keep exactly.
                let limits = DecimalLimits { declared: None, significant: Some(15) };
                is_plain_number(field)
                    && (self.dialect == Dialect::Postgres || !has_zeros_behind(field))
                    && self.parse(&Kind::Decimal(limits), field).is_some()
            }
            Guess::Date => !has_time(field) && self.parse(&Kind::Date, field).is_some(),
            Guess::Timestamp => self.is_timestamp(field),
            Guess::TimestampZone => self.is_timestamp_zone(field),
            Guess::Uuid => {
                HYPHENS.iter().all(|place| field.get(*place) == Some(&b'-'))
                    && field.len() == 36
                    && self.parse(&Kind::Uuid, field).is_some()
            }
            Guess::Text => true,
        }
    }

    /// Whether nothing stands around the value, and nothing is written in signs that a number or a date would not keep.
    fn is_bare(&self, field: &[u8]) -> bool {
        let is_written_so = field.is_ascii() || self.has_date_format;
        is_written_so && std::str::from_utf8(field).is_ok_and(|text| text.trim() == text)
    }

    /// A timestamp's value where no zone is written: UTC would be lost, too.
    fn is_timestamp(&self, field: &[u8]) -> bool {
        has_time(field)
            && self.parse(&Kind::Timestamp(6), field).is_some()
            && self.parse(&Kind::TimestampZone(6), field).is_none()
    }

    /// A point in time within the years of both databases, in UTC.
    fn is_timestamp_zone(&self, field: &[u8]) -> bool {
        let value = self.parse(&Kind::TimestampZone(6), field);
        matches!(value, Some(Value::TimestampZone(point)) if (1..=9999).contains(&point.year()))
    }

    fn parse<'a>(&self, kind: &Kind, field: &'a [u8]) -> Option<Value<'a>> {
        kind.parse(field, &self.rules).ok().filter(|value| *value != Value::Null)
    }
}

impl Guess {
    pub(super) fn in_sql(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::Boolean, _) => "boolean",
            (Self::Integer, Dialect::Postgres) => "bigint",
            (Self::Integer, Dialect::Sqlite) => "integer",
            (Self::Decimal, _) => "numeric",
            (Self::Date, _) => "date",
            (Self::Timestamp, _) => "timestamp",
            (Self::TimestampZone, _) => "timestamptz",
            (Self::Uuid, _) => "uuid",
            (Self::Text, _) => "text",
        }
    }
}

/// Digits that mean a quantity, as a database writes it: no sign of plus, no zeros in front, no exponent, no point at an
/// end, no zero with a sign. `007` and `+81` are names.
fn is_plain_number(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    let is_padded = matches!(digits, [b'0', next, ..] if next.is_ascii_digit());
    let is_point_at_end = digits.first() == Some(&b'.') || digits.last() == Some(&b'.');
    let is_zero = digits.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let is_negative_zero = is_zero && digits.len() < field.len();
    let is_odd = is_padded || is_point_at_end || is_negative_zero;
    !is_odd && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// Zeros at the end of a fraction: a version (`1.10`), or digits that were measured. SQLite drops them.
fn has_zeros_behind(field: &[u8]) -> bool {
    field.contains(&b'.') && field.last() == Some(&b'0')
}

/// A value with a time of day, whatever its form: midnight is a time, too, where it is written.
fn has_time(field: &[u8]) -> bool {
    field.contains(&b':') || field.iter().filter(|byte| byte.is_ascii_digit()).count() > DAY_DIGITS
}
