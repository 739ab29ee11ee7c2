//! Values in other forms than the usual: full-width, with another marker of NULL; and the kinds that stay text.

use statemachine::{EmptyFields, ImportOptions};

use super::*;

pub(super) fn rules(null: Option<&str>, date_format: Option<&str>) -> FieldRules {
    let (null, date_format) = (null.map(str::to_owned), date_format.map(str::to_owned));
    FieldRules::of(&ImportOptions { null, date_format, ..ImportOptions::default() }).unwrap()
}

pub(super) fn parsed<'a>(kind: &Kind, field: &'a str, rules: &FieldRules) -> Result<Value<'a>, String> {
    let says = |misfit: Misfit| format!("{} ({})", misfit.says, misfit.reason.code());
    kind.parse(field.as_bytes(), rules).map_err(says)
}

pub(super) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
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
    let marked = rules(Some("\\N"), None);
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
    assert_eq!(parsed(&integer, "", &rules(Some(""), None)), Ok(Value::Null));
}

fn in_quotes<'a>(kind: &Kind, field: &'a str, rules: &FieldRules) -> Result<Value<'a>, String> {
    let says = |misfit: Misfit| format!("{} ({})", misfit.says, misfit.reason.code());
    match kind.read(field.as_bytes(), rules) {
        Ok(Value::Null) => kind.absent(field.as_bytes(), Quoted::Yes, false, rules).map_err(says),
        read => read.map_err(says),
    }
}

#[test]
fn an_empty_field_in_quotes_is_the_empty_value_of_types_that_have_one() {
    let rules = FieldRules::default();
    let mood = |labels: &[&str]| {
        Kind::Enum(Arc::new(Labels::new(labels.iter().map(|label| (*label).to_owned()).collect())))
    };
    for kind in [TEXT, Kind::Text { max_characters: Some(3) }, mood(&["", "ok"])] {
        assert_eq!(in_quotes(&kind, "", &rules), Ok(Value::Text("")));
        assert_eq!(parsed(&kind, "", &rules), Ok(Value::Null));
    }
    assert_eq!(in_quotes(&Kind::Bytes, "", &rules), Ok(Value::Hex("")));
    let others =
        [Kind::Integer(Width::Four), Kind::Date, Kind::Json, Kind::Uuid, mood(&["ok"]), Kind::Opaque];
    for kind in others {
        assert_eq!(in_quotes(&kind, "", &rules), Ok(Value::Null), "{kind:?}");
        assert_eq!(in_quotes(&kind, " ", &rules), Ok(Value::Null), "{kind:?}");
    }
    let of_server = Kind::Opaque.absent(b"", Quoted::Yes, true, &rules);
    assert_eq!(of_server, Ok(Value::Text("")));
}

fn options_of(null: &str) -> FieldRules {
    rules(Some(null), None)
}

fn with_empty(empty: EmptyFields, null: Option<&str>) -> FieldRules {
    let options =
        ImportOptions { empty: Some(empty), null: null.map(str::to_owned), ..ImportOptions::default() };
    FieldRules::of(&options).unwrap()
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
        let rules = with_empty(option, marker);
        assert_eq!(&in_quotes(&TEXT, "", &rules), quoted, "{option:?} {marker:?}");
        assert_eq!(&parsed(&TEXT, "", &rules), plain, "{option:?} {marker:?}");
        assert_eq!(&parsed(&integer, "", &rules), number, "{option:?} {marker:?}");
        assert_eq!(&in_quotes(&integer, "", &rules), number, "{option:?} {marker:?}");
        assert_eq!(parsed(&integer, " ", &rules), null, "{option:?} {marker:?}");
    }
    let rules = with_empty(EmptyFields::Text, Some("-"));
    assert!(parsed(&integer, "", &rules).unwrap_err().ends_with("(empty)"));
}

#[test]
fn the_text_of_null_is_a_value_in_quotes_where_the_type_has_it() {
    let rules = rules(Some("NULL"), None);
    assert_eq!(parsed(&TEXT, "NULL", &rules), Ok(Value::Null));
    assert_eq!(in_quotes(&TEXT, "NULL", &rules), Ok(Value::Text("NULL")));
    assert_eq!(in_quotes(&Kind::Opaque, "NULL", &rules), Ok(Value::Text("NULL")));
    assert_eq!(in_quotes(&Kind::Integer(Width::Four), "NULL", &rules), Ok(Value::Null));
    assert_eq!(in_quotes(&Kind::Date, " NULL ", &rules), Ok(Value::Null));
    rules.end_row(true);
    assert_eq!(rules.notes().len(), 1);
    assert!(rules.notes()[0].starts_with("\"NULL\" stands in quotes in 2 fields,"), "{:?}", rules.notes());
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
        let rules = options_of("NULL");
        let says = in_quotes(kind, "NULL", &rules).unwrap_err();
        assert!(says.ends_with(&format!("{advice} ({reason})")), "{says}");
        rules.end_row(true);
        assert!(rules.notes().is_empty(), "it was not taken for a value");
        assert_eq!(parsed(kind, "NULL", &rules), Ok(Value::Null));
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
    let rules = FieldRules::default().on(Some(150_000));
    match parsed(kind, field, &rules)? {
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
        assert!(parsed(kind, field, &FieldRules::default()).is_err(), "{field}");
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
    let swapped = rules(None, Some("%Y-%d-%m")).on(Some(150_000));
    assert!(parsed(&Kind::Date, "2024-01-31", &swapped).is_err());
    let newer = FieldRules::default().on(Some(160_000));
    assert_eq!(parsed(&Kind::Integer(Width::Two), "-0x1F", &newer), Ok(Value::Integer(-31)));
    assert!(parsed(&Kind::Integer(Width::Two), "0xFFFF", &newer).unwrap_err().ends_with("(out_of_range)"));
    assert!(parsed(&numeric, "1_000.5", &newer).is_ok());
}

#[test]
fn what_somebody_could_mean_otherwise_is_counted() {
    let rules = FieldRules::default().on(Some(150_000));
    let three = Kind::Text { max_characters: Some(3) };
    for (kind, field) in [(&three, "abc "), (&three, "ab "), (&three, "abc   "), (&Kind::Bytes, "00ff")] {
        parsed(kind, field, &rules).unwrap();
        rules.end_row(true);
        // Of a reject nothing is stored.
        parsed(kind, field, &rules).unwrap();
        rules.end_row(false);
    }
    let notes = rules.notes();
    assert_eq!(notes.len(), 2);
    assert!(notes[0].starts_with("blanks at the end of 2 fields were cut"), "{notes:?}");
    assert!(notes[1].starts_with("1 field for bytea had hexadecimal digits without \\x"), "{notes:?}");
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

#[test]
fn white_space_alone_is_bytes_or_none_and_never_nothing() {
    for null in [None, Some("-")] {
        let (of_sqlite, on_server) = (rules(null, None), rules(null, None).on(Some(150_000)));
        for text in [" ", "\t", " \r\n", "\u{a0}", "\u{3000}", " \u{3000}"] {
            let none = Err("is not \\x and pairs of hexadecimal digits (not_hex)".to_owned());
            let bytes = || if text.is_ascii() { Ok(Value::Bytes(text.into())) } else { none.clone() };
            for read in [parsed, in_quotes] {
                assert_eq!(read(&Kind::Bytes, text, &on_server), bytes(), "{null:?} {text:?}");
                assert_eq!(read(&Kind::Bytes, text, &of_sqlite), none, "{null:?} {text:?}");
            }
        }
    }
}
