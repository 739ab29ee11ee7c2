//! Who is let in where the console can be reached by others: whoever has shown the token once, and has the cookie since.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderValue, header};
use ops::error::Usage;

use super::csrf::{is_same, random};

/// Fewer characters can be tried out.
const MIN_TOKEN: usize = 16;

/// Open to all who can reach it, or to those who know the token.
pub(super) enum Access {
    Open,
    ByToken(Token),
}

/// What visitors have to know.
pub(super) struct Token {
    text: String,
    /// Whether it was made here.
    is_made: bool,
    /// The cookie of those who have shown it. Not the token itself: whoever reads a cookie has this one console, for as long
    /// as it runs. Its name has the port, since browsers send cookies to all ports of a host.
    cookie_name: String,
    session: String,
}

impl Access {
    /// On this machine's own address nobody else can reach the console, so that no token is needed unless one is set.
    pub(super) fn new(local: SocketAddr, token: Option<&str>) -> anyhow::Result<Self> {
        if token.is_none() && local.ip().is_loopback() {
            return Ok(Self::Open);
        }
        if token.is_some_and(|token| token.len() < MIN_TOKEN) {
            let message = format!("BATON_CONSOLE_TOKEN is too short: {MIN_TOKEN} characters are the least");
            return Err(Usage(message).into());
        }
        Ok(Self::ByToken(Token {
            text: token.map_or_else(random, str::to_owned),
            is_made: token.is_none(),
            cookie_name: format!("baton-console-{}", local.port()),
            session: random(),
        }))
    }

    pub(super) fn token_to_print(&self) -> Option<&str> {
        match self {
            Self::ByToken(token) if token.is_made => Some(&token.text),
            _ => None,
        }
    }

    pub(super) fn needs_token(&self) -> bool {
        matches!(self, Self::ByToken(_))
    }

    /// Whether the visitor is let in.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let Self::ByToken(token) = self else { return true };
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies.flat_map(|cookies| cookies.split(';')).any(|cookie| {
            let (name, value) = cookie.trim().split_once('=').unwrap_or_default();
            name == token.cookie_name && is_same(value, &token.session)
        })
    }

    /// The cookie for a visitor who shows this token; none where it is another.
    pub(super) fn sign_in(&self, shown: &str) -> Option<HeaderValue> {
        let Self::ByToken(token) = self else { return None };
        if !is_same(shown, &token.text) {
            return None;
        }
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", token.cookie_name, token.session);
        HeaderValue::from_str(&cookie).ok()
    }
}
