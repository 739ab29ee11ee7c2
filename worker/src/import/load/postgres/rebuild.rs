//! The indexes of an empty table, dropped before the load and built again after it, which is a third of the work of filling
//! them row by row. All of it in the import's transaction: should anything fail, the table is as it was. It locks the table
//! against everybody, and so happens only on demand.

mod index;

use statemachine::FailureName;
use tokio_postgres::types::Type;

use self::index::Index;
use crate::db::Session;
use crate::db::failure::sql_failure;
use crate::db::postgres::error::SqlError;
use crate::failure::Failure;
use crate::import::table::{Table, shown};

/// What speaks against it; NULL where nothing does. An index that others depend on cannot be dropped, or not without them.
const OBSTACLE: &str = "\
SELECT CASE
  WHEN NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN 'the worker''s database user does not own it'
  WHEN c.relkind = 'p' THEN 'it is partitioned'
  WHEN c.relkind <> 'r' THEN 'it has no indexes of its own'
  WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid) THEN 'it is a part of another table'
  WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint con WHERE con.confrelid = c.oid) THEN 'other rows refer to it'
  ELSE (
    SELECT 'its index ' || quote_ident(i.relname) || ' ' || i.what || '; drop it yourself, or import without rebuild_indexes'
    FROM (
      SELECT k.relname, CASE
        WHEN NOT x.indisvalid THEN 'is invalid'
        WHEN k.reloptions IS NOT NULL AND con.oid IS NOT NULL
             AND (con.contype = 'x' OR coalesce((to_jsonb(con) ->> 'conperiod')::bool, false))
          THEN 'has storage parameters (' || array_to_string(k.reloptions, ', ') || '), which would be lost'
        WHEN EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype IN ('e', 'x') AND (
                       (d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = k.oid)
                       OR (d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = con.oid)))
          THEN 'belongs to an extension'
        WHEN EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'n' AND (
                       (d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = k.oid)
                       OR (d.refclassid = 'pg_catalog.pg_constraint'::regclass AND d.refobjid = con.oid)))
          THEN 'is needed by a view or another object'
        WHEN k.reltablespace <> 0 AND NOT pg_catalog.has_tablespace_privilege(k.reltablespace, 'CREATE')
          THEN 'lies in a tablespace in which the worker''s database user may create nothing'
      END AS what
      FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class k ON k.oid = x.indexrelid
      LEFT JOIN pg_catalog.pg_constraint con
        ON con.conindid = k.oid AND con.conrelid = c.oid AND con.contype IN ('p', 'u', 'x')
      WHERE x.indrelid = c.oid ORDER BY k.relname) i WHERE i.what IS NOT NULL LIMIT 1)
END AS obstacle FROM pg_catalog.pg_class c WHERE c.oid = $1::oid";

/// What a build may use, for this transaction.
const BUILD_MEMORY: &str = "256MB";

/// Indexes that are to be built again.
pub(super) struct Rebuild {
    indexes: Vec<Index>,
}

impl Rebuild {
    /// Refuses a table whose indexes cannot be built again, whatever is granted.
    pub(super) fn check(session: &mut Session, table: &Table) -> Result<(), Failure> {
        let failed = |error| sql_failure(&error, "look whether the table's indexes can be built again");
        let oid = i64::from(table.oid);
        let rows = session.query(OBSTACLE, &[(&oid, Type::INT8)]).map_err(failed)?;
        let obstacle = rows.first().map_or(Ok(None), |row| row.try_get::<_, Option<String>>(0));
        match obstacle.map_err(|error| failed(error.into()))? {
            Some(obstacle) => Err(impossible(table, &obstacle)),
            None => Ok(()),
        }
    }

    /// Locks the table and drops its indexes.
    pub(super) fn begin(session: &mut Session, table: &Table) -> Result<Self, Failure> {
        let failed = |error| sql_failure(&error, "prepare the table's indexes to be built again");
        session.batch(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table.sql)).map_err(failed)?;
        let found = session.query(&format!("SELECT FROM {} LIMIT 1", table.sql), &[]).map_err(failed)?;
        if !found.is_empty() {
            return Err(impossible(table, "it is not empty"));
        }
        let indexes = index::read(session, table).map_err(failed)?;
        for index in &indexes {
            session.batch(&index.drop_it).map_err(failed)?;
        }
        // Nothing hides a primary key's NOT NULL: its columns stay so when it goes.
        Ok(Self { indexes })
    }

    /// Builds them again.
    pub(super) fn finish(&self, session: &mut Session) -> Result<String, SqlError> {
        session.batch(&format!("SET LOCAL maintenance_work_mem = '{BUILD_MEMORY}'"))?;
        for statement in self.indexes.iter().flat_map(|index| &index.build_it) {
            session.batch(statement)?;
        }
        let (number, plural) = (self.indexes.len(), if self.indexes.len() == 1 { "" } else { "es" });
        Ok(format!("{number} index{plural} of the table built again after the load"))
    }
}

fn impossible(table: &Table, obstacle: &str) -> Failure {
    Failure::named(
        FailureName::OptionsInvalid,
        format!("the indexes of {} cannot be built again (rebuild_indexes): {obstacle}", shown(&table.name)),
    )
}
