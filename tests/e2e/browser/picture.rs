//! Pictures of pages for the README, made anew where `UPDATE_PICTURES` is set.

use std::path::Path;

use serde_json::json;

use super::Browser;

/// The most bytes that a picture may have.
const MOST_BYTES: u64 = 200 * 1024;

impl Browser {
    /// Takes a picture of the page, of this height in pixels, if pictures are wanted. That the README's are there and not too
    /// large is checked in any case.
    pub(crate) async fn takes_picture(&self, name: &str, height: u32) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pictures").join(name);
        #[expect(clippy::disallowed_methods, reason = "the one variable that changes what a test does")]
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            self.measure((super::DESK.0, height), false).await;
            self.script("scrollTo(0, 0); document.activeElement?.blur()").await;
            let picture = self.driver.screenshot_as_png().await.unwrap();
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, picture).unwrap();
            self.at_desk().await;
        }
        let size = std::fs::metadata(&path).map(|picture| picture.len());
        let size = size.unwrap_or_else(|error| panic!("{name}: {error}; UPDATE_PICTURES=1 makes it"));
        assert!(size <= MOST_BYTES, "{name} has {size} bytes");
    }

    /// Waits until nothing moves on the page any more.
    pub(crate) async fn stands_still(&self) {
        let pause = json!({"animations": "finished"});
        let ended = "return document.getAnimations().every(one => one.playState === 'finished')";
        e2e::wait::until(&pause.to_string(), async || self.script(ended).await, |ended| *ended == true).await;
    }
}
