//! How the fields of one file are to be read, as far as its import says so: which text is NULL, how dates are written.
//! Made once from the options, so that no value pays for what does not change.

use statemachine::{FailureName, ImportOptions};

use super::date_format::DateFormat;
use crate::failure::Failure;

/// How fields are read. The default is that of an import without options.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    /// The text that is NULL. `None`: the empty field is, and what has white space only.
    null: Option<String>,
    /// How dates are written besides ISO 8601.
    pub(super) dates: Option<DateFormat>,
}

impl Reading {
    /// What the options say of values.
    ///
    /// # Errors
    /// `Import.OptionsInvalid` for a format of dates that no date can be read by.
    pub(crate) fn of(options: &ImportOptions) -> Result<Self, Failure> {
        let dates = options.date_format.as_deref().map(DateFormat::parse).transpose();
        let dates = dates.map_err(|problem| Failure::named(FailureName::OptionsInvalid, problem))?;
        // A marker of no characters is what is read as NULL without any.
        let null = options.null.clone().filter(|marker| !marker.is_empty());
        Ok(Self { null, dates })
    }

    /// Whether these bytes are NULL.
    pub(crate) fn is_null(&self, field: &[u8]) -> bool {
        match &self.null {
            None => field.is_empty(),
            Some(marker) => field == marker.as_bytes(),
        }
    }
}
