//! Values in SQLite's own types, one behind the other: a letter for the type, and the value. What SQLite has no type for has
//! the text that its date functions read.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};

use crate::import::value::{Value, hex_bytes};

/// A value to be bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Native<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// Appends a row.
pub(crate) fn write_row(out: &mut Vec<u8>, values: &[Value<'_>]) {
    for value in values {
        match value {
            Value::Null => out.push(b'n'),
            Value::Boolean(value) => integer(out, i64::from(*value)),
            Value::Integer(value) => integer(out, *value),
            Value::Float(value) => real(out, *value),
            Value::Decimal(decimal) => match decimal.as_i64() {
                Some(value) => integer(out, value),
                // The check has held it to what a binary fraction keeps.
                None => real(out, decimal.text.parse().unwrap_or(f64::NAN)),
            },
            Value::Text(value) => sized(out, b't', |out| out.extend_from_slice(value.as_bytes())),
            Value::Date(value) => sized(out, b't', |out| date(out, *value)),
            Value::Time(value) => sized(out, b't', |out| time(out, *value)),
            Value::Timestamp(value) => sized(out, b't', |out| timestamp(out, *value)),
            Value::TimestampZone(value) => sized(out, b't', |out| {
                timestamp(out, value.naive_utc());
                out.extend_from_slice(b"+00:00");
            }),
            Value::Uuid(value) => sized(out, b't', |out| {
                out.extend_from_slice(value.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
            }),
            Value::Hex(digits) => sized(out, b'b', |out| out.extend(hex_bytes(digits))),
            Value::Bytes(bytes) => sized(out, b'b', |out| out.extend_from_slice(bytes)),
            // Made for PostgreSQL only.
            Value::Special(special) => sized(out, b't', |out| out.extend_from_slice(special.text.as_bytes())),
        }
    }
}

/// The values of a row, in their order.
pub(crate) fn read_row(mut row: &[u8]) -> impl Iterator<Item = Native<'_>> {
    std::iter::from_fn(move || {
        let (tag, rest) = row.split_first()?;
        if *tag == b'n' {
            row = rest;
            return Some(Native::Null);
        }
        if matches!(tag, b'i' | b'r') {
            let (bytes, rest) = rest.split_first_chunk::<8>()?;
            row = rest;
            let number = i64::from_le_bytes(*bytes);
            return Some(if *tag == b'i' {
                Native::Integer(number)
            } else {
                Native::Real(f64::from_bits(number.cast_unsigned()))
            });
        }
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        row = rest;
        // What was written as text is text.
        Some(if *tag == b't' { Native::Text(std::str::from_utf8(bytes).ok()?) } else { Native::Blob(bytes) })
    })
}

fn integer(out: &mut Vec<u8>, value: i64) {
    out.push(b'i');
    out.extend_from_slice(&value.to_le_bytes());
}

fn real(out: &mut Vec<u8>, value: f64) {
    out.push(b'r');
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

fn sized(out: &mut Vec<u8>, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    // The bound on records is far below 32 bits.
    let length = (out.len() - start - 4) as u32;
    if let Some(prefix) = out.get_mut(start..start + 4) {
        prefix.copy_from_slice(&length.to_le_bytes());
    }
}

/// `2024-02-29`. By hand, as the next two: chrono's own formatting takes longer than all the rest of a row.
fn date(out: &mut Vec<u8>, day: NaiveDate) {
    digits(out, day.year().unsigned_abs(), 4);
    out.push(b'-');
    digits(out, day.month(), 2);
    out.push(b'-');
    digits(out, day.day(), 2);
}

/// `23:59:59`, with three, six or nine digits of a fraction where there is one.
fn time(out: &mut Vec<u8>, time: NaiveTime) {
    digits(out, time.hour(), 2);
    out.push(b':');
    digits(out, time.minute(), 2);
    out.push(b':');
    digits(out, time.second(), 2);
    let nanos = time.nanosecond();
    let (fraction, length) = match nanos {
        0 => return,
        nanos if nanos % 1_000_000 == 0 => (nanos / 1_000_000, 3),
        nanos if nanos % 1_000 == 0 => (nanos / 1_000, 6),
        nanos => (nanos, 9),
    };
    out.push(b'.');
    digits(out, fraction, length);
}

fn timestamp(out: &mut Vec<u8>, timestamp: NaiveDateTime) {
    date(out, timestamp.date());
    out.push(b' ');
    time(out, timestamp.time());
}

/// A number of so many digits, with zeros in front.
fn digits(out: &mut Vec<u8>, number: u32, length: u32) {
    for place in (0..length).rev() {
        // One digit is less than ten.
        out.push(b'0' + (number / 10_u32.pow(place) % 10) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_in_sqlites_types() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        let at = day.and_hms_nano_opt(1, 2, 3, 4_500_000).unwrap();
        let values = [
            Value::Null,
            Value::Boolean(true),
            Value::Integer(i64::MIN),
            Value::Float(0.5),
            Value::Text("東京"),
            Value::Date(day),
            Value::Timestamp(at),
            Value::TimestampZone(day.and_hms_opt(0, 0, 0).unwrap().and_utc()),
            Value::Hex("0aFF"),
            Value::Text(""),
        ];
        let mut out = Vec::new();
        write_row(&mut out, &values);
        let expected = [
            Native::Null,
            Native::Integer(1),
            Native::Integer(i64::MIN),
            Native::Real(0.5),
            Native::Text("東京"),
            Native::Text("2024-02-29"),
            Native::Text("2024-02-29 01:02:03.004500"),
            Native::Text("2024-02-29 00:00:00+00:00"),
            Native::Blob(&[0x0A, 0xFF]),
            Native::Text(""),
        ];
        assert_eq!(read_row(&out).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_fraction_has_as_many_digits_as_chrono_gives_it() {
        for nanos in [0, 1, 1_000, 999_999_999, 120_000_000, 123_456_000] {
            let value = NaiveTime::from_hms_nano_opt(23, 59, 58, nanos).unwrap();
            let mut out = Vec::new();
            time(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.format("%H:%M:%S%.f").to_string());
        }
    }
}
