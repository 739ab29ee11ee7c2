//! The command line against the contract.

use clap::Parser as _;
use ops::same_options;
use statemachine::{Findings, ImportOptions, OnConflict, RejectLimit};

use crate::arguments::{Cli, Verb};

fn options(arguments: &[&str]) -> Result<ImportOptions, String> {
    let fixed = ["baton", "run", "a.csv", "--table", "people"];
    let parsed = Cli::try_parse_from(fixed.iter().chain(arguments)).map_err(|error| error.to_string())?;
    let Verb::Run(run) = parsed.verb else { return Err("another verb".to_owned()) };
    run.file.options().map_err(|usage| usage.to_string())
}

#[test]
fn what_is_not_said_is_the_contracts_default() {
    assert_eq!(options(&[]).unwrap(), ImportOptions::default());
}

#[test]
fn every_option_of_the_contract_can_be_said() {
    let said = options(&[
        "--encoding",
        "Shift_JIS",
        "--delimiter",
        "\\t",
        "--escape",
        "\\",
        "--map",
        "氏名=name",
        "--map",
        "a=b=email",
        "--null",
        "-",
        "--empty",
        "null",
        "--date-format",
        "%d.%m.%Y",
        "--max-rejects",
        "0.5%",
        "--on-conflict",
        "update",
        "--key",
        "id,email",
        "--dry-run",
        "--limit",
        "10",
        "--max-record-bytes",
        "33554432",
        "--once",
        "--ignore-unknown",
    ]);
    let json = r#"{"max_rejects":"0.5%","ignore_unknown":true,"encoding":"cp932","delimiter":"tab","escape":"\\","map":{"a=b":"email","氏名":"name"},"null":"-","empty":"null","date_format":"%d.%m.%Y","on_conflict":"update","key":["id","email"],"dry_run":true,"limit":10,"max_record_bytes":33554432,"once":true}"#;
    assert_eq!(serde_json::to_string(&said.unwrap()).unwrap(), json);
    let said = options(&["--no-header", "--rebuild-indexes", "--null", "", "--max-rejects", "7"]).unwrap();
    assert!(said.no_header && said.rebuild_indexes);
    assert_eq!((said.null.as_deref(), said.max_rejects), (Some(""), RejectLimit::Rows(7)));
    assert_eq!(options(&["--on-conflict", "skip"]).unwrap().on_conflict, OnConflict::Skip);
}

#[test]
fn a_contradiction_is_said_at_once_and_with_a_way_out() {
    let cases: [(&[&str], &str); 7] = [
        (&["--key", "id"], "--on-conflict skip or update"),
        (&["--no-header", "--map", "a=b"], "--map renames columns of a header"),
        (&["--rebuild-indexes", "--on-conflict", "skip"], "which --rebuild-indexes drops"),
        (&["--rebuild-indexes", "--on-conflict", "update"], "which --rebuild-indexes drops"),
        (&["--dry-run", "--create-table"], "--dry-run makes nothing"),
        (&["--map", "a=b", "--map", "a=c"], r#"two columns, "b" and "c""#),
        (&["--delimiter", "|", "--escape", "|"], "the same sign"),
    ];
    for (arguments, words) in cases {
        let refusal = options(arguments).unwrap_err();
        assert!(refusal.contains(words), "{words:?} is missing for {arguments:?}: {refusal}");
    }
    let both = options(&["--key", "id", "--no-header", "--map", "a=b"]).unwrap_err();
    assert_eq!(both.lines().count(), 2, "{both}");
}

#[test]
fn a_value_that_is_none_is_answered_with_what_would_be_one() {
    let cases: [(&[&str], &str); 10] = [
        (&["--encoding", "klingon"], "cp932"),
        (&["--delimiter", "ab"], "tab"),
        (&["--escape", "\""], "usually \\"),
        (&["--map", "name"], "Full Name=full_name"),
        (&["--map", "=name"], "Full Name=full_name"),
        (&["--max-rejects", "101%"], "0.5%"),
        (&["--on-conflict", "replace"], "update"),
        (&["--limit", "0"], "1"),
        (&["--max-record-bytes", "5"], "1024 to 268435456"),
        (&["--empty", "none"], "quoted"),
    ];
    for (arguments, words) in cases {
        let refusal = options(arguments).unwrap_err();
        assert!(refusal.contains(words), "{words:?} is missing for {arguments:?}: {refusal}");
    }
}

#[test]
fn the_options_that_are_suggested_for_corrected_rows_are_those_of_their_import() {
    let json = r#"{"ignore_unknown":true,"encoding":"cp932","delimiter":";","null":"-","empty":"text",
        "date_format":"%d.%m.%Y","map":{"a=b":"c","-x":"y"},"on_conflict":"skip","key":["id","v"],"max_record_bytes":1024}"#;
    let expected: ImportOptions = serde_json::from_str(json).unwrap();
    let suggested = same_options::of_rejects(&expected, &Findings::default()).replace('\'', "");
    assert_eq!(options(&suggested.split(' ').collect::<Vec<_>>()).unwrap(), expected);
}
