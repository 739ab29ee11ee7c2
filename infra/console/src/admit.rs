//! What every request passes before a page is reached, and every answer on its way back: the [`Guard`]'s checks in their order, and
//! the headers of [`protect`].

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::error::PageError;
use crate::guard::{Guard, Refusal};
use crate::sign_in;

/// Refuses requests by another name than the console's own.
pub(super) async fn admit_host(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.check_host(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(refusal),
    }
}

/// Lets those requests pass that [`Guard`] has nothing against.
pub(super) async fn admit(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(refusal) = guard.check(&parts) {
        return refuse(refusal);
    }
    let is_signing_in = parts.uri.path() == sign_in::PATH;
    // Also where the visitor is known: the token must not stay in the address.
    let shows_token = guard.needs_token() && sign_in::shows_token(&parts.uri);
    if !is_signing_in && (shows_token || !guard.is_known(&parts.headers)) {
        return sign_in::ask(&guard, &parts.uri);
    }
    // Whoever signs in has seen no page of the console yet, and so no secret of it.
    if parts.method.is_safe() || is_signing_in {
        return next.run(Request::from_parts(parts, body)).await;
    }
    match guard.with_secret(parts, body).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refuse(refusal),
    }
}

fn refuse(Refusal(status, why): Refusal) -> Response {
    PageError::new(status, why).into_response()
}

/// The headers that every answer has: nothing but the console's own files is loaded or run, no other page frames it, nothing
/// is kept (but the files that never change).
pub(super) async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    set_headers(response.headers_mut());
    response
}

fn set_headers(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                          form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let fixed: [(HeaderName, &str); 6] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: browsers would then send forms with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
