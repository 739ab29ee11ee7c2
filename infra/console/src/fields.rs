//! The fields of a form or of an address, which may be there more than once.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde_json::Value;

use crate::error::PageError;

/// The fields of a form that was sent.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a form; none where the bytes are no form. PostgreSQL takes no NUL, and no field has one.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        pairs.collect::<Option<Vec<_>>>().map(Self)
    }

    /// The fields as a form has them for an import into this table, with these options of the contract.
    #[must_use]
    pub fn of_options(table: &str, options: &Value) -> Self {
        let mut fields = Self::default();
        fields.push("table", table.to_owned());
        for (name, value) in options.as_object().into_iter().flatten() {
            fields.push(name, as_field(value));
        }
        fields
    }

    /// Adds a value to a field.
    pub fn push(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }

    /// Gives a field this value alone.
    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(field, _)| field != name);
        self.push(name, value);
    }

    /// All names and values, as they came.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of a field, without blanks around it; none where it is missing or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// The first value of a field as it was typed, blanks and all; none where it is missing or empty.
    #[must_use]
    pub fn typed(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(field, value)| *field == name && !value.is_empty()).map(|(_, value)| value)
    }

    /// All values of a field, without blanks around them.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.trim())
    }
}

/// An option of the contract as a field has it.
fn as_field(value: &Value) -> String {
    match value {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) | Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) => values.iter().map(as_field).collect::<Vec<_>>().join(","),
        Value::Object(pairs) => {
            let lines: Vec<_> =
                pairs.iter().map(|(name, value)| format!("{name}={}", as_field(value))).collect();
            lines.join("\n")
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .filter(|text| !text.contains('\0'))
        .map(Cow::into_owned)
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let body = Bytes::from_request(request, state).await.map_err(|_| PageError::too_large())?;
        Self::parse(&body)
            .ok_or_else(|| PageError::bad_request("The form could not be read: it is not in UTF-8."))
    }
}

/// The fields of the address.
pub(crate) struct InQuery(pub(crate) Fields);

impl<S: Sync> FromRequestParts<S> for InQuery {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        let fields = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes());
        fields
            .map(Self)
            .ok_or_else(|| PageError::bad_request("The address could not be read: it is not in UTF-8."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let fields = Fields::parse("id=a&id=b+c&name=%E5%B1%B1%E7%94%B0&empty=&flag".as_bytes()).unwrap();
        assert_eq!(fields.all("id").collect::<Vec<_>>(), ["a", "b c"]);
        assert_eq!((fields.get("name"), fields.get("empty"), fields.get("flag")), (Some("山田"), None, None));
        assert_eq!(fields.get("nothing"), None);
        assert!(Fields::parse(b"a=%FF").is_none() && Fields::parse(b"a=%00").is_none(), "no text");
        assert_eq!(Fields::parse(b"a=%zz").unwrap().get("a"), Some("%zz"));
    }
}
