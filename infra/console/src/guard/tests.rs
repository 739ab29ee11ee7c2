//! Each way in which a request can be refused.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};

use super::*;

fn guard(address: &str, token: Option<&str>) -> Guard {
    Guard::new(address.parse().unwrap(), &["Ops.Local".to_owned()], token).unwrap()
}

fn request(method: Method, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri("/imports");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

#[test]
fn another_name_than_the_consoles_own_is_refused() {
    let by = |guard: &Guard, hosts: &[&str]| {
        let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        guard.hosts.check(&request(Method::GET, &headers).headers).is_ok()
    };
    let here = guard("127.0.0.1:4567", None);
    for own in ["127.0.0.1:4567", "127.0.0.1", "localhost:4567", "LOCALHOST:9", "ops.local:4567", "OPS.LOCAL"]
    {
        assert!(by(&here, &[own]), "{own}");
    }
    for other in [
        "evil.example",
        "evil.example:4567",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.1:4567",
        "",
        "127.0.0.2",
        "localhost:port",
        "localhost:",
        "[::1]:4567",
        "localhost@evil.example",
        "user:localhost",
    ] {
        assert!(!by(&here, &[other]), "{other}");
    }
    assert!(!by(&here, &[]), "no name at all");
    assert!(!by(&here, &["localhost", "evil.example"]), "two names");
    let six = guard("[::1]:4567", None);
    assert!(by(&six, &["[::1]:4567"]) && by(&six, &["[::1]"]) && !by(&six, &["[::2]:4567"]));
    let everywhere = guard("0.0.0.0:4567", None);
    assert!(by(&everywhere, &["192.0.2.1:4567"]) && !by(&everywhere, &["evil.example"]));
}

#[test]
fn what_changes_something_has_to_come_from_a_page_of_the_console() {
    let guard = guard("127.0.0.1:4567", None);
    let host = ("host", "localhost:4567");
    let post = |headers: &[(&str, &str)]| guard.check(&request(Method::POST, &[&[host], headers].concat()));
    let own = ("origin", "http://localhost:4567");
    for headers in [
        &[own][..],
        &[("sec-fetch-site", "same-origin")],
        &[own, ("sec-fetch-site", "same-origin")],
        &[("origin", "https://localhost:4567")],
    ] {
        assert_eq!(post(headers), Ok(()), "{headers:?}");
    }
    for headers in [
        &[][..],
        &[("origin", "null")],
        &[("origin", "http://evil.example")],
        &[("origin", "http://localhost:4568")],
        &[("origin", "http://localhost")],
        &[("origin", "http://localhost:4567.evil.example")],
        &[("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")],
        &[own, ("sec-fetch-site", "cross-site")],
        &[own, ("sec-fetch-site", "same-site")],
        &[own, ("sec-fetch-site", "none")],
    ] {
        assert_eq!(post(headers), Err(origin::OTHER_SITE), "{headers:?}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE] {
        assert_eq!(guard.check(&request(method, &[host, own])), Err(origin::WRONG_METHOD));
    }
}

#[test]
fn another_sites_page_may_link_to_the_console_and_nothing_else() {
    let guard = guard("127.0.0.1:4567", None);
    let get = |site: &str, mode: &str, dest: &str| {
        let headers = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
        guard.check(&request(Method::GET, &headers)).is_ok()
    };
    assert!(get("cross-site", "navigate", "document") && get("none", "navigate", "document"));
    assert!(get("same-origin", "cors", "empty"));
    assert!(!get("cross-site", "no-cors", "image") && !get("cross-site", "navigate", "iframe"));
    assert!(!get("same-site", "cors", "empty"));
    assert_eq!(guard.check(&request(Method::GET, &[])), Ok(()), "who is no browser may look");
}

#[tokio::test]
async fn a_form_without_the_consoles_secret_is_refused() {
    let guard = guard("127.0.0.1:4567", None);
    let secret = guard.csrf_token().to_owned();
    let other = self::guard("127.0.0.1:4567", None).csrf_token().to_owned();
    assert_ne!(secret, other);
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let send = async |headers: &[(&str, &str)], query: &str, body: String| {
        let mut parts = request(Method::POST, headers);
        parts.uri = format!("/imports?{query}").parse().unwrap();
        let passed = guard.csrf.checked(parts, Body::from(body)).await?;
        Ok::<_, Refusal>(to_bytes(passed.into_body(), usize::MAX).await.unwrap())
    };
    let passed = send(&[form], "", format!("id=a&csrf={secret}")).await.unwrap();
    assert_eq!(passed, format!("id=a&csrf={secret}"), "the handler reads the form as it was sent");
    assert!(send(&[("x-csrf-token", &secret)], "", "a file".to_owned()).await.is_ok());
    assert!(
        send(
            &[("content-type", "multipart/form-data; boundary=x")],
            &format!("csrf={secret}"),
            String::new()
        )
        .await
        .is_ok()
    );

    for (headers, query, body) in [
        (&[form][..], String::new(), "id=a".to_owned()),
        (&[form], String::new(), "id=a&csrf=".to_owned()),
        (&[form], String::new(), format!("csrf={other}")),
        (&[form], format!("csrf={secret}"), "id=a".to_owned()),
        (&[form, ("x-csrf-token", &other)], String::new(), format!("csrf={secret}")),
        (&[("content-type", "text/plain")], String::new(), format!("csrf={secret}")),
        (&[], format!("csrf={other}"), String::new()),
    ] {
        assert_eq!(send(headers, &query, body).await, Err(csrf::MISSING), "{headers:?}");
    }
    let large = format!("csrf={secret}&id={}", "x".repeat(MAX_FORM));
    assert_eq!(send(&[form], "", large).await, Err(csrf::TOO_LARGE));
}

#[test]
fn off_this_machine_visitors_need_the_token_and_then_the_cookie() {
    let known = |guard: &Guard, cookie: &str| {
        guard.access.is_known(&request(Method::GET, &[("cookie", cookie)]).headers)
    };
    let open = guard("127.0.0.1:4567", None);
    assert!(known(&open, "") && open.token_to_print().is_none() && open.sign_in("").is_none());

    for guard in [guard("0.0.0.0:4567", None), guard("127.0.0.1:4567", Some("a token of some length"))] {
        assert!(!known(&guard, "") && !known(&guard, "baton-console-4567="));
        for wrong in ["", "x", "a token of some lengt"] {
            assert!(guard.sign_in(wrong).is_none(), "{wrong}");
        }
        let token = guard.token_to_print().unwrap_or("a token of some length").to_owned();
        assert!(token.len() >= 16);
        let cookie = guard.sign_in(&token).unwrap().to_str().unwrap().to_owned();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict") && !cookie.contains(&token), "{cookie}");
        let cookie = cookie.split(';').next().unwrap();
        assert!(known(&guard, cookie) && known(&guard, &format!("other=1; {cookie}")));
        assert!(!known(&guard, &cookie.replace("4567", "4568")), "another console's");
        assert!(!known(&guard, &format!("{cookie}0")));
    }
    let refused = Guard::new("127.0.0.1:1".parse().unwrap(), &[], Some("short")).err().unwrap().to_string();
    assert!(
        refused.contains("BATON_CONSOLE_TOKEN is too short") && !refused.contains("\"short\""),
        "{refused}"
    );
}
