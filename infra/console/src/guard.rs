//! Who may ask the console for what. In this order, before any page is reached:
//!
//! - **Host** ([`host`]): a name that is not the console's own is refused, so that no web page can reach it by a name whose
//!   address changes under way (DNS rebinding).
//! - **Access** ([`access`]): off this machine, and wherever a token is set, visitors have to know the token.
//! - **Origin** ([`origin`]): what changes something is a POST, sent by one of the console's own pages.
//! - **CSRF** ([`csrf`]): and it has the secret of those pages.
//!
//! What asks these is [`crate::admit`].

mod access;
mod csrf;
mod host;
mod origin;

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use maud::{Markup, html};

use self::access::Access;
use self::csrf::Secret;
use self::host::Hosts;

/// The most bytes of a form: the ids of ten thousand dead letters.
pub(super) const MAX_FORM: usize = 1024 * 1024;

/// What is known of who may ask.
pub struct Guard {
    local: SocketAddr,
    hosts: Hosts,
    access: Access,
    csrf: Secret,
}

/// Why a request is refused. Its text is for the visitor and repeats nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) &'static str);

impl Guard {
    /// For a console on this address, which is called by these names besides. On an address that others can reach visitors need a
    /// token; where none is given, one is made.
    ///
    /// # Errors
    /// The token is too short.
    pub fn new(local: SocketAddr, host_names: &[String], token: Option<&str>) -> anyhow::Result<Self> {
        Ok(Self {
            local,
            hosts: Hosts::new(local.ip(), host_names),
            access: Access::new(local, token)?,
            csrf: Secret::random(),
        })
    }

    /// Where the console is, as a person on this machine reaches it.
    #[must_use]
    pub fn url(&self) -> String {
        if self.local.ip().is_unspecified() {
            return format!("http://localhost:{}/", self.local.port());
        }
        format!("http://{}/", self.local)
    }

    /// The token that was made here, which somebody has to tell the visitors.
    #[must_use]
    pub fn token_to_print(&self) -> Option<&str> {
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
    pub(super) fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        origin::check(&parts.method, &parts.headers)
    }

    /// Whether the console is called by a name of its own.
    pub(super) fn check_host(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.hosts.check(headers)
    }

    /// Whether visitors have to know a token.
    pub(super) fn needs_token(&self) -> bool {
        self.access.needs_token()
    }

    /// Whether the visitor is let in.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        self.access.is_known(headers)
    }

    /// The request again, if it has the secret of the console's own pages.
    pub(super) async fn with_secret(&self, parts: Parts, body: Body) -> Result<Request, Refusal> {
        self.csrf.checked(parts, body).await
    }
}

#[cfg(test)]
mod tests;
