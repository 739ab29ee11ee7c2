//! Pauses between tries. Each is twice as long as the one before, up to a longest, and drawn by lot: many who wait for one
//! thing do not ask for it at the same moments.

use std::time::Duration;

/// The pauses of one who tries again and again.
#[derive(Debug)]
pub(crate) struct Pauses {
    first: Duration,
    longest: Duration,
    taken: u32,
}

impl Pauses {
    /// Pauses from about `first` to about `longest`.
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, taken: 0 }
    }

    /// Pauses that do not grow.
    pub(crate) const fn even(pause: Duration) -> Self {
        Self::new(pause, pause)
    }

    /// The next pause: between half of its length and the whole of it.
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = self.first.saturating_mul(2_u32.saturating_pow(self.taken)).min(self.longest);
        self.taken = self.taken.saturating_add(1);
        whole.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Begins with the first again: there is something new.
    pub(crate) fn begin_again(&mut self) {
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_between_half_and_the_whole_of_twice_the_one_before_up_to_the_longest() {
        let millis = Duration::from_millis;
        let mut pauses = Pauses::new(millis(200), millis(1000));
        let begin = |pauses: &mut Pauses| {
            for whole in [200, 400, 800, 1000, 1000] {
                let pause = pauses.pause();
                assert!((millis(whole / 2)..=millis(whole)).contains(&pause), "{pause:?} of {whole}");
            }
        };
        begin(&mut pauses);
        (0..100).for_each(|_| assert!(pauses.pause() >= millis(500)));
        pauses.begin_again();
        begin(&mut pauses);
    }
}
