//! The statement that moves staged rows into the table: plainly, or as an upsert. No value is cast on the way: the staging
//! table has the same types.

use statemachine::OnConflict;

use crate::import::header::Plan;
use crate::import::table::{Table, quoted};

/// `INSERT INTO table (columns) SELECT … `, and what stands behind the rows.
#[derive(Clone, Debug)]
pub(super) struct Insertion {
    insert: String,
    conflict: String,
}

impl Insertion {
    /// Rows that are only inserted.
    pub(super) fn plain(table: &Table, plan: &Plan) -> Self {
        let columns: Vec<_> = plan.columns.iter().map(|column| quoted(&column.name)).collect();
        let values: Vec<_> = columns.iter().map(|column| format!("s.{column}")).collect();
        let insert =
            format!("INSERT INTO {} ({}) SELECT {}", table.sql, columns.join(", "), values.join(", "));
        Self { insert, conflict: String::new() }
    }

    /// Rows that may be there already. `set` are the columns that a row which is there gets from the file.
    pub(super) fn upsert(
        table: &Table,
        plan: &Plan,
        key: &[String],
        on_conflict: OnConflict,
        set: &[&str],
    ) -> Self {
        let target: Vec<_> = key.iter().map(|column| quoted(column)).collect();
        let set: Vec<_> = set.iter().map(|column| format!("{0} = EXCLUDED.{0}", quoted(column))).collect();
        let action = match on_conflict {
            OnConflict::Update => format!("DO UPDATE SET {}", set.join(", ")),
            OnConflict::Skip | OnConflict::Error => "DO NOTHING".to_owned(),
        };
        Self {
            conflict: format!(" ON CONFLICT ({}) {action}", target.join(", ")),
            ..Self::plain(table, plan)
        }
    }

    /// The statement for the rows of a `FROM` clause, which are called `s`.
    pub(super) fn of(&self, rows: &str) -> String {
        format!("{} FROM {rows}{}", self.insert, self.conflict)
    }
}
