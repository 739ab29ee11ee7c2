//! What the front answers in the stack's place.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::Asked;

/// What a chosen request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An error, in the form of the service that was asked: `(400, "ThrottlingException")`, `(503, "SlowDown")`.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error's name.
        code: &'static str,
    },
    /// The request reaches the stack, and its answer is lost: who asked does not know what became of it.
    LoseAnswer,
    /// The stack's own answer, whose connection breaks behind so many bytes of the body; the last of them may be lost with it.
    CutBody {
        /// In bytes.
        after: u64,
    },
    /// The stack's own answer, of which nothing more comes behind so many bytes of the body.
    StallBody {
        /// In bytes.
        after: u64,
    },
}

/// An error as Step Functions or S3 would give it. Neither repeats anything that was asked.
pub(super) fn error(asked: &Asked, status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("a test names a status of HTTP");
    let message = "the test's front answers for the service";
    if asked.operation.is_empty() {
        let xml = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        return (status, [(header::CONTENT_TYPE, "application/xml")], xml).into_response();
    }
    let json = json!({"__type": code, "message": message}).to_string();
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], json).into_response()
}
