//! The table of the README: what a column of each declared type keeps of a value is that value, or the row is a reject.

use statemachine::{Findings, ImportOptions};

use super::world::World;

fn import(declared: &str, values: &[&str]) -> (Vec<String>, Findings) {
    let world = World::sqlite(&format!("CREATE TABLE t (v {declared})"));
    let quoted: Vec<_> = values.iter().map(|value| format!("\"{}\"\n", value.replace('"', "\"\""))).collect();
    let options = ImportOptions { max_rejects: "100%".parse().unwrap(), ..ImportOptions::default() };
    let (result, findings) = world.import_as("t", format!("v\n{}", quoted.concat()).as_bytes(), "t", options);
    result.unwrap();
    let shown = "CASE typeof(v) WHEN 'blob' THEN hex(v) ELSE v END";
    (world.lines(&format!("SELECT typeof(v) || ' ' || {shown} AS line FROM t ORDER BY rowid")), findings)
}

/// All values are kept, as these.
fn keeps(declared: &str, values: &[(&str, &str)]) {
    let (given, expected): (Vec<_>, Vec<_>) = values.iter().copied().unzip();
    let (kept, findings) = import(declared, &given);
    assert_eq!(kept, expected, "{declared}: {findings:?}");
}

/// All values are rejects, for this reason.
fn rejects(declared: &str, reason: &str, values: &[&str]) {
    let (kept, findings) = import(declared, values);
    assert!(kept.is_empty(), "{declared}: {kept:?}");
    assert_eq!(findings.reasons.get(reason).copied(), Some(values.len() as u64), "{declared}: {findings:?}");
}

#[test]
fn whole_numbers_are_kept_to_the_ends_of_64_bits() {
    for declared in ["INTEGER", "BIGINT UNSIGNED", "INT2", "YEAR", "SERIAL"] {
        keeps(
            declared,
            &[
                ("9223372036854775807", "integer 9223372036854775807"),
                ("-9223372036854775808", "integer -9223372036854775808"),
                ("-0", "integer 0"),
            ],
        );
        rejects(declared, "out_of_range", &["9223372036854775808"]);
        rejects(declared, "not_an_integer", &["1.5", "abc"]);
    }
}

#[test]
fn decimal_numbers_are_kept_to_the_digit_or_are_rejects() {
    for declared in ["DECIMAL", "NUMERIC", "MONEY", "NUMBER"] {
        keeps(
            declared,
            &[
                ("1.50", "real 1.5"),
                ("2.0", "integer 2"),
                ("9223372036854775807", "integer 9223372036854775807"),
                ("0.123456789012345", "real 0.123456789012345"),
                ("1e300", "real 1.0e+300"),
            ],
        );
        rejects(declared, "out_of_range", &["1e400", "-1e400", "1e-400", "1.5e-310"]);
        rejects(
            declared,
            "too_precise",
            &["9223372036854775808", "0.1234567890123456", "9007199254740993.5"],
        );
    }
    rejects("DECIMAL(5,2)", "too_precise", &["1.005"]);
}

#[test]
fn a_binary_fraction_is_the_nearest_one() {
    for declared in ["REAL", "FLOAT", "DOUBLE PRECISION", "FLOATING POINT"] {
        let (kept, _) = import(declared, &["0.1", "9007199254740993", "-1.5"]);
        let expected = ["real 0.1", "real 9007199254740992.0", "real -1.5"];
        let expected = match declared {
            // To SQLite this is a type of whole numbers, which keeps others as well.
            "FLOATING POINT" => [expected[0], "integer 9007199254740992", expected[2]],
            _ => expected,
        };
        assert_eq!(kept, expected, "{declared}");
        rejects(declared, "out_of_range", &["1e400", "1e-400"]);
    }
}

#[test]
fn days_and_times_are_texts_that_sqlites_functions_read() {
    keeps("DATE", &[("2024-02-29", "text 2024-02-29")]);
    keeps("TIME", &[("23:59:59.5", "text 23:59:59.500")]);
    for declared in ["DATETIME", "DATETIME2(7)", "SMALLDATETIME", "TIMESTAMP", "timestamp without time zone"]
    {
        keeps(declared, &[("2024-02-29T01:02:03", "text 2024-02-29 01:02:03")]);
    }
    for declared in ["TIMESTAMPTZ", "DATETIMEOFFSET", "timestamp with time zone"] {
        keeps(
            declared,
            &[
                ("2024-02-29T01:02:03+09:00", "text 2024-02-28 16:02:03+00:00"),
                ("9999-12-31T23:30:00Z", "text 9999-12-31 23:30:00+00:00"),
            ],
        );
        rejects(declared, "out_of_range", &["9999-12-31T23:30:00-09:00"]);
    }
}

#[test]
fn texts_stay_as_they_are() {
    for declared in ["TEXT", "VARCHAR(20)", "NVARCHAR2(20)", "NCLOB", ""] {
        keeps(
            declared,
            &[("007", "text 007"), (" 1.50 ", "text  1.50 "), ("-0", "text -0"), ("1e5", "text 1e5")],
        );
    }
    for declared in ["TIMETZ", "XML", "INTERVAL", "POINT", "INET", "JSON"] {
        keeps(declared, &[("12", "integer 12"), ("1.5", "real 1.5")]);
        rejects(declared, "refused", &["1.50", "12345678901234567890", "1e5"]);
    }
    keeps("TIMETZ", &[("12:00:00+09", "text 12:00:00+09")]);
    keeps("XML", &[("<a>007</a>", "text <a>007</a>")]);
    keeps("JSON", &[("{\"a\": 1.0}", "text {\"a\": 1.0}")]);
    rejects("VARCHAR(3)", "too_long", &["abcd"]);
}

#[test]
fn bytes_and_truth_and_uuids_have_one_form() {
    for declared in ["BLOB", "BYTEA", "VARBINARY(16)", "IMAGE"] {
        keeps(declared, &[("\\x00fF", "blob 00FF"), ("\\x3132", "blob 3132")]);
        rejects(declared, "not_hex", &[" ", "\t", "\u{3000}", "\" \"", "12"]);
    }
    for declared in ["BOOLEAN", "BIT", "bit(1)"] {
        keeps(declared, &[("yes", "integer 1"), ("F", "integer 0")]);
        rejects(declared, "not_a_boolean", &["2"]);
    }
    for declared in ["UUID", "UNIQUEIDENTIFIER"] {
        keeps(declared, &[("67E5504410B1426F9247BB680E5FE0C8", "text 67e55044-10b1-426f-9247-bb680e5fe0c8")]);
    }
}

#[test]
fn a_strict_table_keeps_its_own_types() {
    let world = World::sqlite("CREATE TABLE t (i INT, r REAL, x TEXT, b BLOB, a ANY) STRICT");
    world.import(b"i,r,x,b,a\n-1,2,007,\\xff,007\n", "t", ImportOptions::default()).unwrap();
    let types =
        "SELECT typeof(i)||' '||typeof(r)||' '||typeof(x)||' '||typeof(b)||' '||typeof(a)||a AS line FROM t";
    assert_eq!(world.lines(types), ["integer real text blob text007"]);
}
