//! How long a store may be away before an attempt is given up. An attempt that has loaded for half an hour is worth minutes,
//! since the object can be read on at any byte; one that has read nothing is better begun anew.

use std::time::{Duration, Instant};

use crate::pauses::Pauses;

/// For a store from which nothing has come yet.
pub(crate) const AT_FIRST: Duration = Duration::from_secs(5);

/// For a store without which much would have to be done again.
pub(crate) const LATER: Duration = Duration::from_secs(180);

/// The pause behind the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The patience with a store that fails again and again.
pub(crate) struct Patience {
    limit: Duration,
    since: Instant,
    pauses: Pauses,
}

impl Patience {
    /// The whole of it, from now on.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, since: Instant::now(), pauses: Pauses::new(FIRST_PAUSE, LONGEST_PAUSE) }
    }

    /// How long to wait behind another failure; `None` where there is no patience left.
    pub(crate) fn pause(&mut self, now: Instant) -> Option<Duration> {
        let pause = self.pauses.pause();
        (now.duration_since(self.since) + pause < self.limit).then_some(pause)
    }

    /// How long it was in all.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a store is asked that never answers, and for how long.
    fn asked(limit: Duration) -> (u32, Duration) {
        let mut patience = Patience::new(limit);
        let (begun, mut now) = (patience.since, patience.since);
        let mut times = 1;
        while let Some(pause) = patience.pause(now) {
            now += pause;
            times += 1;
        }
        (times, now - begun)
    }

    #[test]
    fn a_store_that_is_away_for_two_minutes_costs_no_load() {
        let (times, waited) = asked(LATER);
        assert!(waited > Duration::from_secs(165) && waited <= LATER, "{waited:?}");
        assert!((18..=60).contains(&times), "{times}");
    }

    #[test]
    fn an_attempt_that_has_read_nothing_is_given_up_soon() {
        let (times, waited) = asked(AT_FIRST);
        assert!(waited <= AT_FIRST && (4..=10).contains(&times), "{times} in {waited:?}");
    }
}
