//! The rejects of one attempt. Counted exactly; the first ones are kept for the report. Beyond the limit that the import
//! sets, the import fails.

use statemachine::{FailureName, RejectLimit};

use super::reject::Reject;
use crate::failure::Failure;

/// Rejects that are kept, and told of in the failure's cause.
const KEPT: usize = 20;

/// The rejects of one attempt.
#[derive(Debug)]
pub(crate) struct Rejects {
    limit: RejectLimit,
    count: u64,
    first: Vec<Reject>,
}

impl Rejects {
    /// None yet, of at most `limit`.
    pub(crate) fn new(limit: RejectLimit) -> Self {
        Self { limit, count: 0, first: Vec::new() }
    }

    /// Rejects so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Counts one; fails beyond the limit.
    pub(crate) fn add(&mut self, reject: Reject) -> Result<(), Failure> {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(reject);
        }
        if matches!(self.limit, RejectLimit::Rows(limit) if self.count > limit) {
            Err(self.too_many())
        } else {
            Ok(())
        }
    }

    fn too_many(&self) -> Failure {
        let rows = if self.count == 1 { "row was" } else { "rows were" };
        let mut cause = format!("{} {rows} rejected, the import allows {}", self.count, self.limit);
        cause.push_str(if self.count > KEPT as u64 { "; the first:" } else { ":" });
        for reject in &self.first {
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

    #[test]
    fn the_reject_beyond_the_limit_fails_the_import_with_all_that_are_kept() {
        let mut rejects = Rejects::new(RejectLimit::Rows(2));
        rejects.add(reject(2, b"a")).unwrap();
        rejects.add(reject(3, b"b")).unwrap();
        let expected = "3 rows were rejected, the import allows 2:\n\
            line 2, column age: \"a\" is no integer (not_an_integer)\n\
            line 3, column age: \"b\" is no integer (not_an_integer)\n\
            line 9, column age: \"c\" is no integer (not_an_integer)";
        assert_eq!(rejects.add(reject(9, b"c")), Err(Failure::named(FailureName::TooManyRejects, expected)));
    }

    #[test]
    fn the_count_is_exact_beyond_those_that_are_kept() {
        let mut rejects = Rejects::new(RejectLimit::Rows(1000));
        (0..100).for_each(|line| rejects.add(reject(line, b"x")).unwrap());
        assert_eq!((rejects.count(), rejects.first.len()), (100, KEPT));
    }
}
