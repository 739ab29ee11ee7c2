//! Imports that are met in the middle of their load.

use e2e::stack::Sent;
use e2e::{TestStack, rows};
use serde_json::json;
use worker::db::Database;
use worker::imports::ImportRow;
use worker::ledger::JobStatus;

/// How many rows the file has.
pub(crate) const ROWS: u32 = 20_000;

/// Has the first attempt of the one import that there is take a while: at each row the database (SQLite) does what nobody
/// needs. The next attempt is as quick as ever.
pub(crate) fn slow_down_the_first_attempt(database: &Database) {
    let trigger = "CREATE TRIGGER slow BEFORE INSERT ON people WHEN (SELECT attempt FROM \"baton_jobs\") = 1 \
         BEGIN SELECT length(hex(randomblob(50000))); END";
    rows::execute(database, trigger);
}

/// A file of many people.
pub(crate) fn file() -> String {
    let rows: String = (0..ROWS).map(|id| format!("{id},name of number {id}\n")).collect();
    format!("id,name\n{rows}")
}

/// Sends an import whose first attempt is met in the middle of its load.
pub(crate) async fn under_way(stack: &TestStack, import_id: &str) -> Sent {
    stack.create_people();
    slow_down_the_first_attempt(&stack.database);
    let source = stack.put("uploads/people.csv", file()).await;
    let sent = stack.describe(import_id, &source, "people", json!({})).await;
    let on_their_way = |row: &ImportRow| row.status == JobStatus::Running && row.rows_done > 0;
    stack.import_when(&sent.import_id, "rows to be on their way", on_their_way).await;
    sent
}
