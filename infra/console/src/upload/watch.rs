//! A table that was made for an import of this console goes again when its import, or the check that it was made for, has failed.

use std::sync::Arc;
use std::time::Duration;

use ops::executions::has_ended;
use ops::submit::{self, Submitted};
use worker::import::create_table::Made;
use worker::ledger::JobStatus;

use crate::state::Shared;

/// How often an import is looked at.
const GLANCE: Duration = Duration::from_secs(1);

/// Waits for the import's end, beside all else, and drops the table that was made for it where it has failed.
pub(super) fn watch(console: &Shared, made: Option<Made>, submitted: Submitted) {
    if let Some(made) = made {
        tokio::spawn(to_the_end(Arc::clone(console), made, submitted));
    }
}

async fn to_the_end(console: Shared, made: Made, submitted: Submitted) {
    let Submitted { import_id, execution_arn, .. } = submitted;
    // A stack that does not answer for a while has not ended the import.
    while !has_ended(&console.target, &execution_arn).await.unwrap_or(false) {
        tokio::time::sleep(GLANCE).await;
    }
    let wanted = import_id.clone();
    let row = console.database(move |connection| worker::imports::find(connection, &wanted)).await;
    match row {
        Ok(Some(row)) if row.status == JobStatus::Success => console.made_tables.keep(import_id, made),
        Ok(_) => submit::undo(&console.target, Some(made), &import_id, console.say).await,
        // Whether it has failed is not known, so that the table stays.
        Err(_) => {}
    }
}
