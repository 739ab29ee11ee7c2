//! COPY of a batch, in messages of a size that the network likes.

use std::io::Write as _;

use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::batch::{Batch, BatchRow};
use crate::import::form::{Form, binary};
use crate::job::progress::Progress;

/// What is sent at once, in bytes.
const MESSAGE_BYTES: usize = 64 * 1024;

/// What a row has besides its own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    Nothing,
    /// The record that it is, as an eight-byte integer behind its fields.
    Record,
}

/// Why a COPY failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error("the database refused the rows")]
    Database(#[from] diesel::result::Error),
    #[error("the import was asked to stop")]
    Stopped,
}

impl From<SqlError> for CopyError {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Stopped => Self::Stopped,
            error => Self::Database(error.into()),
        }
    }
}

/// Sends rows into `target`, a table with its columns in parentheses. Rows count as progress while they are sent, unless
/// they only go to a staging table; they are taken back where the database refuses them. Returns how many it took.
pub(super) fn copy(
    session: &mut Session,
    (target, form, extra): (&str, Form, Extra),
    batch: &Batch,
    progress: &Progress,
) -> Result<u64, CopyError> {
    let mut counted = 0;
    let copied = send(session, (target, form, extra), batch, progress, &mut counted);
    if copied.is_err() && extra == Extra::Nothing {
        progress.take_back_rows(counted);
    }
    copied
}

fn send(
    session: &mut Session,
    (target, form, extra): (&str, Form, Extra),
    batch: &Batch,
    progress: &Progress,
    counted: &mut u64,
) -> Result<u64, CopyError> {
    let format = if form == Form::Text { "text" } else { "binary" };
    let mut copy = session.copy_in(&format!("COPY {target} FROM STDIN (FORMAT {format})"))?;
    let mut message = Vec::with_capacity(2 * MESSAGE_BYTES);
    if form == Form::Binary {
        message.extend_from_slice(&binary::HEADER);
    }
    let mut rows = 0;
    let mut count = |rows: &mut u64| {
        // The database takes rows: that is progress, whether or not they will count in the end.
        if extra == Extra::Nothing {
            progress.add_rows(*rows, 0);
        } else {
            progress.next_phase();
        }
        *counted += std::mem::take(rows);
    };
    for row in batch.rows() {
        append(&mut message, form, extra, &row);
        rows += 1;
        if message.len() >= MESSAGE_BYTES {
            let next = Vec::with_capacity(2 * MESSAGE_BYTES);
            copy.send(std::mem::replace(&mut message, next).into())?;
            count(&mut rows);
            if progress.stop_requested() {
                return Err(CopyError::Stopped);
            }
        }
    }
    if form == Form::Binary {
        message.extend_from_slice(&binary::TRAILER);
    }
    copy.send(message.into())?;
    count(&mut rows);
    Ok(copy.finish()?)
}

fn append(message: &mut Vec<u8>, form: Form, extra: Extra, row: &BatchRow<'_>) {
    match (form, extra) {
        (Form::Text, Extra::Nothing) => {
            message.extend_from_slice(row.bytes);
            message.push(b'\n');
        }
        (Form::Text, Extra::Record) => {
            message.extend_from_slice(row.bytes);
            // Writing into a vector cannot fail.
            let _ = writeln!(message, "\t{}", row.record);
        }
        (_, Extra::Nothing) => message.extend_from_slice(row.bytes),
        (_, Extra::Record) => binary::with_field(message, row.bytes, &row.record.to_be_bytes()),
    }
}
