//! Days and times in a form of the import's own.

use super::forms::{day, parsed, rules};
use super::*;

#[test]
fn a_date_may_have_the_imports_own_form() {
    let slashes = rules(None, Some("%Y/%m/%d"));
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
    let japanese = rules(None, Some("%Y年%m月%d日"));
    assert_eq!(parsed(&Kind::Date, "２０２４年２月９日", &japanese), Ok(Value::Date(day(2024, 2, 9))));
    let american = rules(None, Some("%m/%d/%y"));
    assert_eq!(parsed(&Kind::Date, "2/9/24", &american), Ok(Value::Date(day(2024, 2, 9))));
    // What could be both is read by the form that the import names.
    let swapped = rules(None, Some("%Y-%d-%m"));
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
        let rules = rules(None, Some(format));
        assert_eq!(parsed(&Kind::Date, whole, &rules), Ok(Value::Date(day(2024, 11, 1))), "{format}");
        for text in short {
            let says = parsed(&Kind::Date, text, &rules).unwrap_err();
            assert!(says.ends_with("(not_a_date)"), "{format} {text}: {says}");
        }
    }
    let stamp = rules(None, Some("%Y%m%d%H%M%S"));
    let at = day(2024, 11, 1).and_hms_opt(7, 5, 6).unwrap();
    assert_eq!(parsed(&Kind::Timestamp(6), "20241101070506", &stamp), Ok(Value::Timestamp(at)));
    for text in ["2024110107056", "2024110170506", "202411170506", "20241101 70506"] {
        assert!(parsed(&Kind::Timestamp(6), text, &stamp).is_err(), "{text}");
    }
}

#[test]
fn a_time_before_its_day_is_not_lost_in_a_column_of_days() {
    let first = rules(None, Some("%H:%M %d.%m.%Y"));
    assert_eq!(parsed(&Kind::Date, "00:00 09.02.2024", &first), Ok(Value::Date(day(2024, 2, 9))));
    for (format, text) in [("%H:%M %d.%m.%Y", "17:05 09.02.2024"), ("%s", "1707440700")] {
        let says = parsed(&Kind::Date, text, &rules(None, Some(format))).unwrap_err();
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
        let rules = rules(None, Some(format));
        let midnight = day(2024, 1, 5).and_hms_opt(0, 0, 0).unwrap();
        for text in days {
            assert_eq!(
                parsed(&Kind::Date, text, &rules),
                Ok(Value::Date(day(2024, 1, 5))),
                "{format}: {text}"
            );
            assert_eq!(
                parsed(&Kind::Timestamp(6), text, &rules),
                Ok(Value::Timestamp(midnight)),
                "{format}: {text}"
            );
        }
        for text in others {
            for kind in [Kind::Date, Kind::Timestamp(6)] {
                assert!(parsed(&kind, text, &rules).is_err(), "{format}: {text}");
            }
        }
        let at = day(2024, 1, 5).and_hms_opt(10, 30, 0).unwrap();
        assert_eq!(parsed(&Kind::Timestamp(6), whole, &rules), Ok(Value::Timestamp(at)), "{format}");
        let says = parsed(&Kind::Date, whole, &rules).unwrap_err();
        assert!(says.starts_with("has a time of day"), "{format}: {says}");
        let says = parsed(&Kind::Date, "x", &rules).unwrap_err();
        let of_form =
            says.split_once(" or ").and_then(|(_, rest)| rest.strip_suffix(") (not_a_date)")).unwrap();
        assert_eq!(
            parsed(&Kind::Date, of_form, &rules),
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
        Some("%d.%m.%Y %H:%MZ"),
        Some("%H:%M %d.%m.%Y"),
        Some("%s"),
    ] {
        let rules = rules(None, format);
        for kind in &kinds {
            let says = parsed(kind, "x", &rules).unwrap_err();
            let examples =
                says.split_once("(for example ").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
            let examples: Vec<_> = examples.split(" or ").collect();
            assert_eq!(examples.len(), if format.is_none_or(|format| format == "%Y-%d-%m") { 1 } else { 2 });
            for example in examples {
                assert!(parsed(kind, example, &rules).is_ok(), "{format:?} {kind:?}: {example}");
            }
        }
    }
}

#[test]
fn a_timestamp_begins_with_a_day_in_the_imports_form_or_is_of_it_as_a_whole() {
    let plain = Kind::Timestamp(6);
    let at = |h, m, s| Ok(Value::Timestamp(day(2024, 2, 9).and_hms_opt(h, m, s).unwrap()));
    let slashes = rules(None, Some("%Y/%m/%d"));
    assert_eq!(parsed(&plain, "2024/2/9 7:05", &slashes), at(7, 5, 0));
    assert_eq!(parsed(&plain, "2024/02/09T17:05:06", &slashes), at(17, 5, 6));
    assert_eq!(parsed(&plain, "2024/02/09", &slashes), at(0, 0, 0));
    let whole = rules(None, Some("%d/%m/%Y %I:%M %p"));
    assert_eq!(parsed(&plain, "09/02/2024 05:06 PM", &whole), at(17, 6, 0));
    for without_half in ["09/02/2024 17:06:07", "09/02/2024 9:05", "09/02/2024 09:05"] {
        let says = parsed(&plain, without_half, &whole).unwrap_err();
        assert!(says.ends_with("(not_a_timestamp)"), "{without_half}: {says}");
    }
    assert_eq!(parsed(&plain, "2024-02-09 17:06", &whole), at(17, 6, 0));
    assert_eq!(parsed(&Kind::Date, "09/02/2024", &whole), Ok(Value::Date(day(2024, 2, 9))));
    assert_eq!(parsed(&Kind::Date, "09/02/2024 12:00 AM", &whole), Ok(Value::Date(day(2024, 2, 9))));
    assert!(parsed(&Kind::Date, "09/02/2024 12:01 AM", &whole).unwrap_err().starts_with("has a time of day"));
    let fraction = rules(None, Some("%d/%m/%Y %H:%M:%S%.f"));
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
    let inside = rules(None, Some("%d.%m.%Y %H:%M %z"));
    assert_eq!(parsed(&zoned, "09.02.2024 10:05 +0900", &inside), point);
    let behind = rules(None, Some("%d.%m.%Y %H:%M"));
    assert_eq!(parsed(&zoned, "09.02.2024 10:05+09:00", &behind), point);
    assert!(parsed(&zoned, "09.02.2024 10:05", &behind).unwrap_err().ends_with("(zone_missing)"));
    let says = parsed(&Kind::Timestamp(6), "09.02.2024 10:05 +0900", &inside).unwrap_err();
    assert!(says.ends_with("(zone_unexpected)"), "{says}");
    assert_eq!(parsed(&zoned, "1707440700", &rules(None, Some("%s"))), point);
}

#[test]
fn a_zone_behind_a_form_that_has_one_or_is_a_moment_is_none_of_the_form() {
    for (format, value) in [
        ("%d.%m.%Y %H:%M %z", "09.02.2024 10:05 +0900"),
        ("%d.%m.%Y %H:%M %:z", "09.02.2024 10:05 +09:00"),
        ("%d.%m.%Y %H:%M:%S%z", "09.02.2024 10:05:00+0900"),
        ("%H:%M%z %d.%m.%Y", "10:05+0900 09.02.2024"),
        ("%Y-%m-%dT%H:%M:%S%z", "2024-02-09T10:05:00+0900"),
        ("%d.%m.%Y %H:%MZ", "09.02.2024 01:05Z"),
        ("%+", "2024-02-09T10:05:00+09:00"),
        ("%s", "1707440700"),
    ] {
        let rules = rules(None, Some(format));
        let point = Ok(Value::TimestampZone(DateTime::from_timestamp(1_707_440_700, 0).unwrap()));
        assert_eq!(parsed(&Kind::TimestampZone(6), value, &rules), point, "{format}");
        for behind in ["+09:00", " +09:00", "-05:00", "+0900", "+09", "Z", " Z", "UTC", "+00:00"] {
            for kind in [Kind::TimestampZone(6), Kind::Timestamp(6)] {
                let says = parsed(&kind, &format!("{value}{behind}"), &rules).unwrap_err();
                assert!(says.ends_with("(not_a_timestamp)"), "{format} {value}{behind}: {says}");
            }
        }
    }
    // A word is no zone.
    let word = rules(None, Some("%d.%m.%Y %H:%M NZ"));
    let says = parsed(&Kind::TimestampZone(6), "09.02.2024 10:05 NZ", &word).unwrap_err();
    assert!(says.ends_with("(zone_missing)"), "{says}");
    // In UTC nothing is lost, and a second zone is one too many there, too.
    let inside = rules(None, Some("%d.%m.%Y %H:%M %z"));
    assert!(parsed(&Kind::Timestamp(6), "09.02.2024 10:05 +0000", &inside).is_ok());
    let says = parsed(&Kind::Timestamp(6), "09.02.2024 10:05 +0000+09:00", &inside).unwrap_err();
    assert!(says.ends_with("(not_a_timestamp)"), "{says}");
}
