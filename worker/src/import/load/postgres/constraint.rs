//! A constraint that rows broke: which it is, and which staged rows break it, found for all of them at once. Where that
//! cannot be told by a query (a constraint on columns that the file does not fill, an expression, a partial index), nothing
//! is found here, and the rows are found by halving.

use diesel::result::Error;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel::{Connection as _, QueryResult, QueryableByName, RunQueryDsl as _, sql_query};

use super::staging::{RECORD, STAGING};
use crate::db::Session;
use crate::import::header::Plan;
use crate::import::reject::Reason;
use crate::import::table::{Table, quoted};

/// `$1` the table, `$2` the constraint's name. A unique index that is no constraint goes by its own name.
const FIND: &str = "\
SELECT con.contype::text AS kind,
       ARRAY(SELECT a.attname::text FROM unnest(con.conkey) WITH ORDINALITY k (number, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.number ORDER BY k.place) AS columns,
       CASE WHEN con.confrelid <> 0 THEN (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = con.confrelid) END AS parent,
       ARRAY(SELECT a.attname::text FROM unnest(con.confkey) WITH ORDINALITY k (number, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.number ORDER BY k.place) AS parent_columns,
       pg_catalog.pg_get_expr(con.conbin, con.conrelid) AS expression,
       con.confrelid::bigint AS parent_oid
FROM pg_catalog.pg_constraint con WHERE con.conrelid = $1::oid AND con.conname::text = $2
UNION ALL
SELECT 'u', ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
             WHERE k.place <= i.indnkeyatts ORDER BY k.place), NULL, ARRAY[]::text[], NULL, 0
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = $1::oid AND c.relname::text = $2 AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint con WHERE con.conindid = i.indexrelid AND con.conrelid = i.indrelid)
LIMIT 1";

/// A constraint of the table.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Constraint {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Array<Text>)]
    pub(super) columns: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    parent: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    parent_columns: Vec<String>,
    #[diesel(sql_type = Nullable<Text>)]
    expression: Option<String>,
    #[diesel(sql_type = BigInt)]
    parent_oid: i64,
}

/// Rows that break a constraint in one way.
pub(super) struct Culprits {
    pub(super) records: Vec<i64>,
    pub(super) reason: Reason,
    pub(super) says: String,
}

#[derive(QueryableByName)]
struct RecordRow {
    #[diesel(sql_type = BigInt)]
    record: i64,
}

/// Whether a row `t` that is seen was written by this transaction or one within it: every other one that is still under way
/// is not seen. The age of a transaction counts back from this one.
const WRITTEN_HERE: &str =
    "CASE WHEN age(t.xmin) <= 0 THEN txid_status(txid_current() - age(t.xmin)) = 'in progress' END";

impl Constraint {
    /// The constraint that an error names, if it is one of the table's own.
    pub(super) fn of(connection: &mut Session, error: &Error, table: &Table) -> Option<Self> {
        let Error::DatabaseError(_, information) = error else { return None };
        let name = information.constraint_name()?;
        sql_query(FIND)
            .bind::<BigInt, _>(i64::from(table.oid))
            .bind::<Text, _>(name)
            .get_result(connection)
            .ok()
    }

    /// Takes the staged rows that break this constraint out of the staging table. Nothing where no query tells them.
    pub(super) fn take_culprits(
        &self,
        connection: &mut Session,
        table: &Table,
        plan: &Plan,
    ) -> Vec<Culprits> {
        let is_filled = |name: &String| plan.columns.iter().any(|column| column.name == *name);
        if self.columns.is_empty() || !self.columns.iter().all(is_filled) {
            return Vec::new();
        }
        // A savepoint: a query that fails, for whatever reason, only means that the rows are found otherwise.
        let taken = connection.transaction(|connection| match self.kind.as_str() {
            "p" | "u" => self.take_known_keys(connection, table),
            "f" => self.take_orphans(connection, table, plan),
            "c" => self.take_unchecked(connection),
            _ => Ok(Vec::new()),
        });
        let mut culprits = taken.unwrap_or_default();
        culprits.retain(|culprits| !culprits.records.is_empty());
        culprits
    }

    fn take_known_keys(&self, connection: &mut Session, table: &Table) -> QueryResult<Vec<Culprits>> {
        // The sentence goes on from the value where there is one column, else from the row.
        let subject = match self.columns.as_slice() {
            [_] => String::new(),
            columns => format!("has {} that ", columns.join(", ")),
        };
        let same_key = equal("t", &self.columns, &self.columns);
        let there = |which: &str| format!("EXISTS (SELECT FROM {} t WHERE {same_key}{which})", table.sql);
        // An earlier batch of this file has brought them.
        let mut in_file = delete(connection, &there(&format!(" AND {WRITTEN_HERE}")))?;
        let in_table = delete(connection, &there(""))?;
        let keys: Vec<_> = self.columns.iter().map(|column| quoted(column)).collect();
        let has_value: Vec<_> = keys.iter().map(|key| format!("{key} IS NOT NULL")).collect();
        in_file.extend(delete(
            connection,
            &format!(
                "{RECORD} IN (SELECT record FROM (SELECT {RECORD} AS record, row_number() OVER \
                 (PARTITION BY {} ORDER BY {RECORD}) AS number FROM {STAGING} WHERE {}) d WHERE number > 1)",
                keys.join(", "),
                has_value.join(" AND ")
            ),
        )?);
        let verb = |one, many| if self.columns.len() == 1 { one } else { many };
        let culprits = |records, says: &str| Culprits {
            records,
            reason: Reason::Unique,
            says: format!("{subject}{says}"),
        };
        Ok(vec![
            culprits(in_table, verb("is in the table already", "are in the table already")),
            culprits(
                in_file,
                verb("is also in an earlier row of the file", "are also in an earlier row of the file"),
            ),
        ])
    }

    fn take_orphans(
        &self,
        connection: &mut Session,
        table: &Table,
        plan: &Plan,
    ) -> QueryResult<Vec<Culprits>> {
        let Some(parent) = &self.parent else { return Ok(Vec::new()) };
        let has_value: Vec<_> =
            self.columns.iter().map(|column| format!("s.{} IS NOT NULL", quoted(column))).collect();
        let mut test = format!(
            "{} AND NOT EXISTS (SELECT FROM {parent} t WHERE {})",
            has_value.join(" AND "),
            equal("t", &self.parent_columns, &self.columns)
        );
        let is_filled = |name: &String| plan.columns.iter().any(|column| column.name == *name);
        // Rows of one statement may refer to each other.
        if self.parent_oid == i64::from(table.oid) && self.parent_columns.iter().all(is_filled) {
            let equal = equal("t", &self.parent_columns, &self.columns);
            test.push_str(&format!(" AND NOT EXISTS (SELECT FROM {STAGING} t WHERE {equal})"));
        }
        let by = match self.columns.as_slice() {
            [_] => String::new(),
            columns => format!(" by {}", columns.join(", ")),
        };
        let says = format!("refers{by} to a row of {parent} that is not there");
        Ok(vec![Culprits { records: delete(connection, &test)?, reason: Reason::ForeignKey, says }])
    }

    fn take_unchecked(&self, connection: &mut Session) -> QueryResult<Vec<Culprits>> {
        let Some(expression) = &self.expression else { return Ok(Vec::new()) };
        let says = format!("breaks the check {expression}");
        let records = delete(connection, &format!("NOT ({expression})"))?;
        Ok(vec![Culprits { records, reason: Reason::Check, says }])
    }
}

/// `t.a = s.b` for each pair of columns.
fn equal(other: &str, theirs: &[String], ours: &[String]) -> String {
    let pairs: Vec<_> = theirs
        .iter()
        .zip(ours)
        .map(|(theirs, ours)| format!("{other}.{} = s.{}", quoted(theirs), quoted(ours)))
        .collect();
    pairs.join(" AND ")
}

fn delete(connection: &mut Session, test: &str) -> QueryResult<Vec<i64>> {
    let rows: Vec<RecordRow> =
        sql_query(format!("DELETE FROM {STAGING} s WHERE {test} RETURNING {RECORD} AS record"))
            .load(connection)?;
    Ok(rows.into_iter().map(|row| row.record).collect())
}
