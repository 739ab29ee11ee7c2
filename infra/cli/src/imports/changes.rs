//! What has changed between two looks at the imports.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ops::show::picture::ImportPicture;

/// What was seen of the imports so far.
#[derive(Default)]
pub(super) struct Seen(HashMap<String, Look>);

/// What of an import is worth a line when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    status: String,
    attempt: i32,
    rows: i64,
    rejects: i64,
    error: Option<String>,
    /// That nothing has changed for a while is news, too.
    unchanged_since: Option<DateTime<Utc>>,
}

impl Look {
    fn at(import: &ImportPicture) -> Self {
        let ImportPicture { status, attempt, rows, rejects, error, .. } = import;
        let unchanged_since = import.progress.as_ref().and_then(|progress| progress.unchanged_since);
        Self {
            status: status.clone(),
            attempt: *attempt,
            rows: *rows,
            rejects: *rejects,
            error: error.clone(),
            unchanged_since,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "PENDING" | "RUNNING")
    }
}

impl Seen {
    /// The imports that are new or have changed since the last look, the oldest first, as news happen.
    pub(super) fn changed<'a>(&mut self, now: &'a [ImportPicture]) -> Vec<&'a ImportPicture> {
        let is_news = |import: &&ImportPicture| {
            let look = Look::at(import);
            self.0.insert(import.id.clone(), look.clone()) != Some(look)
        };
        now.iter().rev().filter(is_news).collect()
    }

    /// The imports that had not ended when they were seen last, and are not among these any more: a filter may leave out
    /// just their end.
    pub(super) fn missing(&self, now: &[ImportPicture]) -> Vec<String> {
        let open = self.0.iter().filter(|(_, look)| look.is_open()).map(|(id, _)| id);
        open.filter(|id| now.iter().all(|import| import.id != **id)).cloned().collect()
    }

    /// Is not asked for again.
    pub(super) fn forget(&mut self, id: &str) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ops::findings::sample::import;

    fn at(id: &str, status: &str, rows: i64) -> ImportPicture {
        ImportPicture { id: id.to_owned(), status: status.to_owned(), rows, ..import() }
    }

    #[test]
    fn another_error_is_a_change() {
        let failed = |error: &str| ImportPicture { error: Some(error.to_owned()), ..at("a", "FAILURE", 0) };
        let mut seen = Seen::default();
        for (error, lines) in [("Import.Interrupted", 1), ("Import.Interrupted", 0), ("Cancelled", 1)] {
            assert_eq!(seen.changed(&[failed(error)]).len(), lines, "{error}");
        }
    }

    #[test]
    fn each_change_is_told_once_and_the_oldest_first() {
        let mut seen = Seen::default();
        let told = |seen: &mut Seen, now: &[ImportPicture]| -> String {
            seen.changed(now).iter().map(|import| import.id.as_str()).collect()
        };
        let first = [at("b", "RUNNING", 0), at("a", "SUCCESS", 7)];
        assert_eq!(told(&mut seen, &first), "ab");
        assert_eq!(told(&mut seen, &first), "");
        assert_eq!(
            told(&mut seen, &[at("c", "PENDING", 0), at("b", "RUNNING", 5), at("a", "SUCCESS", 7)]),
            "bc"
        );
        // A filter by status leaves out what has ended; what ended before is nobody's question.
        let mut left = seen.missing(&[]);
        left.sort();
        assert_eq!(left, ["b", "c"]);
        seen.forget("b");
        assert_eq!(seen.missing(&[]), ["c"]);
    }
}
