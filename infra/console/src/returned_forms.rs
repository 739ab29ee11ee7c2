//! Forms that were sent and come back, as they did not lead to an import, for the page that follows and says why. Their addresses cannot be
//! guessed, and only the latest are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::fields::Fields;
use crate::options::Problem;

/// As many forms are remembered.
const KEPT: usize = 50;

/// Why there is no import yet.
pub(crate) enum WhyNoImport {
    /// Something is wrong with the form.
    Problems(Vec<Problem>),
    /// The table is missing, and would be made by this statement.
    NoTable(String),
}

/// A form that was sent, and why it comes back.
pub(crate) struct ReturnedForm {
    pub(crate) fields: Fields,
    pub(crate) why: WhyNoImport,
}

/// The forms of late.
#[derive(Default)]
pub(crate) struct ReturnedForms(Mutex<VecDeque<(Uuid, Arc<ReturnedForm>)>>);

impl ReturnedForms {
    /// Keeps a form; the number by which it is found.
    pub(super) fn keep(&self, fields: Fields, why: WhyNoImport) -> Uuid {
        let id = Uuid::new_v4();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((id, Arc::new(ReturnedForm { fields, why })));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        id
    }

    /// A form that was kept; none where it was long ago.
    pub(super) fn get(&self, id: Uuid) -> Option<Arc<ReturnedForm>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(of, _)| *of == id).map(|(_, form)| Arc::clone(form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_forms_are_kept() {
        let forms = ReturnedForms::default();
        let keep = || forms.keep(Fields::default(), WhyNoImport::NoTable(String::new()));
        let first = keep();
        assert!(forms.get(first).is_some() && forms.get(Uuid::new_v4()).is_none());
        let last = std::iter::repeat_with(keep).take(KEPT).last().unwrap();
        assert!(forms.get(first).is_none() && forms.get(last).is_some());
    }
}
