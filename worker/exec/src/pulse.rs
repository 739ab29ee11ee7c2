//! Which signs of life count. One rule for all threads: the readers of output and the supervising loop report what they
//! see, and the caller hears only of what counts.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::program::Beat;
use crate::watch::Watch;

/// Which signs of life counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Anything that the program wrote.
    Output,
    /// A `done` that grew, or `WATCHDOG=1`; the program used the progress channel first.
    Progress,
    /// `WATCHDOG=1`, or a `done` that grew; the program used the watchdog first.
    Watchdog,
    /// That the process was there.
    Always,
}

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Output => "output",
            Self::Progress => "progress",
            Self::Watchdog => "watchdog",
            Self::Always => "always",
        })
    }
}

const NEITHER: u8 = 0;
const PROGRESS: u8 = 1;
const WATCHDOG: u8 = 2;

/// The rule of one run.
pub(crate) struct Pulse<'a> {
    beat: Beat,
    watch: &'a dyn Watch,
    /// Which of the two channels the program used first.
    first_used: AtomicU8,
}

impl<'a> Pulse<'a> {
    pub(crate) fn new(beat: Beat, watch: &'a dyn Watch) -> Self {
        Self { beat, watch, first_used: AtomicU8::new(NEITHER) }
    }

    /// The program has started. That counts in any case.
    pub(crate) fn started(&self) {
        self.watch.gets_on();
    }

    /// The program wrote something.
    pub(crate) fn output(&self) {
        if matches!(self.counted(), Counted::Output | Counted::Always) {
            self.watch.gets_on();
        }
    }

    /// The program reported a `done` that has grown.
    pub(crate) fn done_grew(&self) {
        self.used(PROGRESS);
    }

    /// The program sent `WATCHDOG=1`.
    pub(crate) fn watchdog(&self) {
        self.used(WATCHDOG);
    }

    /// The process is there.
    pub(crate) fn is_alive(&self) {
        if self.beat == Beat::Always {
            self.watch.gets_on();
        }
    }

    /// Which signs count by now.
    pub(crate) fn counted(&self) -> Counted {
        match (self.beat, self.first_used.load(Relaxed)) {
            (Beat::Always, _) => Counted::Always,
            (Beat::Output, _) | (Beat::Auto, NEITHER) => Counted::Output,
            (Beat::Auto | Beat::Progress, WATCHDOG) => Counted::Watchdog,
            (Beat::Auto | Beat::Progress, _) => Counted::Progress,
        }
    }

    /// These count whatever the rule is: `Output` counts all that the program writes, `Always` all the time.
    fn used(&self, channel: u8) {
        // Lost only where the other channel came first.
        let _ = self.first_used.compare_exchange(NEITHER, channel, Relaxed, Relaxed);
        self.watch.gets_on();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::progress::Progress;
    use crate::watch::{Stop, Stream};

    #[derive(Default)]
    struct Beats(AtomicUsize);

    impl Watch for Beats {
        fn gets_on(&self) {
            self.0.fetch_add(1, Relaxed);
        }
        fn progress(&self, _: &Progress) {}
        fn line(&self, _: Stream, _: &str) {}
        fn stop_requested(&self) -> Option<Stop> {
            None
        }
    }

    /// How many of these count: output, output after the first `done`, that `done`, the watchdog, being there.
    fn beats(beat: Beat) -> [usize; 5] {
        let watch = Beats::default();
        let pulse = Pulse::new(beat, &watch);
        let after = |step: &dyn Fn()| {
            let before = watch.0.load(Relaxed);
            step();
            watch.0.load(Relaxed) - before
        };
        let output = after(&|| pulse.output());
        let done = after(&|| pulse.done_grew());
        [output, after(&|| pulse.output()), done, after(&|| pulse.watchdog()), after(&|| pulse.is_alive())]
    }

    #[test]
    fn each_rule_counts_its_own_signs() {
        assert_eq!(beats(Beat::Auto), [1, 0, 1, 1, 0]);
        assert_eq!(beats(Beat::Progress), [0, 0, 1, 1, 0]);
        assert_eq!(beats(Beat::Output), [1, 1, 1, 1, 0]);
        assert_eq!(beats(Beat::Always), [1, 1, 1, 1, 1]);
    }

    #[test]
    fn the_channel_that_was_used_first_is_named() {
        let watch = Beats::default();
        let pulse = Pulse::new(Beat::Auto, &watch);
        assert_eq!(pulse.counted(), Counted::Output);
        pulse.watchdog();
        pulse.done_grew();
        assert_eq!(pulse.counted(), Counted::Watchdog);
    }
}
