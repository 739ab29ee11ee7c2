//! What decides how rows can be written into a table, and how it can be found out which of them it refuses.

use statemachine::OnConflict;
use tokio_postgres::types::Type;

use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::header::Plan;
use crate::import::table::{Table, shown};

/// `$1` the table, `$2` whether rows may be updated, `$3` the columns that the file fills. A table has the triggers of its
/// partitions, too, which it shares with them, and which they may have of their own. A partition's constraint is its own where
/// it does not have it from the table, and so is an index that refuses rows. A row of a partition that is written by itself
/// refers to its like where it refers to the whole table.
const FACTS: &str = "\
WITH RECURSIVE family (oid) AS (
  SELECT $1::oid UNION ALL
  SELECT i.inhrelid FROM family f JOIN pg_catalog.pg_inherits i ON i.inhparent = f.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition),
triggers AS (
  SELECT g.tgtype FROM family f JOIN pg_catalog.pg_trigger g ON g.tgrelid = f.oid
  WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND (g.tgtype & 4 <> 0 OR ($2 AND g.tgtype & 16 <> 0))),
unfilled AS (
  SELECT a.*, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression, d.oid AS default_oid
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname::text <> ALL ($3))
SELECT c.relkind::text,
  EXISTS (SELECT FROM triggers),
  EXISTS (SELECT FROM triggers WHERE tgtype & 1 <> 0 AND tgtype & 66 <> 0),
  pg_catalog.row_security_active(c.oid),
  EXISTS (SELECT FROM family f JOIN pg_catalog.pg_class k ON k.oid = f.oid WHERE k.relkind = 'f'),
  EXISTS (SELECT FROM unfilled u WHERE u.attidentity <> '' OR u.expression LIKE '%val(%'
    OR EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid = u.atttypid AND t.typtype = 'd' AND t.typdefault LIKE '%(%')
    OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
               AND d.objid = u.default_oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass)
    OR EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
               WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = u.default_oid
               AND d.refclassid = 'pg_catalog.pg_class'::regclass)),
  EXISTS (SELECT FROM pg_catalog.pg_constraint con WHERE con.conrelid = c.oid AND con.contype IN ('c', 'f', 'x')),
  EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated <> ''),
  EXISTS (SELECT FROM pg_catalog.pg_constraint con WHERE con.conrelid = c.oid AND con.contype = 'f'
          AND (con.confrelid = c.oid OR con.confrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_ancestors(c.oid) p))
          AND EXISTS (
            SELECT FROM unnest(con.conkey) k (number) JOIN pg_catalog.pg_attribute a
            ON a.attrelid = con.conrelid AND a.attnum = k.number WHERE a.attname::text = ANY ($3) OR a.attgenerated <> '')),
  pg_catalog.has_table_privilege(c.oid, 'SELECT'),
  c.relkind = 'v' AND pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 <> 0,
  EXISTS (SELECT FROM family f WHERE f.oid <> c.oid AND (
    EXISTS (SELECT FROM pg_catalog.pg_constraint con WHERE con.conrelid = f.oid AND con.contype IN ('c', 'f')
            AND con.conparentid = 0 AND con.coninhcount = 0)
    OR EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
               JOIN pg_catalog.pg_am am ON am.oid = k.relam
               WHERE i.indrelid = f.oid AND NOT k.relispartition
               AND (i.indisunique OR i.indpred IS NOT NULL OR i.indexprs IS NOT NULL OR am.amname <> 'btree'))
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attribute o ON o.attname = a.attname
               WHERE a.attrelid = f.oid AND o.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull AND NOT o.attnotnull))),
  (EXISTS (SELECT FROM triggers) OR c.relkind = 'v')
    AND EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgdeferrable AND g.tgenabled <> 'D')
  OR $2 AND EXISTS (SELECT FROM family f JOIN pg_catalog.pg_constraint con ON f.oid IN (con.conrelid, con.confrelid)
    WHERE con.condeferred)
FROM pg_catalog.pg_class c WHERE c.oid = $1::oid";

/// What there is to know of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) is_partitioned: bool,
    pub(super) is_view: bool,
    /// Its rows lie elsewhere.
    pub(super) has_no_indexes: bool,
    /// Triggers that somebody made may do anything with a row, and with other rows.
    pub(super) has_triggers: bool,
    /// Some of them run before a row is written: they may change it, or leave it out without an error.
    pub(super) may_change_rows: bool,
    /// Policies decide which rows this user may write; COPY does not know how.
    pub(super) has_row_security: bool,
    /// Rows are written in other databases, maybe several at a time.
    pub(super) is_foreign: bool,
    /// A column that the file does not fill gets its values in the order of the rows: from a sequence, say.
    pub(super) is_counted: bool,
    /// Constraints may refuse a row that are not those of its key.
    pub(super) has_constraints: bool,
    pub(super) has_generated_columns: bool,
    /// A row of the file may refer to another one.
    pub(super) refers_to_itself: bool,
    /// Every column may be read, those of the system among them.
    pub(super) may_be_read: bool,
    /// It is a view, and an INSERT into it is one into the table below.
    pub(super) is_updatable_view: bool,
    /// A partition refuses rows for reasons of its own, which the table does not have.
    pub(super) has_odd_partitions: bool,
    /// A deferred constraint that does not hold behind a row may hold behind all of them: for what a trigger writes, or as other
    /// rows are updated. Where nothing but the rows themselves is written, it holds at once or never.
    pub(super) may_hold_later: bool,
}

impl Facts {
    /// Reads them.
    pub(super) fn read(
        session: &mut Session,
        table: &Table,
        plan: &Plan,
        on_conflict: OnConflict,
    ) -> Result<Self, SqlError> {
        let filled: Vec<_> = plan.columns.iter().map(|column| column.name.as_str()).collect();
        let rows = session.query(
            FACTS,
            &[
                (&i64::from(table.oid), Type::INT8),
                (&(on_conflict == OnConflict::Update), Type::BOOL),
                (&filled, Type::TEXT_ARRAY),
            ],
        )?;
        let row = rows
            .first()
            .ok_or_else(|| SqlError::Driver(format!("the table {} is gone", shown(&table.name))))?;
        let kind: &str = row.try_get(0)?;
        Ok(Self {
            is_partitioned: kind == "p",
            is_view: kind == "v",
            has_no_indexes: matches!(kind, "v" | "f"),
            has_triggers: row.try_get(1)?,
            may_change_rows: row.try_get(2)?,
            has_row_security: row.try_get(3)?,
            is_foreign: row.try_get(4)?,
            is_counted: row.try_get(5)?,
            has_constraints: row.try_get(6)?,
            has_generated_columns: row.try_get(7)?,
            refers_to_itself: row.try_get(8)?,
            may_be_read: row.try_get(9)?,
            is_updatable_view: row.try_get(10)?,
            has_odd_partitions: row.try_get(11)?,
            may_hold_later: row.try_get(12)?,
        })
    }

    /// The rows that the table's own keys are about, as SQL: not those of tables that inherit from it.
    pub(super) fn own_rows(&self, table: &Table) -> String {
        let is_plain = !(self.is_partitioned || self.has_no_indexes);
        format!("{}{}", if is_plain { "ONLY " } else { "" }, table.sql)
    }

    /// Whether a query can tell which rows the table refuses: nothing changes a row before it is checked, and nothing hides
    /// rows that are there.
    pub(super) fn is_told_by_queries(&self) -> bool {
        !(self.has_triggers || self.has_row_security || self.is_foreign || self.is_view)
    }
}
