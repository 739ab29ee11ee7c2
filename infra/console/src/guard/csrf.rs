//! The secret that the console's own pages have in their forms, and no other site's page can read.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{MAX_FORM, Refusal};
use crate::fields::Fields;

pub(super) const MISSING: Refusal = Refusal(
    StatusCode::FORBIDDEN,
    "This form is not one of the console as it runs now. Nothing was done. Load the page again, and send it once more.",
);
pub(super) const TOO_LARGE: Refusal =
    Refusal(StatusCode::PAYLOAD_TOO_LARGE, "This form has more than 1 MiB, or broke off. Nothing was done.");

/// A secret of this process.
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn random() -> Self {
        Self(random())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// The request again, if it has the secret: in the header `x-csrf-token`, in a form's field `csrf`, or, where the body is
    /// no such form and is not to be read here, in the query.
    pub(super) async fn checked(&self, parts: Parts, body: Body) -> Result<Request, Refusal> {
        let header = parts.headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
        if let Some(token) = header {
            self.check(Some(token))?;
            return Ok(Request::from_parts(parts, body));
        }
        if !is_form(&parts) {
            let query = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes());
            self.check(query.as_ref().and_then(|query| query.get("csrf")))?;
            return Ok(Request::from_parts(parts, body));
        }
        let bytes = to_bytes(body, MAX_FORM).await.map_err(|_| TOO_LARGE)?;
        self.check(Fields::parse(&bytes).as_ref().and_then(|fields| fields.get("csrf")))?;
        Ok(Request::from_parts(parts, Body::from(bytes)))
    }

    fn check(&self, token: Option<&str>) -> Result<(), Refusal> {
        match token {
            Some(token) if is_same(token, &self.0) => Ok(()),
            _ => Err(MISSING),
        }
    }
}

fn is_form(parts: &Parts) -> bool {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Compares without telling by the time it takes how much is right.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// 244 random bits, of the system's generator.
pub(super) fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
