//! Whether SQLite keeps a value as it is. Its types are mere words: a day is a text, a decimal number a binary fraction, and a
//! text becomes a number wherever the column's word lets it. What would come back as another value is a misfit.

use chrono::Datelike as _;

use crate::import::reject::{Misfit, Reason};
use crate::import::value::{Decimal, Kind, Value};

/// Digits of any decimal number that a binary fraction keeps.
const EXACT_DIGITS: usize = 15;

/// Decimal numbers of so many characters and without an exponent are far from the ends of a binary fraction's range.
const PLAIN_CHARACTERS: usize = 100;

/// Why SQLite would not keep the value, if it would not.
pub(super) fn misfit(kind: &Kind, value: &Value<'_>) -> Option<Misfit> {
    match value {
        Value::Decimal(decimal) => (!is_exact(decimal)).then(|| {
            let says = "is out of range: the column takes about 2.2e-308 to 1.8e308";
            Misfit::new(Reason::OutOfRange, says)
        }),
        // NaN would be NULL.
        Value::Float(number) if number.is_nan() => {
            Some(Misfit::new(Reason::OutOfRange, "is out of range: SQLite has no such number"))
        }
        Value::Date(day) => outside(day.year()),
        Value::Timestamp(timestamp) => outside(timestamp.year()),
        Value::TimestampZone(point) => outside(point.naive_utc().year()),
        Value::Text(text) if matches!(kind, Kind::Opaque | Kind::Json | Kind::Jsonb) => (is_number(text)
            && !comes_back(text))
        .then(|| {
            let says =
                "would become another number in a column of this type; it stays as it is in a column of TEXT";
            Misfit::new(Reason::Refused, says)
        }),
        _ => None,
    }
}

/// SQLite's functions read years of four digits.
fn outside(year: i32) -> Option<Misfit> {
    (!(0..=9999).contains(&year)).then(|| {
        let says = "is out of range: in UTC, SQLite reads the years 0000 to 9999";
        Misfit::new(Reason::OutOfRange, says)
    })
}

/// Whether the number, which has at most 15 digits or is a whole one of 64 bits, comes back from SQLite.
fn is_exact(decimal: &Decimal<'_>) -> bool {
    let text = decimal.text.as_bytes();
    let is_plain =
        text.len() <= PLAIN_CHARACTERS && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    is_plain
        || decimal.as_i64().is_some()
        // Below the normal ones there are fewer digits.
        || decimal.text.parse::<f64>().is_ok_and(f64::is_normal)
}

/// Whether SQLite takes the text for a number.
fn is_number(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t', '\n', '\x0B', '\x0C', '\r']);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_exponent = exponent.is_none_or(|exponent| {
        let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !power.is_empty() && digits(power)
    });
    !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction) && has_exponent
}

/// Whether a number that SQLite makes of the text is written just so again.
fn comes_back(text: &str) -> bool {
    if let Ok(number) = text.parse::<i64>() {
        return number.to_string() == text;
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let Some((whole, fraction)) = unsigned.split_once('.') else { return false };
    let is_padded = whole.len() > 1 && whole.starts_with('0') || fraction.ends_with('0');
    let is_tiny = whole == "0" && fraction.starts_with("0000");
    !whole.is_empty()
        && !fraction.is_empty()
        && !is_padded
        && !is_tiny
        && whole.len() + fraction.len() <= EXACT_DIGITS
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::Text;
    use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

    use super::*;
    use crate::import::value::{DecimalLimits, FieldRules};

    #[derive(QueryableByName)]
    struct Stored {
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        text: String,
    }

    #[test]
    fn sqlite_takes_the_same_texts_for_numbers() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        sql_query("CREATE TABLE t (v XML)").execute(&mut connection).unwrap();
        for text in [
            "5",
            "-5",
            "+5",
            "007",
            " 5 ",
            "5.",
            ".5",
            "1.5",
            "1.50",
            "0.5",
            "-0",
            "-0.0",
            "1e5",
            "1E+5",
            "1e",
            "e5",
            "1e5x",
            "0x1F",
            "1_000",
            "inf",
            "nan",
            "",
            ".",
            "-",
            "+",
            "5 x",
            "\u{a0}5",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "12345.6789012345",
            "0.0001",
            "0.001",
            "1e400",
            "<a/>",
            "10:00+09",
            "123456789012345.6",
            "1.2.3",
            "--5",
        ] {
            sql_query("DELETE FROM t").execute(&mut connection).unwrap();
            sql_query("INSERT INTO t VALUES (?)").bind::<Text, _>(text).execute(&mut connection).unwrap();
            let stored: Stored = sql_query("SELECT typeof(v) AS kind, CAST(v AS TEXT) AS text FROM t")
                .get_result(&mut connection)
                .unwrap();
            assert_eq!(is_number(text), stored.kind != "text", "{text:?}");
            if is_number(text) && comes_back(text) {
                assert_eq!(stored.text, text);
            }
            assert_eq!(misfit(&Kind::Opaque, &Value::Text(text)).is_none(), stored.text == text, "{text:?}");
        }
    }

    #[test]
    fn a_decimal_number_beyond_a_binary_fraction_is_out_of_range() {
        let kind = Kind::Decimal(DecimalLimits { declared: None, significant: Some(15) });
        let fits = |text: &str| {
            let value = kind.parse(text.as_bytes(), &FieldRules::default()).unwrap();
            misfit(&kind, &value).is_none()
        };
        for text in ["1e400", "-1e400", "1e-400", "1.5e-310", "4.9e-324", "1e309"] {
            assert!(!fits(text), "{text}");
        }
        let long = format!("0.{}1", "0".repeat(400));
        assert!(!fits(&long));
        for text in ["1e308", "1e-300", "0", "0e400", "0.00", "9223372036854775807", "123456789012345e5"] {
            assert!(fits(text), "{text}");
        }
    }

    #[test]
    fn a_year_that_sqlite_cannot_read_is_out_of_range() {
        let kind = Kind::TimestampZone(9);
        let fits = |text: &str| {
            let value = kind.parse(text.as_bytes(), &FieldRules::default()).unwrap();
            misfit(&kind, &value).is_none()
        };
        assert!(!fits("9999-12-31T23:30:00-09:00"));
        assert!(fits("9999-12-31T23:30:00Z") && fits("0001-01-01T00:00:00+09:00"));
    }
}
