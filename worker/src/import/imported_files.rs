//! Which files were loaded into which tables, so that one that comes again is noticed. A table is known by its full name as SQL: the
//! name in an import may mean another one later.

use diesel::prelude::*;
use statemachine::JobId;

use crate::db::schema::imported_files;
use crate::db::{Connection, now, unavailable, unavailable_after_claim};
use crate::failure::Failure;

/// Waits for other imports of the same file into a table that are about to commit, and has those that come later wait for the
/// end of this transaction: of two imports of one file the second one sees the first by [`latest`].
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub(super) fn await_others(connection: &mut Connection, table: &str, sha256: &str) -> Result<(), Failure> {
    // SQLite has one writer at a time anyway.
    let Connection::Postgres(connection) = connection else { return Ok(()) };
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<diesel::sql_types::Text, _>(format!("baton file {sha256} {table}"))
        .execute(connection)
        .map(drop)
        .map_err(|error| unavailable("wait for other imports of the file", &error))
}

/// The latest other import of the same file into the same table.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub(super) fn latest(
    connection: &mut Connection,
    import_id: &JobId,
    table: &str,
    sha256: &str,
) -> Result<Option<String>, Failure> {
    imported_files::table
        .filter(imported_files::sha256.eq(sha256))
        .filter(imported_files::table_name.eq(table))
        .filter(imported_files::job_id.ne(import_id.as_str()))
        .order(imported_files::imported_at.desc())
        .select(imported_files::job_id)
        .first(connection)
        .optional()
        .map_err(|error| unavailable_after_claim("look for an earlier import of the file", &error))
}

/// Notes the file of an import, in the transaction of its rows.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub(super) fn remember(
    connection: &mut Connection,
    import_id: &JobId,
    sha256: &str,
    table: &str,
) -> Result<(), Failure> {
    let failed = |error| unavailable_after_claim("note the file of the import", &error);
    let now = now(connection).map_err(failed)?;
    let values = (
        imported_files::sha256.eq(sha256),
        imported_files::table_name.eq(table),
        imported_files::job_id.eq(import_id.as_str()),
        imported_files::imported_at.eq(now),
    );
    // Whose the import is, its row decides alone.
    let insert = diesel::insert_into(imported_files::table).values(values).on_conflict_do_nothing();
    match connection {
        Connection::Postgres(connection) => insert.execute(connection),
        Connection::Sqlite(connection) => insert.execute(connection),
    }
    .map(drop)
    .map_err(failed)
}

/// Forgets which files went into the table that had this full name before: a table that is made again is empty.
///
/// # Errors
/// `Import.DatabaseUnavailable`; also where the database's user may not delete them.
pub(super) fn forget(connection: &mut Connection, table: &str) -> Result<(), Failure> {
    diesel::delete(imported_files::table.filter(imported_files::table_name.eq(table)))
        .execute(connection)
        .map(drop)
        .map_err(|error| unavailable("forget the files of a table that is gone", &error))
}
