//! How to drop an index, and how to build it again just as it was, as statements that the server writes itself. What belongs to
//! an index and stands in no definition (storage parameters of a constraint, tablespace, comments, statistics targets, the
//! mark of CLUSTER, the replica identity) has statements of its own.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::table::Table;

/// `$1` the table and `$2` its name as SQL. A constraint's index goes with its constraint. A key is built as an index, which
/// then becomes the constraint's: the definition of a constraint alone says nothing of its storage parameters.
const INDEXES: &str = "\
SELECT CASE WHEN con.oid IS NULL THEN 'DROP INDEX ' || i.name
            ELSE 'ALTER TABLE ' || $2 || ' DROP CONSTRAINT ' || quote_ident(con.conname) END,
  'SET LOCAL default_tablespace = ' || quote_literal(coalesce(i.spcname, '')),
  CASE WHEN con.oid IS NULL OR i.is_plain_key THEN pg_catalog.pg_get_indexdef(i.oid)
       ELSE 'ALTER TABLE ' || $2 || ' ADD CONSTRAINT ' || quote_ident(con.conname) || ' '
            || pg_catalog.pg_get_constraintdef(con.oid) END,
  CASE WHEN i.is_plain_key THEN 'ALTER TABLE ' || $2 || ' ADD CONSTRAINT ' || quote_ident(con.conname)
    || CASE con.contype WHEN 'p' THEN ' PRIMARY KEY' ELSE ' UNIQUE' END || ' USING INDEX ' || quote_ident(i.relname)
    || CASE WHEN con.condeferrable THEN ' DEFERRABLE' ELSE '' END
    || CASE WHEN con.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END END,
  ARRAY(SELECT format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', i.name, a.attnum, to_jsonb(a) ->> 'attstattarget')
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.oid AND (to_jsonb(a) ->> 'attstattarget')::int4 >= 0
        ORDER BY a.attnum),
  'COMMENT ON INDEX ' || i.name || ' IS ' || quote_literal(pg_catalog.obj_description(i.oid, 'pg_class')),
  'COMMENT ON CONSTRAINT ' || quote_ident(con.conname) || ' ON ' || $2 || ' IS '
    || quote_literal(pg_catalog.obj_description(con.oid, 'pg_constraint')),
  CASE WHEN i.indisclustered THEN 'ALTER TABLE ' || $2 || ' CLUSTER ON ' || quote_ident(i.relname) END,
  CASE WHEN i.indisreplident THEN 'ALTER TABLE ' || $2 || ' REPLICA IDENTITY USING INDEX ' || quote_ident(i.relname) END
FROM (
  SELECT x.*, c.oid, c.relname, s.spcname, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
    EXISTS (SELECT FROM pg_catalog.pg_constraint p WHERE p.conindid = c.oid AND p.conrelid = x.indrelid
            AND p.contype IN ('p', 'u') AND NOT coalesce((to_jsonb(p) ->> 'conperiod')::bool, false)) AS is_plain_key
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace WHERE x.indrelid = $1::oid) i
LEFT JOIN pg_catalog.pg_constraint con
  ON con.conindid = i.oid AND con.conrelid = i.indrelid AND con.contype IN ('p', 'u', 'x')
ORDER BY i.indisprimary DESC, i.relname";

/// An index, in statements.
pub(super) struct Index {
    pub(super) drop_it: String,
    pub(super) build_it: Vec<String>,
}

/// Reads the indexes of the table.
pub(super) fn read(session: &mut Session, table: &Table) -> Result<Vec<Index>, SqlError> {
    let rows = session.query(INDEXES, &[(&i64::from(table.oid), Type::INT8), (&table.sql, Type::TEXT)])?;
    Ok(rows.iter().map(index).collect::<Result<_, _>>()?)
}

fn index(row: &Row) -> Result<Index, tokio_postgres::Error> {
    let mut build_it = vec![row.try_get(1)?, row.try_get(2)?];
    build_it.extend(row.try_get::<_, Option<String>>(3)?);
    build_it.extend(row.try_get::<_, Vec<String>>(4)?);
    for place in 5..9 {
        build_it.extend(row.try_get::<_, Option<String>>(place)?);
    }
    Ok(Index { drop_it: row.try_get(0)?, build_it })
}
