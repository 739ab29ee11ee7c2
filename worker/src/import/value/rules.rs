//! The rules by which the fields of one file are read, as far as its import says so: which text is NULL, how dates are written.
//! Made once from the options, so that no value pays for what does not change.

use statemachine::{EmptyFields, FailureName, ImportOptions};

use super::ambiguities::Ambiguities;
use super::date_format::DateFormat;
use crate::failure::Failure;

/// How fields are read.
#[derive(Debug)]
pub(crate) struct FieldRules {
    /// The text that is NULL besides, or instead of, the empty field.
    marker: Option<String>,
    /// What an empty field is.
    pub(super) empty: EmptyFields,
    /// The version of the PostgreSQL that the values are for, as `server_version_num`; none for SQLite.
    pub(super) server: Option<u32>,
    /// How dates are written besides ISO 8601.
    pub(super) dates: Option<DateFormat>,
    /// What was seen on the way that a person should know.
    pub(super) ambiguities: Ambiguities,
}

impl FieldRules {
    /// What the options say of values.
    ///
    /// # Errors
    /// `Import.OptionsInvalid` for a format of dates that no date can be read by.
    pub(crate) fn of(options: &ImportOptions) -> Result<Self, Failure> {
        let dates = options.date_format.as_deref().map(DateFormat::parse).transpose();
        let dates = dates.map_err(|problem| Failure::named(FailureName::OptionsInvalid, problem))?;
        // A marker of no characters is what is read as NULL without any.
        let marker = options.null.clone().filter(|marker| !marker.is_empty());
        let usual = if marker.is_some() { EmptyFields::Text } else { EmptyFields::Quoted };
        let empty = options.empty.unwrap_or(usual);
        Ok(Self { marker, empty, dates, ..Self::default() })
    }

    /// The same for a database: the version of its server, if it has one.
    pub(crate) fn on(self, server: Option<u32>) -> Self {
        Self { server, ..self }
    }

    /// Whether these bytes are NULL outside quotes, whatever the column.
    pub(crate) fn is_null(&self, field: &[u8]) -> bool {
        self.is_marker(field) || (field.is_empty() && self.is_blank_null(""))
    }

    /// Whether these bytes are the text that the import names for NULL.
    #[inline]
    pub(super) fn is_marker(&self, field: &[u8]) -> bool {
        self.marker.as_ref().is_some_and(|marker| field == marker.as_bytes())
    }

    /// Whether a text is empty, and that is NULL in a column whose type has no empty value.
    pub(super) fn is_blank_null(&self, text: &str) -> bool {
        text.is_empty() && (self.marker.is_none() || self.empty != EmptyFields::Text)
    }

    /// The fields of a row have been read; `is_kept` tells that it is no reject.
    #[inline]
    pub(crate) fn end_row(&self, is_kept: bool) {
        self.ambiguities.end_row(is_kept);
    }

    /// What a person should know of the values of rows that are no rejects, as far as they have been read.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.ambiguities.notes(self.marker.as_deref())
    }
}

impl Default for FieldRules {
    /// As of an import without options.
    fn default() -> Self {
        Self {
            marker: None,
            empty: EmptyFields::Quoted,
            server: None,
            dates: None,
            ambiguities: Ambiguities::default(),
        }
    }
}
