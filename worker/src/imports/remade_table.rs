//! A table that is made again under a name that another one had: what was imported into that one is not in it.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use crate::db::{Connection, unavailable};
use crate::failure::Failure;

/// Forgets which files went into the table that had this full name, as SQL, before. Their imports stay as they are told, with what
/// was found in the files.
///
/// # Errors
/// `Import.DatabaseUnavailable`; also where the database's user may not change imports.
pub(crate) fn forget_files(connection: &mut Connection, table: &str) -> Result<(), Failure> {
    // As it stands in `findings`: no text of a file can look so there, whose quotes are escaped.
    let noted = format!("\"table\":{}", serde_json::Value::from(table));
    match connection {
        Connection::Postgres(connection) => sql_query(
            "UPDATE imports SET sha256 = NULL WHERE sha256 IS NOT NULL AND position($1 IN findings) > 0",
        )
        .bind::<Text, _>(noted)
        .execute(connection),
        Connection::Sqlite(connection) => {
            sql_query("UPDATE imports SET sha256 = NULL WHERE sha256 IS NOT NULL AND instr(findings, ?) > 0")
                .bind::<Text, _>(noted)
                .execute(connection)
        }
    }
    .map(drop)
    .map_err(|error| unavailable("forget the files of a table that is gone", &error))
}
