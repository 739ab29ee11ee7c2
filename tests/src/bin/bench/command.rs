//! `baton run` as a user types it, from the start of the process to its end, each time in a new folder.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use e2e::{binaries, rows};
use worker::db::Database;

const RUNS: usize = 9;

pub(crate) async fn measure() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/people.csv");
    let expected = {
        let text = std::fs::read(&example).expect("the example is there");
        csv::Reader::from_reader(text.as_slice()).records().filter(Result::is_ok).count()
    };
    let mut samples = Vec::new();
    for _ in 0..RUNS {
        let dir = tempfile::tempdir().expect("there is room for a folder");
        let started = Instant::now();
        let output = Command::new(binaries::path("baton"))
            .arg("run")
            .arg(&example)
            .args(["--table", "people", "--create-table", "--data-dir"])
            .arg(dir.path())
            .env_remove("DATABASE_URL")
            .output()
            .expect("baton runs");
        samples.push(started.elapsed());
        assert!(output.status.success(), "{output:?}");
        let database = Database::parse(&format!("sqlite:{}", dir.path().join("baton.db").display())).unwrap();
        let rows = rows::number(&database, "SELECT count(*) AS value FROM people");
        assert_eq!(usize::try_from(rows), Ok(expected), "every row is there");
    }
    crate::table::row(
        &format!("`baton run examples/people.csv` ({expected} rows), command to report"),
        samples,
    );
}
