//! Rows that no partition of a table takes: the bounds of the partitions tell them.

use tokio_postgres::types::Type;

use super::refusal::Refusal;
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::table::Table;

/// So many bounds are asked of every row at most: with more, trying costs less.
const MOST: i64 = 100;

/// `$1` the table. The bounds of a partition are also those of the partitions that it is one of; a default partition that is
/// alone has none.
const BOUNDS: &str = "\
SELECT pg_catalog.count(*),
  coalesce(pg_catalog.string_agg(coalesce(pg_catalog.pg_get_partition_constraintdef(p.relid), 'true'), ' OR '), 'false'),
  (SELECT CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) ELSE '' END FROM pg_catalog.pg_class c
   WHERE c.oid = $1::oid AND (c.relkind <> 'p' OR NOT c.relispartition AND coalesce(pg_catalog.max(p.level), 1) = 1))
FROM pg_catalog.pg_partition_tree($1::oid::regclass) p WHERE p.isleaf";

/// Where rows can be.
pub(super) struct Bounds {
    /// Whether a row has a place, as SQL.
    pub(super) hold: String,
    /// What is to be said of one that has none: continues a sentence that begins with the row.
    pub(super) says: String,
}

impl Bounds {
    /// Reads them; none where they are too many to be asked.
    pub(super) fn read(session: &mut Session, table: &Table) -> Result<Option<Self>, SqlError> {
        let rows = session.query(BOUNDS, &[(&i64::from(table.oid), Type::INT8)])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (count, hold, by): (i64, String, Option<String>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let says = match by.as_deref() {
            Some("") => format!("does not fit the bounds of the table, which is a partition: {hold}"),
            Some(by) => format!("fits no partition of the table, which is partitioned by {by}"),
            // Of which level it fits none is not told.
            None => "fits no partition of the table and of its partitions".to_owned(),
        };
        Ok((count <= MOST).then_some(Self { hold, says }))
    }
}

/// Whether it is said of a row that it has no place: no other refusal names a table and neither a constraint nor a column.
pub(super) fn is_missing(refusal: &Refusal) -> bool {
    let Refusal { code, table, constraint, column, .. } = refusal;
    code == "23514" && table.is_some() && constraint.is_none() && column.is_none()
}
