//! A constraint that rows broke: which it is, and which columns and rows of which table it is about. A unique index that is
//! no constraint counts as one.

use std::borrow::Cow;

use tokio_postgres::types::Type;

use super::index::Index;
use super::partition;
use super::refusal::Refusal;
use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted};

/// `$1` the schema, `$2` the table and `$3` the constraint's name, `$4` the table that is written. A partition's constraint is
/// that of the table which it has it from. A foreign key to a partitioned table has another entry for each partition that it
/// refers to, which holds for no row by itself: the first entry of all counts. The operators of a foreign key compare a column
/// of the table that is referred to with one of the table that refers.
const FIND: &str = "\
WITH RECURSIVE named (oid, conrelid, above, place) AS (
  SELECT con.oid, con.conrelid, con.conparentid, 0
  FROM pg_catalog.pg_constraint con JOIN pg_catalog.pg_class t ON t.oid = con.conrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
  WHERE tn.nspname::text = $1 AND t.relname::text = $2 AND con.conname::text = $3
    AND con.contype IN ('p', 'u', 'f', 'c', 'x')
  UNION ALL
  SELECT con.oid, con.conrelid, con.conparentid, n.place + 1
  FROM named n JOIN pg_catalog.pg_constraint con ON con.oid = n.above),
found (oid) AS (
  SELECT n.oid FROM named n
  ORDER BY n.conrelid = $4::oid DESC, CASE WHEN n.conrelid = $4::oid THEN -n.place ELSE n.place END LIMIT 1)
SELECT con.contype::text, con.conrelid::int8,
       ARRAY(SELECT a.attname::text FROM unnest(con.conkey) WITH ORDINALITY k (number, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.number ORDER BY k.place),
       CASE WHEN con.confrelid <> 0 THEN (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = con.confrelid) END,
       con.confrelid = $4::oid
         OR con.confrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_ancestors($4::oid::regclass) p),
       ARRAY(SELECT a.attname::text FROM unnest(con.confkey) WITH ORDINALITY k (number, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.number ORDER BY k.place),
       ARRAY(SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
             FROM unnest(con.conpfeqop) WITH ORDINALITY k (operator, place)
             JOIN pg_catalog.pg_operator o ON o.oid = k.operator
             JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace ORDER BY k.place),
       pg_catalog.pg_get_expr(con.conbin, con.conrelid),
       coalesce((to_jsonb(con) ->> 'conperiod')::bool, false), con.confmatchtype = 'f', con.conname::text,
       CASE WHEN con.conrelid <> $4::oid AND NOT (con.contype = 'c' AND EXISTS (
               SELECT FROM pg_catalog.pg_constraint own
               WHERE own.conrelid = $4::oid AND own.contype = 'c' AND own.conname = con.conname))
            THEN pg_catalog.pg_get_partition_constraintdef(con.conrelid) END,
       coalesce((SELECT c.relkind <> 'p' FROM pg_catalog.pg_class c WHERE c.oid = con.confrelid), false),
       CASE WHEN con.confrelid <> 0 THEN pg_catalog.row_security_active(con.confrelid) ELSE false END, con.condeferred
FROM found f JOIN pg_catalog.pg_constraint con ON con.oid = f.oid
UNION ALL
SELECT 'u', i.indrelid::int8,
       ARRAY(SELECT coalesce(a.attname::text, '') FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
             WHERE k.place <= i.indnkeyatts ORDER BY k.place),
       NULL, false, ARRAY[]::text[], ARRAY[]::text[], NULL, false, false, c.relname::text, NULL, false, false, false
FROM pg_catalog.pg_index n JOIN pg_catalog.pg_class nc ON nc.oid = n.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = n.indrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = coalesce((
  SELECT a.relid FROM pg_catalog.pg_partition_ancestors(n.indexrelid) a JOIN pg_catalog.pg_index o ON o.indexrelid = a.relid
  WHERE o.indrelid = $4::oid), n.indexrelid)
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE tn.nspname::text = $1 AND t.relname::text = $2 AND nc.relname::text = $3 AND n.indisunique
  AND NOT EXISTS (SELECT FROM found)
LIMIT 1";

/// `$1` the table: the names of its constraints, behind those of its schema and its own. Those of its keys are left to its
/// indexes, and what must have a value to the columns; a foreign key counts once, however many partitions it refers to.
const OF_TABLE: &str = "\
SELECT n.nspname::text, c.relname::text, con.conname::text
FROM pg_catalog.pg_constraint con JOIN pg_catalog.pg_class c ON c.oid = con.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE con.conrelid = $1::oid AND con.contype NOT IN ('p', 'u', 'n')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint above
                  WHERE above.oid = con.conparentid AND above.conrelid = con.conrelid)
ORDER BY con.conname";

/// The constraints of a table that are neither keys nor about a missing value.
pub(super) fn of_table(session: &mut Session, table: &Table) -> Result<Vec<Constraint>, SqlError> {
    let mut all = Vec::new();
    for row in session.query(OF_TABLE, &[(&i64::from(table.oid), Type::INT8)])? {
        let names = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        // One that is not looked at by its name is of a kind that no query tells.
        let other =
            || Constraint { kind: Kind::Other, columns: Vec::new(), bounds: None, is_deferred: false };
        all.push(Constraint::named(session, names, table, &[])?.unwrap_or_else(other));
    }
    Ok(all)
}

/// `$1` the table, `$2` the schema and `$3` the name of a table: whether that is the same one, or one of its partitions.
const IS_PART: &str = "\
SELECT c.oid = $1::oid OR c.oid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) p)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname::text = $2 AND c.relname::text = $3";

/// Whether a refusal comes from another table than the one that is written: a trigger writes there.
pub(super) fn is_elsewhere(
    session: &mut Session,
    refusal: &Refusal,
    table: &Table,
) -> Result<bool, SqlError> {
    let Refusal { schema: Some(schema), table: Some(name), .. } = refusal else { return Ok(false) };
    let oid = i64::from(table.oid);
    let rows = session.query(IS_PART, &[(&oid, Type::INT8), (schema, Type::TEXT), (name, Type::TEXT)])?;
    Ok(!rows.first().map_or(Ok(false), |row| row.try_get(0))?)
}

/// A constraint.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    pub(super) kind: Kind,
    /// Its columns; an expression has an empty name.
    pub(super) columns: Vec<String>,
    /// Which rows it is about, as SQL, where it is one of a partition alone.
    pub(super) bounds: Option<String>,
    /// It is checked at the commit, unless that is not waited for.
    pub(super) is_deferred: bool,
}

/// What a constraint holds rows to.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// No two rows are alike. By which index, where it is one of the table's own that tells.
    Unique(Option<Index>),
    /// A row of another table is there.
    ForeignKey(ForeignKey),
    /// An expression is not false.
    Check(String),
    /// A partition takes the row.
    Partition,
    /// Something that is not looked at here.
    Other,
}

/// What a foreign key says of the row that is referred to.
#[derive(Clone, Debug)]
pub(super) struct ForeignKey {
    /// Its table, as SQL.
    pub(super) parent: String,
    /// The rows that can be referred to, as SQL: not those of tables that inherit from it.
    pub(super) parent_rows: String,
    /// Policies hide some of them from this user.
    pub(super) is_hidden: bool,
    /// The table is the one that refers, too.
    pub(super) is_own: bool,
    /// Rows of the key must be there all the time that the row is about (PERIOD).
    pub(super) is_of_periods: bool,
    /// Either all columns that refer have a value, or none (MATCH FULL).
    pub(super) is_full: bool,
    pub(super) parent_columns: Vec<String>,
    /// By which each of them is compared with the column that refers.
    operators: Vec<String>,
}

impl Constraint {
    /// The constraint that an error names.
    pub(super) fn of(
        session: &mut Session,
        refusal: &Refusal,
        table: &Table,
        indexes: &[Index],
    ) -> Result<Option<Self>, SqlError> {
        if partition::is_missing(refusal) {
            return Ok(Some(Self::of_partitions()));
        }
        let Refusal { schema: Some(schema), table: Some(name), constraint: Some(constraint), .. } = refusal
        else {
            return Ok(None);
        };
        let found = Self::named(session, (schema, name, constraint), table, indexes)?;
        // Another table that refers to this one.
        if found.as_ref().is_some_and(|found| matches!(found.kind, Kind::ForeignKey(_)))
            && is_elsewhere(session, refusal, table)?
        {
            return Ok(None);
        }
        Ok(found)
    }

    /// Some partition takes each row.
    pub(super) fn of_partitions() -> Self {
        Self { kind: Kind::Partition, columns: Vec::new(), bounds: None, is_deferred: false }
    }

    /// The constraint of this name, behind those of its table and its schema.
    pub(super) fn named(
        session: &mut Session,
        (schema, name, constraint): (&str, &str, &str),
        table: &Table,
        indexes: &[Index],
    ) -> Result<Option<Self>, SqlError> {
        let written = i64::from(table.oid);
        let asked = [
            (&schema as _, Type::TEXT),
            (&name as _, Type::TEXT),
            (&constraint as _, Type::TEXT),
            (&written as _, Type::INT8),
        ];
        let rows = session.query(FIND, &asked)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let of = u32::try_from(row.try_get::<_, i64>(1)?).unwrap_or(0);
        let parent: Option<String> = row.try_get(3)?;
        let expression: Option<String> = row.try_get(7)?;
        let is_of_periods: bool = row.try_get(8)?;
        let own_name: &str = row.try_get(10)?;
        let kind = match (row.try_get::<_, &str>(0)?, parent, expression) {
            ("p" | "u", ..) if !is_of_periods => Kind::Unique(
                indexes
                    .iter()
                    .find(|index| of == table.oid && index.name == own_name && index.tells())
                    .cloned(),
            ),
            ("f", Some(parent), _) => Kind::ForeignKey(ForeignKey {
                parent_rows: if row.try_get(12)? { format!("ONLY {parent}") } else { parent.clone() },
                parent,
                is_hidden: row.try_get(13)?,
                is_own: row.try_get(4)?,
                is_of_periods,
                is_full: row.try_get(9)?,
                parent_columns: row.try_get(5)?,
                operators: row.try_get(6)?,
            }),
            ("c", _, Some(expression)) => Kind::Check(expression),
            _ => Kind::Other,
        };
        let columns: Vec<String> = row.try_get(2)?;
        Ok(Some(Self { kind, columns, bounds: row.try_get(11)?, is_deferred: row.try_get(14)? }))
    }

    /// Whether it ties rows of one table to each other: either of them may break it.
    pub(super) fn is_between_rows(&self) -> bool {
        matches!(&self.kind, Kind::ForeignKey(key) if key.is_own)
    }

    /// Whether it is about columns that the file fills, and no others.
    pub(super) fn is_filled_by(&self, plan: &Plan) -> bool {
        let is_filled = |name: &String| plan.columns.iter().any(|column| column.name == *name);
        match &self.kind {
            Kind::Unique(Some(index)) => index.is_filled_by(plan),
            // Which columns it is about, only the database knows; it does not answer where one is not filled.
            Kind::Partition => true,
            _ => !self.columns.is_empty() && self.columns.iter().all(is_filled),
        }
    }

    /// What is to be said of a row that breaks it: continues a sentence that begins with the value where there is one column,
    /// else with the row.
    pub(super) fn says(&self) -> Option<Cow<'static, str>> {
        match &self.kind {
            Kind::Unique(None) if self.columns.iter().any(String::is_empty) => None,
            // Which of two rows was tried first, the file's order does not say.
            Kind::Unique(_) => {
                Some(self.has_known_key("in the table already, or in another row of the file"))
            }
            // It may be broken by the row that is referred to, too: only the database says which of the two it was.
            Kind::ForeignKey(_) if self.is_between_rows() => None,
            // Some of the time may be there.
            Kind::ForeignKey(key) if key.is_of_periods => None,
            Kind::ForeignKey(key) if key.is_full && self.columns.len() > 1 => {
                Some(format!("{}, or {}", self.is_orphan(&key.parent), self.has_some_alone()).into())
            }
            Kind::ForeignKey(key) => Some(self.is_orphan(&key.parent)),
            Kind::Check(expression) => Some(format!("breaks the check {expression}").into()),
            Kind::Partition | Kind::Other => None,
        }
    }

    /// The same of a row whose key another one has, which is there.
    pub(super) fn has_known_key(&self, there: &str) -> Cow<'static, str> {
        match (self.columns.as_slice(), &self.kind) {
            ([column], Kind::Unique(Some(index))) if column.is_empty() => {
                format!("has {} that is {there}", index.labels().join(", ")).into()
            }
            ([_], _) => format!("is {there}").into(),
            (_, Kind::Unique(Some(index))) => {
                format!("has {} that are {there}", index.labels().join(", ")).into()
            }
            (columns, _) => format!("has {} that are {there}", columns.join(", ")).into(),
        }
    }

    /// The same of a row that refers to one that is not there.
    pub(super) fn is_orphan(&self, parent: &str) -> Cow<'static, str> {
        match self.columns.as_slice() {
            [_] => format!("refers to a row of {parent} that is not there").into(),
            columns => {
                format!("refers by {} to a row of {parent} that is not there", columns.join(", ")).into()
            }
        }
    }

    /// The same of a row that has a value in some columns of a foreign key, where it must be all or none.
    pub(super) fn has_some_alone(&self) -> String {
        format!("has a value in some of {} alone, and the foreign key is MATCH FULL", self.columns.join(", "))
    }
}

impl ForeignKey {
    /// Whether the row `one` of the table that is referred to is the one that the row `other` refers to by `columns`; of periods,
    /// one of those.
    pub(super) fn refers(&self, one: &str, other: &str, columns: &[String]) -> String {
        let pairs = self.parent_columns.iter().zip(&self.operators).zip(columns);
        let tests = pairs.map(|((theirs, operator), ours)| {
            format!("{one}.{} {operator} {other}.{}", quoted(theirs), quoted(ours))
        });
        tests.collect::<Vec<_>>().join(" AND ")
    }
}
