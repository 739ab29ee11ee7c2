//! Waiting for what must follow: a condition, a deadline, and what was seen last when the deadline passed.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);

/// Looks again and again until `accept` takes what `look` sees, and returns that.
///
/// # Panics
/// The deadline passed; the message has what was seen last.
pub async fn until<T: Debug>(what: &str, mut look: impl AsyncFnMut() -> T, accept: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let seen = look().await;
        if accept(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited {DEADLINE:?} for {what}; last seen: {seen:#?}");
        tokio::time::sleep(GLANCE).await;
    }
}
