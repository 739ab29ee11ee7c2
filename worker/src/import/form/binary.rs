//! PostgreSQL's binary form of rows, as COPY takes it: each value is its length in bytes and its type's own form, integers
//! in network order. Source: "COPY, Binary Format", and the `…_recv` functions of each type.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::import::header::Filled;
use crate::import::value::{Decimal, Kind, Value, Width, hex_bytes};

/// What a stream begins with: signature, flags, length of the header's extension.
pub(crate) const HEADER: [u8; 19] = *b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";

/// What a stream ends with: a row of -1 fields.
pub(crate) const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// The day that PostgreSQL counts from.
const EPOCH: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Appends a row.
pub(crate) fn write_row(out: &mut Vec<u8>, columns: &[Filled], values: &[Value<'_>]) {
    // At most 1,600 columns: a table has no more.
    out.extend_from_slice(&(values.len() as i16).to_be_bytes());
    for (column, value) in columns.iter().zip(values) {
        write_value(out, &column.kind, value);
    }
}

/// Appends a row that is written already, with one more field behind its own.
pub(crate) fn with_field(out: &mut Vec<u8>, row: &[u8], field: &[u8]) {
    let Some((count, fields)) = row.split_first_chunk::<2>() else { return };
    out.extend_from_slice(&(i16::from_be_bytes(*count) + 1).to_be_bytes());
    out.extend_from_slice(fields);
    sized(out, field);
}

fn write_value(out: &mut Vec<u8>, kind: &Kind, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        Value::Boolean(value) => sized(out, &[u8::from(*value)]),
        Value::Integer(value) => match kind {
            // The check has held each within its width.
            Kind::Integer(Width::Two) => sized(out, &(*value as i16).to_be_bytes()),
            Kind::Integer(Width::Four) => sized(out, &(*value as i32).to_be_bytes()),
            _ => sized(out, &value.to_be_bytes()),
        },
        Value::Float(value) => match kind {
            Kind::Float { single: true, .. } => sized(out, &(*value as f32).to_be_bytes()),
            _ => sized(out, &value.to_be_bytes()),
        },
        Value::Decimal(value) => numeric(out, value),
        Value::Text(text) if *kind == Kind::Jsonb => {
            // The form's version, and the text.
            length(out, text.len() + 1);
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Text(text) => sized(out, text.as_bytes()),
        // No year of four digits is more days away than an i32 counts.
        Value::Date(day) => sized(out, &(day.signed_duration_since(EPOCH).num_days() as i32).to_be_bytes()),
        Value::Time(time) => sized(out, &micros_of_day(*time).to_be_bytes()),
        Value::Timestamp(timestamp) => sized(out, &micros(*timestamp).to_be_bytes()),
        Value::TimestampZone(point) => sized(out, &micros(point.naive_utc()).to_be_bytes()),
        Value::Uuid(uuid) => sized(out, uuid.as_bytes()),
        Value::Hex(digits) => {
            length(out, digits.len() / 2);
            out.extend(hex_bytes(digits));
        }
        Value::Bytes(bytes) => sized(out, bytes),
        Value::Special(special) => write_special(out, kind, special.code),
    }
}

/// What has a number of its own in each type.
#[cold]
fn write_special(out: &mut Vec<u8>, kind: &Kind, code: i64) {
    match kind {
        Kind::Date => sized(out, &(code as i32).to_be_bytes()),
        // No digits, no weight, a sign, no scale.
        Kind::Decimal(_) => sized(out, &(code.cast_unsigned() << 16).to_be_bytes()),
        _ => sized(out, &code.to_be_bytes()),
    }
}

fn sized(out: &mut Vec<u8>, value: &[u8]) {
    length(out, value.len());
    out.extend_from_slice(value);
}

fn length(out: &mut Vec<u8>, bytes: usize) {
    // The bound on records is far below 31 bits.
    out.extend_from_slice(&(bytes as i32).to_be_bytes());
}

fn micros_of_day(time: NaiveTime) -> i64 {
    time.signed_duration_since(NaiveTime::MIN).num_microseconds().unwrap_or(0)
}

fn micros(timestamp: NaiveDateTime) -> i64 {
    let epoch = EPOCH.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    timestamp.and_utc().timestamp_micros() - epoch
}

/// Number of digits, weight, sign, scale to show, digits: all of two bytes.
fn numeric(out: &mut Vec<u8>, value: &Decimal<'_>) {
    const NEGATIVE: i16 = 0x4000;
    let mut digits = Vec::with_capacity(8);
    let weight = value.base_10000(&mut digits);
    let sign = if value.negative && !digits.is_empty() { NEGATIVE } else { 0 };
    length(out, 8 + digits.len() * 2);
    // The check has held digits and scale within what these take.
    for part in [digits.len() as i16, weight as i16, sign, value.scale() as i16] {
        out.extend_from_slice(&part.to_be_bytes());
    }
    for digit in digits {
        out.extend_from_slice(&digit.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::import::value::{DecimalLimits, FieldRules};

    fn written(kind: &Kind, field: &str) -> Vec<u8> {
        let mut out = Vec::new();
        write_value(&mut out, kind, &kind.parse(field.as_bytes(), &FieldRules::default()).unwrap());
        out
    }

    #[test]
    fn values_have_the_form_that_the_server_reads() {
        assert_eq!(written(&Kind::Integer(Width::Two), "-2"), [0, 0, 0, 2, 0xFF, 0xFE]);
        assert_eq!(written(&Kind::Boolean, "yes"), [0, 0, 0, 1, 1]);
        assert_eq!(written(&Kind::Date, "2000-01-02"), [0, 0, 0, 4, 0, 0, 0, 1]);
        assert_eq!(written(&Kind::Date, "1999-12-31"), [0, 0, 0, 4, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(written(&Kind::Timestamp(6), "2000-01-01 00:00:00.000007")[4..], 7_i64.to_be_bytes());
        assert_eq!(written(&Kind::Jsonb, "[]"), [0, 0, 0, 3, 1, b'[', b']']);
        assert_eq!(written(&Kind::Bytes, r"\x0aFF"), [0, 0, 0, 2, 0x0A, 0xFF]);
        assert_eq!(written(&Kind::Uuid, ""), [0xFF, 0xFF, 0xFF, 0xFF]);
    }

    #[test]
    fn a_numeric_is_its_digits_in_base_10000() {
        let kind = Kind::Decimal(DecimalLimits::default());
        assert_eq!(
            written(&kind, "-12345.60"),
            [0, 0, 0, 14, 0, 3, 0, 1, 0x40, 0, 0, 2, 0, 1, 0x09, 0x29, 0x17, 0x70]
        );
        assert_eq!(written(&kind, "-0.0"), [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn the_epoch_is_the_one_of_postgresql() {
        assert_eq!(DateTime::from_timestamp_micros(946_684_800_000_000).unwrap().date_naive(), EPOCH);
    }
}
