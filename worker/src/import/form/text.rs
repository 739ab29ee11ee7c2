//! PostgreSQL's text form of rows, as COPY takes it: fields between tabs, a line for each row, `\N` for NULL. Source: "COPY,
//! Text Format".

use std::io::Write as _;

use crate::import::value::Value;

/// Appends a row, without the line's end.
pub(crate) fn write_row(out: &mut Vec<u8>, values: &[Value<'_>]) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        write_value(out, value);
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value<'_>) {
    // Writing into a vector cannot fail.
    let _ = match value {
        Value::Null => out.write_all(b"\\N"),
        Value::Boolean(value) => out.write_all(if *value { b"t" } else { b"f" }),
        Value::Integer(value) => write!(out, "{value}"),
        // Rust writes as many digits as bring the same number back.
        Value::Float(value) => write!(out, "{value}"),
        Value::Decimal(decimal) => out.write_all(decimal.text.as_bytes()),
        Value::Text(text) => {
            escape(out, text);
            Ok(())
        }
        Value::Date(day) => write!(out, "{day}"),
        Value::Time(time) => write!(out, "{time}"),
        Value::Timestamp(timestamp) => write!(out, "{timestamp}"),
        Value::TimestampZone(point) => write!(out, "{}+00", point.naive_utc()),
        Value::Uuid(uuid) => write!(out, "{uuid}"),
        Value::Hex(digits) => write!(out, "\\\\x{digits}"),
        Value::Bytes(bytes) => {
            out.extend_from_slice(b"\\\\x");
            bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
        }
        Value::Special(special) => out.write_all(special.text.as_bytes()),
    };
}

/// A backslash, and what would end the field or the row, stand behind a backslash.
fn escape(out: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_field_or_a_row_is_escaped() {
        let mut out = Vec::new();
        let values = [Value::Text("a\tb\\N\r\nc"), Value::Null, Value::Integer(-1), Value::Hex("0aFF")];
        write_row(&mut out, &values);
        assert_eq!(out, b"a\\tb\\\\N\\r\\nc\t\\N\t-1\t\\\\x0aFF");
    }
}
