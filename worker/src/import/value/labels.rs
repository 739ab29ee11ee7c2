//! The labels of an enum, in the order that the database gives them.

use std::fmt;

/// How many labels a sentence lists.
const LISTED: usize = 12;

/// The labels of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Labels {
    in_order: Vec<String>,
    /// The same, to be searched: an enum may have thousands.
    sorted: Vec<String>,
}

impl Labels {
    /// An enum of these labels.
    pub(crate) fn new(in_order: Vec<String>) -> Self {
        let mut sorted = in_order.clone();
        sorted.sort_unstable();
        Self { in_order, sorted }
    }

    /// Whether this is one of them, to the letter.
    pub(super) fn contains(&self, label: &str) -> bool {
        self.sorted.binary_search_by(|other| other.as_str().cmp(label)).is_ok()
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed: Vec<_> = self.in_order.iter().take(LISTED).map(String::as_str).collect();
        f.write_str(&listed.join(", "))?;
        match self.in_order.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_listed_in_their_order_and_not_all_of_very_many() {
        let labels = Labels::new(vec!["sad".to_owned(), "ok".to_owned(), "happy".to_owned()]);
        assert_eq!(labels.to_string(), "sad, ok, happy");
        assert!(labels.contains("happy") && !labels.contains("Happy"));
        let many = Labels::new((0..100).map(|number| number.to_string()).collect());
        assert!(many.to_string().ends_with("10, 11 and 88 more"), "{many}");
    }
}
