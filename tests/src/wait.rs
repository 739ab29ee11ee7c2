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
pub async fn until<T: Debug>(what: &str, look: impl AsyncFnMut() -> T, accept: impl Fn(&T) -> bool) -> T {
    match within(DEADLINE, look, accept).await {
        Ok(seen) => seen,
        Err(seen) => panic!("waited {DEADLINE:?} for {what}; last seen: {seen:#?}"),
    }
}

/// The same with a deadline of its own, for whoever can go on without.
///
/// # Errors
/// What was seen last before the deadline.
pub async fn within<T>(
    patience: Duration,
    mut look: impl AsyncFnMut() -> T,
    accept: impl Fn(&T) -> bool,
) -> Result<T, T> {
    let deadline = Instant::now() + patience;
    loop {
        let seen = look().await;
        if accept(&seen) {
            return Ok(seen);
        }
        if Instant::now() >= deadline {
            return Err(seen);
        }
        tokio::time::sleep(GLANCE).await;
    }
}
