//! The table's indexes: which one an upsert goes by, which one rows are sorted by, and by what the database itself decides
//! that two keys are the same: the operator of the index, and its collation.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::table::{Table, quoted};

/// Every valid index with its columns; an expression has no name. The primary key first, then what is unique. What a version
/// of the server does not have yet is asked for through JSON.
const INDEXES: &str = "\
SELECT c.relname::text, i.indisunique, i.indimmediate, i.indpred IS NOT NULL, i.indexprs IS NOT NULL,
  coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false), am.amname = 'btree',
  ARRAY(SELECT coalesce(a.attname::text, '') FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
        WHERE k.place <= i.indnkeyatts ORDER BY k.place),
  ARRAY(SELECT coalesce((SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
          FROM pg_catalog.pg_amop e JOIN pg_catalog.pg_operator o ON o.oid = e.amopopr
          JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
          WHERE e.amopfamily = oc.opcfamily AND e.amopstrategy = 3 AND e.amoplefttype = oc.opcintype
            AND e.amoprighttype = oc.opcintype AND am.amname = 'btree'), '')
        FROM unnest(i.indclass::oid[]) WITH ORDINALITY k (class, place)
        JOIN pg_catalog.pg_opclass oc ON oc.oid = k.class WHERE k.place <= i.indnkeyatts ORDER BY k.place),
  ARRAY(SELECT CASE WHEN k.number IN (0, a.attcollation) THEN '' ELSE
          (SELECT format(' COLLATE %I.%I', n.nspname, co.collname) FROM pg_catalog.pg_collation co
           JOIN pg_catalog.pg_namespace n ON n.oid = co.collnamespace WHERE co.oid = k.number) END
        FROM unnest(i.indcollation::oid[], i.indkey::int2[]) WITH ORDINALITY k (number, attribute, place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attribute
        WHERE k.place <= i.indnkeyatts ORDER BY k.place),
  ARRAY(SELECT coalesce((t.typname = ANY ('{int2,int4,int8,oid,bool,uuid,date,time,timestamp,timestamptz,text,varchar,bytea}')
                         OR (t.typname = 'bpchar' AND a.atttypmod > 0) OR t.typtype = 'e')
                        AND (t.typtype = 'e' OR tn.nspname = 'pg_catalog')
                        AND NOT EXISTS (SELECT FROM pg_catalog.pg_collation co
                          WHERE co.oid IN (a.attcollation, k.sorted) AND NOT co.collisdeterministic), false)
        FROM unnest(i.indkey::int2[], i.indcollation::oid[]) WITH ORDINALITY k (number, sorted, place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
        LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
        WHERE k.place <= i.indnkeyatts ORDER BY k.place),
  NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) k (number) LEFT JOIN pg_catalog.pg_attribute a
              ON a.attrelid = i.indrelid AND a.attnum = k.number WHERE coalesce(a.attlen, -1) < 0)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE i.indrelid = $1::oid AND i.indisvalid
ORDER BY i.indisprimary DESC, i.indisunique DESC, c.relname";

/// An index that rows go into.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// Its name, which is also that of its constraint.
    pub(super) name: String,
    pub(super) is_unique: bool,
    /// Whether each statement, and not only the transaction's end, is held to it.
    pub(super) is_immediate: bool,
    /// Whether it is about some of the rows alone.
    pub(super) is_partial: bool,
    /// Whether it is about what is computed from the rows.
    pub(super) has_expressions: bool,
    /// Whether a NULL is like another.
    pub(super) nulls_are_alike: bool,
    pub(super) is_btree: bool,
    pub(super) columns: Vec<KeyColumn>,
    /// Whether no value is too long for an entry of it.
    pub(super) is_of_fixed_length: bool,
}

/// A column of a key, and when two of its values are the same.
#[derive(Clone, Debug)]
pub(super) struct KeyColumn {
    /// Its name; empty where it is an expression.
    pub(super) name: String,
    /// The operator, as SQL.
    pub(super) equals: String,
    /// `COLLATE …` where the index has another collation than the column, else empty.
    pub(super) collation: String,
    /// Whether values that are the same are stored as the same. `1.0` and `1.00` are not, nor are `a` and `A` where case
    /// does not count.
    pub(super) is_exact: bool,
}

impl Index {
    /// Whether it decides on its own whether two rows are the same, for every row.
    pub(super) fn decides(&self) -> bool {
        self.is_btree && self.is_unique && self.is_immediate && !self.is_partial && !self.has_expressions
    }

    /// Whether two rows, named in SQL, have the same key.
    pub(super) fn is_same_key(&self, one: &str, other: &str) -> String {
        let tests = self.columns.iter().map(|column| {
            let (one, other) = (column.of(one), column.of(other));
            let is_same = format!("{one} {} {other}", column.equals);
            match self.nulls_are_alike {
                true => format!("({is_same} OR ({one} IS NULL AND {other} IS NULL))"),
                false => is_same,
            }
        });
        tests.collect::<Vec<_>>().join(" AND ")
    }

    /// Whether a row has a key that another row could have, too.
    pub(super) fn is_key(&self, row: &str) -> String {
        if self.nulls_are_alike {
            return "true".to_owned();
        }
        let tests = self.columns.iter().map(|column| format!("{row}.{} IS NOT NULL", quoted(&column.name)));
        tests.collect::<Vec<_>>().join(" AND ")
    }

    /// The key of a row, as it is compared.
    pub(super) fn key(&self, row: &str) -> String {
        self.columns.iter().map(|column| column.of(row)).collect::<Vec<_>>().join(", ")
    }
}

impl KeyColumn {
    fn of(&self, row: &str) -> String {
        format!("{row}.{}{}", quoted(&self.name), self.collation)
    }
}

/// Reads the table's indexes.
pub(super) fn read(session: &mut Session, table: &Table) -> Result<Vec<Index>, SqlError> {
    let rows = session.query(INDEXES, &[(&i64::from(table.oid), Type::INT8)])?;
    Ok(rows.iter().map(index).collect::<Result<_, _>>()?)
}

fn index(row: &Row) -> Result<Index, tokio_postgres::Error> {
    let names: Vec<String> = row.try_get(7)?;
    let operators: Vec<String> = row.try_get(8)?;
    let collations: Vec<String> = row.try_get(9)?;
    let exact: Vec<bool> = row.try_get(10)?;
    let columns = names
        .into_iter()
        .zip(operators.into_iter().zip(collations))
        .zip(exact)
        .map(|((name, (equals, collation)), is_exact)| KeyColumn { name, equals, collation, is_exact })
        .collect();
    Ok(Index {
        name: row.try_get(0)?,
        is_unique: row.try_get(1)?,
        is_immediate: row.try_get(2)?,
        is_partial: row.try_get(3)?,
        has_expressions: row.try_get(4)?,
        nulls_are_alike: row.try_get(5)?,
        is_btree: row.try_get(6)?,
        columns,
        is_of_fixed_length: row.try_get(11)?,
    })
}
