//! The checking of a file alone, without a database: how many megabytes a second are read, and how many are checked and
//! written down in the database's form besides.

use std::fs::File;
use std::time::Instant;

use statemachine::ImportOptions;
use worker::import::{check_all, read_all};

use crate::arguments::Arguments;
use crate::data::{Content, Files, Keys, Recipe};

const COLUMNS: [(&str, &str); 8] = [
    ("id", "UUID"),
    ("name", "TEXT"),
    ("quantity", "INTEGER"),
    ("price", "DECIMAL(12,2)"),
    ("born", "DATE"),
    ("active", "BOOLEAN"),
    ("seen", "TIMESTAMP"),
    ("note", "TEXT"),
];

/// Measures both, in turn.
pub(crate) fn measure(arguments: &Arguments, files: &Files) -> Vec<String> {
    let file = files.get(Recipe { keys: Keys::Random, content: Content::Whole, rows: arguments.rows });
    let open = || File::open(&file.path).expect("the file is there");
    let (mut reading, mut checking) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let started = Instant::now();
        let counts = read_all(open(), &ImportOptions::default()).expect("the file can be read");
        reading.push(started.elapsed().as_secs_f64());
        assert_eq!(counts.records, arguments.rows + 1, "every row is read");
        let started = Instant::now();
        let checked =
            check_all(open(), &COLUMNS, &ImportOptions::default()).expect("the file can be checked");
        checking.push(started.elapsed().as_secs_f64());
        assert_eq!((checked.rows, checked.rejects), (arguments.rows, 0), "every row fits");
    }
    crate::said::say("\n**Without a database**, on one core.\n");
    crate::said::say("| what | seconds | MB/s |");
    crate::said::say("|---|---:|---:|");
    for (what, mut seconds) in [("reading", reading), ("reading, checking and writing down", checking)] {
        seconds.sort_by(f64::total_cmp);
        let median = seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN);
        #[expect(clippy::cast_precision_loss, reason = "a size to look at")]
        let rate = file.bytes as f64 / 1e6 / median;
        crate::said::say(&format!("| {what} | {median:.2} s | {rate:.0} |"));
    }
    Vec::new()
}
