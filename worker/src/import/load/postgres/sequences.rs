//! Columns that a sequence numbers (serial, identity, a default that draws from one). Where the file gives their values, the
//! sequence does not move, and what comes without them later is numbered like rows that are there: that is a note, with the
//! statement that mends it. Where it has happened before, rows are refused for their sequence, and told so.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::constraint::{Constraint, Kind};
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted, shown};

/// The columns of the table `$1`, each with its sequence: what that counts by, and between which values; how `setval` is to name
/// it; the least and the greatest value of the column's type, where that is one of whole numbers; whether the sequence's last
/// value may be read, and the column's furthest one found without a look at every row. A default that makes something else of the
/// sequence's number (`nextval('s') * 10`) cannot be compared with what the table has.
const NUMBERED: &str = "\
SELECT a.attname::text, format('%I', a.attname), format('%I.%I', n.nspname, c.relname), format('%I.%I', sn.nspname, s.relname),
  CASE WHEN d.refobjid = $1::oid AND d.deptype IN ('a', 'i')
    THEN format('pg_get_serial_sequence(%L, %L)', format('%I.%I', n.nspname, c.relname), a.attname)
    ELSE format('%L', format('%I.%I', sn.nspname, s.relname)) END,
  q.seqincrement, q.seqmin, q.seqmax, q.seqcycle, w.least, w.greatest,
  CASE WHEN s.relkind = 'S' THEN pg_catalog.has_sequence_privilege(s.oid, 'SELECT') ELSE false END
    AND pg_catalog.has_schema_privilege(sn.oid, 'USAGE') AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
    AND EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
                WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typcategory = 'N'
LEFT JOIN (VALUES ('int2', -32768::int8, 32767::int8), ('int4', -2147483648, 2147483647),
    ('int8', '-9223372036854775808', 9223372036854775807)) w(type, least, greatest)
  ON format('pg_catalog.%s', w.type)::regtype = coalesce(nullif(t.typbasetype, 0), t.oid)
LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
JOIN LATERAL (
  SELECT s.oid AS sequence FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_class s ON s.oid = e.refobjid AND s.relkind = 'S'
  WHERE e.classid = 'pg_catalog.pg_attrdef'::regclass AND e.objid = f.oid
    AND e.refclassid = 'pg_catalog.pg_class'::regclass
    AND pg_catalog.pg_get_expr(f.adbin, f.adrelid) ~ '^\\(*(pg_catalog\\.)?nextval\\(''[^'']+''::(pg_catalog\\.)?regclass\\)\\)*(::[a-z0-9_.]+)?$'
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
pub(super) struct Sequences(Vec<Numbered>);

/// One of them.
#[derive(Debug)]
struct Numbered {
    column: String,
    /// The column and its table, as SQL that a person reads.
    shown: String,
    table: String,
    /// Its sequence, as SQL, and as `setval` takes it.
    sequence: String,
    target: String,
    increment: i64,
    /// The sequence's own bounds.
    least: i64,
    greatest: i64,
    /// Whether it begins again behind its last value.
    cycles: bool,
    /// The bounds of the column's type, where it is one of whole numbers.
    bounds: Option<(i64, i64)>,
    /// Whether sequence and column can be compared, at little cost.
    can_be_compared: bool,
    is_filled: bool,
}

impl Sequences {
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
        let Numbered { column, sequence, .. } = numbered;
        let again = match numbered.cycles {
            true => ", unless it has begun again behind its last value (CYCLE): then rows need this column",
            false => "",
        };
        Some(format!(
            "gets a number for {} from the sequence {sequence} that the table has already: the sequence is behind, and the \
             row is not at fault; run {}{again}",
            shown(column),
            numbered.mend()
        ))
    }
}

impl Numbered {
    fn is_descending(&self) -> bool {
        self.increment < 0
    }

    /// The aggregate of SQL that finds the furthest value.
    fn furthest(&self) -> &'static str {
        if self.is_descending() { "min" } else { "max" }
    }

    /// The statement that moves the sequence behind what the table has. `setval` refuses a value beyond the sequence's bounds;
    /// the sequence never gives one either, so such values do not count.
    fn mend(&self) -> String {
        let Self { shown, table, target, least, greatest, .. } = self;
        let (is_beyond_least, is_beyond_greatest) = match self.bounds {
            Some((lowest, highest)) => (lowest < *least, highest > *greatest),
            None => (true, true),
        };
        // Where the two were compared, the table has a value at or behind the next one.
        let is_before = !self.can_be_compared;
        let (has_least, has_greatest) = match self.is_descending() {
            true => (is_beyond_least, is_beyond_greatest && is_before),
            false => (is_beyond_least && is_before, is_beyond_greatest),
        };
        let within = match (has_least, has_greatest) {
            (true, true) => format!(" WHERE {shown} BETWEEN {least} AND {greatest}"),
            (true, false) => format!(" WHERE {shown} >= {least}"),
            (false, true) => format!(" WHERE {shown} <= {greatest}"),
            (false, false) => String::new(),
        };
        let cast = if self.bounds.is_none() { "::bigint" } else { "" };
        let furthest = format!("{}({shown}){cast}", self.furthest());
        // It may be ahead of the table by then, by numbers that were given and are not there, and must not go back.
        let further = if self.is_descending() { "least" } else { "greatest" };
        let last = format!("(SELECT last_value FROM {})", self.sequence);
        format!("SELECT setval({target}, {further}({furthest}, {last})) FROM {table}{within}")
    }

    fn note(&self, session: &mut Session, table: &Table) -> Option<String> {
        let (column, mend) = (shown(&self.column), self.mend());
        if !self.can_be_compared {
            return Some(format!(
                "the file fills the column {column}, and its sequence does not move with it; whether it is behind now cannot be \
                 seen with these permissions, or not quickly; before rows come without this column, run {mend}"
            ));
        }
        // What cannot be asked is no reason to lose the rows.
        let compared = session.in_savepoint(|session| self.next_and_last(session, table)).ok()??;
        let (next, last) = compared;
        let is_behind = if self.is_descending() { next >= last } else { next <= last };
        if !is_behind {
            return None;
        }
        let behind = format!(
            "the sequence of the column {column} is behind: its next value is {next}, and the table has {last}"
        );
        let after = i128::from(last) + i128::from(self.increment);
        if i128::from(self.least) <= after && after <= i128::from(self.greatest) {
            return Some(format!("{behind}; before rows come without this column, run {mend}"));
        }
        let bound = if self.is_descending() { "MINVALUE" } else { "MAXVALUE" };
        Some(match self.cycles {
            true => format!(
                "{behind}, behind which it begins again (CYCLE): it gives numbers that the table has, whatever it is set to; rows need \
                 this column, or the sequence {} another {bound}",
                self.sequence
            ),
            false => format!(
                "{behind}, behind which it has none; before rows come without this column, give the sequence {} another {bound}, \
                 and run {mend}",
                self.sequence
            ),
        })
    }

    /// What the sequence gives next, and the furthest value of the column that it could give. None where there is no such value,
    /// or it gives none any more.
    fn next_and_last(&self, session: &mut Session, table: &Table) -> Result<Option<(i64, i64)>, SqlError> {
        let Self { least, greatest, sequence, .. } = self;
        let first = if self.is_descending() { greatest } else { least };
        let rows = session.query(
            &format!(
                "SELECT s.is_called, s.last_value, \
                   (SELECT {}({column}) FROM {} WHERE {column} BETWEEN '{least}'::pg_catalog.int8 AND '{greatest}'::pg_catalog.int8) \
                     ::pg_catalog.int8 \
                 FROM {sequence} s",
                self.furthest(),
                table.sql,
                column = quoted(&self.column),
            ),
            &[],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (is_called, at): (bool, i64) = (row.try_get(0)?, row.try_get(1)?);
        let next = match at.checked_add(self.increment) {
            _ if !is_called => Some(at),
            Some(next) if (*least..=*greatest).contains(&next) => Some(next),
            _ => self.cycles.then_some(*first),
        };
        Ok(next.zip(row.try_get(2)?))
    }
}

fn numbered(row: &Row, plan: &Plan) -> Result<Numbered, tokio_postgres::Error> {
    let column: String = row.try_get(0)?;
    Ok(Numbered {
        is_filled: plan.columns.iter().any(|filled| filled.name == column),
        shown: row.try_get(1)?,
        table: row.try_get(2)?,
        sequence: row.try_get(3)?,
        target: row.try_get(4)?,
        increment: row.try_get(5)?,
        least: row.try_get(6)?,
        greatest: row.try_get(7)?,
        cycles: row.try_get(8)?,
        bounds: row.try_get::<_, Option<i64>>(9)?.zip(row.try_get(10)?),
        can_be_compared: row.try_get(11)?,
        column,
    })
}
