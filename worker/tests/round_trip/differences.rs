//! What the server takes and Baton refuses, each with its reason. The same list stands in worker/README.md, "Differences from
//! COPY". An entry that nothing meets any more fails the run.

use crate::types::Type;

/// An entry of the list.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    /// The reason of the reject.
    code: &'static str,
    applies: fn(&Type, &str) -> bool,
}

pub(crate) const DIFFERENCES: &[Difference] = &[];

/// The entry that allows this reject.
pub(crate) fn allows(kind: &Type, text: &str, reason: &str) -> Option<&'static str> {
    let found = DIFFERENCES.iter().find(|difference| {
        reason.ends_with(&format!("({})", difference.code)) && (difference.applies)(kind, text)
    });
    found.map(|difference| difference.name)
}

/// The entry that demands a reject.
pub(crate) fn must_refuse(kind: &Type, text: &str) -> Option<&'static str> {
    let found = DIFFERENCES.iter().find(|difference| (difference.applies)(kind, text));
    found.map(|difference| difference.name)
}
