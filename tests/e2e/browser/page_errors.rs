//! What is wrong with a page that nobody may see at once: errors on its console, among them everything that its content
//! security policy refuses, requests to other hosts, and content wider than the screen.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use thirtyfour::common::command::ExtensionCommand;

use super::Browser;

/// Everything that the page has loaded from somewhere else than its own origin.
const ELSEWHERE: &str = "
    return performance.getEntriesByType('resource').map(entry => entry.name)
        .filter(name => !name.startsWith('data:') && new URL(name).origin !== location.origin);";

/// What stands out to the right, where the page can be scrolled there.
const TOO_WIDE: &str = "
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')]
        .filter(element => element.getBoundingClientRect().right > width + 1)
        .map(element => element.outerHTML.slice(0, 120));";

impl Browser {
    /// Fails the test where anything is wrong with the page.
    pub(crate) async fn finds_no_fault(&self) {
        let faults = self.faults().await;
        assert!(faults.is_empty(), "{}: {faults:#?}", self.place().await);
    }

    /// What is wrong with the page, and what went wrong on those before it since this was asked last.
    pub(super) async fn faults(&self) -> Vec<String> {
        let mut faults = self.list(ELSEWHERE, "asks another host").await;
        faults.extend(self.list(TOO_WIDE, "is wider than the screen").await);
        let log = self.driver.cmd(thirtyfour::common::command::Command::ExtensionCommand(Box::new(ReadLog)));
        let log: Vec<Value> = log.await.and_then(|log| log.value()).unwrap();
        let is_fault = |entry: &&Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        faults.extend(log.iter().filter(is_fault).map(|entry| format!("logs: {}", entry["message"])));
        faults
    }

    async fn list(&self, script: &str, what: &str) -> Vec<String> {
        let found = self.script(script).await;
        found.as_array().unwrap().iter().map(|one| format!("{what}: {one}")).collect()
    }
}

/// Chromium's console since it was read last.
#[derive(Debug)]
struct ReadLog;

impl ExtensionCommand for ReadLog {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({"type": "browser"}))
    }

    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/se/log".into()
    }
}
