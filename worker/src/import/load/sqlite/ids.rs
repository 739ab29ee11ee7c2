//! The ids that AUTOINCREMENT gives. Where the largest number is taken, there is none left: SQLite then says of the disk that it is
//! full, and mostly ends the transaction with that. So a row that would need one is refused before.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use super::refusal::Refusal;
use crate::import::form::native::Native;
use crate::import::header::Plan;
use crate::import::reject::{Misfit, Reason};
use crate::import::table::{Table, shown};

/// How many ids a table has given, at most; its name, as it is written. There is no such table where nothing has AUTOINCREMENT.
const GIVEN: &str = "\
    SELECT name, max(CAST(seq AS INTEGER)) AS given FROM main.sqlite_sequence WHERE lower(name) = lower(coalesce(?, name)) \
    GROUP BY name ORDER BY given DESC, name LIMIT 1";

#[derive(QueryableByName)]
struct Given {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    given: i64,
}

/// The ids of the table that is loaded.
pub(super) struct Ids {
    table: String,
    /// The id's place in a row of the file, if it is there.
    place: Option<usize>,
    /// So many are left at least; more where a row that had taken one was undone.
    left: u64,
}

impl Ids {
    pub(super) fn of(table: &Table, plan: &Plan) -> Self {
        let place = match table.primary_key.as_slice() {
            [id] => plan.columns.iter().position(|column| column.name == *id),
            _ => None,
        };
        Self { table: table.name.clone(), place, left: 0 }
    }

    /// Why a row without an id cannot be written, if none is left. Else it takes one.
    pub(super) fn refusal(
        &mut self,
        connection: &mut SqliteConnection,
        values: &[Native<'_>],
    ) -> Option<Refusal> {
        if self.id(values).is_some() {
            return None;
        }
        if self.left == 0 {
            let given = given(connection, Some(&self.table)).map_or(0, |given| given.given);
            self.left = given.max(0).abs_diff(i64::MAX);
        }
        if self.left == 0 {
            return Some(refusal(&self.table));
        }
        self.left -= 1;
        None
    }

    /// A row was written: the ids below its own are no more given.
    pub(super) fn note(&mut self, values: &[Native<'_>]) {
        if let Some(id) = self.id(values) {
            self.left = self.left.min(id.max(0).abs_diff(i64::MAX));
        }
    }

    fn id(&self, values: &[Native<'_>]) -> Option<i64> {
        match values.get(self.place?) {
            Some(Native::Integer(id)) => Some(*id),
            _ => None,
        }
    }
}

/// The same of a row that a trigger writes into any table.
pub(super) fn exhausted(connection: &mut SqliteConnection) -> Option<Refusal> {
    given(connection, None).filter(|given| given.given == i64::MAX).map(|given| refusal(&given.name))
}

fn given(connection: &mut SqliteConnection, table: Option<&str>) -> Option<Given> {
    sql_query(GIVEN).bind::<Nullable<Text>, _>(table).get_result(connection).ok()
}

fn refusal(table: &str) -> Refusal {
    let says = format!(
        "is refused by the database: AUTOINCREMENT has given the last id of the table {}, {}",
        shown(table),
        i64::MAX
    );
    Refusal { column: None, misfit: Misfit::new(Reason::Refused, says) }
}
