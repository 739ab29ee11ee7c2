//! Values in other forms than the usual: full-width, in the import's own date format, with another marker of NULL; and
//! the kinds that stay text.

use statemachine::{EmptyFields, ImportOptions};

use super::*;

fn reading(null: Option<&str>, date_format: Option<&str>) -> Reading {
    let (null, date_format) = (null.map(str::to_owned), date_format.map(str::to_owned));
    Reading::of(&ImportOptions { null, date_format, ..ImportOptions::default() }).unwrap()
}

fn parsed<'a>(kind: &Kind, field: &'a str, reading: &Reading) -> Result<Value<'a>, String> {
    let says = |misfit: Misfit| format!("{} ({})", misfit.says, misfit.reason.code());
    kind.parse(field.as_bytes(), reading).map_err(says)
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

#[test]
fn full_width_digits_and_signs_are_those_of_ascii() {
    let limits = DecimalLimits { declared: Some((12, 2)), significant: None };
    assert_eq!(value(&Kind::Integer(Width::Four), "－１２３"), Value::Integer(-123));
    assert_eq!(value(&Kind::Integer(Width::Four), "\u{3000}＋７\u{3000}"), Value::Integer(7));
    assert_eq!(value(&DOUBLE, "１．５"), Value::Float(1.5));
    assert_eq!(value(&Kind::Boolean, "１"), Value::Boolean(true));
    assert_eq!(value(&Kind::Boolean, "０"), Value::Boolean(false));
    assert_eq!(value(&Kind::Date, "２０２４－０２－２９"), Value::Date(day(2024, 2, 29)));
    let noon = day(2024, 2, 29).and_hms_opt(12, 0, 0).unwrap();
    assert_eq!(value(&Kind::Timestamp(6), "２０２４－０２－２９　１２：００"), Value::Timestamp(noon));
    match value(&Kind::Decimal(limits), "１２３４．５０") {
        Value::Decimal(decimal) => assert_eq!((&*decimal.text, decimal.scale()), ("1234.50", 2)),
        other => panic!("{other:?}"),
    }
    let long = "１２３４５６７８９０１２３４５６７８９０１";
    match value(&Kind::Decimal(DecimalLimits::default()), long) {
        Value::Decimal(decimal) => assert_eq!(decimal.text, "123456789012345678901"),
        other => panic!("{other:?}"),
    }
    assert!(misfit(&Kind::Integer(Width::Two), "９９９９９").ends_with("(out_of_range)"));
    assert!(misfit(&Kind::Integer(Width::Two), "１番").ends_with("(not_an_integer)"));
    assert_eq!(value(&TEXT, "１"), Value::Text("１"));
}

#[test]
fn a_marker_of_null_leaves_the_empty_text() {
    let marked = reading(Some("\\N"), None);
    assert_eq!(parsed(&TEXT, "", &marked), Ok(Value::Text("")));
    assert_eq!(parsed(&TEXT, "\\N", &marked), Ok(Value::Null));
    assert_eq!(parsed(&TEXT, " \\N", &marked), Ok(Value::Text(" \\N")));
    assert_eq!(parsed(&Kind::Opaque, "", &marked), Ok(Value::Text("")));
    let integer = Kind::Integer(Width::Four);
    assert_eq!(parsed(&integer, " \\N ", &marked), Ok(Value::Null));
    for field in ["", "  "] {
        let says = "is empty, and an empty field is not NULL here (empty)";
        assert_eq!(parsed(&integer, field, &marked), Err(says.to_owned()), "{field:?}");
    }
    assert_eq!(parsed(&integer, "", &reading(Some(""), None)), Ok(Value::Null));
}

fn in_quotes<'a>(kind: &Kind, field: &'a str, reading: &Reading) -> Result<Value<'a>, String> {
    let says = |misfit: Misfit| format!("{} ({})", misfit.says, misfit.reason.code());
    match kind.read(field.as_bytes(), reading) {
        Ok(Value::Null) => kind.absent(field.as_bytes(), Quoted::Yes, false, reading).map_err(says),
        read => read.map_err(says),
    }
}

#[test]
fn an_empty_field_in_quotes_is_the_empty_value_of_types_that_have_one() {
    let reading = Reading::default();
    let mood = |labels: &[&str]| {
        Kind::Enum(Arc::new(Labels::new(labels.iter().map(|label| (*label).to_owned()).collect())))
    };
    for kind in [TEXT, Kind::Text { max_characters: Some(3) }, mood(&["", "ok"])] {
        assert_eq!(in_quotes(&kind, "", &reading), Ok(Value::Text("")));
        assert_eq!(parsed(&kind, "", &reading), Ok(Value::Null));
    }
    assert_eq!(in_quotes(&Kind::Bytes, "", &reading), Ok(Value::Hex("")));
    let others =
        [Kind::Integer(Width::Four), Kind::Date, Kind::Json, Kind::Uuid, mood(&["ok"]), Kind::Opaque];
    for kind in others {
        assert_eq!(in_quotes(&kind, "", &reading), Ok(Value::Null), "{kind:?}");
        assert_eq!(in_quotes(&kind, " ", &reading), Ok(Value::Null), "{kind:?}");
    }
    let of_server = Kind::Opaque.absent(b"", Quoted::Yes, true, &reading);
    assert_eq!(of_server, Ok(Value::Text("")));
}

fn options_of(null: &str) -> Reading {
    reading(Some(null), None)
}

fn with_empty(empty: EmptyFields, null: Option<&str>) -> Reading {
    let options =
        ImportOptions { empty: Some(empty), null: null.map(str::to_owned), ..ImportOptions::default() };
    Reading::of(&options).unwrap()
}

#[test]
fn an_import_may_say_what_empty_fields_are() {
    let integer = Kind::Integer(Width::Four);
    let (null, empty) = (Ok(Value::Null), Ok(Value::Text("")));
    for (option, marker, quoted, plain, number) in [
        (EmptyFields::Quoted, None, &empty, &null, &null),
        (EmptyFields::Null, None, &null, &null, &null),
        (EmptyFields::Text, None, &empty, &empty, &null),
        (EmptyFields::Quoted, Some("-"), &empty, &null, &null),
        (EmptyFields::Null, Some("-"), &null, &null, &null),
    ] {
        let reading = with_empty(option, marker);
        assert_eq!(&in_quotes(&TEXT, "", &reading), quoted, "{option:?} {marker:?}");
        assert_eq!(&parsed(&TEXT, "", &reading), plain, "{option:?} {marker:?}");
        assert_eq!(&parsed(&integer, "", &reading), number, "{option:?} {marker:?}");
        assert_eq!(&in_quotes(&integer, "", &reading), number, "{option:?} {marker:?}");
        assert_eq!(parsed(&integer, " ", &reading), null, "{option:?} {marker:?}");
    }
    let reading = with_empty(EmptyFields::Text, Some("-"));
    assert!(parsed(&integer, "", &reading).unwrap_err().ends_with("(empty)"));
}

#[test]
fn the_text_of_null_is_a_value_in_quotes_where_the_type_has_it() {
    let reading = reading(Some("NULL"), None);
    assert_eq!(parsed(&TEXT, "NULL", &reading), Ok(Value::Null));
    assert_eq!(in_quotes(&TEXT, "NULL", &reading), Ok(Value::Text("NULL")));
    assert_eq!(in_quotes(&Kind::Opaque, "NULL", &reading), Ok(Value::Text("NULL")));
    assert_eq!(in_quotes(&Kind::Integer(Width::Four), "NULL", &reading), Ok(Value::Null));
    assert_eq!(in_quotes(&Kind::Date, " NULL ", &reading), Ok(Value::Null));
    reading.end_row(true);
    assert_eq!(reading.notes().len(), 1);
    assert!(
        reading.notes()[0].starts_with("\"NULL\" stands in quotes in 2 fields,"),
        "{:?}",
        reading.notes()
    );
    let numbers = options_of("-99");
    assert_eq!(in_quotes(&Kind::Integer(Width::Four), "-99", &numbers), Ok(Value::Integer(-99)));
    assert_eq!(parsed(&Kind::Integer(Width::Four), "-99", &numbers), Ok(Value::Null));
    let both = with_empty(EmptyFields::Null, Some("NULL"));
    assert_eq!(in_quotes(&TEXT, "NULL", &both), Ok(Value::Null));
    both.end_row(true);
    assert!(both.notes().is_empty());
}

#[test]
fn the_text_of_null_in_quotes_is_never_dropped_where_the_type_has_an_empty_value() {
    let enum_of = |labels: &[&str]| {
        Kind::Enum(Arc::new(Labels::new(labels.iter().map(|label| (*label).to_owned()).collect())))
    };
    let advice = "; in quotes it is a value, with --empty null it is NULL";
    let three = Kind::Text { max_characters: Some(3) };
    for (kind, reason) in
        [(&three, "too_long"), (&Kind::Bytes, "not_hex"), (&enum_of(&["", "ok"]), "not_in_enum")]
    {
        let reading = options_of("NULL");
        let says = in_quotes(kind, "NULL", &reading).unwrap_err();
        assert!(says.ends_with(&format!("{advice} ({reason})")), "{says}");
        reading.end_row(true);
        assert!(reading.notes().is_empty(), "it was not taken for a value");
        assert_eq!(parsed(kind, "NULL", &reading), Ok(Value::Null));
        let null = with_empty(EmptyFields::Null, Some("NULL"));
        assert_eq!(in_quotes(kind, "NULL", &null), Ok(Value::Null));
    }
    let on_server = options_of("NULL").on(Some(150_000));
    assert_eq!(in_quotes(&Kind::Bytes, "NULL", &on_server), Ok(Value::Bytes(b"NULL".to_vec())));
    assert_eq!(in_quotes(&Kind::Bytes, " NULL ", &on_server), Ok(Value::Bytes(b" NULL ".to_vec())));
    // White space around it changes nothing of that, in a type that is read without.
    assert_eq!(in_quotes(&Kind::Integer(Width::Four), " -99 ", &options_of("-99")), Ok(Value::Integer(-99)));
    assert_eq!(in_quotes(&enum_of(&["NULL"]), " NULL ", &options_of("NULL")), Ok(Value::Text("NULL")));
    assert_eq!(in_quotes(&enum_of(&["ok"]), " NULL ", &options_of("NULL")), Ok(Value::Null));
    assert_eq!(in_quotes(&Kind::Json, "null", &options_of("null")), Ok(Value::Text("null")));
}

fn on_server(kind: &Kind, field: &str) -> Result<String, String> {
    let reading = Reading::default().on(Some(150_000));
    match parsed(kind, field, &reading)? {
        Value::Special(special) => Ok(special.code.to_string()),
        other => Ok(format!("{other:?}")),
    }
}

#[test]
fn what_only_the_server_has_is_taken_for_the_server_only() {
    let numeric = Kind::Decimal(DecimalLimits::default());
    let places = Kind::Decimal(DecimalLimits { declared: Some((5, 2)), significant: None });
    for (kind, field) in [
        (&Kind::Date, "infinity"),
        (&Kind::Date, "0044-03-15 BC"),
        (&Kind::Date, "１２３４５－０１－０１"),
        (&Kind::Time(6), "24:00:00"),
        (&Kind::Timestamp(6), "-infinity"),
        (&Kind::Timestamp(6), "2024-02-29 24:00:00"),
        (&Kind::TimestampZone(6), "12345-01-01 00:00:00+09"),
        (&numeric, "NaN"),
        (&numeric, "-Infinity"),
        (&places, "nan"),
        (&Kind::Bytes, r"a\\b\001"),
        (&Kind::Bytes, r"\x 12 34"),
        (&DOUBLE, "0x1F"),
    ] {
        assert!(on_server(kind, field).is_ok(), "{field}");
        assert!(parsed(kind, field, &Reading::default()).is_err(), "{field}");
    }
    assert!(on_server(&places, "Infinity").unwrap_err().ends_with("(out_of_range)"));
    for (kind, field) in [
        (&Kind::Timestamp(6), "12345-01-01 00:00:00+09"),
        (&Kind::TimestampZone(6), "12345-01-01 00:00:00"),
        (&Kind::Integer(Width::Four), "1_000"),
        (&Kind::Date, "tomorrow"),
        (&Kind::Bytes, r"a\b"),
    ] {
        assert!(on_server(kind, field).is_err(), "{field}");
    }
    let swapped = reading(None, Some("%Y-%d-%m")).on(Some(150_000));
    assert!(parsed(&Kind::Date, "2024-01-31", &swapped).is_err());
    let newer = Reading::default().on(Some(160_000));
    assert_eq!(parsed(&Kind::Integer(Width::Two), "-0x1F", &newer), Ok(Value::Integer(-31)));
    assert!(parsed(&Kind::Integer(Width::Two), "0xFFFF", &newer).unwrap_err().ends_with("(out_of_range)"));
    assert!(parsed(&numeric, "1_000.5", &newer).is_ok());
}

#[test]
fn what_somebody_could_mean_otherwise_is_counted() {
    let reading = Reading::default().on(Some(150_000));
    let three = Kind::Text { max_characters: Some(3) };
    for (kind, field) in [(&three, "abc "), (&three, "ab "), (&three, "abc   "), (&Kind::Bytes, "00ff")] {
        parsed(kind, field, &reading).unwrap();
        reading.end_row(true);
        // Of a reject nothing is stored.
        parsed(kind, field, &reading).unwrap();
        reading.end_row(false);
    }
    let notes = reading.notes();
    assert_eq!(notes.len(), 2);
    assert!(notes[0].starts_with("blanks at the end of 2 fields were cut"), "{notes:?}");
    assert!(notes[1].starts_with("1 field for bytea had hexadecimal digits without \\x"), "{notes:?}");
}

#[test]
fn a_date_may_have_the_imports_own_form() {
    let slashes = reading(None, Some("%Y/%m/%d"));
    for text in ["2024/2/9", "2024/02/09", "2024-02-09", "２０２４／２／９"] {
        assert_eq!(parsed(&Kind::Date, text, &slashes), Ok(Value::Date(day(2024, 2, 9))), "{text}");
    }
    assert_eq!(
        parsed(&Kind::Date, "9.2.2024", &slashes),
        Err("is no date (for example 2024-02-29 or 2001/02/03) (not_a_date)".to_owned())
    );
    for text in ["24/2/9", "2024/2/30", "20245/2/9", "2024/2/9x", "2024/2", "+12024/2/9"] {
        assert!(parsed(&Kind::Date, text, &slashes).is_err(), "{text}");
    }
    assert_eq!(parsed(&Kind::Date, "0024/2/9", &slashes), Ok(Value::Date(day(24, 2, 9))));
    let japanese = reading(None, Some("%Y年%m月%d日"));
    assert_eq!(parsed(&Kind::Date, "２０２４年２月９日", &japanese), Ok(Value::Date(day(2024, 2, 9))));
    let american = reading(None, Some("%m/%d/%y"));
    assert_eq!(parsed(&Kind::Date, "2/9/24", &american), Ok(Value::Date(day(2024, 2, 9))));
    // What could be both is read by the form that the import names.
    let swapped = reading(None, Some("%Y-%d-%m"));
    assert_eq!(parsed(&Kind::Date, "2024-02-09", &swapped), Ok(Value::Date(day(2024, 9, 2))));
}

#[test]
fn a_number_beside_another_has_all_of_its_digits() {
    for (format, whole, short) in [
        ("%Y%m%d", "20241101", &["2024111", "2024011", "202411", "2024 1 1", "241101", "202411011"][..]),
        ("%y%m%d", "241101", &["24111", "24012", "2411", "24 1 1"]),
        ("%d%m%Y", "01112024", &["1112024", "111 2024", "0111024"]),
        ("%m%d%y", "110124", &["11124", "1124"]),
        ("%Y%j", "2024306", &["202436", "2024 36"]),
        ("%d.%m%Y", "1.112024", &["01.12024", "1.1 2024"]),
        ("%Y %m %d", "2024 11 1", &["2024111", "2024 111"]),
        ("%d.%m.%y", "1.11.24", &["1.11.4"]),
    ] {
        let reading = reading(None, Some(format));
        assert_eq!(parsed(&Kind::Date, whole, &reading), Ok(Value::Date(day(2024, 11, 1))), "{format}");
        for text in short {
            let says = parsed(&Kind::Date, text, &reading).unwrap_err();
            assert!(says.ends_with("(not_a_date)"), "{format} {text}: {says}");
        }
    }
    let stamp = reading(None, Some("%Y%m%d%H%M%S"));
    let at = day(2024, 11, 1).and_hms_opt(7, 5, 6).unwrap();
    assert_eq!(parsed(&Kind::Timestamp(6), "20241101070506", &stamp), Ok(Value::Timestamp(at)));
    for text in ["2024110107056", "2024110170506", "202411170506", "20241101 70506"] {
        assert!(parsed(&Kind::Timestamp(6), text, &stamp).is_err(), "{text}");
    }
}

#[test]
fn a_time_before_its_day_is_not_lost_in_a_column_of_days() {
    let first = reading(None, Some("%H:%M %d.%m.%Y"));
    assert_eq!(parsed(&Kind::Date, "00:00 09.02.2024", &first), Ok(Value::Date(day(2024, 2, 9))));
    for (format, text) in [("%H:%M %d.%m.%Y", "17:05 09.02.2024"), ("%s", "1707440700")] {
        let says = parsed(&Kind::Date, text, &reading(None, Some(format))).unwrap_err();
        assert!(says.starts_with("has a time of day"), "{format}: {says}");
    }
}

#[test]
fn a_day_without_a_time_is_written_as_the_form_has_it_up_to_the_time() {
    for (format, days, others, whole) in [
        (
            "%Y年%m月%d日 %H時%M分",
            &["2024年01月05日", "２０２４年１月５日"][..],
            &["2024年01月05", "2024年01月05 10:30"][..],
            "2024年01月05日 10時30分",
        ),
        ("%Y年%m月%d日%H時%M分", &["2024年1月5日"], &["2024年1月5"], "2024年01月05日10時30分"),
        ("%d.%m.%Y. %H:%M", &["05.01.2024."], &["05.01.2024"], "05.01.2024. 10:30"),
        ("%Y. %m. %d. %H:%M", &["2024. 01. 05."], &["2024. 01. 05"], "2024. 01. 05. 10:30"),
        ("(%Y-%m-%d) %I:%M %p", &["(2024-01-05)", "2024-01-05"], &["(2024-01-05"], "(2024-01-05) 10:30 AM"),
        ("(%Y-%m-%d)%H:%M", &["(2024-01-05)"], &["(2024-01-05"], "(2024-01-05)10:30"),
        ("%d.%m.%Y г. %H:%M", &["05.01.2024 г.", "05.01.2024"], &["05.01.2024 г"], "05.01.2024 г. 10:30"),
        ("%d.%m.%Y г. в %H:%M", &["05.01.2024 г.", "05.01.2024"], &["05.01.2024 в"], "05.01.2024 г. в 10:30"),
        ("%d.%m.%Yг. %H:%M", &["05.01.2024г."], &["05.01.2024", "05.01.2024г"], "05.01.2024г. 10:30"),
        ("%d.%m.%Y um %H:%M Uhr", &["05.01.2024"], &["05.01.2024 Uhr"], "05.01.2024 um 10:30 Uhr"),
        ("%d.%m.%Y kl.%H:%M", &["05.01.2024"], &["05.01.2024 kl."], "05.01.2024 kl.10:30"),
        ("%d.%m.%Y, %H:%M", &["05.01.2024"], &["05.01.2024,"], "05.01.2024, 10:30"),
        ("%d.%m.%Y., %H:%M", &["05.01.2024."], &["05.01.2024", "05.01.2024.,"], "05.01.2024., 10:30"),
        ("%d/%m/%Y - %H:%M", &["05/01/2024"], &["05/01/2024 -"], "05/01/2024 - 10:30"),
        ("%Y-%m-%dT%H:%M", &["2024-01-05"], &["2024-01-05T"], "2024-01-05T10:30"),
        ("%d/%m/%Y-%H:%M", &["05/01/2024"], &["05/01/2024-"], "05/01/2024-10:30"),
        ("%d/%b/%Y:%H:%M", &["05/Jan/2024"], &["05/Jan/2024:"], "05/Jan/2024:10:30"),
        ("%Y%m%d%H%M", &["20240105"], &["2024015"], "202401051030"),
        ("%d.%m.%Y %H:%M", &["05.01.2024", "5.1.2024"], &["05.01.2024."], "05.01.2024 10:30"),
        (
            "%Y/%m/%d(%a) %H:%M",
            &["2024/01/05(Fri)", "2024/01/05"],
            &["2024/01/05(Sat)"],
            "2024/01/05(Fri) 10:30",
        ),
        ("%a, %d.%m.%Y %H:%M", &["Fri, 05.01.2024"], &["05.01.2024"], "Fri, 05.01.2024 10:30"),
        ("%H:%M %d.%m.%Y", &["05.01.2024"], &["10:30", ":05.01.2024"], "10:30 05.01.2024"),
        ("%H:%M (%d.%m.%Y)", &["(05.01.2024)"], &["05.01.2024", "(05.01.2024"], "10:30 (05.01.2024)"),
        (
            "%H時%M分 %Y年%m月%d日",
            &["2024年01月05日"],
            &["2024年01月05", "分 2024年01月05日"],
            "10時30分 2024年01月05日",
        ),
        ("%I:%M %p, %d.%m.%Y", &["05.01.2024"], &[", 05.01.2024"], "10:30 AM, 05.01.2024"),
    ] {
        let reading = reading(None, Some(format));
        let midnight = day(2024, 1, 5).and_hms_opt(0, 0, 0).unwrap();
        for text in days {
            assert_eq!(
                parsed(&Kind::Date, text, &reading),
                Ok(Value::Date(day(2024, 1, 5))),
                "{format}: {text}"
            );
            assert_eq!(
                parsed(&Kind::Timestamp(6), text, &reading),
                Ok(Value::Timestamp(midnight)),
                "{format}: {text}"
            );
        }
        for text in others {
            for kind in [Kind::Date, Kind::Timestamp(6)] {
                assert!(parsed(&kind, text, &reading).is_err(), "{format}: {text}");
            }
        }
        let at = day(2024, 1, 5).and_hms_opt(10, 30, 0).unwrap();
        assert_eq!(parsed(&Kind::Timestamp(6), whole, &reading), Ok(Value::Timestamp(at)), "{format}");
        let says = parsed(&Kind::Date, whole, &reading).unwrap_err();
        assert!(says.starts_with("has a time of day"), "{format}: {says}");
        let says = parsed(&Kind::Date, "x", &reading).unwrap_err();
        let of_form =
            says.split_once(" or ").and_then(|(_, rest)| rest.strip_suffix(") (not_a_date)")).unwrap();
        assert_eq!(
            parsed(&Kind::Date, of_form, &reading),
            Ok(Value::Date(day(2001, 2, 3))),
            "{format}: {says}"
        );
    }
}

#[test]
fn the_examples_of_a_reject_are_values_that_the_column_takes() {
    let kinds = [Kind::Date, Kind::Timestamp(6), Kind::TimestampZone(6)];
    for format in [
        None,
        Some("%d.%m.%Y"),
        Some("%Y%m%d"),
        Some("%Y-%d-%m"),
        Some("%d/%m/%Y %I:%M %p"),
        Some("%d.%m.%Y %H:%M %z"),
        Some("%H:%M %d.%m.%Y"),
        Some("%s"),
    ] {
        let reading = reading(None, format);
        for kind in &kinds {
            let says = parsed(kind, "x", &reading).unwrap_err();
            let examples =
                says.split_once("(for example ").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
            let examples: Vec<_> = examples.split(" or ").collect();
            assert_eq!(examples.len(), if format.is_none_or(|format| format == "%Y-%d-%m") { 1 } else { 2 });
            for example in examples {
                assert!(parsed(kind, example, &reading).is_ok(), "{format:?} {kind:?}: {example}");
            }
        }
    }
}

#[test]
fn a_timestamp_begins_with_a_day_in_the_imports_form_or_is_of_it_as_a_whole() {
    let plain = Kind::Timestamp(6);
    let at = |h, m, s| Ok(Value::Timestamp(day(2024, 2, 9).and_hms_opt(h, m, s).unwrap()));
    let slashes = reading(None, Some("%Y/%m/%d"));
    assert_eq!(parsed(&plain, "2024/2/9 7:05", &slashes), at(7, 5, 0));
    assert_eq!(parsed(&plain, "2024/02/09T17:05:06", &slashes), at(17, 5, 6));
    assert_eq!(parsed(&plain, "2024/02/09", &slashes), at(0, 0, 0));
    let whole = reading(None, Some("%d/%m/%Y %I:%M %p"));
    assert_eq!(parsed(&plain, "09/02/2024 05:06 PM", &whole), at(17, 6, 0));
    for without_half in ["09/02/2024 17:06:07", "09/02/2024 9:05", "09/02/2024 09:05"] {
        let says = parsed(&plain, without_half, &whole).unwrap_err();
        assert!(says.ends_with("(not_a_timestamp)"), "{without_half}: {says}");
    }
    assert_eq!(parsed(&plain, "2024-02-09 17:06", &whole), at(17, 6, 0));
    assert_eq!(parsed(&Kind::Date, "09/02/2024", &whole), Ok(Value::Date(day(2024, 2, 9))));
    assert_eq!(parsed(&Kind::Date, "09/02/2024 12:00 AM", &whole), Ok(Value::Date(day(2024, 2, 9))));
    assert!(parsed(&Kind::Date, "09/02/2024 12:01 AM", &whole).unwrap_err().starts_with("has a time of day"));
    let fraction = reading(None, Some("%d/%m/%Y %H:%M:%S%.f"));
    assert!(parsed(&Kind::Timestamp(3), "09/02/2024 10:00:00.123", &fraction).is_ok());
    let says = parsed(&Kind::Timestamp(3), "09/02/2024 10:00:00.1234", &fraction).unwrap_err();
    assert!(says.ends_with("(too_precise)"), "{says}");
    assert!(parsed(&plain, "09/02/2024 10:00:60", &fraction).unwrap_err().ends_with("(out_of_range)"));
    assert!(parsed(&Kind::Timestamp(9), "09/02/2024 10:00:00.1234567891", &fraction).is_err());
}

#[test]
fn a_point_in_time_in_the_imports_form_needs_its_zone_too() {
    let zoned = Kind::TimestampZone(6);
    let point = Ok(Value::TimestampZone(DateTime::from_timestamp(1_707_440_700, 0).unwrap()));
    let inside = reading(None, Some("%d.%m.%Y %H:%M %z"));
    assert_eq!(parsed(&zoned, "09.02.2024 10:05 +0900", &inside), point);
    let behind = reading(None, Some("%d.%m.%Y %H:%M"));
    assert_eq!(parsed(&zoned, "09.02.2024 10:05+09:00", &behind), point);
    assert!(parsed(&zoned, "09.02.2024 10:05", &behind).unwrap_err().ends_with("(zone_missing)"));
    let says = parsed(&Kind::Timestamp(6), "09.02.2024 10:05 +0900", &inside).unwrap_err();
    assert!(says.ends_with("(zone_unexpected)"), "{says}");
    assert_eq!(parsed(&zoned, "1707440700", &reading(None, Some("%s"))), point);
}

#[test]
fn a_label_is_taken_to_the_letter() {
    let mood = Kind::Enum(Arc::new(Labels::new(["sad", "so so", " x"].map(str::to_owned).to_vec())));
    assert_eq!(value(&mood, "so so"), Value::Text("so so"));
    assert_eq!(value(&mood, " sad "), Value::Text("sad"));
    assert_eq!(value(&mood, " x"), Value::Text(" x"));
    assert_eq!(value(&mood, "  "), Value::Null);
    assert_eq!(misfit(&mood, "Sad"), "is not one of: sad, so so,  x (not_in_enum)");
}

#[test]
fn what_only_the_database_can_read_is_left_as_it_is() {
    assert_eq!(value(&Kind::Opaque, " {1,2} "), Value::Text(" {1,2} "));
    assert_eq!(value(&Kind::Opaque, ""), Value::Null);
    assert_eq!(misfit(&Kind::Opaque, "a\0"), "has a NUL character (nul_character)");
}
