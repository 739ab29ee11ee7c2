//! PostgreSQL: binary COPY, in chunks of a few megabytes. One COPY for the whole file would show an error of the database
//! only when the last byte had been sent; chunks show it soon, and leave the server's work and ours free to overlap.

use std::cell::RefCell;
use std::io::{self, Write};

use diesel::pg::{CopyFormat, CopyTarget, Pg};
use diesel::query_builder::AstPass;
use diesel::{ExecuteCopyFromDsl as _, QueryResult};

use super::{Load, binary};
use crate::db::Connection;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::check::Row;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted};
use crate::import::value::Kind;

/// What is collected before it is sent, in bytes.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// What is handed to libpq at once, in bytes: it copies a message whole before it sends it.
const MESSAGE_BYTES: usize = 64 * 1024;

/// Rows on their way into a table.
pub(super) struct Copy {
    /// What stands behind `COPY`.
    target: String,
    kinds: Vec<Kind>,
    chunk: Vec<u8>,
    rows: u64,
    table: String,
}

impl Copy {
    pub(super) fn new(table: &Table, plan: &Plan) -> Self {
        let columns: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        let target = format!("{} ({})", table.sql, columns.join(", "));
        let kinds = plan.columns.iter().map(|column| column.kind.clone()).collect();
        Self { target, kinds, chunk: Vec::new(), rows: 0, table: table.name.clone() }
    }

    fn send(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let Connection::Postgres(connection) = connection else { return Err(super::wrong_database()) };
        let chunk = &self.chunk;
        let write = |sink: &mut dyn Write| -> Result<(), CopyError> {
            sink.write_all(&binary::HEADER)?;
            for message in chunk.chunks(MESSAGE_BYTES) {
                sink.write_all(message)?;
            }
            Ok(sink.write_all(&binary::TRAILER)?)
        };
        let what = || format!("write rows into {:?}", self.table);
        let _guard = TargetGuard::set(&self.target);
        let copied = diesel::copy_from(target::table)
            .from_raw_data(CurrentTarget, write)
            .with_format(CopyFormat::Binary)
            .execute(connection)
            .map_err(|error| match error {
                CopyError::Database(error) => database_failure(&error, &what()),
                // The sink fails only where libpq cannot send: the connection is gone.
                CopyError::Sink(error) => Failure::named(
                    statemachine::FailureName::DatabaseUnavailable,
                    format!("failed to {}: {error}", what()),
                ),
            })?;
        self.rows += copied as u64;
        self.chunk.clear();
        Ok(())
    }
}

impl Load for Copy {
    fn add(&mut self, connection: &mut Connection, row: &Row<'_>) -> Result<(), Failure> {
        binary::write_row(&mut self.chunk, &self.kinds, &row.values);
        if self.chunk.len() >= CHUNK_BYTES { self.send(connection) } else { Ok(()) }
    }

    fn finish(mut self, connection: &mut Connection) -> Result<u64, Failure> {
        if !self.chunk.is_empty() {
            self.send(connection)?;
        }
        Ok(self.rows)
    }
}

#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error("the database refused the rows")]
    Database(#[from] diesel::result::Error),
    #[error("the rows could not be sent")]
    Sink(#[from] io::Error),
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
