//! What a page says that cannot be shown: what was tried, why not, what to do; with the status that belongs to it. Errors
//! of the verbs are written for people and hold no secret; they are shown whole.

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use ops::error::Usage;

use crate::layout;

/// Why a page cannot be shown.
#[derive(Debug)]
pub struct PageError {
    status: StatusCode,
    lines: Vec<String>,
}

impl PageError {
    /// There is no such thing.
    pub(crate) fn not_found(why: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, why)
    }

    /// What was asked for makes no sense.
    pub(crate) fn bad_request(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// What was sent is larger than anything that the console takes.
    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "What was sent is too large, or broke off.")
    }

    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, lines: vec![why.into()] }
    }

    /// The answer on a page of its own, made from its title and what it says.
    pub(super) fn on_page(&self, page: impl FnOnce(&str, Markup) -> Markup) -> Response {
        (self.status, page(self.title(), self.body())).into_response()
    }

    fn title(&self) -> &'static str {
        match self.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => "This cannot be done",
            StatusCode::PAYLOAD_TOO_LARGE => "Too large",
            StatusCode::FORBIDDEN => "Refused",
            _ => "Something went wrong",
        }
    }

    /// What the page says.
    fn body(&self) -> Markup {
        html! {
            section.notice.bad role="alert" {
                @for (index, line) in self.lines.iter().enumerate() {
                    p { @if index > 0 { "because " } (layout::text(line)) }
                }
            }
            p { a href="/" { "To the overview" } }
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for PageError {
    fn from(error: E) -> Self {
        let error = error.into();
        let status =
            if error.is::<Usage>() { StatusCode::NOT_FOUND } else { StatusCode::INTERNAL_SERVER_ERROR };
        Self { status, lines: error.chain().map(ToString::to_string).collect() }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        self.on_page(|title, body| layout::bare(title, &html! { h1 { (title) } (body) }))
    }
}

/// Answers for methods that an address does not know.
pub(super) async fn wrong_method(method: Method) -> PageError {
    PageError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("This address takes no {method}: it is reached by a page of the console."),
    )
}
