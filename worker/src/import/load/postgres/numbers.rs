//! Columns that a sequence numbers (serial, identity, a default that draws from one). Where the file gives their values, the
//! sequence does not move, and what comes without them later is numbered like rows that are there: that is a note, with the
//! statement that mends it. Where it has happened before, rows are refused for their sequence, and told so.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::constraint::{Constraint, Kind};
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted};

/// The columns of the table `$1`, each with its sequence. Whether its last value may be read, and the column's greatest value
/// found without a look at every row.
const NUMBERED: &str = "\
SELECT a.attname::text, format('%I.%I', sn.nspname, s.relname), q.seqincrement < 0,
  CASE WHEN d.refobjid = $1::oid AND d.deptype IN ('a', 'i')
    THEN format('SELECT setval(pg_get_serial_sequence(%L, %L), %s(%I)) FROM %I.%I', format('%I.%I', n.nspname, c.relname),
                a.attname, CASE WHEN q.seqincrement < 0 THEN 'min' ELSE 'max' END, a.attname, n.nspname, c.relname)
    ELSE format('SELECT setval(%L, %s(%I)) FROM %I.%I', format('%I.%I', sn.nspname, s.relname),
                CASE WHEN q.seqincrement < 0 THEN 'min' ELSE 'max' END, a.attname, n.nspname, c.relname) END,
  CASE WHEN s.relkind = 'S' THEN pg_catalog.has_sequence_privilege(s.oid, 'SELECT') ELSE false END
    AND pg_catalog.has_schema_privilege(sn.oid, 'USAGE') AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
    AND EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
                WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
JOIN LATERAL (
  SELECT s.oid AS sequence FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_class s ON s.oid = e.refobjid AND s.relkind = 'S'
  WHERE e.classid = 'pg_catalog.pg_attrdef'::regclass AND e.objid = f.oid
    AND e.refclassid = 'pg_catalog.pg_class'::regclass
  UNION
  SELECT s.oid FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_class s ON s.oid = e.objid AND s.relkind = 'S'
  WHERE a.attidentity <> '' AND e.classid = 'pg_catalog.pg_class'::regclass
    AND e.refclassid = 'pg_catalog.pg_class'::regclass AND e.refobjid = c.oid AND e.refobjsubid = a.attnum) u ON true
JOIN pg_catalog.pg_class s ON s.oid = u.sequence JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid
  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid = a.attnum AND d.refobjid = c.oid
WHERE c.oid = $1::oid ORDER BY a.attnum";

/// The columns of a table that a sequence numbers.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<Numbered>);

/// One of them.
#[derive(Debug)]
struct Numbered {
    column: String,
    /// Its sequence, as SQL.
    sequence: String,
    is_descending: bool,
    /// The statement that moves the sequence behind what the table has.
    mend: String,
    /// Whether sequence and column can be compared, at little cost.
    can_be_compared: bool,
    is_filled: bool,
}

impl Numbers {
    /// Reads them.
    pub(super) fn read(session: &mut Session, table: &Table, plan: &Plan) -> Result<Self, SqlError> {
        let rows = session.query(NUMBERED, &[(&i64::from(table.oid), Type::INT8)])?;
        Ok(Self(rows.iter().map(|row| numbered(row, plan)).collect::<Result<_, _>>()?))
    }

    /// What is to be said of the sequences once the rows are in the table.
    pub(super) fn notes(&self, session: &mut Session, table: &Table) -> Vec<String> {
        let filled = self.0.iter().filter(|numbered| numbered.is_filled);
        filled.filter_map(|numbered| numbered.note(session, table)).collect()
    }

    /// What is to be said of a row that breaks a constraint for the number that its column got from a sequence: continues a
    /// sentence that begins with the row.
    pub(super) fn blame(&self, constraint: &Constraint) -> Option<String> {
        if !matches!(constraint.kind, Kind::Unique(_)) {
            return None;
        }
        let numbered = self
            .0
            .iter()
            .find(|numbered| !numbered.is_filled && constraint.columns.contains(&numbered.column))?;
        let Numbered { column, sequence, mend, .. } = numbered;
        Some(format!(
            "gets a number for {column:?} from the sequence {sequence} that the table has already: the sequence is behind, and the \
             row is not at fault; run {mend}"
        ))
    }
}

impl Numbered {
    fn note(&self, session: &mut Session, table: &Table) -> Option<String> {
        let Self { column, mend, .. } = self;
        if !self.can_be_compared {
            return Some(format!(
                "the file fills the column {column:?}, and its sequence does not move with it; before rows come without this \
                 column, run {mend}"
            ));
        }
        // What cannot be asked is no reason to lose the rows.
        let compared = session.in_savepoint(|session| self.next_and_last(session, table)).ok()??;
        let (next, last) = compared;
        let is_behind = if self.is_descending { next >= last } else { next <= last };
        is_behind.then(|| {
            format!(
                "the sequence of the column {column:?} is behind: its next value is {next}, and the table has {last}; before rows \
                 come without this column, run {mend}"
            )
        })
    }

    /// What the sequence gives next, and the furthest value of the column.
    fn next_and_last(&self, session: &mut Session, table: &Table) -> Result<Option<(i64, i64)>, SqlError> {
        let furthest = if self.is_descending { "min" } else { "max" };
        let rows = session.query(
            &format!(
                "SELECT CASE WHEN s.is_called THEN s.last_value + q.seqincrement ELSE s.last_value END, \
                   (SELECT {furthest}({}) FROM {})::pg_catalog.int8 \
                 FROM {} s JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.tableoid",
                quoted(&self.column),
                table.sql,
                self.sequence
            ),
            &[],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(row.try_get::<_, Option<i64>>(0)?.zip(row.try_get(1)?))
    }
}

fn numbered(row: &Row, plan: &Plan) -> Result<Numbered, tokio_postgres::Error> {
    let column: String = row.try_get(0)?;
    Ok(Numbered {
        is_filled: plan.columns.iter().any(|filled| filled.name == column),
        sequence: row.try_get(1)?,
        is_descending: row.try_get(2)?,
        mend: row.try_get(3)?,
        can_be_compared: row.try_get(4)?,
        column,
    })
}
