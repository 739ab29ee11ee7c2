//! The README's table of what SQLite keeps, against texts drawn at random: what an insert, a skip and an update store of each is
//! what the table says, or the row is a reject.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree as _;
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use statemachine::{ImportOptions, OnConflict};

use super::world::World;

const ROWS: usize = 80;

/// What is stored of a text, as `typeof` and the value; `None` for a reject.
type Stored = fn(&str) -> Option<String>;

/// Declared types that keep the same, texts that often are values of them, and what is kept.
const TYPES: &[(&[&str], &str, Stored)] = &[
    (
        &["INTEGER", "BIGINT", "TINYINT(1)", "YEAR", "serial", "INT UNSIGNED"],
        "[+-]?[0-9]{1,20}|[a1]{1,2}",
        whole,
    ),
    (
        &["TEXT", "VARCHAR(20)", "clob", "", "NATIVE CHARACTER(20)"],
        "[ -~東]{1,20}|-?0{0,8}[0-9]\\.[0-9]0",
        text,
    ),
    (
        &["REAL", "FLOAT", "DOUBLE PRECISION"],
        "-?[0-9]{1,18}(\\.[0-9]{1,9})?(e-?[0-9]{1,2})?|x[0-9]",
        fraction,
    ),
    (
        &["DECIMAL", "NUMERIC", "MONEY", "DEC", "FIXED", "NUMBER"],
        "-?[0-9]{1,20}(\\.[0-9]{1,16})?|-?[0-9]{1,4}\\.[0-9]{1,4}|x",
        decimal,
    ),
    (&["BOOLEAN", "BOOL", "BIT", "bit (1)"], "t|F|true|FALSE|yes|No|y|n|on|OFF|1|0|2|tr|Fal|o|maybe", truth),
    (&["DATE"], "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]", day),
    (
        &[
            "DATETIME",
            "DATETIME2(7)",
            "SMALLDATETIME",
            "TIMESTAMP",
            "TIMESTAMP_NTZ",
            "timestamp without time zone",
        ],
        "[12][0-9]{3}-[01][0-9]-[0-2][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-5][0-9]",
        moment,
    ),
    (&["TIME", "time without time zone"], "([01][0-9]|2[0-3]):[0-7][0-9]:[0-5][0-9](\\.[0-9]{1,9})?", time),
    (
        &["TIMESTAMPTZ", "DATETIMEOFFSET", "TIMESTAMP WITH TIME ZONE", "timestamp_ltz"],
        "[12][0-9]{3}-[01][0-9]-[0-2][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](Z|[+-]0[0-9]:[03]0)",
        point_in_time,
    ),
    (
        &["JSON", "JSONB"],
        r#"\{"a": ?(1|1\.50|nul|null|"東")\}|-?[1-9][0-9]{0,20}|[0-9]\.[0-9]{1,2}|[1-9]e[0-9]|\[1,[ 2]\]|null"#,
        json,
    ),
    (
        &["TIMETZ", "INTERVAL", "POINT", "XML", "inet", "LTREE", "GEOGRAPHY", "time with time zone"],
        "[a-z0-9.:/]{1,12}|[0-9]{1,3}\\.[0-9]{1,2}|-?[0-9]{1,20}|[1-9]e[0-9]",
        other_text,
    ),
    (&["UUID", "GUID", "UNIQUEIDENTIFIER"], "[0-9a-fA-F]{8}(-[0-9a-f]{4}){3}-[0-9A-F]{11,12}", uuid),
    (&["BLOB", "BYTEA", "VARBINARY(99)", "LONG RAW", "IMAGE"], "\\\\x([0-9a-fA-F]{2}){1,8}[0-9a-g]?", bytes),
];

fn whole(text: &str) -> Option<String> {
    text.parse::<i64>().ok().map(|number| format!("integer {number}"))
}

fn text(text: &str) -> Option<String> {
    Some(format!("text {text}"))
}

fn fraction(text: &str) -> Option<String> {
    text.parse::<f64>().ok().map(|number| format!("real {:?}", number + 0.0))
}

fn decimal(text: &str) -> Option<String> {
    let (before, behind) = text.split_once('.').unwrap_or((text, ""));
    let behind = behind.trim_end_matches('0');
    if behind.is_empty() {
        return whole(before);
    }
    let digits = format!("{}{behind}", before.trim_start_matches('-'));
    if digits.trim_start_matches('0').len() > 15 {
        return None;
    }
    fraction(text)
}

fn truth(text: &str) -> Option<String> {
    match text.to_lowercase().as_str() {
        "t" | "tr" | "true" | "yes" | "y" | "on" | "1" => Some("integer 1".to_owned()),
        "f" | "fal" | "false" | "no" | "n" | "off" | "0" => Some("integer 0".to_owned()),
        _ => None,
    }
}

fn day(text: &str) -> Option<String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    // PostgreSQL has no year 0, and so no import has.
    (!text.starts_with("0000")).then(|| format!("text {day}"))
}

fn moment(text: &str) -> Option<String> {
    let moment = NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S").ok()?;
    Some(format!("text {moment}"))
}

fn time(text: &str) -> Option<String> {
    NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok().map(|time| format!("text {time}"))
}

fn point_in_time(text: &str) -> Option<String> {
    let text = text.replace('T', " ").replace('Z', "+00:00");
    let time = DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%:z").ok()?.to_utc();
    Some(format!("text {}", time.format("%Y-%m-%d %H:%M:%S+00:00")))
}

fn json(text: &str) -> Option<String> {
    serde_json::from_str::<serde_json::Value>(text).ok()?;
    other_text(text)
}

/// SQLite makes a number of a text that is nothing else.
fn other_text(text: &str) -> Option<String> {
    let is_number = text.bytes().all(|byte| b"0123456789.e-".contains(&byte)) && text.parse::<f64>().is_ok();
    if !is_number {
        return Some(format!("text {text}"));
    }
    let whole = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
    let fraction =
        || text.parse::<f64>().ok().filter(|number| number.to_string() == text && text.contains('.'));
    match whole {
        Some(number) => Some(format!("integer {number}")),
        None => fraction().map(|number| format!("real {number:?}")),
    }
}

fn uuid(text: &str) -> Option<String> {
    (text.len() == 36).then(|| format!("text {}", text.to_lowercase()))
}

fn bytes(text: &str) -> Option<String> {
    let digits = text.strip_prefix("\\x")?;
    let is_hex = digits.len() % 2 == 0 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| format!("blob {}", digits.to_uppercase()))
}

/// Imports the texts under the keys 1 to [`ROWS`], and gives what is in the table: key, type, value.
fn stored(declared: &str, texts: &[String], on_conflict: OnConflict) -> BTreeMap<usize, String> {
    let world = World::sqlite(&format!("CREATE TABLE t (k INTEGER PRIMARY KEY, v {declared})"));
    if on_conflict == OnConflict::Update {
        let keys = (1..=ROWS).map(|key| format!("({key})")).collect::<Vec<_>>().join(",");
        world.execute(&format!("INSERT INTO t (k) VALUES {keys}"));
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["k", "v"]).unwrap();
    for (place, text) in texts.iter().enumerate() {
        writer.write_record([&(place + 1).to_string(), text]).unwrap();
    }
    let max_rejects = "100%".parse().unwrap();
    let options = ImportOptions { max_rejects, on_conflict, ..ImportOptions::default() };
    let (result, findings) = world.import_as("t", &writer.into_inner().unwrap(), "t", options);
    assert!(result.is_ok(), "{declared}: {findings:?}");
    let shown = "CASE typeof(v) WHEN 'blob' THEN hex(v) WHEN 'real' THEN printf('%!.17g', v) ELSE v END";
    let lines = world
        .lines(&format!("SELECT k || ' ' || typeof(v) || ' ' || {shown} AS line FROM t WHERE v IS NOT NULL"));
    let split = |line: &String| {
        let (key, kept) = line.split_once(' ').unwrap();
        (key.parse().unwrap(), kept.to_owned())
    };
    lines.iter().map(split).collect()
}

/// Binary fractions may be written with more digits than they need.
fn is_same(kept: &str, expected: &str) -> bool {
    match (kept.strip_prefix("real "), expected.strip_prefix("real ")) {
        (Some(kept), Some(expected)) => kept.parse::<f64>().unwrap() == expected.parse::<f64>().unwrap(),
        _ => kept == expected,
    }
}

#[test]
fn sqlite_stores_of_any_text_what_the_readme_says() {
    let mut runner = TestRunner::deterministic();
    for (declared, pattern, expect) in TYPES {
        let (mut kept_count, mut reject_count) = (0, 0);
        for declared in *declared {
            for on_conflict in [OnConflict::Error, OnConflict::Skip, OnConflict::Update] {
                let texts = prop::collection::vec(string_regex(pattern).unwrap(), ROWS);
                let texts = texts.new_tree(&mut runner).unwrap().current();
                let kept = stored(declared, &texts, on_conflict);
                for (place, text) in texts.iter().enumerate() {
                    let (kept, expected) = (kept.get(&(place + 1)), expect(text));
                    let is_right = match (kept, &expected) {
                        (Some(kept), Some(expected)) => is_same(kept, expected),
                        (kept, expected) => kept.is_none() && expected.is_none(),
                    };
                    assert!(is_right, "{declared}, {on_conflict:?}: {text:?} is {kept:?}, not {expected:?}");
                    *(if expected.is_some() { &mut kept_count } else { &mut reject_count }) += 1;
                }
            }
        }
        let has_rejects = !declared.contains(&"TEXT");
        assert!(
            kept_count > 50 && (reject_count > 10) == has_rejects,
            "{declared:?}: {kept_count}, {reject_count}"
        );
    }
}
