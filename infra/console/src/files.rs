//! The style sheet, the script and the icon, which are part of the program. Their addresses change with their content, so
//! that browsers may keep them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

/// One sheet, in two files: what all pages have, and what the page of one import has.
const STYLE: &str = concat!(include_str!("static/console.css"), include_str!("static/import.css"));
const SCRIPT: &str = include_str!("static/console.js");
const UPLOAD_SCRIPT: &str = include_str!("static/upload.js");
const ICON: &str = include_str!("static/icon.svg");

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    (STYLE, SCRIPT, UPLOAD_SCRIPT, ICON).hash(&mut hasher);
    format!("{:x}", hasher.finish())
});

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/static/console.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/static/console.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/static/upload.js", get(async || file("text/javascript; charset=utf-8", UPLOAD_SCRIPT)))
        .route("/static/icon.svg", get(async || file("image/svg+xml", ICON)))
}

/// The address of a file, as pages name it.
pub(super) fn address(name: &str) -> String {
    format!("/static/{name}?{}", *VERSION)
}

fn file(kind: &'static str, content: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "private, max-age=31536000, immutable")], content)
}
