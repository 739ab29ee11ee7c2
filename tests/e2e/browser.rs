//! A browser of a test's own: headless Chromium, driven through WebDriver. It sees and touches a page as a person does, by
//! mouse or by keyboard, waits for what must appear, and ends with the test, however that ends.

mod hand;
mod look;
mod page_errors;
mod picture;
mod program;
mod tests;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde_json::{Value, json};
use thirtyfour::extensions::cdp::ChromeDevTools;
use thirtyfour::{Capabilities, WebDriver};
use tokio::sync::{Semaphore, SemaphorePermit};

use program::Program;

/// Two, so that a small machine is not all browsers.
static SEATS: Semaphore = Semaphore::const_new(2);

/// How wide a page is, and how high, in CSS pixels.
pub(crate) const WIDTH: u32 = 1280;
const DESK: (u32, u32) = (WIDTH, 900);
const PHONE: (u32, u32) = (390, 844);

/// A browser with one page.
pub(crate) struct Browser {
    driver: WebDriver,
    dev_tools: ChromeDevTools,
    /// Whether the page is as wide as a phone's.
    is_phone: AtomicBool,
    program: Program,
    _seat: SemaphorePermit<'static>,
}

impl Browser {
    /// Starts a browser, as soon as fewer than two others run.
    pub(crate) async fn open() -> Self {
        let seat = SEATS.acquire().await.unwrap();
        let program = Program::start().await;
        let driver = WebDriver::new(program.url(), capabilities(&program)).await;
        let driver = driver.unwrap_or_else(|error| panic!("the browser does not start: {error}"));
        let dev_tools = ChromeDevTools::new(driver.handle.clone());
        let browser = Self { driver, dev_tools, is_phone: AtomicBool::new(false), program, _seat: seat };
        browser.at_desk().await;
        browser
    }

    /// Goes to a page.
    pub(crate) async fn go(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Has pages as wide as on a desk.
    pub(crate) async fn at_desk(&self) {
        self.measure(DESK, false).await;
    }

    /// Has pages as narrow as on a phone.
    pub(crate) async fn on_phone(&self) {
        self.measure(PHONE, true).await;
    }

    /// Has pages know that the person likes it dark, or light.
    pub(crate) async fn likes(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.cdp("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    async fn measure(&self, (width, height): (u32, u32), is_phone: bool) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone});
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        self.is_phone.store(is_phone, Relaxed);
    }

    /// A command of the browser's own protocol, for what WebDriver has no word for.
    async fn cdp(&self, command: &str, parameters: Value) -> Value {
        let answer = self.dev_tools.execute_cdp_with_params(command, parameters).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// What a script on the page returns.
    async fn script(&self, script: &str) -> Value {
        let returned = self.driver.execute(script, Vec::new()).await;
        returned.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The program takes the session with it. Asking first would wait for a browser that may hang.
        drop(self.driver.clone().leak());
        self.program.end();
    }
}

fn capabilities(program: &Program) -> Capabilities {
    let mut arguments = vec![
        "--headless=new",
        "--disable-gpu",
        // A container's /dev/shm is small.
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-breakpad",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-sync",
        "--no-first-run",
        "--no-proxy-server",
        // Whatever a page asks of another host is not answered, and seen to be missing.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--force-color-profile=srgb",
        "--font-render-hinting=none",
        "--hide-scrollbars",
        "--lang=en-GB",
    ];
    if rustix::process::getuid().is_root() {
        arguments.push("--no-sandbox");
    }
    let capabilities = json!({
        "browserName": "chrome",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"binary": program.chromium(), "args": arguments},
    });
    match capabilities {
        Value::Object(capabilities) => capabilities,
        _ => unreachable!("it is written as an object"),
    }
}
