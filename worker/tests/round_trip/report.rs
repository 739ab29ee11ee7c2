//! What a run has seen: how many cases of each type by each way, and what was not right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How many cases a pair of a type and a way must have.
const NEEDED: u64 = 50;

/// How many examples of one kind are told.
const EXAMPLES: usize = 4;

/// How many failed imports are made smaller.
const NARROWED: u64 = 300;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Another value is stored than the database itself makes of the text.
    Changed,
    /// Stored, although the database refuses the text.
    Taken,
    /// Neither stored nor rejected.
    Lost,
    /// Stored and rejected, or stored twice.
    Doubled,
    /// Rejected, although the database takes the text, and not on the list of differences.
    Refused,
    /// On the list of differences, but taken.
    Agreed,
    /// Rejected, but with another line, column, value or row than the one in question.
    Misplaced,
    /// The whole import failed.
    Failed,
    /// The counts do not add up.
    Miscounted,
}

/// Something that is not right.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) type_name: String,
    pub(crate) way: String,
    /// The field, and what came of it.
    pub(crate) says: String,
}

/// All that a run has seen.
#[derive(Default)]
pub(crate) struct Report {
    cases: BTreeMap<(String, String), u64>,
    findings: Vec<Finding>,
    used: BTreeSet<&'static str>,
    left_out: BTreeMap<String, String>,
    /// How often an import that failed was made smaller.
    narrowed: u64,
}

impl Report {
    pub(crate) fn count(&mut self, type_name: &str, way: &str) {
        *self.cases.entry((type_name.to_owned(), way.to_owned())).or_default() += 1;
    }

    pub(crate) fn find(&mut self, kind: Kind, type_name: &str, way: &str, says: String) {
        let (type_name, way) = (type_name.to_owned(), way.to_owned());
        self.findings.push(Finding { kind, type_name, way, says });
    }

    /// A difference on the list was met.
    pub(crate) fn differs(&mut self, name: &'static str) {
        self.used.insert(name);
    }

    /// Those of the list that no case has met.
    pub(crate) fn stale(&self, mut names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
        names.find(|name| !self.used.contains(name))
    }

    /// Something that was left out, and why.
    pub(crate) fn leave_out(&mut self, type_name: &str, reason: String) {
        self.left_out.insert(type_name.to_owned(), reason);
    }

    /// Whether an import that failed is to be made smaller once more: a build that fails often is not worth the time.
    pub(crate) fn may_narrow(&mut self) -> bool {
        self.narrowed += 1;
        self.narrowed < NARROWED
    }

    /// The pairs with too few cases.
    pub(crate) fn thin(&self) -> Vec<String> {
        let thin = self.cases.iter().filter(|(_, count)| **count < NEEDED);
        thin.map(|((type_name, way), count)| format!("{type_name}, {way}: {count} cases")).collect()
    }

    /// Cases per type and way.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        let mut last = "";
        for ((type_name, way), count) in &self.cases {
            if type_name != last {
                let _ = write!(table, "\n{type_name}: ");
                last = type_name;
            }
            let _ = write!(table, "{way} {count}; ");
        }
        for (type_name, reason) in &self.left_out {
            let _ = write!(table, "\n{type_name} is left out: {reason}");
        }
        table
    }

    /// The findings, by kind and type, each with its ways and a few examples.
    pub(crate) fn findings(&self) -> String {
        let mut sorted: BTreeMap<(Kind, &str), Vec<&Finding>> = BTreeMap::new();
        for finding in &self.findings {
            sorted.entry((finding.kind, &finding.type_name)).or_default().push(finding);
        }
        let mut text = String::new();
        for ((kind, type_name), findings) in sorted {
            let ways: BTreeSet<_> = findings.iter().map(|finding| finding.way.as_str()).collect();
            let ways = ways.into_iter().collect::<Vec<_>>().join("; ");
            let _ = writeln!(text, "{kind:?} | {type_name} | {} times | {ways}", findings.len());
            let examples: BTreeSet<_> = findings.iter().map(|finding| finding.says.as_str()).collect();
            // From all over, not only the first ones of the alphabet.
            for says in examples.iter().step_by(examples.len().div_ceil(EXAMPLES)) {
                let _ = writeln!(text, "    {says}");
            }
        }
        text
    }
}
