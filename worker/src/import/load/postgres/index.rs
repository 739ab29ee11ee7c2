//! The table's indexes: which one an upsert goes by, which one rows are sorted by, and by what the database itself decides
//! that two keys are the same: the operator of the index, and its collation.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::Session;
use crate::db::postgres::error::SqlError;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted};

/// Every valid index with its columns; an expression has no name. The primary key first, then what is unique. What a version
/// of the server does not have yet is asked for through JSON.
const INDEXES: &str = "\
SELECT c.relname::text, i.indisunique, i.indimmediate, pg_catalog.pg_get_expr(i.indpred, i.indrelid),
  ARRAY(SELECT CASE WHEN k.number = 0 THEN pg_catalog.pg_get_indexdef(i.indexrelid, k.place::int4, false) ELSE '' END
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place) WHERE k.place <= i.indnkeyatts ORDER BY k.place),
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
  ARRAY(SELECT coalesce((
          WITH RECURSIVE base (oid, typmod) AS (
            SELECT a.atttypid, a.atttypmod
            UNION ALL
            SELECT CASE t.typtype WHEN 'd' THEN t.typbasetype WHEN 'r' THEN r.rngsubtype ELSE t.typelem END,
                   CASE t.typtype WHEN 'd' THEN t.typtypmod WHEN 'r' THEN -1 ELSE b.typmod END
            FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
            WHERE t.typtype = 'd' OR (t.typtype = 'r' AND r.rngcollation = 0)
              OR (t.typtype = 'b' AND t.typcategory = 'A' AND t.typelem <> 0))
          SELECT bool_or(t.typtype = 'e' OR tn.nspname = 'pg_catalog' AND (t.typname = ANY ('{int2,int4,int8,oid,bool,uuid,date,time,\
timetz,timestamp,timestamptz,text,varchar,name,char,bytea,bit,varbit,inet,cidr,macaddr,macaddr8,money,pg_lsn,xid8}')
            OR t.typname = 'bpchar' AND b.typmod > 0))
          FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace)
          AND EXISTS (SELECT FROM pg_catalog.pg_opclass oc JOIN pg_catalog.pg_namespace n ON n.oid = oc.opcnamespace
                      WHERE oc.oid = k.class AND n.nspname = 'pg_catalog')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_collation co
                          WHERE co.oid IN (a.attcollation, k.sorted) AND NOT co.collisdeterministic), false)
        FROM unnest(i.indkey::int2[], i.indcollation::oid[], i.indclass::oid[]) WITH ORDINALITY k (number, sorted, class, place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
        WHERE k.place <= i.indnkeyatts ORDER BY k.place),
  NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) k (number) LEFT JOIN pg_catalog.pg_attribute a
              ON a.attrelid = i.indrelid AND a.attnum = k.number WHERE coalesce(a.attlen, -1) < 0),
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND (a.attnum = ANY (i.indkey)
        OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                   AND d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum)))
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
    /// The condition of the rows that it is about, where those are not all.
    pub(super) predicate: Option<String>,
    /// Whether a NULL is like another.
    pub(super) nulls_are_alike: bool,
    pub(super) is_btree: bool,
    pub(super) columns: Vec<KeyColumn>,
    /// Whether no value is too long for an entry of it.
    pub(super) is_of_fixed_length: bool,
    /// The columns that decide what stands in it.
    reads: Vec<String>,
}

/// A column of a key, and when two of its values are the same.
#[derive(Clone, Debug)]
pub(super) struct KeyColumn {
    /// Its name; empty where it is an expression.
    pub(super) name: String,
    /// What is computed from the row, as SQL; empty where it is a column.
    pub(super) expression: String,
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
        self.tells() && self.predicate.is_none() && !self.has_expressions()
    }

    /// Whether it tells of two rows that it is about whether they are the same.
    pub(super) fn tells(&self) -> bool {
        self.is_btree && self.is_unique && self.is_immediate
    }

    /// Whether what the file fills is all that decides what stands in it.
    pub(super) fn is_filled_by(&self, plan: &Plan) -> bool {
        self.reads.iter().all(|name| plan.columns.iter().any(|column| column.name == *name))
    }

    /// What it is about, as it is to be told: its columns, and what it computes.
    pub(super) fn labels(&self) -> Vec<&str> {
        self.columns.iter().map(KeyColumn::label).collect()
    }

    /// Whether it is about what is computed from the rows.
    pub(super) fn has_expressions(&self) -> bool {
        self.columns.iter().any(|column| column.name.is_empty())
    }

    /// The rows of a relation that it is about, as SQL: another column of theirs, and their keys, which [`Self::computed`]
    /// is about.
    pub(super) fn rows(&self, relation: &str, other: &str) -> String {
        let keys = self.columns.iter().enumerate().map(|(place, column)| {
            let value = if column.name.is_empty() { column.expression.clone() } else { quoted(&column.name) };
            format!("{value} AS {}", quoted(&computed_name(place)))
        });
        let predicate = self.predicate.as_ref().map_or(String::new(), |test| format!(" WHERE {test}"));
        format!("(SELECT {other}, {} FROM {relation}{predicate})", keys.collect::<Vec<_>>().join(", "))
    }

    /// The same index over what [`Self::rows`] computes.
    pub(super) fn computed(&self) -> Self {
        let columns = self.columns.iter().enumerate().map(|(place, column)| KeyColumn {
            name: computed_name(place),
            expression: String::new(),
            ..column.clone()
        });
        Self { predicate: None, columns: columns.collect(), ..self.clone() }
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

fn computed_name(place: usize) -> String {
    format!("baton key {place}")
}

impl KeyColumn {
    fn label(&self) -> &str {
        if self.name.is_empty() { &self.expression } else { &self.name }
    }

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
    let expressions: Vec<String> = row.try_get(4)?;
    let names: Vec<String> = row.try_get(7)?;
    let operators: Vec<String> = row.try_get(8)?;
    let collations: Vec<String> = row.try_get(9)?;
    let exact: Vec<bool> = row.try_get(10)?;
    let columns = names
        .into_iter()
        .zip(expressions)
        .zip(operators.into_iter().zip(collations))
        .zip(exact)
        .map(|(((name, expression), (equals, collation)), is_exact)| KeyColumn {
            name,
            expression,
            equals,
            collation,
            is_exact,
        })
        .collect();
    Ok(Index {
        name: row.try_get(0)?,
        is_unique: row.try_get(1)?,
        is_immediate: row.try_get(2)?,
        predicate: row.try_get(3)?,
        nulls_are_alike: row.try_get(5)?,
        is_btree: row.try_get(6)?,
        columns,
        is_of_fixed_length: row.try_get(11)?,
        reads: row.try_get(12)?,
    })
}
