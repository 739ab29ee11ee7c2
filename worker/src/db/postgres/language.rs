//! The language that a server speaks. Diesel passes no SQLSTATE on, so that some errors are told by their messages, and these
//! have to be English. Most roles may not choose the language; then the server is at least known to speak another one.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Bool;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl as _, sql_query};

/// The description of a setting is translated as messages are, and to ask for it is no error that the server would log. The
/// sentence is the same in all versions (`src/backend/utils/misc/guc_tables.c`).
const IS_ENGLISH: &str = "SELECT short_desc = 'Sets the language in which messages are displayed.' AS is_english \
     FROM pg_catalog.pg_settings WHERE name = 'lc_messages'";

#[derive(QueryableByName)]
struct Language {
    #[diesel(sql_type = Bool)]
    is_english: bool,
}

/// Has the session speak English, if its role may.
pub(super) fn ask_for_english(connection: &mut PgConnection) {
    let is_foreign = is_english(connection).is_ok_and(|is_english| !is_english);
    if is_foreign && connection.batch_execute("SET lc_messages TO 'C'").is_err() {
        tracing::debug!(
            "The database speaks another language than English, and the worker's role may not choose"
        );
    }
}

/// Whether the session's messages can be read.
pub(crate) fn is_english(connection: &mut PgConnection) -> QueryResult<bool> {
    sql_query(IS_ENGLISH).get_result::<Language>(connection).map(|language| language.is_english)
}
