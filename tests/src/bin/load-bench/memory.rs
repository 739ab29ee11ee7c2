//! The worker's peak memory for the file that is timed and for a large one: it must not grow with the file.

use serde_json::json;
use statemachine::ImportResult;

use crate::arguments::Arguments;
use crate::contest::{Run, megabytes};
use crate::data::{Content, Files, Keys, Recipe};
use crate::{child, postgres, sqlite};

/// Runs every size, and returns what was left out and why.
pub(crate) async fn measure(arguments: &Arguments, files: &Files) -> Vec<String> {
    let mut left_out = Vec::new();
    crate::said::say("\n| the worker's peak memory | file | time | peak |\n|---|---:|---:|---:|");
    if e2e::Backend::DurablePostgres.is_available() && child::answers("psql", &["--version"]).await {
        let mut arena = postgres::Arena::open(None).await;
        for rows in sizes(arguments) {
            arena.clear(true);
            let file = files.get(Recipe { keys: Keys::Random, content: Content::Whole, rows });
            let ended = arena.import(&file, &json!({})).await.expect("the worker imports a good file");
            assert_eq!(arena.stack.count("loaded").unsigned_abs(), rows, "every row is there");
            row("PostgreSQL", rows, file.bytes, &ended);
        }
        arena.stack.stop().await;
    } else {
        left_out.push("memory, PostgreSQL: it is not installed".to_owned());
    }
    let arena = sqlite::Arena::open(files, None).await;
    for rows in sizes(arguments) {
        arena.clear(Keys::Random);
        let file = files.get(Recipe { keys: Keys::Random, content: Content::Whole, rows });
        let ended = arena.import(&file, &json!({})).await;
        assert_eq!(arena.stack.count("loaded").unsigned_abs(), rows, "every row is there");
        row("SQLite", rows, file.bytes, &ended);
    }
    arena.stack.stop().await;
    left_out
}

fn sizes(arguments: &Arguments) -> impl Iterator<Item = u64> {
    [arguments.rows, arguments.rows_large].into_iter().filter(|&rows| rows > 0)
}

fn row(name: &str, rows: u64, bytes: u64, (run, report): &(Run, ImportResult)) {
    assert_eq!((report.rows, report.rejects), (rows, 0), "the report is right");
    let peak = run.peak_kibibytes.map_or_else(|| "not seen".to_owned(), megabytes);
    let (wall, megabytes) = (run.wall.as_secs_f64(), bytes / 1_000_000);
    crate::said::say(&format!("| {name}, {rows} rows | {megabytes} MB | {wall:.1} s | {peak} |"));
}
