//! Which rows break constraints that wait for the commit, where neither their values nor a message tells: a trigger may leave a
//! reference to nothing anywhere. So rows are written as far as nothing is broken, by halves of those among which one does it.

use diesel::SqliteConnection;
use diesel::result::Error;

use super::coming::Coming;
use super::spool::{Kept, State};
use super::{FAMILY, Family, Refusal, Rows, TRIAL, beside, hold, step};
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::form::native;
use crate::import::progress::Progress;
use crate::import::reject::{Misfit, Reason};

/// What is known before the first row is written again.
pub(super) struct Sift {
    /// Where references wait for rows that are to come, and how many lead to nothing without any row of the file.
    waiting: Option<(Coming, i64)>,
}

impl Sift {
    fn holds(&self, connection: &mut SqliteConnection, rows: &Rows) -> Result<bool, Failure> {
        if hold(connection)? {
            return Ok(true);
        }
        let Some((coming, before)) = &self.waiting else { return Ok(false) };
        Ok(coming.broken(connection, rows).map_err(|error| not_looked(&error))? <= *before)
    }
}

impl Family {
    /// Begins to look for such rows: none is written.
    pub(super) fn begin_sift(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &Rows,
        progress: &Progress,
    ) -> Result<Sift, Failure> {
        if !rows.references_wait() {
            return Ok(Sift { waiting: None });
        }
        // What is noted stays when rows are undone.
        step(connection, &format!("RELEASE {FAMILY}"))?;
        let coming = Coming::new(connection, rows).map_err(|error| not_looked(&error))?;
        let mut after = None;
        while let Some(page) = self.page(&mut after, "state < 3", progress)? {
            for kept in page {
                let values: Vec<_> = native::read_row(&kept.bytes).collect();
                coming.add(connection, rows, &values).map_err(|error| not_looked(&error))?;
            }
        }
        coming.forget_there(connection, rows).map_err(|error| not_looked(&error))?;
        step(connection, &format!("SAVEPOINT {FAMILY}"))?;
        let before = coming.broken(connection, rows).map_err(|error| not_looked(&error))?;
        Ok(Sift { waiting: Some((coming, before)) })
    }

    /// Writes rows, and refuses those that break a constraint.
    pub(super) fn sift(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &mut Rows,
        sift: &Sift,
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

fn refusal() -> Refusal {
    let says = "leaves a reference to a row that is not there, by a trigger or a default";
    Refusal { column: None, misfit: Misfit::new(Reason::ForeignKey, says) }
}

fn not_looked(error: &Error) -> Failure {
    database_failure(error, "look for references to nothing")
}
