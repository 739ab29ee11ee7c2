//! Whether the worker does what an option asks for, tried with a file of few rows: a figure of an option that the worker
//! takes no notice of would be a lie.

use e2e::rows;
use serde_json::Value;

use super::Arena;
use crate::data::{Content, Files, Keys, Recipe};

const ROWS: u64 = 10;

/// Tries the options.
///
/// # Errors
/// A sentence that says what the worker does instead.
pub(crate) async fn understands(arena: &mut Arena, files: &Files, options: &Value) -> Result<(), String> {
    let few = |content| files.get(Recipe { keys: Keys::Random, content, rows: ROWS });
    if options.get("on_conflict").is_some() {
        arena.clear(true);
        arena.copy(&few(Content::EarlierHalf)).await;
        arena.import(&few(Content::Whole), options).await?;
    }
    if options.get("rebuild_indexes").is_some() {
        arena.clear(true);
        // An index that was built anew lies in another file than the one that was there.
        let before = index_file(arena);
        arena.import(&few(Content::Whole), options).await?;
        if index_file(arena) == before {
            return Err("the worker takes no notice of the option".to_owned());
        }
    }
    Ok(())
}

fn index_file(arena: &Arena) -> i64 {
    rows::number(&arena.stack.database, "SELECT pg_relation_filenode('loaded_pkey')::bigint AS value")
}
