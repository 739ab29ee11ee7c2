//! Refused rows found by pieces: those that the server refuses in a COPY for a reason that cannot be found out on the server
//! are found by sending the batch in pieces. It costs a statement for each piece, and is left to what comes rarely: a table
//! with a rule, whose rows no INSERT writes as COPY does; a table with no column to spare; whatever else a COPY refuses.

use super::copy::Copy;
use super::is_row_error;
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::batch::{Batch, BatchRow};

/// The first piece, in rows.
const FIRST: usize = 256;

/// The largest piece.
const LARGEST: usize = 16_384;

/// Sends a batch in pieces. `refuse` is told of each row that is refused, and says whether to go on. Returns how many rows
/// the database took. The inner error is one that no row is guilty of.
pub(super) fn send(
    session: &mut Session,
    copy: &Copy<'_>,
    batch: &Batch,
    append: impl Fn(&mut Vec<u8>, &BatchRow<'_>),
    mut refuse: impl FnMut(u64, &SqlError) -> bool,
) -> Result<u64, SqlError> {
    let (mut first, mut size, mut known_end) = (0, FIRST, None);
    let mut written = 0;
    while first < batch.len() {
        let end = match known_end {
            None => (first + size).min(batch.len()),
            Some(end) => first + usize::div_ceil(end - first, 2),
        };
        let sent = session.in_savepoint(|session| copy.send(session, batch.some_rows(first..end), &append));
        match sent {
            Ok(taken) => {
                written += taken;
                first = end;
                if known_end.is_none() {
                    size = (size * 2).min(LARGEST);
                } else if known_end == Some(first) {
                    known_end = None;
                }
            }
            Err(error) if !is_row_error(&error) => return Err(error),
            Err(error) if end - first == 1 => {
                let record = batch.some_rows(first..end).next().map_or(0, |row| row.record);
                if !refuse(record, &error) {
                    break;
                }
                first = end;
                known_end = None;
                size = (size / 2).max(1);
            }
            Err(_) => known_end = Some(end),
        }
    }
    Ok(written)
}
