//! Whether Baton's tables are where the session looks for them, and nothing of somebody else's is in their place.

use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel::{RunQueryDsl as _, SqliteConnection};
use percent_encoding::{AsciiSet, CONTROLS};

use super::Cause;
use crate::db::postgres::Session;

/// The schemas that have Baton's tables, where the session's own have none, and the first of its own. A schema that the URL names is
/// meant as it is: a database may have Baton's tables more than once.
const ELSEWHERE: &str = "\
    SELECT coalesce(pg_catalog.string_agg(DISTINCT n.nspname, ', '), '') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relname = 'imports' AND c.relkind = 'r' \
      AND 2 = (SELECT count(*) FROM pg_catalog.pg_attribute a \
               WHERE a.attrelid = c.oid AND a.attname IN ('execution_arn', 'lease_expires_at')) \
      AND EXISTS (SELECT FROM pg_catalog.pg_class m WHERE m.relnamespace = n.oid AND m.relname = '__diesel_schema_migrations') \
      AND (SELECT source FROM pg_catalog.pg_settings WHERE name = 'search_path') <> 'client'";

/// What has the name of one of Baton's tables where they are to be made, and is not Baton's: another migration may make those just now.
const TAKEN_IN_POSTGRES: &str = "\
    SELECT coalesce(min(pg_catalog.format('%s.%s', n.nspname, c.relname)), '') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = pg_catalog.current_schema() AND c.relname IN ('imports', 'import_attempts') \
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_class o JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid \
                      WHERE o.relnamespace = n.oid AND o.relname = 'imports' AND a.attname = 'lease_expires_at')";

const TAKEN_IN_SQLITE: &str = "\
    SELECT coalesce(min(name), '') FROM sqlite_schema WHERE lower(name) IN ('imports', 'import_attempts') \
      AND NOT EXISTS (SELECT 1 FROM pragma_table_info('imports') WHERE name = 'lease_expires_at')";

/// What the session takes for one of Baton's tables though it is in another schema than they are.
const BEFORE_OURS: &str = "\
    SELECT coalesce(min(pg_catalog.format('%s.%s', n.nspname, c.relname)), '') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.oid IN (pg_catalog.to_regclass('imports'), pg_catalog.to_regclass('import_attempts')) \
      AND c.relnamespace <> (SELECT m.relnamespace FROM pg_catalog.pg_class m \
                             WHERE m.oid = pg_catalog.to_regclass('__diesel_schema_migrations'))";

/// The schemas in which the session looks, each behind a comma, as SQL.
const TODAYS_PATH: &str = "\
    SELECT coalesce(pg_catalog.string_agg(',' || pg_catalog.quote_ident(s.name), '' ORDER BY s.place), '') \
    FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY s (name, place)";

/// What a value in a URL's query does not have as it is.
const OF_URL: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'=').add(b'\\').add(b'\'');

/// Why Baton cannot have its tables in a database as it is. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Misplaced {
    #[error(
        "Baton's tables in this database are in the schema {schemas}, and the search_path of this session ({search_path}) does not lead \
         there; set it back, or name a schema in the URL: ?options=-csearch_path%3DSCHEMA. With a schema that is named so, a database may \
         have Baton's tables more than once, and a table without a schema is looked for there"
    )]
    Elsewhere { schemas: String, search_path: String },
    #[error(
        "{name} is there already and is not Baton's, which makes a table of that name; make a schema for Baton's tables \
         (CREATE SCHEMA baton) and name it first in the URL, before those of today: ?options=-csearch_path%3Dbaton{rest}"
    )]
    TakenInPostgres { name: String, rest: String },
    #[error(
        "{name:?} is there already and is not Baton's, which makes a table of that name in the database that it imports into; \
         rename it, or import into another file"
    )]
    TakenInSqlite { name: String },
    #[error(
        "the search_path of this session ({search_path}) leads to {name}, which is not Baton's, before Baton's own tables; name their schema \
         first in the URL, ?options=-csearch_path%3DSCHEMA,…, and tables of the same name in others with their schema"
    )]
    BehindAnother { name: String, search_path: String },
}

/// Refuses a database that has Baton's tables in a schema that the session does not see.
pub(super) fn expect_nowhere(connection: &mut Session) -> Result<(), Cause> {
    let schemas = sql::<Text>(ELSEWHERE).get_result::<String>(connection)?;
    match schemas.is_empty() {
        true => Ok(()),
        false => Err(Misplaced::Elsewhere { schemas, search_path: search_path(connection)? }.into()),
    }
}

/// Refuses a schema in which Baton's tables are to be made and a name of theirs is taken.
pub(super) fn expect_free_in_postgres(connection: &mut Session) -> Result<(), Cause> {
    let name = sql::<Text>(TAKEN_IN_POSTGRES).get_result::<String>(connection)?;
    if name.is_empty() {
        return Ok(());
    }
    // A name without a schema is to mean what it means today.
    let schemas = sql::<Text>(TODAYS_PATH).get_result::<String>(connection)?;
    // A blank parts the server's options, unless it is escaped.
    let schemas = schemas.replace('\\', r"\\").replace(' ', r"\ ");
    let rest = percent_encoding::utf8_percent_encode(&schemas, OF_URL).to_string();
    Err(Misplaced::TakenInPostgres { name, rest }.into())
}

/// The same of SQLite.
pub(super) fn expect_free_in_sqlite(connection: &mut SqliteConnection) -> Result<(), Cause> {
    let name = sql::<Text>(TAKEN_IN_SQLITE).get_result::<String>(connection)?;
    if name.is_empty() { Ok(()) } else { Err(Misplaced::TakenInSqlite { name }.into()) }
}

/// Refuses a session that takes somebody else's table for one of Baton's.
pub(super) fn expect_first(connection: &mut Session) -> Result<(), Cause> {
    let name = sql::<Text>(BEFORE_OURS).get_result::<String>(connection)?;
    match name.is_empty() {
        true => Ok(()),
        false => Err(Misplaced::BehindAnother { name, search_path: search_path(connection)? }.into()),
    }
}

fn search_path(connection: &mut Session) -> Result<String, Cause> {
    Ok(sql::<Text>("SELECT pg_catalog.current_setting('search_path')").get_result(connection)?)
}
