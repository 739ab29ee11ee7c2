//! Pictures of pages.

use super::{Browser, WIDTH};

impl Browser {
    /// A picture of the page from its top, of this height in pixels, when nothing moves on it: a PNG.
    pub(crate) async fn picture(&self, height: u32) -> Vec<u8> {
        self.measure((WIDTH, height), false).await;
        self.script("scrollTo(0, 0); document.activeElement?.blur()").await;
        let still = "return document.fonts.status === 'loaded'
            && document.getAnimations().every(one => one.playState !== 'running')";
        e2e::wait::until(
            "the page to stand still",
            async || self.script(still).await,
            |still| *still == true,
        )
        .await;
        let picture = self.driver.screenshot_as_png().await.unwrap();
        self.at_desk().await;
        picture
    }
}
