//! What stands on the page, and waiting until it does.

use e2e::wait;
use serde_json::{Value, json};
use thirtyfour::{By, WebElement};

use super::Browser;

impl Browser {
    /// Waits until these words stand on the page.
    pub(crate) async fn sees(&self, words: &str) {
        let look = async || self.text("body").await;
        wait::until(&format!("{words:?} on the page"), look, |seen| {
            seen.as_ref().is_some_and(|seen| seen.contains(words))
        })
        .await;
    }

    /// Waits until an element is there, and is as `accept` wants its text.
    pub(crate) async fn sees_in(&self, css: &str, what: &str, accept: impl Fn(&str) -> bool) -> String {
        let look = async || self.text(css).await;
        let accept = |seen: &Option<String>| seen.as_deref().is_some_and(&accept);
        wait::until(&format!("{what} in {css}"), look, accept).await.unwrap()
    }

    /// The text of an element as it is shown; nothing where there is none.
    pub(crate) async fn text(&self, css: &str) -> Option<String> {
        // What is drawn in SVG has no `innerText`.
        let script = format!(
            "const it = document.querySelector({}); return it?.innerText ?? it?.textContent ?? null",
            json!(css)
        );
        self.script_if_any(&script).await?.as_str().map(str::to_owned)
    }

    /// An attribute of the first such element.
    pub(crate) async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        let script =
            format!("return document.querySelector({})?.getAttribute({}) ?? null", json!(css), json!(name));
        self.script_if_any(&script).await?.as_str().map(str::to_owned)
    }

    /// What stands in a field.
    pub(crate) async fn value(&self, css: &str) -> Option<String> {
        let script = format!("return document.querySelector({})?.value ?? null", json!(css));
        self.script_if_any(&script).await?.as_str().map(str::to_owned)
    }

    /// Whether the page is light on dark.
    pub(crate) async fn is_dark(&self) -> bool {
        let colour =
            "const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g);
            return Number(red) + Number(green) + Number(blue) < 384;";
        self.script(colour).await == true
    }

    /// How many such elements there are.
    pub(crate) async fn count(&self, css: &str) -> u64 {
        let counted = self.script(&format!("return document.querySelectorAll({}).length", json!(css))).await;
        counted.as_u64().unwrap()
    }

    /// The path and the query of the page.
    pub(crate) async fn place(&self) -> String {
        let place = self.script_if_any("return location.pathname + location.search").await;
        place.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Waits until it is at a page whose path `accept` takes.
    pub(crate) async fn arrives(&self, what: &str, accept: impl Fn(&str) -> bool) -> String {
        wait::until(what, async || self.place().await, |place| accept(place)).await
    }

    /// Waits until there is an element, and is shown.
    pub(super) async fn element(&self, by: By) -> WebElement {
        let look = async || {
            let element = self.driver.find(by.clone()).await.ok()?;
            element.is_displayed().await.is_ok_and(|is_shown| is_shown).then_some(element)
        };
        let element = wait::until(&format!("{by:?} on the page"), look, Option::is_some).await;
        element.unwrap()
    }

    /// What a script returns, if the page is not just giving way to another.
    pub(super) async fn script_if_any(&self, script: &str) -> Option<Value> {
        Some(self.driver.execute(script, Vec::new()).await.ok()?.json().clone())
    }
}
