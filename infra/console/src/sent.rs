//! Forms that were sent and did not lead to an import, for the page that follows and says why. Their addresses cannot be
//! guessed, and only the latest are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::fields::Fields;
use crate::options::Problem;

/// As many forms are remembered.
const KEPT: usize = 50;

/// Why there is no import yet.
pub(crate) enum Outcome {
    /// Something is wrong with the form.
    Problems(Vec<Problem>),
    /// The table is missing, and would be made by this statement.
    NoTable(String),
}

/// A form that was sent.
pub(crate) struct Sent {
    pub(crate) fields: Fields,
    pub(crate) outcome: Outcome,
}

/// The forms of late.
#[derive(Default)]
pub(crate) struct SentForms(Mutex<VecDeque<(Uuid, Arc<Sent>)>>);

impl SentForms {
    /// Keeps a form; the number by which it is found.
    pub(super) fn keep(&self, fields: Fields, outcome: Outcome) -> Uuid {
        let id = Uuid::new_v4();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((id, Arc::new(Sent { fields, outcome })));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        id
    }

    /// A form that was kept; none where it was long ago.
    pub(super) fn get(&self, id: Uuid) -> Option<Arc<Sent>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(of, _)| *of == id).map(|(_, sent)| Arc::clone(sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_forms_are_kept() {
        let forms = SentForms::default();
        let keep = || forms.keep(Fields::default(), Outcome::NoTable(String::new()));
        let first = keep();
        assert!(forms.get(first).is_some() && forms.get(Uuid::new_v4()).is_none());
        let last = std::iter::repeat_with(keep).take(KEPT).last().unwrap();
        assert!(forms.get(first).is_none() && forms.get(last).is_some());
    }
}
