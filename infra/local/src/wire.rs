//! The AWS JSON protocols, 1.0 and 1.1: an operation named in `X-Amz-Target`, a JSON body, errors in AWS's form. What
//! the stack does not implement is refused here by name, operations and fields alike.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a call of a service comes to.
pub type Answer = Pin<Box<dyn Future<Output = Result<Value, AwsError>> + Send>>;

/// Another service of the stack, called with the name of an operation and its request.
pub type Call = Arc<dyn Fn(&'static str, Value) -> Answer + Send + Sync>;

/// An error as a client of AWS sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// The error's name: the last part of `__type`.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// The HTTP status: 400 for the caller's faults, 500 for the stack's.
    pub status: u16,
}

impl AwsError {
    /// An error that the caller can mend.
    pub(crate) fn client(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), status: 400 }
    }

    /// A fault of the stack itself.
    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        Self { code: "InternalFailure".to_owned(), message: message.to_string(), status: 500 }
    }

    /// An operation that AWS has and this stack has not.
    pub(crate) fn not_implemented(service: &str, operation: &str) -> Self {
        let message = format!("baton's embedded stack does not implement {service}:{operation}");
        Self { code: "UnknownOperationException".to_owned(), message, status: 400 }
    }

    /// The error as `(status, body)`; `namespace` is the service's, such as `com.amazonaws.sqs`.
    pub(crate) fn to_response(&self, namespace: &str) -> (StatusCode, Value) {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, json!({"__type": format!("{namespace}#{}", self.code), "message": self.message}))
    }
}

/// Reads the body of a request. Its type denies unknown fields, so that no field is ever ignored.
pub(crate) fn parse<T: DeserializeOwned>(operation: &str, body: Value) -> Result<T, AwsError> {
    serde_json::from_value(body)
        .map_err(|error| AwsError::client("ValidationException", format!("{operation}: {error}")))
}
