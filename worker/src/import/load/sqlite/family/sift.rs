//! Which rows break constraints that wait for the commit, where neither their values nor a message tells: a trigger may leave a
//! reference to nothing anywhere. So rows are written as far as nothing is broken, by halves of those among which one does it.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use super::spool::{Kept, State};
use super::{Family, Refusal, Rows, TRIAL, beside, hold, step};
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::reject::{Misfit, Reason};

/// What was broken before the first row, of all that no row of the file can mend.
#[derive(Clone, Copy)]
pub(super) struct Sift {
    broken: i64,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Sift {
    /// No row is written yet.
    pub(super) fn begin(connection: &mut SqliteConnection, rows: &Rows) -> Result<Self, Failure> {
        // Only where references wait is there anything else that is broken in the midst of the rows.
        let broken = if rows.references_wait() { broken(connection, rows)? } else { 0 };
        Ok(Self { broken })
    }

    fn holds(self, connection: &mut SqliteConnection, rows: &Rows) -> Result<bool, Failure> {
        Ok(hold(connection)? || (rows.references_wait() && broken(connection, rows)? <= self.broken))
    }
}

impl Family {
    /// Writes rows, and refuses those that break a constraint.
    pub(super) fn sift(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        sift: Sift,
        page: &[Kept],
    ) -> Result<(), Failure> {
        let counts = self.counts;
        step(connection, &format!("SAVEPOINT {TRIAL}"))?;
        self.write_page(connection, rows, page)?;
        if sift.holds(connection, rows)? {
            return step(connection, &format!("RELEASE {TRIAL}"));
        }
        self.counts = counts;
        step(connection, &format!("ROLLBACK TO {TRIAL}; RELEASE {TRIAL}"))?;
        if let [kept] = page {
            let refused = State::Replaces(refusal());
            return self.spool.keep(kept.record(), &kept.bytes, &refused).map_err(|error| beside(&error));
        }
        let (one, other) = page.split_at(page.len() / 2);
        self.sift(connection, rows, sift, one)?;
        self.sift(connection, rows, sift, other)
    }
}

/// How many references lead to nothing, but for those that rows which are still to come may mend.
fn broken(connection: &mut SqliteConnection, rows: &Rows) -> Result<i64, Failure> {
    let mends_others = rows.moves().is_some();
    let of_itself = if mends_others { "" } else { " AND \"table\" = ?1 COLLATE NOCASE" };
    let broken = sql_query(format!(
        "SELECT count(*) AS number FROM pragma_foreign_key_check WHERE NOT (parent = ?1 COLLATE NOCASE{of_itself})"
    ))
    .bind::<Text, _>(rows.table())
    .get_result::<Number>(connection);
    Ok(broken.map_err(|error| database_failure(&error, "look for references to nothing"))?.number)
}

fn refusal() -> Refusal {
    let says = "leaves a reference to a row that is not there, by a trigger or a default";
    Refusal { column: None, misfit: Misfit::new(Reason::ForeignKey, says) }
}
