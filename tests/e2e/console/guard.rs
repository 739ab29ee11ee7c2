//! What the console refuses.

use e2e::http;
use e2e::{Backend, TestStack};

use super::Console;
use crate::dead_letters::{letters_are, missing};
use crate::desk::Desk;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test(flavor = "multi_thread")]
async fn the_console_answers_to_its_own_name_alone() {
    let desk = Desk::new();
    let console = Console::at(&desk, None).await;
    for (host, status) in
        [("localhost", 200), ("evil.example", 403), ("127.0.0.1.evil.example:80", 403), ("", 403)]
    {
        for path in ["/", "/static/console.js"] {
            let answer = http::send(&console.url, "GET", path, &[("host", host)], "").await;
            assert_eq!(answer.status, status, "{host:?} {path}: {answer:#?}");
        }
    }
    let answer = http::send(&console.url, "GET", "/", &[], "").await;
    for (header, words) in [
        ("content-security-policy", "default-src 'none'; style-src 'self'; script-src 'self'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert!(answer.header(header).contains(words), "{header}: {answer:#?}");
    }
    let nowhere = http::send(&console.url, "GET", "/<script>", &[], "").await;
    assert!(nowhere.status >= 400 && !nowhere.body.contains("<script>"), "{nowhere:#?}");
    let nowhere = http::send(&console.url, "GET", "/nowhere", &[], "").await;
    assert_eq!((nowhere.status, nowhere.header("x-content-type-options")), (404, "nosniff"));
    assert!(nowhere.body.contains("There is no page /nowhere"), "{nowhere:#?}");
    assert_eq!(console.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_for_another_sites_page_or_without_the_consoles_secret() {
    let stack = TestStack::start(Backend::Sqlite).await;
    stack.create_people();
    missing(&stack, "a").await;
    let console = Console::beside(&stack).await;
    let page = console.page("/dead-letters").await;
    let (_, id) = page.split_once("name=\"id\" value=\"").unwrap();
    let id = id.split('"').next().unwrap();
    let own = console.url.trim_end_matches('/');
    let with = format!("id={id}&csrf={}", console.csrf().await);
    let without = format!("id={id}");
    for (headers, body) in [
        (&[FORM, ("origin", "http://evil.example")][..], &with),
        (&[FORM, ("origin", "null")], &with),
        (&[FORM, ("sec-fetch-site", "cross-site"), ("origin", own)], &with),
        (&[FORM], &with),
        (&[FORM, ("origin", own)], &without),
        (&[FORM, ("origin", own)], &format!("{without}&csrf=0")),
        (&[("content-type", "text/plain"), ("origin", own)], &with),
        (&[FORM, ("origin", own), ("host", "evil.example")], &with),
    ] {
        let refused = http::send(&console.url, "POST", "/dead-letters/do/drop", headers, body).await;
        assert_eq!(refused.status, 403, "{headers:?}: {refused:#?}");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let refused =
            http::send(&console.url, method, "/dead-letters/do/drop", &[FORM, ("origin", own)], &with).await;
        assert_eq!(refused.status, 405, "{method}: {refused:#?}");
    }
    let large = format!("{with}{}", "x".repeat(1024 * 1024));
    let refused =
        http::send(&console.url, "POST", "/dead-letters/do/drop", &[FORM, ("origin", own)], &large).await;
    assert_eq!(refused.status, 413, "{}", refused.body);
    letters_are(&stack, 1).await;
    let dropped =
        http::send(&console.url, "POST", "/dead-letters/do/drop", &[FORM, ("origin", own)], &with).await;
    assert_eq!(dropped.status, 303, "{dropped:#?}");
    letters_are(&stack, 0).await;
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_console_has_a_token_visitors_show_it_once() {
    let desk = Desk::new();
    let token = "a token of some length";
    let console = Console::at(&desk, Some(token)).await;
    let own = console.url.trim_end_matches('/');
    let asked = http::send(&console.url, "GET", "/imports?status=FAILURE", &[], "").await;
    assert_eq!(asked.status, 401, "{asked:#?}");
    assert!(
        asked.body.contains("Sign in") && asked.body.contains("value=\"/imports?status=FAILURE\""),
        "{asked:#?}"
    );
    assert!(!asked.body.contains(token) && !asked.body.contains("csrf"), "{asked:#?}");
    let wrong = http::send(&console.url, "GET", "/?token=another", &[], "").await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));

    let entered = http::send(&console.url, "GET", "/imports?token=a+token+of+some+length", &[], "").await;
    assert_eq!(entered.status, 200, "{entered:#?}");
    let cookie = entered.header("set-cookie");
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && !cookie.contains(token), "{cookie}");
    assert!(entered.body.contains("0;url=/imports") && !entered.body.contains("some"), "{entered:#?}");
    let cookie = cookie.split(';').next().unwrap();
    let page = http::send(&console.url, "GET", "/imports", &[("cookie", cookie)], "").await;
    assert!(page.status == 200 && page.body.contains("<h1>Imports</h1>"), "{page:#?}");

    let body = "token=a+token+of+some+length&next=//evil.example";
    let signed_in = http::send(&console.url, "POST", "/sign-in", &[FORM, ("origin", own)], body).await;
    assert!(signed_in.header("set-cookie").starts_with("baton-console-"), "{signed_in:#?}");
    assert!(!signed_in.body.contains("evil.example"), "{signed_in:#?}");
    let elsewhere =
        http::send(&console.url, "POST", "/sign-in", &[FORM, ("origin", "http://evil.example")], body).await;
    assert_eq!((elsewhere.status, elsewhere.header("set-cookie")), (403, ""));
}
