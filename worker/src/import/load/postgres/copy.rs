//! COPY through diesel, whose `from_raw_data` is as fast as libpq by itself: it hands over a sink and takes the rows as they
//! are. Diesel's own row-wise COPY would need a type for each table.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use diesel::pg::{CopyFormat, CopyTarget, Pg};
use diesel::query_builder::AstPass;
use diesel::{ExecuteCopyFromDsl as _, PgConnection, QueryResult};

use crate::import::batch::{Batch, BatchRow};
use crate::import::form::{Form, binary};
use crate::job::progress::Progress;

/// What is handed to libpq at once, in bytes: it copies a message whole before it sends it.
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
    #[error("the rows could not be sent")]
    Sink(#[from] io::Error),
    #[error("the import was asked to stop")]
    Stopped,
}

/// Sends rows into `target`, a table with its columns in parentheses. Rows count as progress while they are sent, unless
/// they only go to a staging table; they are taken back where the database refuses them. Returns how many it took.
pub(super) fn copy(
    connection: &mut PgConnection,
    (target, form, extra): (&str, Form, Extra),
    batch: &Batch,
    progress: &Progress,
) -> Result<u64, CopyError> {
    let format = if form == Form::Text { CopyFormat::Text } else { CopyFormat::Binary };
    let counts = extra == Extra::Nothing;
    let counted = Cell::new(0);
    let stopped = Cell::new(false);
    let count = |rows: u64| {
        // The database takes rows: that is progress, whether or not they will count in the end.
        if counts {
            progress.add_rows(rows, 0)
        } else {
            progress.next_phase()
        }
        counted.set(counted.get() + rows);
    };
    let write = |sink: &mut dyn Write| -> Result<(), CopyError> {
        let mut rows = 0;
        let mut message = Vec::with_capacity(2 * MESSAGE_BYTES);
        if form == Form::Binary {
            message.extend_from_slice(&binary::HEADER);
        }
        for row in batch.rows() {
            append(&mut message, form, extra, &row);
            rows += 1;
            if message.len() >= MESSAGE_BYTES {
                sink.write_all(&message)?;
                message.clear();
                count(std::mem::take(&mut rows));
                if progress.stop_requested() {
                    stopped.set(true);
                    return Err(CopyError::Stopped);
                }
            }
        }
        if form == Form::Binary {
            message.extend_from_slice(&binary::TRAILER);
        }
        sink.write_all(&message)?;
        count(rows);
        Ok(())
    };
    let _guard = TargetGuard::set(target);
    let copied = diesel::copy_from(target::table)
        .from_raw_data(CurrentTarget, write)
        .with_format(format)
        .execute(connection);
    if copied.is_err() && counts {
        progress.take_back_rows(counted.get());
    }
    // Diesel then tells what the database says of a COPY that was broken off, as if that were the reason.
    if stopped.get() {
        return Err(CopyError::Stopped);
    }
    Ok(copied? as u64)
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

thread_local! {
    /// Diesel asks a type, not a value, for the target of a COPY (`CopyTarget::walk_target` has no `self`), and ours is known
    /// only at run time. It builds the statement on the thread that executes it, so that the name can wait here for it.
    static TARGET: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Holds the target for as long as a COPY runs.
struct TargetGuard;

impl TargetGuard {
    fn set(target: &str) -> Self {
        TARGET.with_borrow_mut(|held| target.clone_into(held));
        Self
    }
}

impl Drop for TargetGuard {
    fn drop(&mut self) {
        TARGET.with_borrow_mut(String::clear);
    }
}

struct CurrentTarget;

impl CopyTarget for CurrentTarget {
    type Table = target::table;
    type SqlType = diesel::sql_types::Integer;

    fn walk_target(mut pass: AstPass<'_, '_, Pg>) -> QueryResult<()> {
        TARGET.with_borrow(|target| pass.push_sql(target));
        Ok(())
    }
}

// Only a type for diesel to hang the statement on; this name reaches no database.
diesel::table! {
    target (id) {
        id -> Integer,
    }
}
