//! Tables that were made for imports of this console. One goes again when its import, or the check that it was made for, has
//! failed. After a check that succeeded it waits for the import of the same file.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use statemachine::ImportId;
use worker::import::create_table::Made;
use worker::imports::ImportStatus;

use crate::console::Shared;
use crate::submit::Submitted;
use crate::{follow, submit};

/// How often an import is looked at.
const GLANCE: Duration = Duration::from_secs(1);

/// Tables whose check has succeeded, by the check.
#[derive(Default)]
pub(in crate::console) struct MadeTables(Mutex<HashMap<ImportId, Made>>);

impl MadeTables {
    fn keep(&self, check: ImportId, made: Made) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(check, made);
    }

    /// The table that was made for a check.
    pub(super) fn take(&self, check: &ImportId) -> Option<Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(check)
    }
}

/// Waits for the import's end, beside all else, and drops the table that was made for it where it has failed.
pub(super) fn watch(console: &Shared, made: Option<Made>, submitted: Submitted) {
    if let Some(made) = made {
        tokio::spawn(to_the_end(Arc::clone(console), made, submitted));
    }
}

async fn to_the_end(console: Shared, made: Made, submitted: Submitted) {
    let Submitted { import_id, execution_arn, .. } = submitted;
    // A stack that does not answer for a while has not ended the import.
    while !follow::has_ended(&console.target, &execution_arn).await.unwrap_or(false) {
        tokio::time::sleep(GLANCE).await;
    }
    let wanted = import_id.clone();
    let row = console.database(move |connection| worker::imports::find(connection, &wanted)).await;
    match row {
        Ok(Some(row)) if row.status == ImportStatus::Success => console.made.keep(import_id, made),
        Ok(_) => submit::undo(&console.target, Some(made), &import_id).await,
        // Whether it has failed is not known, so that the table stays.
        Err(_) => {}
    }
}
