//! Who may ask the console for what. In this order, before any page is reached:
//!
//! - **Host** ([`host`]): a name that is not the console's own is refused, so that no web page can reach it by a name whose
//!   address changes under way (DNS rebinding).
//! - **Access** ([`access`]): off this machine, and wherever a token is set, visitors have to know the token.
//! - **Origin** ([`origin`]): what changes something is a POST, sent by one of the console's own pages.
//! - **CSRF** ([`csrf`]): and it has the secret of those pages.
//!
//! Every answer has the headers of [`protect`].

mod access;
mod csrf;
mod host;
mod origin;

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use self::access::Access;
use self::csrf::Secret;
use self::host::Hosts;
use super::Shared;
use super::error::PageError;
use super::sign_in;
use crate::cli::ConsoleToken;

/// The most bytes of a form: the ids of ten thousand dead letters.
pub(super) const MAX_FORM: usize = 1024 * 1024;

/// What is known of who may ask.
pub(crate) struct Guard {
    local: SocketAddr,
    hosts: Hosts,
    access: Access,
    csrf: Secret,
}

/// Why a request is refused. Its text is for the visitor and repeats nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusal(StatusCode, &'static str);

impl Guard {
    /// For a console on this address.
    ///
    /// # Errors
    /// The token is too short.
    pub(crate) fn new(
        local: SocketAddr,
        host_names: &[String],
        token: &ConsoleToken,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            local,
            hosts: Hosts::new(local.ip(), host_names),
            access: Access::new(local, token.console_token.as_deref())?,
            csrf: Secret::random(),
        })
    }

    /// Where the console is, as a person on this machine reaches it.
    pub(crate) fn url(&self) -> String {
        if self.local.ip().is_unspecified() {
            return format!("http://localhost:{}/", self.local.port());
        }
        format!("http://{}/", self.local)
    }

    /// The token that was made here, which somebody has to tell the visitors.
    pub(crate) fn token_to_print(&self) -> Option<&str> {
        self.access.token_to_print()
    }

    /// The field that every form has.
    pub(super) fn csrf_field(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf_token()); }
    }

    /// What a script sends as `x-csrf-token`, and a multipart form as `?csrf=`.
    pub(super) fn csrf_token(&self) -> &str {
        self.csrf.text()
    }

    /// Who shows the token is let in: the cookie to be set.
    pub(super) fn sign_in(&self, token: &str) -> Option<HeaderValue> {
        self.access.sign_in(token)
    }

    /// Whether a request may pass that has been seen to come from a known visitor.
    fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        origin::check(&parts.method, &parts.headers)
    }
}

/// Refuses requests by another name than the console's own.
pub(super) async fn admit_host(State(console): State<Shared>, request: Request, next: Next) -> Response {
    match console.guard.hosts.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(refusal),
    }
}

/// Lets those requests pass that [`Guard`] has nothing against.
pub(super) async fn admit(State(console): State<Shared>, request: Request, next: Next) -> Response {
    let guard = &console.guard;
    let (parts, body) = request.into_parts();
    if let Err(refusal) = guard.check(&parts) {
        return refuse(refusal);
    }
    let is_signing_in = parts.uri.path() == sign_in::PATH;
    // Also where the visitor is known: the token must not stay in the address.
    let shows_token = guard.access.needs_token() && sign_in::shows_token(&parts.uri);
    if !is_signing_in && (shows_token || !guard.access.is_known(&parts.headers)) {
        return sign_in::ask(guard, &parts.uri);
    }
    // Whoever signs in has seen no page of the console yet, and so no secret of it.
    if parts.method.is_safe() || is_signing_in {
        return next.run(Request::from_parts(parts, body)).await;
    }
    match guard.csrf.checked(parts, body).await {
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

#[cfg(test)]
mod tests;
