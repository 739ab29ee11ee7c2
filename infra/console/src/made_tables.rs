//! Tables that were made for checks of this console. After one that succeeded the table waits for the import of the same file.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use statemachine::JobId;
use worker::import::create_table::Made;

/// Tables whose check has succeeded, by the check.
#[derive(Default)]
pub(crate) struct MadeTables(Mutex<HashMap<JobId, Made>>);

impl MadeTables {
    pub(crate) fn keep(&self, check: JobId, made: Made) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(check, made);
    }

    /// The table that was made for a check.
    pub(crate) fn take(&self, check: &JobId) -> Option<Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(check)
    }
}
