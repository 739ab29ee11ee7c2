//! What rows of the file are known by, while they are looked for that break constraints. In the midst of them references within
//! the table may wait for rows that are to come; any other one that leads to nothing is broken.

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, sql_query};

use super::Rows;
use crate::import::form::native::Native;
use crate::import::load::sqlite::references::Reference;
use crate::import::load::sqlite::statement::{Kind, Statement};
use crate::import::table::quoted;

/// The notes, one for each reference within the table.
pub(super) struct Coming {
    notes: Vec<Note>,
    /// Counts references of other tables that lead to nothing; `?1` is the table.
    elsewhere: String,
}

struct Note {
    insert: Statement,
    /// Forgets what the table has.
    forget: String,
    /// Counts the table's own.
    broken: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Coming {
    /// Makes room for the notes.
    pub(super) fn new(connection: &mut SqliteConnection, rows: &Rows) -> QueryResult<Self> {
        let notes = rows.references().within().enumerate().map(|(number, reference)| {
            let name = format!("\"baton coming {number}\"");
            let joined = |one: &dyn Fn(usize) -> String| -> String {
                (0..reference.compared.len()).map(one).collect::<Vec<_>>().join(", ")
            };
            let columns = joined(&|at| format!("k{at} {}", reference.compared[at]));
            connection.batch_execute(&format!(
                "DROP TABLE IF EXISTS temp.{name}; CREATE TEMPORARY TABLE {name} ({columns}); \
                 CREATE INDEX temp.\"baton coming {number} by key\" ON {name} ({})",
                joined(&|at| format!("k{at}"))
            ))?;
            let insert = Statement::new(Kind::Other, format!("INSERT INTO temp.{name} VALUES ("), ")");
            let table = format!("\"main\".{}", quoted(rows.table()));
            let same = reference.parent_columns.iter().enumerate();
            let same: Vec<_> = same.map(|(at, there)| format!("p.{} = k{at}", quoted(there))).collect();
            let same = same.join(" AND ");
            let forget =
                format!("DELETE FROM temp.{name} WHERE EXISTS (SELECT 1 FROM {table} p WHERE {same})");
            Ok::<_, Error>(Note {
                insert,
                forget,
                broken: broken(reference, &table, &format!("temp.{name}")),
            })
        });
        let notes = notes.collect::<Result<_, _>>()?;
        // What a row takes away, a later one may bring back, also for other tables.
        let of_itself = if rows.changed_keys().is_some() { "" } else { " AND \"table\" = ?1 COLLATE NOCASE" };
        let elsewhere = format!(
            "SELECT count(*) AS number FROM pragma_foreign_key_check WHERE NOT (parent = ?1 COLLATE NOCASE{of_itself})"
        );
        Ok(Self { notes, elsewhere })
    }

    /// Adds a row.
    pub(super) fn add(
        &self,
        connection: &mut SqliteConnection,
        rows: &Rows,
        row: &[Native<'_>],
    ) -> QueryResult<()> {
        for (reference, note) in rows.references().within().zip(&self.notes) {
            let there = reference.there.as_deref().unwrap_or_default();
            let values: Vec<_> = there.iter().filter_map(|place| row.get(*place).copied()).collect();
            note.insert.execute(connection, &values)?;
        }
        Ok(())
    }

    /// Forgets rows that are there: none comes in their place, unless rows may give their keys away.
    pub(super) fn forget_there(&self, connection: &mut SqliteConnection, rows: &Rows) -> QueryResult<()> {
        let mut notes = self.notes.iter().filter(|_| rows.changed_keys().is_none());
        notes.try_for_each(|note| connection.batch_execute(&note.forget))
    }

    /// How many references lead to nothing, and will when all rows are in.
    pub(super) fn broken(&self, connection: &mut SqliteConnection, rows: &Rows) -> QueryResult<i64> {
        let elsewhere = sql_query(&self.elsewhere).bind::<Text, _>(rows.table());
        let mut all = elsewhere.get_result::<Number>(connection)?.number;
        for note in &self.notes {
            all += sql_query(&note.broken).get_result::<Number>(connection)?.number;
        }
        Ok(all)
    }
}

/// The `+` has a value compared by the type of the column that is referred to alone.
fn broken(reference: &Reference, table: &str, coming: &str) -> String {
    let parts: Vec<_> = reference.columns.iter().zip(&reference.parent_columns).enumerate().collect();
    let all = |one: &dyn Fn(usize, &str, &str) -> String| -> String {
        let each = parts.iter().map(|(at, (here, there))| one(*at, &quoted(here), &quoted(there)));
        each.collect::<Vec<_>>().join(" AND ")
    };
    format!(
        "SELECT count(*) AS number FROM {table} c WHERE {} \
         AND NOT EXISTS (SELECT 1 FROM {table} p WHERE {}) AND NOT EXISTS (SELECT 1 FROM {coming} m WHERE {})",
        all(&|_, here, _| format!("c.{here} IS NOT NULL")),
        all(&|_, here, there| format!("p.{there} = +c.{here}")),
        all(&|at, here, _| format!("m.k{at} = +c.{here}"))
    )
}
