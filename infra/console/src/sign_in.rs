//! Where visitors show the token, once: `/sign-in`, or any address with `?token=`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::post;
use maud::html;

use crate::fields::Fields;
use crate::guard::Guard;
use crate::layout;

/// The address that can be reached without having signed in.
pub(super) const PATH: &str = "/sign-in";

pub(super) fn routes<S>(guard: Arc<Guard>) -> Router<S> {
    Router::new().route(PATH, post(sign_in).get(async || Redirect::to("/"))).with_state(guard)
}

/// Answers a visitor who is not known yet: asks for the token, or takes it from the address.
pub(super) fn ask(guard: &Guard, uri: &Uri) -> Response {
    match token_in(uri) {
        Some(token) => enter(guard, &token, &without_token(uri)),
        None => form(&without_token(uri), false),
    }
}

/// Whether the address has a token.
pub(super) fn shows_token(uri: &Uri) -> bool {
    token_in(uri).is_some()
}

fn token_in(uri: &Uri) -> Option<String> {
    Fields::parse(uri.query()?.as_bytes())?.get("token").map(str::to_owned)
}

async fn sign_in(State(guard): State<Arc<Guard>>, fields: Fields) -> Response {
    let next = fields.get("next").filter(|next| is_own_page(next)).unwrap_or("/");
    enter(&guard, fields.get("token").unwrap_or_default(), next)
}

fn enter(guard: &Guard, token: &str, next: &str) -> Response {
    let Some(cookie) = guard.sign_in(token) else { return form(next, true) };
    // Not a redirect: one that began with a link of another site would come without the cookie, which is for this site's
    // own requests alone.
    let page = layout::bare(
        "Signed in",
        &html! {
            meta http-equiv="refresh" content={ "0;url=" (next) };
            h1 { "Signed in" }
            p { a href=(next) { "Go on" } }
        },
    );
    ([(header::SET_COOKIE, cookie)], page).into_response()
}

fn form(next: &str, is_wrong: bool) -> Response {
    let page = layout::bare(
        "Sign in",
        &html! {
            h1 { "Sign in" }
            @if is_wrong {
                section.notice.bad role="alert" { p { "This is not the console's token." } }
            }
            p { "The console can be reached from other machines, so it asks for its token: it was printed when the console was \
                 started, or is what BATON_CONSOLE_TOKEN said then." }
            form.sign-in method="post" action=(PATH) {
                input type="hidden" name="next" value=(next);
                label for="token" { "Token" }
                input #token type="password" name="token" autocomplete="current-password" required autofocus;
                button.primary type="submit" { "Sign in" }
            }
        },
    );
    (StatusCode::UNAUTHORIZED, page).into_response()
}

/// The address without the token, which must not stay in the browser's history.
fn without_token(uri: &Uri) -> String {
    let query: Vec<_> =
        uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("token=")).collect();
    let query = query.join("&");
    let path = Some(uri.path()).filter(|path| is_own_page(path)).unwrap_or("/");
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Whether it is an address within the console; `//host` and `/\host` are none.
fn is_own_page(address: &str) -> bool {
    address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains(|character: char| character == '\\' || character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signs_in_stays_in_the_console() {
        for page in ["/", "/imports?status=FAILURE", "/imports/a-1"] {
            assert!(is_own_page(page), "{page}");
        }
        for other in ["", "//evil.example", "/\\evil.example", "https://evil.example/", "/a\r\nb"] {
            assert!(!is_own_page(other), "{other:?}");
        }
        assert_eq!(
            without_token(&"/imports?token=a&status=FAILURE".parse().unwrap()),
            "/imports?status=FAILURE"
        );
        assert_eq!(without_token(&"/?token=a".parse().unwrap()), "/");
    }
}
