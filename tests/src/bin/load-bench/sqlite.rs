//! The worker against `sqlite3`'s `.import`, each into a file of its own that begins empty. Both wait for the disk when they
//! commit; the journal is each one's own: the worker's is a write-ahead log, so that readers go on beside it.

mod arena;

use serde_json::json;

pub(crate) use arena::Arena;

use crate::arguments::Arguments;
use crate::build_before::Turn;
use crate::child;
use crate::contest::Contest;
use crate::data::{Content, Files, Keys, Recipe};

/// Runs every load, and returns what was left out and why.
pub(crate) async fn measure(arguments: &Arguments, files: &Files) -> Vec<String> {
    if arguments.before.is_none() && !child::answers("sqlite3", &["--version"]).await {
        return vec!["SQLite: `sqlite3` is not installed".to_owned()];
    }
    let arena = Arena::open(files, arguments.before.as_deref()).await;
    crate::said::say(&format!(
        "\n**SQLite**, {} rows of the same kind.\n\n{}",
        arguments.rows,
        Contest::head(arguments.base("`.import`"))
    ));
    for (what, keys) in [("random UUID key", Keys::Random), ("integer key, in order", Keys::Numbers)] {
        if !what.contains(&arguments.load) {
            continue;
        }
        let contest = contest(&arena, what, keys, arguments, files).await;
        if let Some(row) = contest.row() {
            crate::said::say(&row);
        }
    }
    arena.stack.stop().await;
    Vec::new()
}

async fn contest(arena: &Arena, what: &str, keys: Keys, arguments: &Arguments, files: &Files) -> Contest {
    let file = files.get(Recipe { keys, content: Content::Whole, rows: arguments.rows });
    let mut contest = Contest::new(what);
    for _ in 0..arguments.rounds {
        let (base, expected) = match &arena.turns {
            None => {
                arena.clear_theirs(keys);
                (arena.import_theirs(&file).await, arena.answer_theirs())
            }
            Some(turns) => {
                turns.next(Turn::Before);
                arena.clear(keys);
                (arena.import(&file, &json!({})).await.0, arena.answer())
            }
        };
        assert_eq!(expected.rows, file.good, "the base has loaded every row");
        if let Some(turns) = &arena.turns {
            turns.next(Turn::Now);
        }
        arena.clear(keys);
        let (ours, report) = arena.import(&file, &json!({})).await;
        assert_eq!(arena.answer(), expected, "{what}: the table is as the base leaves it");
        assert_eq!((report.rows, report.rejects), (file.good, 0), "{what}: the report is right");
        contest.add(base, ours);
    }
    contest
}
