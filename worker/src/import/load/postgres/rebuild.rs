//! The indexes of an empty table, dropped before the load and built again after it, which is a third of the work of filling
//! them row by row. All of it in the import's transaction: should anything fail, the table is as it was. It locks the table
//! against everybody, and so happens only on demand.

use statemachine::FailureName;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::Session;
use crate::db::failure::sql_failure;
use crate::db::postgres::error::SqlError;
use crate::failure::Failure;
use crate::import::table::Table;

/// What speaks against it; NULL where nothing does.
const OBSTACLE: &str = "\
SELECT CASE
  WHEN NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN 'the worker''s database user does not own it'
  WHEN c.relkind = 'p' THEN 'it is partitioned'
  WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid) THEN 'it is a part of another table'
  WHEN c.relreplident = 'i' THEN 'an index of it is its replica identity'
  WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint con WHERE con.confrelid = c.oid) THEN 'other rows refer to it'
  WHEN EXISTS (SELECT FROM pg_catalog.pg_index i LEFT JOIN pg_catalog.pg_description d ON d.objoid = i.indexrelid
               WHERE i.indrelid = c.oid AND (i.indisclustered OR NOT i.indisvalid OR d.objoid IS NOT NULL))
    THEN 'one of its indexes is clustered, invalid or commented on, which would be lost'
END AS obstacle FROM pg_catalog.pg_class c WHERE c.oid = $1::oid";

/// How to drop each index, and how to build it again. A constraint's index goes with its constraint.
const INDEXES: &str = "\
SELECT coalesce('ALTER TABLE ' || t.name || ' DROP CONSTRAINT ' || quote_ident(con.conname),
                'DROP INDEX ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname)) AS drop_it,
       coalesce('ALTER TABLE ' || t.name || ' ADD CONSTRAINT ' || quote_ident(con.conname) || ' '
                || pg_catalog.pg_get_constraintdef(con.oid), pg_catalog.pg_get_indexdef(i.indexrelid)) AS build_it
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (SELECT $2 AS name) t
LEFT JOIN pg_catalog.pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
WHERE i.indrelid = $1::oid ORDER BY i.indisprimary DESC, c.relname";

/// What a build may use, for this transaction.
const BUILD_MEMORY: &str = "256MB";

/// Indexes that are to be built again.
pub(super) struct Rebuild {
    indexes: Vec<Index>,
}

struct Index {
    drop_it: String,
    build_it: String,
}

impl Rebuild {
    /// Locks the table and drops its indexes.
    pub(super) fn begin(session: &mut Session, table: &Table) -> Result<Self, Failure> {
        let failed = |error| sql_failure(&error, "prepare the table's indexes to be built again");
        let oid = i64::from(table.oid);
        let rows = session.query(OBSTACLE, &[(&oid, Type::INT8)]).map_err(failed)?;
        let obstacle = rows.first().map_or(Ok(None), |row| row.try_get::<_, Option<String>>(0));
        if let Some(obstacle) = obstacle.map_err(|error| failed(error.into()))? {
            return Err(impossible(table, &obstacle));
        }
        session.batch(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table.sql)).map_err(failed)?;
        let found = session.query(&format!("SELECT FROM {} LIMIT 1", table.sql), &[]).map_err(failed)?;
        if !found.is_empty() {
            return Err(impossible(table, "it is not empty"));
        }
        let indexes = Self::indexes(session, table).map_err(failed)?;
        for index in &indexes {
            session.batch(&index.drop_it).map_err(failed)?;
        }
        // Nothing hides a primary key's NOT NULL: its columns stay so when it goes.
        Ok(Self { indexes })
    }

    fn indexes(session: &mut Session, table: &Table) -> Result<Vec<Index>, SqlError> {
        let rows =
            session.query(INDEXES, &[(&i64::from(table.oid), Type::INT8), (&table.sql, Type::TEXT)])?;
        let index = |row: &Row| Ok(Index { drop_it: row.try_get(0)?, build_it: row.try_get(1)? });
        Ok(rows.iter().map(index).collect::<Result<_, tokio_postgres::Error>>()?)
    }

    /// Builds them again.
    pub(super) fn finish(&self, session: &mut Session) -> Result<String, SqlError> {
        session.batch(&format!("SET LOCAL maintenance_work_mem = '{BUILD_MEMORY}'"))?;
        for index in &self.indexes {
            session.batch(&index.build_it)?;
        }
        let (number, plural) = (self.indexes.len(), if self.indexes.len() == 1 { "" } else { "es" });
        Ok(format!("{number} index{plural} of the table built again after the load"))
    }
}

fn impossible(table: &Table, obstacle: &str) -> Failure {
    Failure::named(
        FailureName::OptionsInvalid,
        format!("the indexes of {:?} cannot be built again (rebuild_indexes): {obstacle}", table.name),
    )
}
