//! Whether Baton's tables are where the session looks for them, and nothing of somebody else's is in their place.

use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel::{RunQueryDsl as _, SqliteConnection};

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

/// What has the name of one of Baton's tables where they are to be made.
const TAKEN_IN_POSTGRES: &str = "\
    SELECT coalesce(min(pg_catalog.format('%s.%s', n.nspname, c.relname)), '') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = pg_catalog.current_schema() AND c.relname IN ('imports', 'import_attempts')";

const TAKEN_IN_SQLITE: &str =
    "SELECT coalesce(min(name), '') FROM sqlite_schema WHERE lower(name) IN ('imports', 'import_attempts')";

/// What the session takes for one of Baton's tables though it is in another schema than they are.
const BEFORE_OURS: &str = "\
    SELECT coalesce(min(pg_catalog.format('%s.%s', n.nspname, c.relname)), '') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.oid IN (pg_catalog.to_regclass('imports'), pg_catalog.to_regclass('import_attempts')) \
      AND c.relnamespace <> (SELECT m.relnamespace FROM pg_catalog.pg_class m \
                             WHERE m.oid = pg_catalog.to_regclass('__diesel_schema_migrations'))";

/// Why Baton cannot have its tables in a database as it is. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Misplaced {
    #[error(
        "Baton's tables in this database are in the schema {schemas}, and the search_path of this session ({search_path}) does not lead \
         there; set it back, or name a schema in the URL: ?options=-csearch_path%3DSCHEMA. With a schema that is named so, a database may \
         have Baton's tables more than once"
    )]
    Elsewhere { schemas: String, search_path: String },
    #[error(
        "{name} is there already and is not Baton's, which makes a table of that name; make a schema for Baton's tables \
         (CREATE SCHEMA baton) and name it first in the URL: ?options=-csearch_path%3Dbaton,public"
    )]
    TakenInPostgres { name: String },
    #[error(
        "a table {name:?} is there already and is not Baton's, which makes a table of that name in the database that it imports into; \
         rename the table, or import into another file"
    )]
    TakenInSqlite { name: String },
    #[error(
        "the search_path of this session ({search_path}) leads to {name}, which is not Baton's, before Baton's own tables; name their schema \
         first in the URL: ?options=-csearch_path%3DSCHEMA"
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
    if name.is_empty() { Ok(()) } else { Err(Misplaced::TakenInPostgres { name }.into()) }
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
