//! The rejects of one attempt, from the reader and from the database alike. Counted exactly, by reason too; of the first
//! ones all is kept for the report, of every one what the rejects file needs. Bounded in memory, however many there are.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use statemachine::{FailureName, RejectLimit, RejectedRow};

use super::reject::Reject;
use crate::failure::Failure;

mod sorter;
mod texts;

pub(crate) use sorter::Sorted;
use sorter::Sorter;

/// Rejects that are kept whole, for the report.
const KEPT: usize = 100;

/// Rejects that a failure's cause tells of.
const TOLD: usize = 20;

/// How many more rejects are looked for once there are too many, so that a file is mended once and not row by row. A dry run looks
/// for all.
const EXCESS: u64 = 1000;

/// The rejects of one attempt, shared between those who find them.
pub(crate) struct Rejects {
    limit: RejectLimit,
    /// All rows are tried on the database: nothing of it stays anyway.
    is_dry_run: bool,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    count: u64,
    reasons: BTreeMap<&'static str, u64>,
    /// By record: the first in the file, in whatever order they are found.
    first: BTreeMap<u64, Reject>,
    sorter: Sorter,
    /// Why rejects are missing among those.
    lost: Option<io::Error>,
    /// Whether somebody has stopped looking for more.
    is_left_off: bool,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The limit holds.
    Within,
    /// The import fails, but more may be looked for.
    Exceeded,
    /// The import fails, and enough has been seen.
    Enough,
}

impl Rejects {
    /// None yet, of at most `limit`.
    pub(crate) fn new(limit: RejectLimit, is_dry_run: bool) -> Self {
        Self { limit, is_dry_run, found: Mutex::default() }
    }

    /// Counts one.
    pub(crate) fn add(&self, reject: Reject) -> Verdict {
        let mut found = self.found();
        found.add(reject);
        self.judge(&found)
    }

    /// Whether to go on, as of now.
    pub(crate) fn verdict(&self) -> Verdict {
        self.judge(&self.found())
    }

    /// Whether enough has been seen. Whoever asks then stops looking for more, and that is remembered.
    pub(crate) fn has_enough(&self) -> bool {
        let mut found = self.found();
        let has_enough = self.judge(&found) == Verdict::Enough;
        found.is_left_off |= has_enough;
        has_enough
    }

    /// How many more are of use to anybody; `None` where all are.
    pub(crate) fn wanted(&self) -> Option<u64> {
        match self.limit {
            RejectLimit::Rows(limit) if !self.is_dry_run => {
                Some(limit.saturating_add(EXCESS).saturating_sub(self.count()).saturating_add(1))
            }
            RejectLimit::Rows(_) | RejectLimit::Share { .. } => None,
        }
    }

    fn judge(&self, found: &Found) -> Verdict {
        let count = found.count;
        match self.limit {
            _ if found.lost.is_some() => Verdict::Enough,
            _ if self.is_dry_run => Verdict::Within,
            RejectLimit::Rows(limit) if count > limit.saturating_add(EXCESS) => Verdict::Enough,
            RejectLimit::Rows(limit) if count > limit => Verdict::Exceeded,
            // A share is known when the file has been read.
            RejectLimit::Rows(_) | RejectLimit::Share { .. } => Verdict::Within,
        }
    }

    /// All that were found, once nobody finds any more.
    ///
    /// # Errors
    /// `Import.Internal` where not all of them could be kept.
    pub(crate) fn finish(self) -> Result<Rejected, Failure> {
        let found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Found { count, reasons, first, sorter, lost, is_left_off } = found;
        let sorted = match lost {
            Some(error) => Err(error),
            None => sorter.finish(),
        };
        let sorted = sorted.map_err(|error| unkept(&error, count))?;
        Ok(Rejected { limit: self.limit, count, reasons, first, sorted, is_left_off })
    }

    /// Rejects so far.
    pub(crate) fn count(&self) -> u64 {
        self.found().count
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn add(&mut self, reject: Reject) {
        self.count += 1;
        *self.reasons.entry(reject.misfit.reason.code()).or_default() += 1;
        if self.lost.is_none() {
            self.lost = self.sorter.push(&reject).err();
        }
        let record = reject.position.record;
        if self.first.len() < KEPT || self.first.last_key_value().is_some_and(|(last, _)| record < *last) {
            self.first.insert(record, reject);
        }
        if self.first.len() > KEPT {
            self.first.pop_last();
        }
    }
}

/// Rows that are left out and written down nowhere would be lost: the import fails instead.
pub(crate) fn unkept(error: &io::Error, count: u64) -> Failure {
    let cause = format!(
        "{count} rows were rejected so far, more than the worker keeps in memory, and its temporary folder does not take \
         them: {error}; give the worker a folder (TMPDIR) with some 10 bytes for each rejected row, or correct the file"
    );
    Failure::named(FailureName::Internal, cause)
}

/// The rejects of an attempt that has read what it will.
pub(crate) struct Rejected {
    limit: RejectLimit,
    count: u64,
    reasons: BTreeMap<&'static str, u64>,
    first: BTreeMap<u64, Reject>,
    sorted: Sorted,
    is_left_off: bool,
}

impl Rejected {
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// That there may be more of them, where nobody has looked for all.
    pub(crate) fn note(&self) -> Option<String> {
        self.is_left_off.then(|| {
            format!(
                "after {} rejects no more were looked for: there may be others; --dry-run finds all",
                self.count
            )
        })
    }

    /// How many were rejected for which reason, by its code.
    pub(crate) fn reasons(&self) -> BTreeMap<String, u64> {
        self.reasons.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect()
    }

    /// The first ones, in the file's order.
    pub(crate) fn first(&self) -> Vec<RejectedRow> {
        self.first.values().map(RejectedRow::from).collect()
    }

    /// The first ones, to be completed.
    pub(crate) fn first_mut(&mut self) -> &mut BTreeMap<u64, Reject> {
        &mut self.first
    }

    /// All of them, as the rejects file needs them.
    pub(crate) fn sorted(&self) -> &Sorted {
        &self.sorted
    }

    /// The failure, where there are too many among the rows that were read.
    pub(crate) fn failure(&self, rows_read: u64) -> Option<Failure> {
        self.limit.is_exceeded(self.count, rows_read).then(|| self.too_many())
    }

    fn too_many(&self) -> Failure {
        let count = self.count;
        let rows = if count == 1 { "row was" } else { "rows were" };
        let mut cause = format!("{count} {rows} rejected, the import allows {}", self.limit);
        cause.push_str(if count > TOLD as u64 { "; the first:" } else { ":" });
        for reject in self.first.values().take(TOLD) {
            cause.push('\n');
            cause.push_str(&reject.to_string());
        }
        Failure::named(FailureName::TooManyRejects, cause)
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv::Position;
    use super::super::reject::{Misfit, Reason};
    use super::*;

    fn reject(line: u64, value: &[u8]) -> Reject {
        let position = Position { record: line, line, byte: 0 };
        Reject::of_value(position, "age", value, Misfit::new(Reason::NotAnInteger, "is no integer"))
    }

    fn rejected(limit: RejectLimit, lines: impl IntoIterator<Item = u64>) -> Rejected {
        let rejects = Rejects::new(limit, false);
        lines.into_iter().for_each(|line| {
            rejects.add(reject(line, b"x"));
        });
        rejects.finish().unwrap()
    }

    #[test]
    fn too_many_rejects_fail_the_import_with_the_first_of_the_file() {
        let rejects = Rejects::new(RejectLimit::Rows(2), false);
        assert_eq!(rejects.add(reject(9, b"c")), Verdict::Within);
        assert_eq!(rejects.add(reject(2, b"a")), Verdict::Within);
        assert_eq!(rejects.add(reject(3, b"b")), Verdict::Exceeded);
        let expected = "3 rows were rejected, the import allows 2:\n\
            line 2, column age: \"a\" is no integer (not_an_integer)\n\
            line 3, column age: \"b\" is no integer (not_an_integer)\n\
            line 9, column age: \"c\" is no integer (not_an_integer)";
        assert_eq!(
            rejects.finish().unwrap().failure(9),
            Some(Failure::named(FailureName::TooManyRejects, expected))
        );
    }

    #[test]
    fn a_share_is_judged_when_the_file_has_been_read() {
        let limit = "1%".parse().unwrap();
        assert!(rejected(limit, 1..=5).failure(500).is_none());
        let failure = rejected(limit, 1..=5).failure(499).unwrap();
        assert!(failure.to_string().contains("5 rows were rejected, the import allows 1%"), "{failure}");
    }

    #[test]
    fn the_count_is_exact_beyond_those_that_are_kept() {
        let rejected = rejected(RejectLimit::Rows(1000), (1..=500).rev());
        assert_eq!((rejected.count(), rejected.reasons()["not_an_integer"]), (500, 500));
        let first = rejected.first();
        assert_eq!((first.len(), first[0].line, first[KEPT - 1].line), (KEPT, 1, KEPT as u64));
        let first = rejected.sorted().iter().unwrap().next().unwrap();
        assert_eq!(first, Some((1, "age: is no integer (not_an_integer)".to_owned())));
    }

    #[test]
    fn rejects_that_cannot_be_kept_end_the_import_and_say_so() {
        let nowhere = tempfile::spooled_tempfile_in(1, "/there/is/no/such/folder");
        let found = Found { sorter: Sorter::into(nowhere), ..Found::default() };
        let limit = "100%".parse().unwrap();
        let rejects = Rejects { limit, is_dry_run: false, found: Mutex::new(found) };
        let mut verdicts = (1..=100_000).map(|line| rejects.add(reject(line, b"x")));
        let kept = verdicts.by_ref().take_while(|verdict| *verdict == Verdict::Within).count();
        assert_eq!((verdicts.next(), rejects.verdict()), (Some(Verdict::Enough), Verdict::Enough));
        assert!((1000..99_000).contains(&kept), "{kept}");
        let failure = rejects.finish().err().unwrap().to_string();
        assert!(failure.contains("its temporary folder does not take them: No such file"), "{failure}");
    }

    #[test]
    fn once_there_are_too_many_a_bounded_number_is_still_looked_for() {
        let rejects = Rejects::new(RejectLimit::Rows(1), false);
        let verdicts: Vec<_> = (0..EXCESS + 2).map(|line| rejects.add(reject(line, b"x"))).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Exceeded).count() as u64, EXCESS);
        assert_eq!(verdicts.last(), Some(&Verdict::Enough));
        assert!(
            rejects.has_enough() && rejects.finish().unwrap().note().unwrap().contains("--dry-run finds all")
        );
        let dry_run = Rejects::new(RejectLimit::Rows(1), true);
        let mut verdicts = (0..EXCESS + 2).map(|line| dry_run.add(reject(line, b"x")));
        assert!(verdicts.all(|verdict| verdict == Verdict::Within));
        assert_eq!((dry_run.wanted(), dry_run.has_enough()), (None, false));
        assert_eq!(dry_run.finish().unwrap().note(), None);
    }
}
