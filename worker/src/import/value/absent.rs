//! Which fields are NULL. An empty field is, unless it stands in quotes and its column's type has an empty value: that is how
//! PostgreSQL, DuckDB, polars and others write the empty text. Exports that quote every field write NULL in quotes, too; so
//! where the type has no empty value, quotes make no difference. The text that an import names for NULL is a text within
//! quotes, as for PostgreSQL's COPY, and a reject where the type has an empty value and does not take that text. A field of
//! white space only is NULL, except in a column whose type has an empty value: there the white space is a value, too.

use statemachine::EmptyFields;

use super::{FieldRules, Kind, Value, text};
use crate::import::reject::{Misfit, Reason};

/// Whether a field stands in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoted {
    Yes,
    No,
}

impl Kind {
    /// What a field is that [`read`](Kind::read) took for NULL. `takes_empty`: of a type that only the database can read,
    /// whether the empty text is a value.
    pub(crate) fn absent<'a>(
        &self,
        field: &'a [u8],
        quoted: Quoted,
        takes_empty: bool,
        rules: &FieldRules,
    ) -> Result<Value<'a>, Misfit> {
        if !field.is_empty() {
            return match self.marker_in_quotes(field, quoted, takes_empty, rules) {
                Some(read) => read,
                None => self.white_space(field, takes_empty, rules),
            };
        }
        let is_value = match rules.empty {
            EmptyFields::Quoted => quoted == Quoted::Yes,
            EmptyFields::Null => false,
            EmptyFields::Text => true,
        };
        match self.empty_value(takes_empty) {
            Some(empty) if is_value => Ok(empty),
            None if !rules.is_blank_null("") => Err(is_empty()),
            _ => Ok(Value::Null),
        }
    }

    /// What the text of NULL is in quotes: in a type that has an empty value that text, which may be a misfit; in any other
    /// the value that it is, if it is one.
    fn marker_in_quotes<'a>(
        &self,
        field: &'a [u8],
        quoted: Quoted,
        takes_empty: bool,
        rules: &FieldRules,
    ) -> Option<Result<Value<'a>, Misfit>> {
        if quoted == Quoted::No || rules.empty == EmptyFields::Null {
            return None;
        }
        let whole = std::str::from_utf8(field).ok()?;
        let text = text::trim(whole);
        if !rules.is_marker(field) && !rules.is_marker(text.as_bytes()) {
            return None;
        }
        match self.read_written(whole, text, rules) {
            Ok(value) => {
                rules.ambiguities.marker_in_quotes();
                Some(Ok(value))
            }
            // Exports that quote every field write NULL in quotes, too; but a text is never dropped.
            Err(_) if self.empty_value(takes_empty).is_none() => None,
            Err(Misfit { reason, says }) => {
                let says = format!("{says}; in quotes it is a value, with --empty null it is NULL");
                Some(Err(Misfit::new(reason, says)))
            }
        }
    }

    /// What white space only is, or the text of NULL with white space around it.
    #[cold]
    fn white_space<'a>(
        &self,
        field: &'a [u8],
        takes_empty: bool,
        rules: &FieldRules,
    ) -> Result<Value<'a>, Misfit> {
        match (self, std::str::from_utf8(field)) {
            (Self::Opaque | Self::Truncating(_), Ok(text)) if takes_empty && text::trim(text).is_empty() => {
                self.read_written(text, "", rules)
            }
            (Self::Bytes, Ok(text)) if text::trim(text).is_empty() => self.read_written(text, "", rules),
            _ => Ok(Value::Null),
        }
    }

    /// The value without any content, in the types that have one.
    fn empty_value(&self, takes_empty: bool) -> Option<Value<'static>> {
        match self {
            Self::Text { .. } => Some(Value::Text("")),
            Self::Bytes => Some(Value::Hex("")),
            Self::Enum(labels) if labels.contains("") => Some(Value::Text("")),
            Self::Opaque | Self::Truncating(_) if takes_empty => Some(Value::Text("")),
            _ => None,
        }
    }
}

/// The misfit of an empty field where only another text is NULL.
pub(super) fn is_empty() -> Misfit {
    Misfit::new(Reason::Empty, "is empty, and an empty field is not NULL here")
}
