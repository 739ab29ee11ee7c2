//! The names of the tables that rows can be imported into, for whoever has to choose one.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use super::is_reserved;
use crate::db::Connection;
use crate::db::failure::database_failure;
use crate::failure::Failure;

/// Partitions are left out: their rows go through the table that they belong to.
const OF_POSTGRES: &str = "\
SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname::text
            ELSE n.nspname::text || '.' || c.relname::text END AS name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('r', 'p') OR (c.relkind IN ('v', 'f') AND pg_catalog.pg_relation_is_updatable(c.oid, true) & 8 <> 0))
  AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (has_table_privilege(c.oid, 'INSERT') OR has_any_column_privilege(c.oid, 'INSERT'))
ORDER BY 1 LIMIT 1000";

const OF_SQLITE: &str = "\
SELECT name FROM pragma_table_list l WHERE schema = 'main' AND (type = 'table' OR (type = 'view' AND EXISTS \
(SELECT 1 FROM main.sqlite_schema t WHERE t.type = 'trigger' AND t.tbl_name = l.name AND t.sql LIKE '%INSTEAD OF INSERT%'))) \
ORDER BY 1 LIMIT 1000";

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The tables that the connection's user may insert into, without Baton's own and the database's; at most 1,000, in the
/// order of their names. A table that is not on the search path has its schema before its name.
///
/// # Errors
/// `Import.DatabaseUnavailable`.
pub fn writable_tables(connection: &mut Connection) -> Result<Vec<String>, Failure> {
    let rows = match connection {
        Connection::Postgres(connection) => sql_query(OF_POSTGRES).load::<NameRow>(connection),
        Connection::Sqlite(connection) => sql_query(OF_SQLITE).load::<NameRow>(connection),
    };
    let rows = rows.map_err(|error| database_failure(&error, "read the names of the tables"))?;
    Ok(rows.into_iter().map(|row| row.name).filter(|name| !is_reserved(name)).collect())
}
