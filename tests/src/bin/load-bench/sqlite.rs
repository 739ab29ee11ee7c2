//! The worker against `sqlite3`'s `.import`, each into a file of its own that begins empty. Both wait for the disk when they
//! commit; the journal is each one's own: the worker's is a write-ahead log, so that readers go on beside it.

mod arena;

use serde_json::json;

pub(crate) use arena::Arena;

use crate::arguments::Arguments;
use crate::child;
use crate::contest::Contest;
use crate::data::{Content, Files, Keys, Recipe};

/// Runs every load, and returns what was left out and why.
pub(crate) async fn measure(arguments: &Arguments, files: &Files) -> Vec<String> {
    if !child::answers("sqlite3", &["--version"]).await {
        return vec!["SQLite: `sqlite3` is not installed".to_owned()];
    }
    let arena = Arena::open(files).await;
    crate::say(&format!(
        "\n**SQLite**, {} rows of the same kind.\n\n{}",
        arguments.rows,
        Contest::head("`.import`")
    ));
    for (what, keys) in [("random UUID key", Keys::Random), ("integer key, in order", Keys::Numbers)] {
        if !what.contains(&arguments.load) {
            continue;
        }
        let contest = contest(&arena, what, keys, arguments, files).await;
        if let Some(row) = contest.row() {
            crate::say(&row);
        }
    }
    arena.stack.stop().await;
    Vec::new()
}

async fn contest(arena: &Arena, what: &str, keys: Keys, arguments: &Arguments, files: &Files) -> Contest {
    let file = files.get(Recipe { keys, content: Content::Whole, rows: arguments.rows });
    let mut contest = Contest::new(what);
    for _ in 0..arguments.rounds {
        arena.clear_theirs(keys);
        let base = arena.import_theirs(&file).await;
        let expected = arena.answer_theirs();
        assert_eq!(expected.rows, file.good, "`.import` has loaded every row");
        arena.clear(keys);
        let (ours, report) = arena.import(&file, &json!({})).await;
        assert_eq!(arena.answer(), expected, "{what}: the table is as `.import` leaves it");
        assert_eq!((report.rows, report.rejects), (file.good, 0), "{what}: the report is right");
        contest.add(base, ours);
    }
    contest
}
