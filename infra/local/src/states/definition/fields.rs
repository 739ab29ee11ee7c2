//! The fields of a JSON object, taken one by one; what nobody takes is refused by name.

use serde_json::{Map, Value};

use super::InvalidDefinition;
use crate::states::jsonata::{Place, Template};

/// The longest wait or timeout, in seconds.
pub(super) const MAX_SECONDS: u64 = 99_999_999;

/// An object's fields, and where in the definition it stands.
pub(super) struct Fields {
    location: String,
    /// What leads to the object inside its state: `Catch[0]/`, or nothing.
    prefix: String,
    fields: Map<String, Value>,
}

impl Fields {
    pub(super) fn new(location: &str, prefix: String, value: Value) -> Result<Self, InvalidDefinition> {
        let location = location.to_owned();
        match value {
            Value::Object(fields) => Ok(Self { location, prefix, fields }),
            _ => {
                let what = if prefix.is_empty() { "it" } else { prefix.trim_end_matches('/') };
                Err(InvalidDefinition { location, problem: format!("{what} is not an object") })
            }
        }
    }

    /// The error of one of these fields.
    pub(super) fn invalid(&self, field: &str, problem: &str) -> InvalidDefinition {
        self.problem(format!("field {}{field} {problem}", self.prefix))
    }

    /// An error at this place.
    pub(super) fn problem(&self, problem: String) -> InvalidDefinition {
        InvalidDefinition { location: self.location.clone(), problem }
    }

    pub(super) fn take(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field)
    }

    /// What must be there.
    pub(super) fn required<T>(&self, field: &str, value: Option<T>) -> Result<T, InvalidDefinition> {
        value.ok_or_else(|| self.invalid(field, "is missing"))
    }

    /// A comment says nothing to the machine, but must be one.
    pub(super) fn comment(&mut self) -> Result<(), InvalidDefinition> {
        self.text("Comment").map(|_| ())
    }

    pub(super) fn text(&mut self, field: &str) -> Result<Option<String>, InvalidDefinition> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.invalid(field, "is not text")),
        }
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(
        &mut self,
        field: &str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, InvalidDefinition> {
        let Some(value) = self.take(field) else { return Ok(None) };
        match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(self.invalid(field, &format!("is not a whole number from {least} to {most}"))),
        }
    }

    pub(super) fn list(&mut self, field: &str) -> Result<Option<Vec<Value>>, InvalidDefinition> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.invalid(field, "is not a list")),
        }
    }

    /// The objects of a list, each with its own prefix.
    pub(super) fn objects(&mut self, field: &str) -> Result<Option<Vec<Self>>, InvalidDefinition> {
        let Some(items) = self.list(field)? else { return Ok(None) };
        let object = |(n, item)| Self::new(&self.location, format!("{}{field}[{n}]/", self.prefix), item);
        items.into_iter().enumerate().map(object).collect::<Result<_, _>>().map(Some)
    }

    /// JSON with expressions.
    pub(super) fn template(
        &mut self,
        field: &str,
        place: Place,
    ) -> Result<Option<Template>, InvalidDefinition> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let path = format!("{}{field}", self.prefix);
        Template::parse(&path, value, place).map(Some).map_err(|problem| self.problem(problem))
    }

    /// A number of seconds, or an expression that gives one.
    pub(super) fn seconds(&mut self, field: &str, least: u64) -> Result<Option<Template>, InvalidDefinition> {
        let template = self.template(field, Place::State)?;
        if let Some(Template::Literal(value)) = &template
            && !value.as_u64().is_some_and(|seconds| (least..=MAX_SECONDS).contains(&seconds))
        {
            let problem =
                format!("is neither a whole number from {least} to {MAX_SECONDS} nor an expression");
            return Err(self.invalid(field, &problem));
        }
        match template {
            Some(Template::List(_) | Template::Object(_)) => Err(self.invalid(field, "is not a number")),
            template => Ok(template),
        }
    }

    /// Refuses what nobody has taken.
    pub(super) fn finish(self) -> Result<(), InvalidDefinition> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(field) => Err(self.invalid(field, "is not implemented")),
        }
    }
}
