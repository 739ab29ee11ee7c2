use super::*;

mod date_forms;
mod forms;

const TEXT: Kind = Kind::Text { max_characters: None };
const DOUBLE: Kind = Kind::Float { single: false, special: true };

fn misfit(kind: &Kind, field: &str) -> String {
    let Misfit { reason, says } = kind.parse(field.as_bytes(), &FieldRules::default()).unwrap_err();
    format!("{says} ({})", reason.code())
}

fn value<'a>(kind: &Kind, field: &'a str) -> Value<'a> {
    kind.parse(field.as_bytes(), &FieldRules::default())
        .unwrap_or_else(|misfit| panic!("{field:?} {}", misfit.says))
}

#[test]
fn an_empty_field_is_null_and_white_space_is_text_only_in_a_text() {
    assert_eq!(value(&TEXT, ""), Value::Null);
    assert_eq!(value(&TEXT, " "), Value::Text(" "));
    assert_eq!(value(&Kind::Integer(Width::Four), " \t"), Value::Null);
}

#[test]
fn an_integer_fits_its_columns_width() {
    assert_eq!(value(&Kind::Integer(Width::Two), "-32768"), Value::Integer(-32768));
    assert_eq!(value(&Kind::Integer(Width::Eight), " +7 "), Value::Integer(7));
    assert_eq!(
        misfit(&Kind::Integer(Width::Two), "32768"),
        "is out of range: the column takes -32768 to 32767 (out_of_range)"
    );
    assert!(misfit(&Kind::Integer(Width::Eight), "9223372036854775808").ends_with("(out_of_range)"));
    for text in ["abc", "1,000", "0x10", "-", "--1", "1_000", "e", "inf", "."] {
        assert_eq!(misfit(&Kind::Integer(Width::Eight), text), "is no integer (not_an_integer)");
    }
    for text in ["1.0", "1e3", "-2.50", "1."] {
        let says = "is no integer: the column takes digits without a point or an exponent (not_an_integer)";
        assert_eq!(misfit(&Kind::Integer(Width::Eight), text), says);
    }
}

#[test]
fn a_float_is_the_nearest_that_the_column_has() {
    assert_eq!(value(&DOUBLE, "-1.5e3"), Value::Float(-1500.0));
    assert_eq!(value(&DOUBLE, "Infinity"), Value::Float(f64::INFINITY));
    assert_eq!(value(&DOUBLE, "0e-999"), Value::Float(0.0));
    assert!(misfit(&DOUBLE, "1e400").ends_with("(out_of_range)"));
    assert!(misfit(&DOUBLE, "1e-400").ends_with("(out_of_range)"));
    assert!(misfit(&Kind::Float { single: true, special: true }, "1e39").ends_with("(out_of_range)"));
    assert_eq!(misfit(&DOUBLE, "1.2.3"), "is no number (not_a_number)");
    assert_eq!(misfit(&Kind::Float { single: false, special: false }, "NaN"), "is no number (not_a_number)");
}

#[test]
fn a_boolean_is_one_of_the_usual_words() {
    for word in ["true", "T", "YES", "y", "on", "1"] {
        assert_eq!(value(&Kind::Boolean, word), Value::Boolean(true), "{word}");
    }
    for word in ["False", "f", "no", "N", "off", "0"] {
        assert_eq!(value(&Kind::Boolean, word), Value::Boolean(false), "{word}");
    }
    for (word, value_of) in [("tru", true), ("YE", true), ("fa", false), ("Fals", false), ("of", false)] {
        assert_eq!(value(&Kind::Boolean, word), Value::Boolean(value_of), "{word}");
    }
    assert!(misfit(&Kind::Boolean, "o").ends_with("(not_a_boolean)"));
    assert!(misfit(&Kind::Boolean, "maybe").starts_with("is neither true nor false"));
    assert!(misfit(&Kind::Boolean, "2").ends_with("(not_a_boolean)"));
}

#[test]
fn a_text_is_measured_in_characters() {
    let four = Kind::Text { max_characters: Some(4) };
    assert_eq!(value(&four, "東京都庁"), Value::Text("東京都庁"));
    assert_eq!(misfit(&four, "東京都庁舎"), "has 5 characters, the column takes 4 (too_long)");
    assert_eq!(misfit(&TEXT, "a\0b"), "has a NUL character (nul_character)");
    assert_eq!(value(&four, "東京都庁  "), Value::Text("東京都庁"));
    assert_eq!(value(&four, "ab   "), Value::Text("ab  "));
    assert_eq!(value(&TEXT, "ab   "), Value::Text("ab   "));
    for text in ["東京都庁\u{3000}", "abcd\t", "abcd  e"] {
        assert!(misfit(&four, text).ends_with("(too_long)"), "{text:?}");
    }
}

#[test]
fn bytes_that_cannot_be_decoded_are_told() {
    let misfit = TEXT.parse(b"caf\xE9 au lait", &FieldRules::default()).unwrap_err();
    assert_eq!(misfit, Misfit::new(Reason::Undecodable, "has bytes that cannot be decoded"));
}

#[test]
fn a_date_is_iso_and_exists() {
    assert_eq!(value(&Kind::Date, "2024-02-29"), Value::Date(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()));
    assert_eq!(
        misfit(&Kind::Date, "2023-02-29"),
        "is out of range: there is no such day or time (out_of_range)"
    );
    for text in ["29.2.2024", "2024/02/29", "2024-2-9", "20240229", "2024-02-29 10:00"] {
        assert_eq!(misfit(&Kind::Date, text), "is no date (for example 2024-02-29) (not_a_date)", "{text}");
    }
}

#[test]
fn a_time_keeps_the_digits_that_its_column_has() {
    let time = |h, m, s, micro| Value::Time(NaiveTime::from_hms_micro_opt(h, m, s, micro).unwrap());
    assert_eq!(value(&Kind::Time(6), "23:59"), time(23, 59, 0, 0));
    assert_eq!(value(&Kind::Time(6), "23:59:58.5"), time(23, 59, 58, 500_000));
    assert_eq!(value(&Kind::Time(6), "00:00:00.000001000"), time(0, 0, 0, 1));
    assert_eq!(
        misfit(&Kind::Time(0), "00:00:00.5"),
        "has more digits of a second than the column keeps (0) (too_precise)"
    );
    assert!(misfit(&Kind::Time(6), "24:00").ends_with("(out_of_range)"));
    for text in ["7:00", "0700", "07:00:", "07:00:00.", "07:00Z", "noon"] {
        assert!(misfit(&Kind::Time(6), text).ends_with("(not_a_time)"), "{text}");
    }
}

#[test]
fn a_timestamp_keeps_its_clock_and_refuses_a_zone_that_it_would_lose() {
    let noon = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_opt(12, 0, 0).unwrap();
    for text in ["2024-02-29 12:00:00", "2024-02-29T12:00", "2024-02-29T12:00:00Z", "2024-02-29 12:00:00+00"]
    {
        assert_eq!(value(&Kind::Timestamp(6), text), Value::Timestamp(noon), "{text}");
    }
    assert_eq!(
        value(&Kind::Timestamp(6), "2024-02-29"),
        Value::Timestamp(noon.date().and_time(NaiveTime::MIN))
    );
    assert_eq!(
        misfit(&Kind::Timestamp(6), "2024-02-29T12:00:00+09:00"),
        "has a time zone other than UTC, which the column would lose (zone_unexpected)"
    );
    for text in
        ["yesterday", "2024-02-29 ", "2024-02-29_12:00", "2024-02-29 12", "12:00:00", "日本日本日本日本"]
    {
        assert!(misfit(&Kind::Timestamp(6), &format!("{text}x")).ends_with("(not_a_timestamp)"), "{text}");
    }
}

#[test]
fn a_point_in_time_needs_its_zone() {
    let point = DateTime::from_timestamp(1_709_175_600, 0).unwrap();
    for text in [
        "2024-02-29T12:00:00+09:00",
        "2024-02-29 12:00:00 +0900",
        "2024-02-29T03:00:00Z",
        "2024-02-29 11:05:43+08:05:43",
        "2024-02-29 12:00+09",
    ] {
        assert_eq!(value(&Kind::TimestampZone(6), text), Value::TimestampZone(point), "{text}");
    }
    assert_eq!(
        misfit(&Kind::TimestampZone(6), "2024-02-29 12:00:00"),
        "has no time zone, which the column needs (for example Z or +09:00) (zone_missing)"
    );
    assert!(misfit(&Kind::TimestampZone(6), "2024-02-29 12:00:00+99:00").ends_with("(not_a_timestamp)"));
}

#[test]
fn a_uuid_may_be_written_in_each_usual_form() {
    let uuid = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
    for text in [
        "67e55044-10b1-426f-9247-bb680e5fe0c8",
        "67E5504410B1426F9247BB680E5FE0C8",
        "{67e5504410b1426f9247bb680e5fe0c8}",
        "67e5-5044-10b1-426f-9247-bb68-0e5f-e0c8",
    ] {
        assert_eq!(value(&Kind::Uuid, text), Value::Uuid(uuid));
    }
    assert_eq!(misfit(&Kind::Uuid, "67e55044"), "is no UUID (not_a_uuid)");
}

#[test]
fn json_is_checked_and_kept_as_it_is() {
    assert_eq!(value(&Kind::Json, r#"{"b": 1.0, "a": [null]}"#), Value::Text(r#"{"b": 1.0, "a": [null]}"#));
    assert_eq!(value(&Kind::Json, " 1 "), Value::Text(" 1 "));
    assert_eq!(value(&Kind::Jsonb, "\u{3000} 1 "), Value::Text("1"));
    assert!(misfit(&Kind::Json, "{'a': 1}").ends_with("(not_json)"));
    assert!(misfit(&Kind::Jsonb, "[1,]").ends_with("(not_json)"));
    assert!(misfit(&Kind::Jsonb, r#"{"a": "\u0000"}"#).ends_with("(nul_character)"));
    assert!(misfit(&Kind::Jsonb, r#"["\ud800"]"#).ends_with("(not_json)"));
    assert_eq!(value(&Kind::Jsonb, r#"["\\u0000"]"#), Value::Text(r#"["\\u0000"]"#));
}

#[test]
fn bytes_are_hexadecimal() {
    assert_eq!(value(&Kind::Bytes, r"\x00Ff"), Value::Hex("00Ff"));
    assert_eq!(hex_bytes("00Ff9a").collect::<Vec<_>>(), [0, 255, 0x9A]);
    for text in ["00ff", r"\x0", r"\xzz", r"\"] {
        assert_eq!(misfit(&Kind::Bytes, text), "is not \\x and pairs of hexadecimal digits (not_hex)");
    }
}

#[test]
fn a_decimal_beyond_its_column_is_told_the_columns_own_bounds() {
    for (precision, scale, text, says) in [
        (3, -2, "12345", "is no multiple of 100, and the column keeps no digits below that (too_precise)"),
        (3, -2, "1.5", "is no multiple of 100, and the column keeps no digits below that (too_precise)"),
        (2, -20, "1", "is no multiple of 10^20, and the column keeps no digits below that (too_precise)"),
        (3, -2, "123400", "is out of range: the column takes 5 digits before the point (out_of_range)"),
        (3, 2, "12", "is out of range: the column takes 1 digit before the point (out_of_range)"),
        (3, 3, "1.5", "is out of range: the column takes values above -1 and below 1 (out_of_range)"),
        (3, 3, "1", "is out of range: the column takes values above -1 and below 1 (out_of_range)"),
        (3, 5, "0.01", "is out of range: the column takes values above -0.01 and below 0.01 (out_of_range)"),
        (3, 5, "-0.01", "is out of range: the column takes values above -0.01 and below 0.01 (out_of_range)"),
        (
            1,
            20,
            "1",
            "is out of range: the column takes values above -10^-19 and below 10^-19 (out_of_range)",
        ),
        (2, 1, "1.25", "has more digits behind the point than the column keeps (1) (too_precise)"),
    ] {
        let limits = DecimalLimits { declared: Some((precision, scale)), significant: None };
        assert_eq!(misfit(&Kind::Decimal(limits), text), says, "numeric({precision},{scale}) {text}");
    }
}
