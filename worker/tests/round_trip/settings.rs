//! What a run is told by the environment.

use std::time::Duration;

/// The seed of a run that nobody watches: what it finds must be found again.
const SEED: u64 = 1;

/// The seed: `ROUND_TRIP_SEED`, else the time of a run that was given a time, else always the same.
pub(crate) fn seed() -> u64 {
    match variable("ROUND_TRIP_SEED") {
        Some(seed) => seed.parse().expect("ROUND_TRIP_SEED is a whole number"),
        None if time().is_zero() => SEED,
        None => {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since.map_or(SEED, |since| since.as_secs())
        }
    }
}

/// How long to go on: `ROUND_TRIP_SECONDS`. One round is always made.
pub(crate) fn time() -> Duration {
    let seconds =
        variable("ROUND_TRIP_SECONDS").map_or(0, |seconds| seconds.parse().expect("ROUND_TRIP_SECONDS"));
    Duration::from_secs(seconds)
}

/// Only types with this in their name: `ROUND_TRIP_TYPE`.
pub(crate) fn only_type() -> Option<String> {
    variable("ROUND_TRIP_TYPE")
}

/// Only ways with this in their name: `ROUND_TRIP_WAY`.
pub(crate) fn only_way() -> Option<String> {
    variable("ROUND_TRIP_WAY")
}

/// Whether all types go by all ways.
pub(crate) fn is_whole() -> bool {
    only_type().is_none() && only_way().is_none()
}

#[expect(
    clippy::disallowed_methods,
    reason = "who runs the tests by hand tells them the seed and the time so"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
