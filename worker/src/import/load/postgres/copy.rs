//! COPY of rows, in messages of a size that the network likes.

use bytes::Bytes;

use crate::db::Session;
use crate::db::postgres::CopyIn;
use crate::db::postgres::error::SqlError;
use crate::db::postgres::sqlstate::Meaning;
use crate::import::batch::BatchRow;
use crate::import::form::{Form, binary};
use crate::import::progress::Progress;

/// What is sent at once, in bytes.
const MESSAGE_BYTES: usize = 64 * 1024;

/// Where a COPY goes, and in which form.
pub(super) struct Copy<'a> {
    /// A table, with its columns in parentheses.
    pub(super) target: &'a str,
    pub(super) form: Form,
    /// Whether its rows are rows of the import. They are counted while they are sent, and taken back where the database
    /// refuses them.
    pub(super) counts: bool,
    pub(super) progress: &'a Progress,
}

impl Copy<'_> {
    /// Sends rows; `append` writes each of them down, a line's end included. Returns how many rows the database took: those
    /// that a trigger leaves out are not among them.
    pub(super) fn send<'r>(
        &self,
        session: &mut Session,
        rows: impl Iterator<Item = BatchRow<'r>>,
        append: impl FnMut(&mut Vec<u8>, &BatchRow<'r>),
    ) -> Result<u64, SqlError> {
        let mut counted = 0;
        let copied = self.try_send(session, rows, append, &mut counted);
        // Of a load that goes on without them. One that ends with this says how far it came.
        let goes_on =
            |error: &SqlError| error.meaning() != Meaning::Outage && !self.progress.stop_requested();
        if copied.as_ref().is_err_and(goes_on) {
            self.progress.take_back_rows(counted);
        }
        copied
    }

    fn try_send<'r>(
        &self,
        session: &mut Session,
        rows: impl Iterator<Item = BatchRow<'r>>,
        mut append: impl FnMut(&mut Vec<u8>, &BatchRow<'r>),
        counted: &mut u64,
    ) -> Result<u64, SqlError> {
        let format = if self.form == Form::Text { "text" } else { "binary" };
        let mut copy = session.copy_in(&format!("COPY {} FROM STDIN (FORMAT {format})", self.target))?;
        let mut message = Vec::with_capacity(2 * MESSAGE_BYTES);
        if self.form == Form::Binary {
            message.extend_from_slice(&binary::HEADER);
        }
        let mut sent = 0;
        for row in rows {
            append(&mut message, &row);
            sent += 1;
            if message.len() >= MESSAGE_BYTES {
                let next = Vec::with_capacity(2 * MESSAGE_BYTES);
                send(&mut copy, std::mem::replace(&mut message, next))?;
                self.count(std::mem::take(&mut sent), counted);
                if self.progress.stop_requested() {
                    return Err(SqlError::Stopped);
                }
            }
        }
        if self.form == Form::Binary {
            message.extend_from_slice(&binary::TRAILER);
        }
        send(&mut copy, message)?;
        self.count(sent, counted);
        copy.finish()
    }

    /// The database takes rows: that is progress, whether or not they will count in the end.
    fn count(&self, rows: u64, counted: &mut u64) {
        if self.counts {
            self.progress.add_rows(rows, 0);
            *counted += rows;
        } else {
            self.progress.next_phase();
        }
    }
}

/// Sends bytes of rows. A row may be large, and a message of it would be copied whole on its way: a message ends anywhere.
fn send(copy: &mut CopyIn<'_>, message: Vec<u8>) -> Result<(), SqlError> {
    let mut message = Bytes::from(message);
    while message.len() > 2 * MESSAGE_BYTES {
        copy.send(message.split_to(MESSAGE_BYTES))?;
    }
    copy.send(message)
}

/// Writes down a row as it is.
pub(super) fn row_alone(form: Form) -> impl Fn(&mut Vec<u8>, &BatchRow<'_>) {
    move |message, row| {
        message.extend_from_slice(row.bytes);
        if form == Form::Text {
            message.push(b'\n');
        }
    }
}

/// Writes down a row, with the record that it is as an eight-byte integer behind its own fields.
pub(super) fn row_with_record(form: Form) -> impl Fn(&mut Vec<u8>, &BatchRow<'_>) {
    move |message, row| match form {
        Form::Text => {
            message.extend_from_slice(row.bytes);
            message.extend_from_slice(format!("\t{}\n", row.record).as_bytes());
        }
        _ => binary::with_field(message, row.bytes, &row.record.to_be_bytes()),
    }
}
