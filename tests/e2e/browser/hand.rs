//! What a person does to a page: with the mouse, or with the keyboard alone.

use std::path::Path;

use e2e::wait;
use serde_json::{Value, json};
use thirtyfour::{By, Key};

use super::Browser;

/// More fields and links than any page has before the one that is looked for.
const MOST_TABS: usize = 150;

/// The element that has the focus: its name as a person reads it, and whether the focus is seen.
const FOCUSED: &str = "
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const label = element.labels?.[0]?.innerText;
    const name = element.getAttribute('aria-label') || label || element.innerText || element.name || '';
    const seen = [element, element.parentElement].some(one => {
        const style = getComputedStyle(one);
        return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
    });
    return {name: name.trim(), seen};";

impl Browser {
    /// Clicks the button, link, label or summary that reads so. It may have to come first, or to come again: a page that
    /// moves by itself replaces its elements.
    pub(crate) async fn clicks(&self, name: &str) {
        let tags = ["a", "button", "summary", "label"].map(|tag| format!("self::{tag}")).join(" or ");
        let by = By::XPath(format!("//*[{tags}][normalize-space(.)='{name}']"));
        self.clicks_on(by, name).await;
    }

    /// Clicks the first such element.
    pub(crate) async fn clicks_at(&self, css: &str) {
        self.clicks_on(By::Css(css), css).await;
    }

    async fn clicks_on(&self, by: By, name: &str) {
        let click = async || self.element(by.clone()).await.click().await.map_err(|error| error.to_string());
        wait::until(&format!("{name:?} to be clicked"), click, Result::is_ok).await.unwrap();
    }

    /// Fills a field with a text in place of the one that is there.
    pub(crate) async fn fills(&self, css: &str, text: &str) {
        let field = self.element(By::Css(css)).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses a file in a file input, which may be drawn as something else.
    pub(crate) async fn chooses_file(&self, css: &str, path: &Path) {
        let input = self.driver.find(By::Css(css)).await.unwrap();
        input.send_keys(path.display().to_string()).await.unwrap();
    }

    /// Drags a file from a folder over the element, and lets it go there.
    pub(crate) async fn drops_file(&self, css: &str, path: &Path) {
        let middle = format!(
            "const place = document.querySelector({}).getBoundingClientRect();
            return {{x: place.x + place.width / 2, y: place.y + place.height / 2}};",
            json!(css)
        );
        let middle = self.script(&middle).await;
        let data = json!({"items": [], "files": [path.display().to_string()], "dragOperationsMask": 1});
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({"type": kind, "x": middle["x"], "y": middle["y"], "data": data});
            self.cdp("Input.dispatchDragEvent", event).await;
        }
    }

    /// Presses a key.
    pub(crate) async fn presses(&self, key: Key) {
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Types a text where the focus is.
    pub(crate) async fn types(&self, text: &str) {
        self.driver.action_chain().send_keys(text).perform().await.unwrap();
    }

    /// Tabs to the element that reads so, and fails where the focus cannot be seen on the way.
    pub(crate) async fn tabs_to(&self, name: &str) {
        let mut passed = Vec::new();
        for _ in 0..MOST_TABS {
            self.presses(Key::Tab).await;
            let Some(focused) = self.script_if_any(FOCUSED).await.filter(Value::is_object) else { continue };
            assert_eq!(focused["seen"], true, "the focus cannot be seen on {focused}");
            if focused["name"].as_str().is_some_and(|focused| focused.starts_with(name)) {
                return;
            }
            passed.push(focused["name"].clone());
        }
        panic!("no Tab leads to {name:?}; passed: {passed:?}");
    }
}
