//! From the staging table into the table: plainly, or as an upsert. Always in the order of the key, so that neighbours of
//! an index come one after the other.

use diesel::sql_types::BigInt;
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, sql_query};
use statemachine::OnConflict;

use super::staging::{RECORD, STAGING, expressions};
use crate::db::Session;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted};

/// The statements that move staged rows.
pub(super) struct Insertion {
    /// `INSERT INTO table (columns) SELECT expressions`.
    insert: String,
    /// The columns by which rows are the same; empty where rows are only inserted.
    key: Vec<String>,
    on_conflict: OnConflict,
    /// What stands behind the rows.
    conflict: String,
    /// A key with NULL in it is like no other.
    key_is_nullable: bool,
    /// The table, where its rows are kept in others: those tell nothing of how a row came to be.
    partitioned: Option<String>,
}

/// How many rows were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub(super) struct Written {
    #[diesel(sql_type = BigInt)]
    pub(super) rows: i64,
    /// Of them, those that changed a row that was there.
    #[diesel(sql_type = BigInt)]
    pub(super) updated: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The records from the first to the last.
pub(super) type Range = (i64, i64);

impl Insertion {
    /// Rows that are only inserted, or that may be there already, by their key.
    pub(super) fn new(table: &Table, plan: &Plan, key: Vec<String>, on_conflict: OnConflict) -> Self {
        let names: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        let insert =
            format!("INSERT INTO {} ({}) SELECT {}", table.sql, names.join(", "), expressions(&plan.columns));
        let key_is_nullable = plan.columns.iter().any(|column| column.nullable && key.contains(&column.name));
        let changed: Vec<_> = plan
            .columns
            .iter()
            .filter(|column| !key.contains(&column.name))
            .map(|column| format!("{0} = EXCLUDED.{0}", quoted(&column.name)))
            .collect();
        let target = list(&key);
        let conflict = match on_conflict {
            OnConflict::Error => String::new(),
            OnConflict::Update if !changed.is_empty() => {
                format!(" ON CONFLICT ({target}) DO UPDATE SET {}", changed.join(", "))
            }
            OnConflict::Skip | OnConflict::Update => format!(" ON CONFLICT ({target}) DO NOTHING"),
        };
        let partitioned = table.is_partitioned.then(|| table.sql.clone());
        Self { insert, key, on_conflict, conflict, key_is_nullable, partitioned }
    }

    /// Moves every staged row; of rows with one key only the one that counts.
    pub(super) fn all(&self, connection: &mut Session) -> QueryResult<Written> {
        if self.key.is_empty() {
            return self.run(connection, &format!("{STAGING} s ORDER BY {RECORD}"));
        }
        let (key, order) = (list(&self.key), self.order());
        // NULLs are alike to DISTINCT, and to no unique index.
        let apart = if self.key_is_nullable { format!(", {}", self.null_key()) } else { String::new() };
        let rows = format!(
            "(SELECT DISTINCT ON ({key}{apart}) * FROM {STAGING} ORDER BY {key}{apart}, {RECORD} {order}) s ORDER BY {key}"
        );
        self.run(connection, &rows)
    }

    /// Moves the staged rows of a range of records.
    pub(super) fn range(&self, connection: &mut Session, (first, last): Range) -> QueryResult<Written> {
        self.run(
            connection,
            &format!("{STAGING} s WHERE {RECORD} BETWEEN {first} AND {last} ORDER BY {RECORD}"),
        )
    }

    fn run(&self, connection: &mut Session, rows: &str) -> QueryResult<Written> {
        let (insert, conflict) = (&self.insert, &self.conflict);
        if self.on_conflict != OnConflict::Update {
            let rows = sql_query(format!("{insert} FROM {rows}{conflict}")).execute(connection)?;
            return Ok(Written { rows: rows as i64, updated: 0 });
        }
        if let Some(table) = &self.partitioned {
            // Counted before: the rows of the table that some staged row means.
            let same: Vec<_> = self.key.iter().map(|name| format!("t.{0} = s.{0}", quoted(name))).collect();
            let known: Count = sql_query(format!(
                "SELECT count(*) AS count FROM {table} t WHERE EXISTS (SELECT FROM (SELECT s.* FROM {rows}) s WHERE {})",
                same.join(" AND ")
            ))
            .get_result(connection)?;
            let rows = sql_query(format!("{insert} FROM {rows}{conflict}")).execute(connection)?;
            return Ok(Written { rows: rows as i64, updated: known.count });
        }
        // A row version that an UPDATE made was locked by it before: its xmax is set, that of a new row is not.
        let sql = format!(
            "WITH written AS ({insert} FROM {rows}{conflict} RETURNING xmax <> 0 AS updated) \
             SELECT count(*) AS rows, count(*) FILTER (WHERE updated) AS updated FROM written"
        );
        sql_query(sql).get_result(connection)
    }

    /// Removes staged rows that do not count beside another of their key, and returns how many.
    pub(super) fn remove_duplicates(&self, connection: &mut Session) -> QueryResult<u64> {
        let removed = sql_query(format!(
            "DELETE FROM {STAGING} s USING (SELECT {RECORD} AS record, row_number() OVER \
             (PARTITION BY {} ORDER BY {RECORD} {}) AS number FROM {STAGING} s WHERE NOT {}) d \
             WHERE d.number > 1 AND d.record = s.{RECORD}",
            list(&self.key),
            self.order(),
            self.has_null(),
        ))
        .execute(connection)?;
        Ok(removed as u64)
    }

    /// How many staged rows do not count beside another of their key.
    pub(super) fn count_duplicates(&self, connection: &mut Session) -> QueryResult<u64> {
        let key = list(&self.key);
        let has_null = self.has_null();
        let sql = format!(
            "SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT {key} FROM {STAGING} s WHERE NOT {has_null}) d) \
             AS count FROM {STAGING} s WHERE NOT {has_null}"
        );
        let count: Count = sql_query(sql).get_result(connection)?;
        Ok(count.count.unsigned_abs())
    }

    /// The last row of a key counts where rows are updated, as if one had been imported after the other.
    fn order(&self) -> &'static str {
        if self.on_conflict == OnConflict::Update { "DESC" } else { "ASC" }
    }

    fn null_key(&self) -> String {
        format!("CASE WHEN {} THEN {RECORD} END", self.has_null())
    }

    fn has_null(&self) -> String {
        let tests: Vec<_> = self.key.iter().map(|column| format!("{} IS NULL", quoted(column))).collect();
        format!("({})", tests.join(" OR "))
    }
}

fn list(columns: &[String]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}
