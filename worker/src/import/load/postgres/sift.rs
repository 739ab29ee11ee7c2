//! Finds out which staged rows the database refuses, and writes the others, without going row by row: first all rows that
//! break the constraint in question are told by one query; what no query tells is found by halving.

use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Nullable};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, sql_query};
use statemachine::FailureName;

use super::constraint::{Constraint, Culprits};
use super::insertion::{Insertion, Range, Written};
use super::staging::{RECORD, STAGING};
use crate::db::Session;
use crate::db::failure::{database_failure, described, meaning};
use crate::db::postgres::sqlstate::Meaning;
use crate::failure::Failure;
use crate::import::header::Plan;
use crate::import::reading::interrupted;
use crate::import::reject::{Misfit, Reason, Reject};
use crate::import::rejects::{Rejects, Verdict};
use crate::import::table::Table;
use crate::job::progress::Progress;

/// How often rows are told by a query before they are found by halving: a table has few constraints, and each is asked
/// about once, twice where rows refer to each other.
const QUERIES: usize = 50;

/// What sifting needs to know.
pub(super) struct Sift<'a> {
    pub(super) table: &'a Table,
    pub(super) plan: &'a Plan,
    pub(super) insertion: &'a Insertion,
    pub(super) rejects: &'a Rejects,
    pub(super) progress: &'a Progress,
}

#[derive(QueryableByName)]
struct Bounds {
    #[diesel(sql_type = Nullable<BigInt>)]
    first: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    last: Option<i64>,
}

impl Sift<'_> {
    /// Writes the staged rows that the database takes; the others become rejects. Ends early where there are too many.
    pub(super) fn run(&self, connection: &mut Session) -> Result<(Written, Verdict), Failure> {
        let mut verdict = Verdict::Within;
        for _ in 0..QUERIES {
            let Some(range) = self.bounds(connection)? else { return Ok((Written::default(), verdict)) };
            let error = match self.insert(connection, range)? {
                Ok(written) => return Ok((written, verdict)),
                Err(error) => error,
            };
            let culprits = Constraint::of(connection, &error, self.table)
                .map(|constraint| (constraint.take_culprits(connection, self.table, self.plan), constraint));
            let Some((culprits, constraint)) = culprits.filter(|(culprits, _)| !culprits.is_empty()) else {
                let mut halving = Halving { sift: self, written: Written::default(), verdict };
                halving.halve(connection, range, &error)?;
                return Ok((halving.written, halving.verdict));
            };
            verdict = self.reject(culprits, &constraint);
            if verdict == Verdict::Enough {
                return Ok((Written::default(), verdict));
            }
        }
        let cause = "the database goes on refusing rows for reasons that it took back before";
        Err(Failure::named(FailureName::Internal, cause))
    }

    fn reject(&self, culprits: Vec<Culprits>, constraint: &Constraint) -> Verdict {
        let column = match constraint.columns.as_slice() {
            [column] => Some(column.clone()),
            _ => None,
        };
        let mut verdict = Verdict::Within;
        for Culprits { mut records, reason, says } in culprits {
            // In the file's order, so that the first ones are told.
            records.sort_unstable();
            for record in records {
                self.progress.add_rows(0, 1);
                let misfit = Misfit::new(reason, says.clone());
                verdict =
                    self.rejects.add(Reject::of_database(record.unsigned_abs(), column.clone(), misfit));
            }
        }
        verdict
    }

    fn bounds(&self, connection: &mut Session) -> Result<Option<Range>, Failure> {
        let bounds: Bounds =
            sql_query(format!("SELECT min({RECORD}) AS first, max({RECORD}) AS last FROM {STAGING}"))
                .get_result(connection)
                .map_err(|error| database_failure(&error, "look at the rows that the database refused"))?;
        Ok(bounds.first.zip(bounds.last))
    }

    /// Tries to write a range. The inner error is one that rows may be guilty of.
    fn insert(&self, connection: &mut Session, range: Range) -> Result<Result<Written, Error>, Failure> {
        self.progress.next_phase();
        if self.progress.stop_requested() {
            return Err(interrupted());
        }
        match connection.transaction(|connection| self.insertion.range(connection, range)) {
            Ok(written) => Ok(Ok(written)),
            Err(error) if rows_may_be_guilty(&error) => Ok(Err(error)),
            Err(error) => Err(database_failure(&error, &format!("write rows into {:?}", self.table.name))),
        }
    }
}

/// The state of halving.
struct Halving<'s, 'a> {
    sift: &'s Sift<'a>,
    written: Written,
    verdict: Verdict,
}

impl Halving<'_, '_> {
    /// `error` is what came of the whole range. A range of records halves at most some sixty times.
    fn halve(
        &mut self,
        connection: &mut Session,
        (first, last): Range,
        error: &Error,
    ) -> Result<(), Failure> {
        if first >= last {
            self.sift.progress.add_rows(0, 1);
            self.verdict = self.sift.rejects.add(reject_of(first, error));
            return Ok(());
        }
        let middle = first + (last - first) / 2;
        for half in [(first, middle), (middle + 1, last)] {
            if self.verdict != Verdict::Within {
                return Ok(());
            }
            match self.sift.insert(connection, half)? {
                Ok(written) => {
                    self.written.rows += written.rows;
                    self.written.updated += written.updated;
                }
                Err(error) => self.halve(connection, half, &error)?,
            }
        }
        Ok(())
    }
}

fn reject_of(record: i64, error: &Error) -> Reject {
    use DatabaseErrorKind as Kind;
    let (reason, column) = match error {
        Error::DatabaseError(kind, information) => (
            match kind {
                Kind::UniqueViolation => Reason::Unique,
                Kind::ForeignKeyViolation => Reason::ForeignKey,
                Kind::CheckViolation => Reason::Check,
                Kind::ExclusionViolation => Reason::Exclusion,
                Kind::NotNullViolation => Reason::Required,
                _ => Reason::Refused,
            },
            information.column_name().map(str::to_owned),
        ),
        _ => (Reason::Refused, None),
    };
    let says = format!("is refused by the database: {}", described(error));
    Reject::of_database(record.unsigned_abs(), column, Misfit::new(reason, says))
}

/// Whether an error may lie in the rows rather than in the set-up, the connection or this program.
pub(super) fn rows_may_be_guilty(error: &Error) -> bool {
    meaning(error) == Meaning::Row
}
