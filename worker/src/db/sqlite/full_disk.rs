//! A disk that is full because of the import itself: another attempt would fill it again.

use diesel::SqliteConnection;
use diesel::result::Error;
use statemachine::FailureName;

use super::log_bytes;
use super::messages::FULL;
use crate::failure::Failure;

/// An import that has written more than this when the disk is full would fill it again.
const OWN_SHARE_BYTES: u64 = 1_000_000;

/// The failure of an import that has filled the disk. `what` is what it tried, as an infinitive.
pub(crate) fn filled(connection: &mut SqliteConnection, error: &Error, what: &str) -> Option<Failure> {
    let Error::DatabaseError(_, information) = error else { return None };
    let written = log_bytes(connection);
    if information.message() != FULL || written <= OWN_SHARE_BYTES {
        return None;
    }
    let cause = format!(
        "failed to {what}: {FULL}; the import had written {} MB, which are free again. \
         It needs more room than that: free some, or move the database to another disk",
        written / 1_000_000
    );
    Some(Failure::named(FailureName::DatabaseMisconfigured, cause))
}
