//! Pictures of pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::{Browser, WIDTH};

/// Higher than any page of which a picture is taken, so that its foot, which says where the stack lies, is below the picture.
const PAGE: u32 = 3000;

impl Browser {
    /// A picture of the page from its top, of this height in pixels, when nothing moves on it: a PNG.
    pub(crate) async fn picture(&self, height: u32) -> Vec<u8> {
        self.measure((WIDTH, PAGE), false).await;
        self.script("scrollTo(0, 0); document.activeElement?.blur()").await;
        let still = "return document.fonts.status === 'loaded'
            && document.getAnimations().every(one => one.playState !== 'running')";
        e2e::wait::until(
            "the page to stand still",
            async || self.script(still).await,
            |still| *still == true,
        )
        .await;
        let clip = json!({"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1});
        let taken = self.cdp("Page.captureScreenshot", json!({"format": "png", "clip": clip})).await;
        self.at_desk().await;
        BASE64.decode(taken["data"].as_str().unwrap()).unwrap()
    }
}
