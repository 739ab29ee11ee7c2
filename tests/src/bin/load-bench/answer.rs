//! What is in a table after a load, in two figures that no order of rows changes: how many rows, and a sum over a hash of
//! each row with all its columns. Two loads of one file must give the same.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use e2e::rows;
use worker::db::Database;

/// Rows of SQLite that are looked at together.
const ROWS_AT_ONCE: i64 = 100_000;

/// What is in the table `loaded`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) rows: u64,
    checksum: String,
}

/// Asks PostgreSQL, whose columns have one form for each value.
pub(crate) fn of_postgres(database: &Database) -> Answer {
    let sum =
        "SELECT coalesce(sum(hashtextextended(loaded::text, 0)::numeric), 0)::text AS value FROM loaded";
    Answer { rows: count(database), checksum: rows::texts(database, sum).concat() }
}

/// Asks SQLite, where each program writes its own form of a value: `true` or 1, an empty text or nothing, a UUID with
/// hyphens or without, a second with zeros behind or without. Numbers must be numbers.
pub(crate) fn of_sqlite(database: &Database) -> Answer {
    let last = rows::number(database, "SELECT coalesce(max(rowid), 0) AS value FROM loaded");
    let mut sum = 0_u64;
    for first in (0..=last).step_by(ROWS_AT_ONCE as usize) {
        let lines = rows::texts(
            database,
            &format!(
                "SELECT \
                 lower(replace(id, '-', '')) || char(31) || name || char(31) || typeof(quantity) || quantity \
                 || char(31) || CASE WHEN typeof(price) IN ('integer', 'real') THEN printf('%.2f', price) END \
                 || char(31) || date(born) || char(31) || CASE WHEN active IN ('true', 1) THEN 1 ELSE 0 END \
                 || char(31) || strftime('%Y-%m-%d %H:%M:%f', seen) || char(31) || coalesce(note, '') AS value \
                 FROM loaded WHERE rowid >= {first} AND rowid < {}",
                first + ROWS_AT_ONCE
            ),
        );
        for line in lines {
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            sum = sum.wrapping_add(hasher.finish());
        }
    }
    Answer { rows: count(database), checksum: sum.to_string() }
}

fn count(database: &Database) -> u64 {
    rows::number(database, "SELECT count(*) AS value FROM loaded").unsigned_abs()
}
