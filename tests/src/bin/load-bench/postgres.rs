//! The worker against `psql`'s `\copy`: the same file, or where `\copy` would stop at the first bad row the same without its
//! bad rows, into the same table with a primary key. What is in the table afterwards is compared each time.

mod arena;
mod probe;

use serde_json::{Value, json};
use statemachine::ImportResult;

pub(crate) use arena::Arena;

use crate::arguments::Arguments;
use crate::build_before::Turn;
use crate::child;
use crate::contest::{Contest, Run};
use crate::data::{Content, File, Files, Keys, Recipe};

/// One way to load.
struct Load {
    what: &'static str,
    keys: Keys,
    content: Content,
    options: Value,
    indexed: bool,
    /// Half of the keys are in the table before.
    half_there: bool,
}

impl Load {
    fn plain(what: &'static str) -> Self {
        Self {
            what,
            keys: Keys::Random,
            content: Content::Whole,
            options: json!({}),
            indexed: true,
            half_there: false,
        }
    }

    fn all() -> [Self; 7] {
        let upsert = || json!({"on_conflict": "update"});
        [
            Self::plain("random UUID key"),
            Self {
                content: Content::WithBadRows,
                options: json!({"max_rejects": "2%"}),
                ..Self::plain("1 % bad rows, `--max-rejects 2%` (`\\copy`: the good rows alone)")
            },
            Self { options: upsert(), ..Self::plain("`--on-conflict update`, empty table") },
            Self {
                options: upsert(),
                half_there: true,
                ..Self::plain("`--on-conflict update`, half of the keys exist (`\\copy`: empty table)")
            },
            Self { options: json!({"rebuild_indexes": true}), ..Self::plain("`--rebuild-indexes`") },
            Self { keys: Keys::InOrder, ..Self::plain("keys in order (UUID version 7)") },
            Self { indexed: false, ..Self::plain("limit: no index at all (`\\copy`: with its index)") },
        ]
    }

    fn file(&self, files: &Files, rows: u64) -> File {
        files.get(Recipe { keys: self.keys, content: self.content, rows })
    }

    /// What `\copy` can load.
    fn base_file(&self, files: &Files, rows: u64) -> File {
        let content = match self.content {
            Content::WithBadRows => Content::WithoutBadRows,
            content => content,
        };
        files.get(Recipe { keys: self.keys, content, rows })
    }
}

/// Runs every load, and returns what was left out and why.
pub(crate) async fn measure(arguments: &Arguments, files: &Files) -> Vec<String> {
    if !e2e::Backend::DurablePostgres.is_available() || !child::answers("psql", &["--version"]).await {
        return vec!["PostgreSQL: its server's programs or `psql` are not installed".to_owned()];
    }
    let mut arena = Arena::open(arguments.before.as_deref()).await;
    let plain = Load::plain("").file(files, arguments.rows);
    crate::said::say(&format!(
        "\n**PostgreSQL {}**, default settings (it waits for the disk). {} rows, {} MB; the table has a primary key.\n\n{}",
        arena.version(),
        arguments.rows,
        plain.bytes / 1_000_000,
        Contest::head(arguments.base("`\\copy`"))
    ));
    let mut left_out = Vec::new();
    for load in Load::all() {
        if !load.what.contains(&arguments.load) {
            continue;
        }
        match contest(&mut arena, &load, arguments, files).await {
            Ok(contest) => {
                if let Some(row) = contest.row() {
                    crate::said::say(&row);
                }
            }
            Err(why) => left_out.push(format!("PostgreSQL, {}: {why}", load.what)),
        }
    }
    arena.stack.stop().await;
    left_out
}

async fn contest(
    arena: &mut Arena,
    load: &Load,
    arguments: &Arguments,
    files: &Files,
) -> Result<Contest, String> {
    probe::understands(arena, files, &load.options).await?;
    let (file, base_file) = (load.file(files, arguments.rows), load.base_file(files, arguments.rows));
    let mut contest = Contest::new(load.what);
    for _ in 0..arguments.rounds {
        let base = match &arena.turns {
            None => {
                arena.clear(true);
                arena.settle();
                arena.copy(&base_file).await
            }
            Some(turns) => {
                turns.next(Turn::Before);
                import(arena, load, &file, arguments, files).await.0
            }
        };
        let expected = arena.answer();
        assert_eq!(expected.rows, base_file.good, "the base has loaded every row");
        if let Some(turns) = &arena.turns {
            turns.next(Turn::Now);
        }
        let (ours, report) = import(arena, load, &file, arguments, files).await;
        assert_eq!(arena.answer(), expected, "{}: the table is as the base leaves it", load.what);
        let bad = if load.content == Content::WithBadRows { arguments.rows - file.good } else { 0 };
        assert_eq!((report.rows, report.rejects), (file.good, bad), "{}: the report is right", load.what);
        contest.add(base, ours);
    }
    Ok(contest)
}

async fn import(
    arena: &mut Arena,
    load: &Load,
    file: &File,
    arguments: &Arguments,
    files: &Files,
) -> (Run, ImportResult) {
    arena.clear(load.indexed);
    if load.half_there {
        let earlier = Recipe { keys: load.keys, content: Content::EarlierHalf, rows: arguments.rows };
        arena.copy(&files.get(earlier)).await;
        arena.execute("VACUUM (ANALYZE) loaded");
    }
    arena.import(file, &load.options).await.expect("an import that the worker understands succeeds")
}
