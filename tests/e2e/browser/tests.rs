//! That the harness finds what it is there to find, and leaves nothing behind.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use e2e::wait;

use super::{Browser, program};

/// Serves one page on a port of its own; its address.
async fn serve(page: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(move || async move { Html(page) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_ends_with_its_test_even_when_that_panics() {
    let (say, mut dirs) = tokio::sync::mpsc::unbounded_channel();
    let panics = tokio::spawn(async move {
        let browser = Browser::open().await;
        say.send(browser.program.dir().to_owned()).unwrap();
        assert!(program::processes(browser.program.dir()).len() > 2, "a browser has many processes");
        panic!("as a test that fails");
    });
    assert!(panics.await.unwrap_err().is_panic());
    let dir = dirs.recv().await.unwrap();
    let left = async || program::processes(&dir);
    wait::until("the browser's processes to end", left, Vec::is_empty).await;
    assert!(!std::path::Path::new(&dir).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_errs_is_wide_or_asks_another_host_is_found_out() {
    let page = r#"<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <meta http-equiv="content-security-policy" content="script-src 'none'">
        <link rel="icon" href="data:,"><img src="http://elsewhere.invalid/a.png"><div style="width: 800px">氏名</div>
        <script>alert(1)</script>"#;
    let browser = Browser::open().await;
    browser.go(&serve(page).await).await;
    browser.sees("氏名").await;
    let found = async || browser.faults().await.join("\n");
    let faults = found().await;
    for words in
        ["asks another host: \"http://elsewhere.invalid", "logs: ", "ERR_NAME_NOT_RESOLVED", "script-src"]
    {
        assert!(faults.contains(words), "{words:?} is missing in {faults}");
    }
    assert!(!faults.contains("wider"), "{faults}");
    browser.on_phone().await;
    let faults = found().await;
    assert!(faults.contains("is wider than the screen: \"<div"), "{faults}");
}
