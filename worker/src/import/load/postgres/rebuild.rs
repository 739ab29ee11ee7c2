//! The indexes of an empty table, dropped before the load and built again after it, which is a third of the work of filling
//! them row by row. All of it in the import's transaction: should anything fail, the table is as it was. It locks the table
//! against everybody, and so happens only on demand.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, sql_query};
use statemachine::FailureName;

use crate::db::Session;
use crate::db::failure::database_failure;
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

#[derive(QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    drop_it: String,
    #[diesel(sql_type = Text)]
    build_it: String,
}

#[derive(QueryableByName)]
struct Obstacle {
    #[diesel(sql_type = Nullable<Text>)]
    obstacle: Option<String>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

impl Rebuild {
    /// Locks the table and drops its indexes.
    pub(super) fn begin(connection: &mut Session, table: &Table) -> Result<Self, Failure> {
        let failed = |error| database_failure(&error, "prepare the table's indexes to be built again");
        let obstacle: Obstacle = sql_query(OBSTACLE)
            .bind::<BigInt, _>(i64::from(table.oid))
            .get_result(connection)
            .map_err(failed)?;
        if let Some(obstacle) = obstacle.obstacle {
            return Err(impossible(table, &obstacle));
        }
        connection
            .batch_execute(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table.sql))
            .map_err(failed)?;
        let found: Found = sql_query(format!("SELECT EXISTS (SELECT FROM {}) AS found", table.sql))
            .get_result(connection)
            .map_err(failed)?;
        if found.found {
            return Err(impossible(table, "it is not empty"));
        }
        let indexes: Vec<Index> = sql_query(INDEXES)
            .bind::<BigInt, _>(i64::from(table.oid))
            .bind::<Text, _>(&table.sql)
            .load(connection)
            .map_err(failed)?;
        for index in &indexes {
            connection.batch_execute(&index.drop_it).map_err(failed)?;
        }
        // Nothing hides a primary key's NOT NULL: its columns stay so when it goes.
        Ok(Self { indexes })
    }

    /// Builds them again.
    pub(super) fn finish(&self, connection: &mut Session) -> QueryResult<String> {
        connection.batch_execute(&format!("SET LOCAL maintenance_work_mem = '{BUILD_MEMORY}'"))?;
        for index in &self.indexes {
            connection.batch_execute(&index.build_it)?;
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
